// The page: which picture is shown, what the keys do, undo.

import { Editor } from "./editor.js";
import { described, List } from "./list.js";
import { Store } from "./store.js";
import { Zoom } from "./zoom.js";

const KEPT = 8; // frames kept decoded: this one, the next, and those before

const byId = (id) => document.getElementById(id);

const store = new Store(showSaving, refused);
const editor = new Editor(byId("editor"), changeFaces);
const zoom = new Zoom(byId("stage"), byId("picture"));
const list = new List(byId("list"), byId("rows"), (item) => go(item));
const images = new Map(); // "index/frame" to its loaded image
const undone = []; // what to go back to: { item, picture, frame }
let all = []; // every picture: index, name, hidden, shown, reviewed
let current = null; // that of `all` which is on the page
let picture = null; // its faces and size; null while it loads, or cannot be shown
let frame = 0; // the number of its frame that is on the page

// --- Going from picture to picture -------------------------------------------------

async function go(item, number) {
  if (!item) return;
  if (item !== current) showRefusal("");
  current = item;
  picture = null;
  history.replaceState(null, "", `#${item.index}`);
  list.show(filtered(), item);
  showPicture();
  try {
    const loaded = await store.load(item.index);
    const first = number ?? firstFrame(loaded);
    const image = await imageOf(item.index, loaded, first);
    if (item !== current) return;
    picture = loaded;
    frame = first;
    zoom.show(picture);
    showImage(image);
    showPicture(-1);
    prepare(neighbour(1));
  } catch (error) {
    if (item === current) showTrouble(error.message);
  }
}

// The first frame with a face in it.
function firstFrame({ frames, faces }) {
  if (frames === 1) return 0;
  const numbers = faces.map((face) => face.frame ?? 0);
  return Math.min(Math.max(Math.min(...numbers, frames - 1), 0), frames - 1);
}

async function goToFrame(number) {
  if (!picture || number < 0 || number >= picture.frames || number === frame) return;
  const item = current;
  frame = number;
  showFrame();
  try {
    const image = await imageOf(item.index, picture, number);
    // Of those that were asked for while it loaded, only the last is shown.
    if (item !== current || number !== frame) return;
    showImage(image);
    showPicture(-1);
  } catch (error) {
    if (item === current) showTrouble(error.message);
  }
}

function showImage(image) {
  byId("picture").querySelector("img")?.remove();
  byId("picture").prepend(image);
}

const isHere = (face) => face.frame === undefined || face.frame === frame;

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
    await imageOf(item.index, loaded, firstFrame(loaded));
  } catch {
    // It is told when the picture's turn comes.
  }
}

// --- Changes -----------------------------------------------------------------------

// The faces of the frame that is on the page have been changed.
function changeFaces(here) {
  const others = picture.faces.filter((face) => !isHere(face));
  const isNew = here.length > picture.faces.length - others.length;
  if (isNew && picture.frames > 1) here = here.with(-1, { ...here.at(-1), frame });
  const faces = [...others, ...here];
  change({ ...picture, faces }, isNew ? here.length - 1 : undefined);
}

function change(after, focused) {
  showRefusal("");
  undone.push({ item: current, picture, frame });
  apply(after, focused);
}

function apply(after, focused) {
  picture = after;
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
  else await goToFrame(last.frame);
  if (last.item === current && picture) apply(last.picture);
}

function finish() {
  const next = neighbour(1);
  // What cannot be seen cannot be reviewed.
  if (picture && !picture.reviewed) change({ ...picture, reviewed: true });
  go(next);
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
  await go(current, frame);
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
  showFrame();
  if (!picture) return;
  const here = picture.faces.filter(isHere);
  editor.show({ ...picture, faces: here }, focused);
}

function showFrame() {
  const frames = picture?.frames ?? 1;
  byId("timeline").hidden = frames === 1;
  byId("frame").max = frames - 1;
  byId("frame").value = frame;
  byId("frame-text").textContent = `Frame ${frame + 1} of ${frames}`;
  byId("frame-back").disabled = frame === 0;
  byId("frame-forward").disabled = frame === frames - 1;
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
  ",": () => goToFrame(frame - 1),
  ".": () => goToFrame(frame + 1),
  a: () => picture && editor.add(),
  "+": () => zoom.larger(),
  "=": () => zoom.larger(),
  "-": () => zoom.smaller(),
  0: () => zoom.whole(),
  "?": () => byId("help").showModal(),
  " ": finish,
  Escape: () => editor.cancel(),
};

const LIST_KEYS = { ArrowDown: KEYS.ArrowRight, ArrowUp: KEYS.ArrowLeft };

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
  const does = KEYS[key] ?? (event.target === byId("list") && LIST_KEYS[key]);
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
    "help-button": KEYS["?"],
  };
  for (const [id, does] of Object.entries(clicks)) {
    byId(id).addEventListener("click", () => does());
  }
  byId("reviewed").addEventListener("change", (event) =>
    change({ ...picture, reviewed: event.target.checked }),
  );
  byId("frame").addEventListener("input", (event) =>
    goToFrame(Number(event.target.value)),
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
