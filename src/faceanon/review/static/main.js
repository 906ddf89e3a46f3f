// The page: which picture is shown, what the keys do, undo.

import { Editor } from "./editor.js";
import { described, List } from "./list.js";
import { Player } from "./player.js";
import { Store } from "./store.js";
import { Tracks } from "./tracks.js";
import { Zoom } from "./zoom.js";

const KEPT = 8; // frames kept decoded: this one, the next, and those before

const byId = (id) => document.getElementById(id);

const store = new Store(showSaving, refused);
const editor = new Editor(byId("editor"), changeFaces, (track) => choose(track));
const zoom = new Zoom(byId("stage"), byId("picture"));
const list = new List(byId("list"), byId("rows"), (item) => go(item));
const tracks = new Tracks(byId("track-list"), byId("track-rows"), goToTrack);
const player = new Player(showFrame, showTimeline);
const images = new Map(); // "index/frame" to its loaded image
const undone = []; // what to go back to: { item, picture, frame }; films: no picture
let all = []; // every picture: index, name, hidden, shown, reviewed
let current = null; // that of `all` which is on the page
let picture = null; // its faces and size; null while it loads, or cannot be shown
let here = []; // the faces of the frame that is on the page
let draft = null; // the boxes of a track that is being added, by their frames

const isFilm = (one) => one?.tracks !== undefined;

// --- Going from picture to picture -------------------------------------------------

async function go(item, number) {
  if (!item) return;
  if (item !== current) {
    showRefusal("");
    tracks.choose(null);
  }
  current = item;
  picture = null;
  draft = null;
  player.open(1, 0);
  history.replaceState(null, "", `#${item.index}`);
  list.show(filtered(), item);
  showPicture();
  try {
    const loaded = await store.load(item.index);
    const first = number ?? firstFrame(loaded);
    const [image, faces] = await load(item.index, loaded, first);
    if (item !== current) return;
    picture = loaded;
    here = faces;
    player.open(picture.frames, first);
    zoom.show(picture);
    showImage(image);
    showTracks();
    showPicture(-1);
    prepare(neighbour(1));
  } catch (error) {
    if (item === current) showTrouble(error.message);
  }
}

// The first frame with a face in it; of a film, where its most doubtful track begins.
function firstFrame({ frames, faces, tracks }) {
  if (frames === 1) return 0;
  const numbers = tracks ? [tracks[0]?.first ?? 0] : faces.map((face) => face.frame ?? 0);
  return Math.min(Math.max(Math.min(...numbers, frames - 1), 0), frames - 1);
}

// The image of a frame, and its faces.
function load(index, loaded, number) {
  const isHere = (face) => face.frame === undefined || face.frame === number;
  return Promise.all([
    imageOf(index, loaded, number),
    isFilm(loaded) ? store.faces(index, number) : loaded.faces.filter(isHere),
  ]);
}

async function showFrame(number, isWanted) {
  const item = current;
  try {
    const [image, faces] = await load(item.index, picture, number);
    if (!isWanted()) return;
    here = faces;
    showImage(image);
    showPicture(-1);
    if (isFilm(picture) && number + 1 < picture.frames)
      load(item.index, picture, number + 1).catch(() => {}); // told in its turn
  } catch (error) {
    if (item === current) showTrouble(error.message);
  }
}

function showImage(image) {
  byId("picture").querySelector("img")?.remove();
  byId("picture").prepend(image);
}

function filtered() {
  const keeps = {
    all: () => true,
    open: (item) => !item.reviewed,
    reviewed: (item) => item.reviewed,
  }[byId("filter").value];
  return all.filter((item) => item === current || keeps(item));
}

function neighbour(step) {
  return list.items[list.items.indexOf(current) + step];
}

async function imageOf(index, { width, height }, number) {
  const key = `${index}/${number}`;
  const image = images.get(key) ?? new Image(width, height);
  // The last to be asked for is the last to be forgotten.
  images.delete(key);
  images.set(key, image);
  for (const old of images.keys()) if (images.size > KEPT) images.delete(old);
  if (!image.src) {
    image.alt = "";
    image.draggable = false;
    image.src = `pictures/${index}/frames/${number}`;
  }
  try {
    await image.decode();
  } catch {
    images.delete(key);
    throw new Error("it could not be loaded");
  }
  return image;
}

async function prepare(item) {
  try {
    if (!item) return;
    const loaded = await store.load(item.index);
    await load(item.index, loaded, firstFrame(loaded));
  } catch {
    // It is told when the picture's turn comes.
  }
}

// --- Changes -----------------------------------------------------------------------

// The faces of the frame that is on the page have been changed.
function changeFaces(faces) {
  const { frame } = player;
  const isNew = faces.length > editable().length;
  if (draft && isNew) draw({ ...faces.at(-1), draft: true });
  else if (isFilm(picture)) {
    if (draft?.has(frame)) draw(faces.find((face) => face.draft));
    const kept = faces.filter((face) => !face.draft);
    if (isNew) kept[kept.length - 1] = { ...kept.at(-1), frame };
    if (kept.length === here.length && kept.every((face, n) => face === here[n])) return;
    here = kept;
    showPicture(isNew ? kept.length - 1 : undefined);
    perform({ do: "faces", frame, faces: kept });
  } else {
    const others = picture.faces.filter((face) => !here.includes(face));
    if (isNew && picture.frames > 1) faces = faces.with(-1, { ...faces.at(-1), frame });
    here = faces;
    change({ ...picture, faces: [...others, ...faces] }, isNew ? faces.length - 1 : undefined);
  }
}

// The faces in the frame, and the box of a track that is being added.
function editable() {
  const box = draft?.get(player.frame);
  return box ? [...here, box] : here;
}

function change(after, focused) {
  showRefusal("");
  undone.push({ item: current, picture, frame: player.frame });
  apply(after, focused);
}

// Do something with the film; answers whether it was done.
async function perform(what) {
  showRefusal("");
  const item = current;
  if (what.do !== "undo") undone.push({ item, frame: player.frame });
  const done = await store.do(item.index, what);
  if (!done) return false;
  const { hidden, shown } = done;
  Object.assign(item, { hidden, shown, reviewed: done.picture.reviewed });
  list.refresh(item);
  // What is done already after this is not to be taken back on the page.
  if (item !== current || !picture || store.isDoing) return item === current;
  picture = done.picture;
  const { frame } = player;
  const faces = await store.faces(item.index, frame);
  if (item !== current || store.isDoing) return item === current;
  if (frame === player.frame) here = faces;
  showTracks();
  showPicture();
  return true;
}

function apply(after, focused) {
  picture = after;
  const isHere = (face) => face.frame === undefined || face.frame === player.frame;
  here = after.faces.filter(isHere);
  store.change(current.index, after);
  current.hidden = after.faces.filter((face) => face.hide).length;
  current.shown = after.faces.length - current.hidden;
  current.reviewed = after.reviewed;
  list.refresh(current);
  showPicture(focused);
}

async function undo() {
  const last = undone.pop();
  if (!last) return;
  if (last.item !== current || !picture) await go(last.item, last.frame);
  else await player.go(last.frame);
  if (last.item !== current || !picture) return;
  if (last.picture) apply(last.picture);
  else await perform({ do: "undo" });
}

function finish() {
  const next = neighbour(1);
  // What cannot be seen cannot be reviewed.
  if (picture && !picture.reviewed) review(true);
  go(next);
}

function review(reviewed) {
  if (isFilm(picture)) perform({ do: "review", reviewed });
  else change({ ...picture, reviewed });
}

// --- Tracks ------------------------------------------------------------------------

function choose(number) {
  tracks.choose(number);
  showPicture();
}

async function goToTrack({ track, first }) {
  player.stop();
  choose(track);
  await player.go(first);
}

function hideTrack() {
  const track = tracks.chosen;
  if (track) perform({ do: "hide", track: track.track, hide: !track.hide });
}

// Hold the track at its end until the frame that is on the page.
function extendTrack() {
  if (canExtend()) {
    const { track } = tracks.chosen;
    perform({ do: "extend", track, frame: player.frame });
  }
}

function canExtend() {
  const { chosen } = tracks;
  return Boolean(chosen) && (player.frame < chosen.first || player.frame > chosen.last);
}

// Begin a track, or add it when it has its two boxes.
async function addTrack() {
  if (!isFilm(picture)) return;
  if (draft?.size === 2) {
    const ends = [...draft].map(([frame, { box }]) => ({ frame, box }));
    draft = null;
    if (await perform({ do: "add", ends })) choose(picture.tracks[0].track);
  } else {
    draft = draft ? null : new Map();
    showPicture();
  }
}

// The box of the track that is being added, in the frame that is on the page.
function draw(box) {
  const { frame } = player;
  draft.delete(frame);
  if (box) draft.set(frame, box);
  // Of three, the first was a mistake.
  if (draft.size > 2) draft.delete(draft.keys().next().value);
  showPicture(box ? here.length : undefined);
}

function giveUp() {
  if (draft && !document.activeElement.closest(".face")) {
    draft = null;
    showPicture();
  } else editor.cancel();
}

function refused(index, reason) {
  // Its former states are no longer those that the file had.
  const kept = undone.filter((step) => step.item.index !== index);
  undone.splice(0, undone.length, ...kept);
  showRefusal(`${all.find((item) => item.index === index).name}: ${reason}`);
  if (current.index === index)
    reload().catch((error) => show("problem", error.message));
}

async function reload() {
  const { pictures } = await store.overview();
  Object.assign(current, pictures.find(({ index }) => index === current.index));
  await go(current, player.frame);
}

// --- What is seen ------------------------------------------------------------------

function showPicture(focused) {
  byId("name").textContent = current.name;
  byId("name").title = current.name;
  byId("counts").textContent = described(current);
  byId("trouble").hidden = true;
  byId("picture").hidden = !picture;
  byId("reviewed").disabled = !picture;
  byId("done").firstChild.textContent = picture ? "Reviewed, go on " : "Go on ";
  byId("reviewed").checked = current.reviewed;
  byId("previous").disabled = !neighbour(-1);
  byId("next").disabled = !neighbour(1);
  byId("undo").disabled = !undone.length;
  const done = all.filter((item) => item.reviewed).length;
  byId("progress").max = all.length;
  byId("progress").value = done;
  byId("progress-text").textContent = `${done} of ${all.length} reviewed`;
  byId("tracks").hidden = !isFilm(picture);
  if (!picture) return;
  const chosen = tracks.chosen;
  editor.show({ ...picture, faces: editable(), track: chosen?.track }, focused);
  byId("hint").textContent = isFilm(picture)
    ? "A click chooses a track, dragging adds a box."
    : "Click switches, dragging adds.";
  byId("track-hide").disabled = !chosen;
  byId("track-hide").textContent = chosen?.hide === false ? "Hide" : "Keep";
  byId("track-extend").disabled = !canExtend();
  byId("track-add").textContent = draft?.size === 2 ? "Add it" : draft ? "Cancel" : "New";
  byId("track-add").classList.toggle("primary", draft?.size === 2);
  show("draft", draft ? DRAFTING[draft.size] : "");
}

const DRAFTING = [
  "A new track: draw a box around the face in the first frame that shows it.",
  "Go to the last frame that shows the face, and draw a box there.",
  "Between the two frames the box will move in a straight line. Press T to add it.",
];

function showTracks() {
  if (!isFilm(picture)) return;
  tracks.show(picture);
  tracks.choose(tracks.chosen?.track ?? picture.tracks[0]?.track ?? null);
  tracks.mark(player.frame);
  const count = picture.tracks.length;
  byId("track-count").textContent = `${count} track${count === 1 ? "" : "s"}`;
}

// isThere: whether the frame is seen already; until then, nothing can be changed.
function showTimeline(frame, isThere, isPlaying) {
  const { frames } = player;
  byId("timeline").hidden = frames === 1;
  byId("picture").classList.toggle("waiting", !isThere);
  byId("frame").max = frames - 1;
  byId("frame").value = frame;
  byId("frame-text").textContent = `Frame ${frame + 1} of ${frames}`;
  byId("frame-back").disabled = frame === 0;
  byId("frame-forward").disabled = frame === frames - 1;
  byId("play").hidden = !isFilm(picture);
  byId("play").textContent = isPlaying ? "❚❚" : "▶";
  byId("play").ariaLabel = isPlaying ? "Pause" : "Play";
  tracks.mark(frame);
  byId("track-extend").disabled = !canExtend();
}

function showTrouble(reason) {
  const heading = document.createElement("strong");
  heading.textContent = "This picture cannot be reviewed";
  const text = reason[0].toUpperCase() + reason.slice(1);
  byId("trouble").replaceChildren(heading, `${text}.`);
  byId("trouble").hidden = false;
}

function showSaving(state, problem) {
  byId("saving").dataset.state = state;
  byId("saving").textContent = {
    saved: "All changes saved",
    saving: "Saving …",
    problem: "Not saved",
  }[state];
  show("problem", problem);
}

function showRefusal(reason) {
  show("refusal", reason);
}

function show(id, text) {
  byId(id).textContent = text;
  byId(id).hidden = !text;
}

// --- The user ----------------------------------------------------------------------

const KEYS = {
  ArrowRight: () => go(neighbour(1)),
  ArrowLeft: () => go(neighbour(-1)),
  n: () => go(neighbour(1)),
  p: () => go(neighbour(-1)),
  ",": () => stepTo(player.frame - 1),
  ".": () => stepTo(player.frame + 1),
  k: () => isFilm(picture) && player.toggle(),
  "[": () => isFilm(picture) && tracks.step(-1),
  "]": () => isFilm(picture) && tracks.step(1),
  h: () => isFilm(picture) && hideTrack(),
  e: () => isFilm(picture) && extendTrack(),
  t: () => addTrack(),
  a: () => picture && editor.add(),
  "+": () => zoom.larger(),
  "=": () => zoom.larger(),
  "-": () => zoom.smaller(),
  0: () => zoom.whole(),
  "?": () => byId("help").showModal(),
  " ": finish,
  Escape: giveUp,
};

const LIST_KEYS = {
  list: { ArrowDown: KEYS.ArrowRight, ArrowUp: KEYS.ArrowLeft },
  "track-list": { ArrowDown: KEYS["]"], ArrowUp: KEYS["["] },
};

function stepTo(frame) {
  player.stop();
  if (picture) player.go(frame);
}

function press(event) {
  if (byId("help").open) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "z" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    undo();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // What has a use for keys of its own, keeps them.
  if (event.target.matches("select")) return;
  if (key.startsWith("Arrow") && event.target === byId("frame")) return;
  if (key === " " && event.target.matches("button, input")) return;
  const does = KEYS[key] ?? LIST_KEYS[event.target.id]?.[key];
  if (!does) return;
  event.preventDefault();
  does();
}

function start() {
  const clicks = {
    previous: KEYS.ArrowLeft,
    next: KEYS.ArrowRight,
    done: finish,
    larger: KEYS["+"],
    smaller: KEYS["-"],
    fit: KEYS[0],
    undo,
    "frame-back": KEYS[","],
    "frame-forward": KEYS["."],
    play: KEYS.k,
    "track-hide": KEYS.h,
    "track-extend": KEYS.e,
    "track-add": KEYS.t,
    "help-button": KEYS["?"],
  };
  for (const [id, does] of Object.entries(clicks)) {
    byId(id).addEventListener("click", () => does());
  }
  byId("reviewed").addEventListener("change", (event) =>
    review(event.target.checked),
  );
  byId("frame").addEventListener("input", (event) =>
    stepTo(Number(event.target.value)),
  );
  byId("filter").addEventListener("change", () => list.show(filtered(), current));
  addEventListener("keydown", press);
  // What was used with the pointer does not keep the keys: Space goes on all the same.
  const release = ({ target }) => {
    if (!target.matches(":focus-visible")) target.blur();
  };
  for (const button of document.querySelectorAll("body > :not(dialog) button, input"))
    button.addEventListener("click", release);
  byId("filter").addEventListener("change", release);
  addEventListener("beforeunload", (event) => {
    if (!store.isSaved) event.preventDefault();
  });
}

async function open() {
  const { file, note, pictures } = await store.overview();
  all = pictures;
  document.title = `${file} – faceanon review`;
  byId("file").textContent = file;
  show("note", note);
  const named = all.find((item) => `#${item.index}` === location.hash);
  await go(named ?? all[0]);
}

start();
open().catch((error) => show("problem", error.message));
