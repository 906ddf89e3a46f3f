// The tracks of a film, in the order of doubt, each over the film's time line.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 58; // of a row in pixels, as in review.css
const BEYOND = 4; // rows made above and below those in sight

export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
}

function described({ first, last, start, end, lost, hide, doubt }) {
  const when =
    start === null ? `frames ${first + 1} to ${last + 1}` : `${clock(start)}–${clock(end)}`;
  if (!hide) return [when, "not hidden"];
  if (lost) return [when, "lost"];
  return [when, doubt ? `${Math.max(1, Math.round(doubt * 100))} % unsure` : "sure"];
}

export class Tracks {
  #list;
  #rows;
  #onChosen;
  #tracks = [];
  #cells = 1;
  #frames = 1;
  #frame = 0;
  #chosen = null; // the number of a track
  #made = new Map(); // the number of a track to its row

  // onChosen(track): the user has clicked a track.
  constructor(list, rows, onChosen) {
    this.#list = list;
    this.#rows = rows;
    this.#onChosen = onChosen;
    list.addEventListener("scroll", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(list);
    rows.addEventListener("click", (event) => {
      const row = event.target.closest(".track");
      if (row) onChosen(this.#tracks[Number(row.dataset.position)]);
    });
  }

  // The track that is chosen; undefined for none.
  get chosen() {
    return this.#tracks.find(({ track }) => track === this.#chosen);
  }

  // Show the tracks of a film, in this order.
  show({ tracks, cells, frames }) {
    this.#tracks = tracks;
    this.#cells = cells;
    this.#frames = frames;
    this.#rows.style.height = `${tracks.length * HEIGHT}px`;
    this.#rows.replaceChildren();
    this.#made.clear();
    this.#draw();
  }

  choose(number) {
    this.#chosen = number;
    for (const [track, row] of this.#made) row.ariaSelected = track === number;
    const position = this.#tracks.findIndex(({ track }) => track === number);
    if (position < 0) return;
    const top = position * HEIGHT;
    const { scrollTop, clientHeight } = this.#list;
    if (top < scrollTop) this.#list.scrollTop = top;
    else if (top + HEIGHT > scrollTop + clientHeight)
      this.#list.scrollTop = top + HEIGHT - clientHeight;
    this.#list.setAttribute("aria-activedescendant", `track-${number}`);
  }

  // Choose the next track, or one before.
  step(by) {
    const position = this.#tracks.findIndex(({ track }) => track === this.#chosen);
    const next = this.#tracks[position < 0 ? 0 : position + by];
    if (next) this.#onChosen(next);
  }

  // Mark the frame that is on the page.
  mark(frame) {
    this.#frame = frame;
    for (const row of this.#made.values()) this.#place(row);
  }

  #place(row) {
    const share = this.#frames > 1 ? this.#frame / (this.#frames - 1) : 0;
    row.querySelector(".now").style.left = `${share * 100}%`;
  }

  #draw() {
    const { scrollTop, clientHeight } = this.#list;
    const first = Math.max(Math.floor(scrollTop / HEIGHT) - BEYOND, 0);
    const last = Math.ceil((scrollTop + clientHeight) / HEIGHT) + BEYOND;
    const wanted = new Map();
    this.#tracks.slice(first, last).forEach((track, n) => wanted.set(track.track, first + n));
    for (const [track, row] of this.#made) {
      if (wanted.has(track)) continue;
      row.remove();
      this.#made.delete(track);
    }
    for (const [track, position] of wanted)
      if (!this.#made.has(track)) this.#made.set(track, this.#row(position));
  }

  #row(position) {
    const track = this.#tracks[position];
    const row = document.createElement("div");
    row.className = `track ${track.hide ? "hidden" : "shown"}`;
    row.id = `track-${track.track}`;
    row.role = "option";
    row.dataset.position = position;
    row.style.top = `${position * HEIGHT}px`;
    row.ariaPosInSet = position + 1;
    row.ariaSetSize = this.#tracks.length;
    row.ariaSelected = track.track === this.#chosen;
    row.innerHTML = `<span class="number"></span><span class="when"></span>
      <span class="state"></span><span class="strip"><span class="now"></span></span>`;
    const [when, state] = described(track);
    row.querySelector(".number").textContent = `#${track.track}`;
    row.querySelector(".when").textContent = when;
    row.querySelector(".state").textContent = state;
    row.querySelector(".state").classList.toggle("lost", track.lost && track.hide);
    row.querySelector(".strip").prepend(this.#strip(track));
    this.#place(row);
    this.#rows.append(row);
    return row;
  }

  #strip({ strip, hide, last }) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${this.#cells} 1`);
    svg.setAttribute("preserveAspectRatio", "none");
    const add = (kind, begin, width) => {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", hide ? kind : `${kind} off`);
      rect.setAttribute("x", begin);
      rect.setAttribute("width", width);
      rect.setAttribute("height", 1);
      svg.append(rect);
    };
    for (const [kind, begin, end] of strip) add(kind, begin, end - begin);
    // Where it ends before the film does.
    const thin = this.#cells / 120;
    if (last < this.#frames - 1) add("end", strip.at(-1)[2] - thin, thin);
    return svg;
  }
}
