// Boxes over a picture: an SVG whose units are the pixels of the picture.

const SVG = "http://www.w3.org/2000/svg";
const CLICK = 4; // screen pixels that the pointer may move in a click
const SMALLEST = 4; // sides of a new box, in pixels of the picture and of the screen
const LABELLED = 16; // screen pixels; narrower boxes tell their score when pointed at
const HANDLE = 9; // sides of a handle, in screen pixels
const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const ARROWS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function element(name, parent, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

const area = ([left, top, right, bottom]) => (right - left) * (bottom - top);

const isAtLeast = (side, [left, top, right, bottom]) =>
  right - left >= side && bottom - top >= side;

const ordered = ([x1, y1, x2, y2]) =>
  [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)];

const moved = ([left, top, right, bottom], dx, dy) =>
  [left + dx, top + dy, right + dx, bottom + dy];

function resized([left, top, right, bottom], handle, dx, dy) {
  if (handle.includes("w")) left += dx;
  if (handle.includes("e")) right += dx;
  if (handle.includes("n")) top += dy;
  if (handle.includes("s")) bottom += dy;
  return ordered([left, top, right, bottom]);
}

// What stands at a box.
function labelled({ track, found_by, score, draft }) {
  if (draft) return "new track";
  const how = {
    hand: "by hand",
    weak: "weak",
    between: "between",
    held: "held",
  }[found_by];
  return `${track === undefined ? "" : `#${track} `}${how ?? score.toFixed(2)}`;
}

// A face in another box; where its eyes are is no longer known if they are outside.
function withBox(face, box) {
  const [left, top, right, bottom] = box;
  const isInside = ([x, y]) => left <= x && x <= right && top <= y && y <= bottom;
  return { ...face, box, points: face.points?.every(isInside) ? face.points : null };
}

export class Editor {
  #svg;
  #onChange;
  #onTrack;
  #width = 1;
  #height = 1;
  #faces = [];
  #track = undefined;
  #drag = null;

  // onChange(faces): the user has changed them; they are to be shown again.
  // onTrack(track): the user has clicked a face of a track.
  constructor(svg, onChange, onTrack) {
    this.#svg = svg;
    this.#onChange = onChange;
    this.#onTrack = onTrack;
    svg.addEventListener("pointerdown", (event) => this.#start(event));
    svg.addEventListener("pointermove", (event) => this.#continue(event));
    svg.addEventListener("pointerup", () => this.#finish());
    svg.addEventListener("pointercancel", () => this.cancel());
    svg.addEventListener("keydown", (event) => this.#press(event));
    new ResizeObserver(() => {
      if (!this.#drag) this.#draw();
    }).observe(svg);
  }

  // Show faces over a picture; `focused` is the index of the face to have the focus.
  // Those of the track that is chosen stand out.
  show({ width, height, faces, track }, focused = this.#focused) {
    this.#drag = null;
    this.#track = track;
    this.#width = width;
    this.#height = height;
    this.#faces = faces;
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#draw(focused);
  }

  // Add a box in the middle of what is seen of the picture.
  add() {
    const stage = this.#svg.closest("#stage").getBoundingClientRect();
    const seen = this.#svg.getBoundingClientRect();
    const x = (Math.max(stage.left, seen.left) + Math.min(stage.right, seen.right)) / 2;
    const y = (Math.max(stage.top, seen.top) + Math.min(stage.bottom, seen.bottom)) / 2;
    const [centerX, centerY] = this.#at({ clientX: x, clientY: y });
    const half = 40 * this.#unit;
    this.#create([centerX - half, centerY - half, centerX + half, centerY + half]);
  }

  // Give up what is being dragged, or leave the box that has the focus.
  cancel() {
    if (this.#drag) this.#draw();
    else document.activeElement.closest(".face")?.blur();
    this.#drag = null;
  }

  // Pixels of the picture in a pixel of the screen.
  get #unit() {
    return this.#width / (this.#svg.getBoundingClientRect().width || 1);
  }

  get #focused() {
    const face = document.activeElement?.closest(".face");
    return face ? Number(face.dataset.face) : -1;
  }

  #at({ clientX, clientY }) {
    const { left, top } = this.#svg.getBoundingClientRect();
    return [(clientX - left) * this.#unit, (clientY - top) * this.#unit];
  }

  // --- Drawing -------------------------------------------------------------------

  #draw(focused = this.#focused) {
    this.#svg.classList.remove("dragging");
    this.#svg.replaceChildren();
    // The smaller ones lie above, so that each can be reached.
    const order = [...this.#faces.keys()];
    order.sort((a, b) => area(this.#faces[b].box) - area(this.#faces[a].box));
    for (const index of order) this.#drawFace(this.#faces[index], index);
    this.#element(focused)?.focus({ preventScroll: true });
  }

  #drawFace(face, index) {
    const by = face.found_by === "hand" ? "made by hand" : `score ${face.score.toFixed(2)}`;
    const isOfTrack = face.track !== undefined;
    const isChosen = isOfTrack && face.track === this.#track;
    const state = face.draft ? "draft" : face.hide ? "hidden" : "shown";
    const group = element("g", this.#svg, {
      class: `face ${state}${isChosen ? " chosen" : ""}`,
      "data-face": index,
      tabindex: 0,
      role: "button",
      "aria-pressed": face.hide,
      "aria-label": `Hide face ${index + 1}${isOfTrack ? ` of track ${face.track}` : ""}, ${by}`,
    });
    element("rect", group, { class: "halo" });
    element("rect", group, { class: "frame" });
    const text = element("text", group, { "font-size": 12 * this.#unit });
    const [left, , right] = face.box;
    text.classList.toggle("narrow", right - left < LABELLED * this.#unit);
    text.textContent = labelled(face);
    for (const handle of HANDLES)
      element("rect", group, { class: "handle", "data-handle": handle });
    this.#place(group, face.box);
  }

  #place(group, [left, top, right, bottom]) {
    const unit = this.#unit;
    for (const rect of group.querySelectorAll(".halo, .frame")) {
      rect.setAttribute("x", left);
      rect.setAttribute("y", top);
      rect.setAttribute("width", right - left);
      rect.setAttribute("height", bottom - top);
    }
    const text = group.querySelector("text");
    text?.setAttribute("x", Math.max(left, 0));
    // Above the box, or below it where the picture ends.
    const above = top - 6 * unit;
    text?.setAttribute("y", above > 13 * unit ? above : bottom + 16 * unit);
    for (const handle of group.querySelectorAll(".handle")) {
      const at = handle.dataset.handle;
      const x = at.includes("w") ? left : at.includes("e") ? right : (left + right) / 2;
      const y = at.includes("n") ? top : at.includes("s") ? bottom : (top + bottom) / 2;
      handle.setAttribute("x", x - (HANDLE / 2) * unit);
      handle.setAttribute("y", y - (HANDLE / 2) * unit);
      handle.setAttribute("width", HANDLE * unit);
      handle.setAttribute("height", HANDLE * unit);
      // Handles must leave room to take hold of the box itself.
      const side = at.length === 1 ? Math.min(right - left, bottom - top) : Infinity;
      handle.toggleAttribute("hidden", side < 5 * HANDLE * unit);
    }
  }

  #element(index) {
    return this.#svg.querySelector(`[data-face="${index}"]`);
  }

  // --- The pointer ---------------------------------------------------------------

  #start(event) {
    if (event.button !== 0 || this.#drag) return;
    event.preventDefault();
    const group = event.shiftKey ? null : event.target.closest(".face");
    const start = this.#at(event);
    this.#drag = {
      start,
      screen: [event.clientX, event.clientY],
      index: group ? Number(group.dataset.face) : -1,
      handle: group ? event.target.dataset.handle : undefined,
      box: null, // until the pointer has moved further than in a click
    };
    if (group) group.focus({ preventScroll: true });
    else document.activeElement?.blur();
    this.#svg.setPointerCapture(event.pointerId);
  }

  #continue(event) {
    const drag = this.#drag;
    if (!drag) return;
    const [x, y] = drag.screen;
    if (!drag.box && Math.hypot(event.clientX - x, event.clientY - y) < CLICK) return;
    const at = this.#at(event);
    const dx = at[0] - drag.start[0];
    const dy = at[1] - drag.start[1];
    const face = this.#faces[drag.index];
    if (!face) drag.box = this.#clipped(ordered([...drag.start, ...at]));
    else if (drag.handle) drag.box = resized(face.box, drag.handle, dx, dy);
    else drag.box = moved(face.box, dx, dy);
    this.#svg.classList.add("dragging");
    this.#place(face ? this.#element(drag.index) : this.#adding(), drag.box);
  }

  #finish() {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    if (!drag.box) {
      const track = this.#faces[drag.index]?.track;
      // Of a track, a click on one of many boxes decides nothing.
      if (track !== undefined) this.#onTrack(track);
      else if (drag.index >= 0) this.#toggle(drag.index);
    } else if (drag.index >= 0) this.#reshape(drag.index, drag.box);
    else this.#create(drag.box);
  }

  #adding() {
    const existing = this.#svg.querySelector(".adding");
    if (existing) return existing;
    const group = element("g", this.#svg, { class: "adding" });
    element("rect", group, { class: "halo" });
    element("rect", group, { class: "frame" });
    return group;
  }

  // --- The keyboard --------------------------------------------------------------

  #press(event) {
    const index = this.#focused;
    if (index < 0) return;
    const arrow = event.shiftKey && ARROWS[event.key];
    if (event.key === "Enter") this.#toggle(index);
    else if (event.key === "Delete" || event.key === "Backspace") this.#remove(index);
    else if (arrow) {
      // A few pixels of the screen, and at least one of the picture.
      const [dx, dy] = arrow.map((part) => part * Math.max(3 * this.#unit, 1));
      const { box } = this.#faces[index];
      this.#reshape(index, event.altKey ? resized(box, "se", dx, dy) : moved(box, dx, dy));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // --- Changes -------------------------------------------------------------------

  #toggle(index) {
    const face = this.#faces[index];
    if (!face.draft) this.#replace(index, { ...face, hide: !face.hide });
  }

  #reshape(index, box) {
    const rounded = box.map(Math.round);
    // What would lie beside the picture stays where it was.
    if (!isAtLeast(1, this.#clipped(rounded))) this.#draw();
    else this.#replace(index, withBox(this.#faces[index], rounded));
  }

  #replace(index, face) {
    this.#onChange(this.#faces.with(index, face));
  }

  #create(box) {
    const rounded = this.#clipped(box).map(Math.round);
    if (!isAtLeast(SMALLEST * Math.min(Math.max(this.#unit, 1), 2), rounded)) {
      this.#draw();
      return;
    }
    const face = { box: rounded, score: 1, hide: true, points: null, found_by: "hand" };
    this.#onChange([...this.#faces, face]);
  }

  #remove(index) {
    const face = this.#faces[index];
    if (face.found_by === "hand") this.#onChange(this.#faces.toSpliced(index, 1));
    else if (face.hide) this.#toggle(index);
  }

  #clipped([left, top, right, bottom]) {
    return [
      Math.max(left, 0),
      Math.max(top, 0),
      Math.min(right, this.#width),
      Math.min(bottom, this.#height),
    ];
  }
}
