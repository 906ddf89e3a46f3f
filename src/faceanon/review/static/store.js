// What the server knows: the pictures' faces, and how far saving has come.

const POLL = 400; // milliseconds between two looks at whether changes are saved
const RETRY = 2000; // milliseconds until a server that did not answer is asked again

const KEPT = 200; // frames of films of which the faces are kept

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
  #faces = new Map(); // "index/frame" to the faces of a frame of a film
  #doing = Promise.resolve(); // what is done with films, one after the other
  #waiting = 0; // how many of these are not done yet
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
    const isSent = this.#pending.size === 0 && this.#waiting === 0;
    return isSent && this.#saved >= this.#changes;
  }

  get isDoing() {
    return this.#waiting > 0;
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

  // The faces of a frame of a film.
  async faces(index, frame) {
    const key = `${index}/${frame}`;
    if (!this.#faces.has(key)) {
      const asked = request(`pictures/${index}/frames/${frame}/faces`);
      this.#faces.set(key, asked);
      for (const old of this.#faces.keys())
        if (this.#faces.size > KEPT) this.#faces.delete(old);
      asked.catch(() => this.#faces.delete(key));
    }
    return (await this.#faces.get(key)).faces;
  }

  // Do something with a film; answers what has become of it, or null if it is refused.
  do(index, change) {
    this.#waiting += 1;
    this.#tell();
    const done = this.#doing.then(() => this.#post(index, change));
    this.#doing = done;
    return done;
  }

  async #post(index, change) {
    try {
      for (;;) {
        try {
          return await this.#posted(index, change);
        } catch (error) {
          if (!(error instanceof Unreachable)) throw error;
          this.#problem = error.message;
          this.#tell();
          await wait(RETRY);
        }
      }
    } catch (error) {
      this.#pictures.delete(index);
      this.#faces.clear();
      this.#onRefused(index, error.message);
      return null;
    } finally {
      this.#waiting -= 1;
      this.#tell();
      this.#watch();
    }
  }

  async #posted(index, change) {
    const revision = this.#revisions.get(index);
    const answer = await request(`pictures/${index}/changes`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ revision, change }),
    });
    this.#revisions.set(index, answer.revision);
    this.#faces.clear();
    this.#note(answer);
    const { reviewed, tracks, gone } = answer;
    const picture = this.#pictures.get(index);
    const changed = new Map(tracks.map((track) => [track.track, track]));
    // They keep their order, or some would be missed; new ones come first.
    const kept = picture.tracks.filter(({ track }) => !gone.includes(track));
    const known = new Set(kept.map(({ track }) => track));
    const after = {
      ...picture,
      reviewed,
      tracks: [
        ...tracks.filter(({ track }) => !known.has(track)),
        ...kept.map((track) => changed.get(track.track) ?? track),
      ],
    };
    this.#pictures.set(index, after);
    return { picture: after, hidden: answer.hidden, shown: answer.shown };
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
