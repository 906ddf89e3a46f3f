// How large the picture is seen: whole, or larger, and then scrolled.

const STEP = 1.25;
const LARGEST = 8; // times the size at which the whole picture is seen
const ENLARGED = 3; // screen pixels to a pixel, at most, of a small picture seen whole

export class Zoom {
  #stage;
  #frame;
  #width = 1;
  #height = 1;
  #factor = 1;

  // stage: what scrolls; frame: what holds the picture, and has its size.
  constructor(stage, frame) {
    this.#stage = stage;
    this.#frame = frame;
    new ResizeObserver(() => this.#fit()).observe(stage);
    stage.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
  }

  // A picture of other sides, seen whole.
  show({ width, height }) {
    this.#width = width;
    this.#height = height;
    this.#factor = 1;
    this.#fit();
  }

  larger() {
    this.#multiply(STEP, ...this.#middle);
  }

  smaller() {
    this.#multiply(1 / STEP, ...this.#middle);
  }

  whole() {
    this.#multiply(0, ...this.#middle);
  }

  get #middle() {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  }

  // A wheel with Ctrl is also how browsers tell of two fingers on a touchpad.
  #turn(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.#multiply(event.deltaY < 0 ? STEP : 1 / STEP, event.clientX, event.clientY);
  }

  // What lies under (x, y) of the window stays there.
  #multiply(factor, x, y) {
    const before = this.#frame.getBoundingClientRect();
    this.#factor = Math.min(Math.max(this.#factor * factor, 1), LARGEST);
    this.#fit();
    const after = this.#frame.getBoundingClientRect();
    const growth = after.width / before.width;
    this.#stage.scrollLeft += after.left + (x - before.left) * growth - x;
    this.#stage.scrollTop += after.top + (y - before.top) * growth - y;
  }

  #fit() {
    const { paddingLeft, paddingTop } = getComputedStyle(this.#stage);
    const width = this.#stage.offsetWidth - 2 * parseFloat(paddingLeft);
    const height = this.#stage.offsetHeight - 2 * parseFloat(paddingTop);
    const whole = Math.min(width / this.#width, height / this.#height, ENLARGED);
    this.#frame.style.width = `${this.#width * whole * this.#factor}px`;
    this.#frame.style.height = `${this.#height * whole * this.#factor}px`;
  }
}
