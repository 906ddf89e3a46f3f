// What the server knows: the pictures' faces, and how far saving has come.

const POLL = 400; // milliseconds between two looks at whether changes are saved
const RETRY = 2000; // milliseconds until a server that did not answer is asked again

const wait = (duration) => new Promise((resolve) => setTimeout(resolve, duration));

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Unreachable();
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

class Unreachable extends Error {
  constructor() {
    super("The review has ended: its program in the terminal does not answer");
  }
}

export class Store {
  #pictures = new Map(); // index to its latest state: width, height, faces, reviewed
  #revisions = new Map();
  #pending = new Map(); // index to a state that the server does not have yet
  #sending = false;
  #watching = false;
  #changes = 0;
  #saved = 0;
  #problem = "";
  #onSaving;
  #onRefused;

  // onSaving(state, problem): state is "saved", "saving" or "problem".
  // onRefused(index, reason): a change was not taken; the picture is to be shown anew.
  constructor(onSaving, onRefused) {
    this.#onSaving = onSaving;
    this.#onRefused = onRefused;
  }

  get isSaved() {
    return this.#pending.size === 0 && this.#saved >= this.#changes;
  }

  overview() {
    return request("pictures");
  }

  // The state of a picture; fails with the reason why the picture cannot be shown.
  async load(index) {
    if (!this.#pictures.has(index)) {
      const { revision, ...picture } = await request(`pictures/${index}`);
      // Of two answers under way at the same time, the first one counts.
      if (!this.#pictures.has(index)) {
        this.#pictures.set(index, picture);
        this.#revisions.set(index, revision);
      }
    }
    return this.#pictures.get(index);
  }

  change(index, picture) {
    this.#pictures.set(index, picture);
    this.#pending.set(index, picture);
    this.#tell();
    this.#send();
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#pending.size) {
      const [index, picture] = this.#pending.entries().next().value;
      try {
        await this.#put(index, picture);
        // Unless it was changed again meanwhile.
        if (this.#pending.get(index) === picture) this.#pending.delete(index);
      } catch (error) {
        if (error instanceof Unreachable) {
          this.#problem = error.message;
          this.#tell();
          await wait(RETRY);
        } else {
          this.#pending.delete(index);
          this.#pictures.delete(index);
          this.#onRefused(index, error.message);
        }
      }
    }
    this.#sending = false;
    this.#tell();
    this.#watch();
  }

  async #put(index, { faces, reviewed }) {
    const revision = this.#revisions.get(index);
    const answer = await request(`pictures/${index}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ revision, faces, reviewed }),
    });
    this.#revisions.set(index, answer.revision);
    this.#note(answer);
  }

  async #watch() {
    if (this.#watching) return;
    this.#watching = true;
    while (this.#saved < this.#changes) {
      await wait(POLL);
      try {
        this.#note(await request("saving"));
      } catch (error) {
        this.#problem = error.message;
      }
      this.#tell();
    }
    this.#watching = false;
  }

  #note({ changes, saved, problem }) {
    this.#changes = changes;
    this.#saved = saved;
    this.#problem = problem;
  }

  #tell() {
    if (this.#problem) this.#onSaving("problem", this.#problem);
    else this.#onSaving(this.isSaved ? "saved" : "saving", "");
  }
}
