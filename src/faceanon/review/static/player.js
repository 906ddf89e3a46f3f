// Which frame is on the page: going to one, and playing them one after the other.

const PAUSE = 80; // milliseconds that a frame is seen at least when the film is played

const wait = (duration) => new Promise((resolve) => setTimeout(resolve, duration));

export class Player {
  #show;
  #tell;
  #frames = 1;
  #frame = 0;
  #going = null; // the way to the frame that was asked for last
  #turn = 0; // counts the pictures, so that what comes late is not shown
  #isPlaying = false;

  // show(frame): loads and shows a frame; tell(frame, isThere, isPlaying): is told of it.
  constructor(show, tell) {
    this.#show = show;
    this.#tell = tell;
  }

  get frame() {
    return this.#frame;
  }

  get frames() {
    return this.#frames;
  }

  // Take another picture, of which a frame is on the page already.
  open(frames, frame) {
    this.#turn += 1;
    this.#frames = frames;
    this.#frame = frame;
    this.#going = null;
    this.#isPlaying = false;
    this.#tell(frame, true, false);
  }

  // Go to a frame. Of those that are asked for meanwhile, only the last is shown.
  go(frame) {
    if (frame < 0 || frame >= this.#frames || frame === this.#frame) return this.#going;
    this.#frame = frame;
    this.#tell(frame, false, this.#isPlaying);
    this.#going ??= this.#arrive(this.#turn);
    return this.#going;
  }

  async #arrive(turn) {
    let shown;
    do {
      shown = this.#frame;
      await this.#show(shown, () => turn === this.#turn && shown === this.#frame);
      if (turn !== this.#turn) return;
    } while (shown !== this.#frame);
    this.#going = null;
    this.#tell(shown, true, this.#isPlaying);
  }

  stop() {
    this.#isPlaying = false;
    this.#tell(this.#frame, !this.#going, false);
  }

  async toggle() {
    if (this.#isPlaying) {
      this.stop();
      return;
    }
    const turn = this.#turn;
    this.#isPlaying = true;
    if (this.#frame === this.#frames - 1) await this.go(0);
    while (this.#isPlaying && turn === this.#turn && this.#frame < this.#frames - 1)
      await Promise.all([this.go(this.#frame + 1), wait(PAUSE)]);
    if (turn === this.#turn) this.stop();
  }
}
