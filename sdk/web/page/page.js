// The page: a picture, a box around a word, the answer.

import { ImageError, ScriptIdentifier, ScriptkdError, decodeImage } from "scriptkd";

const LEAST = 2; // pixels of the picture, a side of the box
const HIGHEST = 0.55; // of the window's height, that the picture may take

const byId = (id) => document.getElementById(id);
const canvas = byId("canvas");
const context = canvas.getContext("2d");

let identifier = null;
let unusable = null; // why there is no identifier
let picture = null; // ImageBitmap
let box = null; // [left, top, right, bottom], in the picture's pixels
let scale = 1; // canvas pixels for one of the picture
let asked = 0; // counts questions, so that an answer that comes late is dropped

start();

async function start() {
  byId("file").addEventListener("change", chosen);
  byId("camera").addEventListener("change", chosen);
  document.addEventListener("paste", pasted);
  document.addEventListener("dragover", dragged);
  document.addEventListener("dragleave", () => document.body.classList.remove("over"));
  document.addEventListener("drop", dropped);
  canvas.addEventListener("pointerdown", pressed);
  canvas.addEventListener("keydown", keyed);
  byId("whole").addEventListener("click", whole);
  addEventListener("resize", () => picture && paint());
  try {
    identifier = await ScriptIdentifier.load("student.onnx", { wasmPaths: new URL("ort/", location.href) });
    byId("known").textContent = list(identifier.labels.map((label) => label.name));
    if (identifier.threshold > 0) byId("limits").textContent = "A word that it is not sure about is answered “unknown”.";
    say(picture ? "" : "Ready. Choose a picture.");
    if (picture) await ask();
  } catch (error) {
    unusable = error;
    say("");
    complain(error);
  }
}

// --- a picture comes in

function chosen(event) {
  const [file] = event.target.files;
  event.target.value = ""; // so that the same file can be chosen again
  if (file) show(file);
}

function pasted(event) {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (file) show(file);
  else complain(new ImageError("what was pasted holds no picture"));
}

function dragged(event) {
  event.preventDefault();
  document.body.classList.add("over");
}

function dropped(event) {
  event.preventDefault();
  document.body.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) show(file);
  else complain(new ImageError("what was dropped is not a file; save the picture first, then drop its file"));
}

/** Shows a picture file; one that is broken leaves what is there. */
async function show(file) {
  let bitmap;
  try {
    bitmap = await decodeImage(file);
  } catch (error) {
    complain(error, file.name);
    return;
  }
  picture?.close();
  picture = bitmap;
  complain(null);
  byId("drop").classList.add("filled");
  byId("stage").hidden = false;
  whole();
}

// --- the box

function pressed(event) {
  if (!picture || event.button !== 0) return;
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  const before = box;
  const [startX, startY] = place(event);
  const move = (each) => {
    const [x, y] = place(each);
    box = [Math.min(startX, x), Math.min(startY, y), Math.max(startX, x), Math.max(startY, y)];
    paint();
  };
  const end = (each) => {
    for (const [name, listener] of Object.entries(listeners)) canvas.removeEventListener(name, listener);
    if (each.type === "pointercancel" || box[2] - box[0] < LEAST || box[3] - box[1] < LEAST) {
      box = before; // a mere touch draws no box
      paint();
    } else ask();
  };
  const listeners = { pointermove: move, pointerup: end, pointercancel: end };
  for (const [name, listener] of Object.entries(listeners)) canvas.addEventListener(name, listener);
}

/** Where a pointer is, in whole pixels of the picture. */
function place(event) {
  const area = canvas.getBoundingClientRect();
  const x = Math.round(((event.clientX - area.left) / area.width) * picture.width);
  const y = Math.round(((event.clientY - area.top) / area.height) * picture.height);
  return [clamp(x, 0, picture.width), clamp(y, 0, picture.height)];
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function keyed(event) {
  if (!picture || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = Math.max(1, Math.round(Math.max(picture.width, picture.height) / 100));
  if (event.key.toLowerCase() === "a") {
    event.preventDefault();
    whole();
    return;
  }
  let [left, top, right, bottom] = box;
  if (event.key in ARROWS) {
    const [x, y] = ARROWS[event.key].map((each) => each * step);
    if (event.shiftKey) {
      right = clamp(right + x, left + LEAST, picture.width);
      bottom = clamp(bottom + y, top + LEAST, picture.height);
    } else {
      const dx = clamp(x, -left, picture.width - right);
      const dy = clamp(y, -top, picture.height - bottom);
      [left, top, right, bottom] = [left + dx, top + dy, right + dx, bottom + dy];
    }
  } else return;
  event.preventDefault();
  box = [left, top, right, bottom];
  paint();
  ask();
}

function whole() {
  box = [0, 0, picture.width, picture.height];
  paint();
  ask();
}

function paint() {
  const room = canvas.parentElement.clientWidth;
  // A small crop is enlarged until it can be seen and touched, a photograph shrunk until it fits.
  const fit = Math.min(room / picture.width, (HIGHEST * innerHeight) / picture.height);
  const shown = Math.min(fit, 8);
  const density = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(picture.width * shown * density));
  canvas.height = Math.max(1, Math.round(picture.height * shown * density));
  canvas.style.width = `${canvas.width / density}px`;
  canvas.style.height = `${canvas.height / density}px`;
  scale = canvas.width / picture.width;
  context.imageSmoothingEnabled = shown < 2;
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const [left, top, right, bottom] = box.map((each) => each * scale);
  context.fillStyle = "rgb(0 0 0 / 45%)"; // what is outside of the box steps back
  context.beginPath();
  context.rect(0, 0, canvas.width, canvas.height);
  context.rect(left, top, right - left, bottom - top);
  context.fill("evenodd");
  const line = 2 * density;
  for (const [colour, dash] of [["#fff", []], ["#0b5ed7", [4 * density, 4 * density]]]) {
    context.lineWidth = line;
    context.strokeStyle = colour; // seen on every ground
    context.setLineDash(dash);
    context.strokeRect(left + line / 2, top + line / 2, Math.max(right - left - line, 1), Math.max(bottom - top - line, 1));
  }
}

// --- the answer

async function ask() {
  if (unusable) complain(unusable); // the picture and the box can still be looked at
  if (!identifier || !picture) return;
  const question = ++asked;
  try {
    const started = performance.now();
    const answer = await identifier.identify(picture, { region: box });
    const milliseconds = performance.now() - started;
    if (question === asked) report(answer, milliseconds);
  } catch (error) {
    if (question === asked) complain(error);
  }
}

function report(answer, milliseconds) {
  complain(null);
  byId("answer").hidden = false;
  byId("script").replaceChildren(answer.script, " ", element("small", answer.code));
  byId("bars").replaceChildren(...answer.scores.slice(0, 3).map(bar));
  byId("latency").textContent = `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  const [left, top, right, bottom] = box;
  byId("box").textContent = `${right - left} × ${bottom - top} pixels at ${left}, ${top}`;
  say(`${answer.script}, ${percent(answer.score)}`);
}

function bar({ name, score }) {
  const item = element("li", element("span", name), element("span", percent(score)), element("div", element("div")));
  const [, number, track] = item.children;
  number.className = "score";
  track.className = "track";
  track.firstChild.className = "fill";
  track.firstChild.style.width = `${100 * score}%`;
  return item;
}

/** Says a sentence to screen readers, and to the eye while there is no answer. */
function say(text) {
  byId("status").textContent = text;
  byId("status").classList.toggle("hidden", !byId("answer").hidden);
}

/** Shows an error's sentence, until the next picture or answer; null takes it away. */
function complain(error, name = "") {
  const text = error instanceof ScriptkdError ? error.message : error && `Something went wrong: ${error.message}`;
  byId("error").textContent = text ? (name ? `${name}: ${text}` : text) : "";
  byId("error").hidden = !text;
  if (error && !(error instanceof ScriptkdError)) console.error(error);
}

// --- small things

function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

function percent(score) {
  return `${(100 * score).toFixed(1)} %`;
}

function list(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join();
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
