// The list of pictures: only the rows in sight exist, however many there are.

const HEIGHT = 68; // of a row in pixels, as in review.css
const BEYOND = 4; // rows made above and below those in sight
const LOADING = 2; // thumbnails asked for at a time; the large picture must not wait
const KEPT = 500; // thumbnails kept for when their rows come into sight again

export function described({ hidden, shown }) {
  if (!hidden && !shown) return "no boxes";
  return shown ? `${hidden} hidden · ${shown} not` : `${hidden} hidden`;
}

export class List {
  #list;
  #rows;
  #items = [];
  #current = null;
  #made = new Map(); // item to its row
  #thumbnails = new Map(); // item to its thumbnail
  #loading = 0;

  // onChosen(item): the user has clicked a picture.
  constructor(list, rows, onChosen) {
    this.#list = list;
    this.#rows = rows;
    list.addEventListener("scroll", () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(list);
    rows.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) onChosen(this.#items[Number(row.dataset.position)]);
    });
  }

  get items() {
    return this.#items;
  }

  show(items, current) {
    this.#items = items;
    this.#rows.style.height = `${items.length * HEIGHT}px`;
    this.#current = current;
    this.#reveal(items.indexOf(current));
    this.#redraw();
  }

  // The counts, or the tick, of a picture have changed.
  refresh(item) {
    const row = this.#made.get(item);
    if (row) this.#fill(row, item);
  }

  #reveal(position) {
    const top = position * HEIGHT;
    const { scrollTop, clientHeight } = this.#list;
    if (top < scrollTop) this.#list.scrollTop = top;
    else if (top + HEIGHT > scrollTop + clientHeight)
      this.#list.scrollTop = top + 2 * HEIGHT - clientHeight;
  }

  #redraw() {
    this.#rows.replaceChildren();
    this.#made.clear();
    this.#draw();
  }

  #draw() {
    const { scrollTop, clientHeight } = this.#list;
    const first = Math.max(Math.floor(scrollTop / HEIGHT) - BEYOND, 0);
    const last = Math.ceil((scrollTop + clientHeight) / HEIGHT) + BEYOND;
    const wanted = new Set(this.#items.slice(first, last));
    for (const [item, row] of this.#made) {
      if (wanted.has(item)) continue;
      row.remove();
      this.#made.delete(item);
    }
    let position = first;
    for (const item of wanted) {
      if (!this.#made.has(item)) this.#made.set(item, this.#row(item, position));
      position += 1;
    }
    this.#loadThumbnails();
  }

  #row(item, position) {
    const row = document.createElement("div");
    row.className = "row";
    row.id = `row-${item.index}`;
    row.role = "option";
    row.dataset.position = position;
    row.style.top = `${position * HEIGHT}px`;
    row.ariaPosInSet = position + 1;
    row.ariaSetSize = this.#items.length;
    row.innerHTML = `<span class="thumbnail"></span>
      <span><span class="name"></span><span class="detail"></span></span>
      <span class="tick"></span>`;
    const thumbnail = this.#thumbnails.get(item);
    if (thumbnail) row.firstChild.replaceWith(thumbnail);
    this.#fill(row, item);
    this.#rows.append(row);
    return row;
  }

  #fill(row, item) {
    const isCurrent = item === this.#current;
    row.ariaSelected = isCurrent;
    if (isCurrent) this.#list.setAttribute("aria-activedescendant", row.id);
    row.querySelector(".name").textContent = item.name.split("/").at(-1);
    row.title = item.name;
    row.querySelector(".detail").textContent = described(item);
    const tick = row.querySelector(".tick");
    tick.textContent = item.reviewed ? "✓" : "";
    tick.ariaLabel = item.reviewed ? "reviewed" : null;
  }

  #loadThumbnails() {
    for (const item of this.#made.keys()) {
      if (this.#loading >= LOADING) return;
      if (!this.#thumbnails.has(item)) this.#loadThumbnail(item);
    }
  }

  #loadThumbnail(item) {
    const image = new Image();
    image.className = "thumbnail";
    image.alt = "";
    const finish = (element) => {
      this.#loading -= 1;
      this.#thumbnails.set(item, element);
      this.#made.get(item)?.querySelector(".thumbnail").replaceWith(element);
      this.#loadThumbnails();
    };
    image.onload = () => finish(image);
    image.onerror = () => {
      const failed = document.createElement("span");
      failed.className = "thumbnail failed";
      failed.textContent = "!";
      finish(failed);
    };
    this.#loading += 1;
    this.#thumbnails.set(item, null);
    for (const old of this.#thumbnails.keys())
      if (this.#thumbnails.size > KEPT) this.#thumbnails.delete(old);
    image.src = `pictures/${item.index}/thumbnail`;
  }
}
