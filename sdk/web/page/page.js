// The page: a picture, a box around a word or all words found, the answer.

import { ImageError, ScriptIdentifier, ScriptkdError, decodeImage } from "scriptkd";
import { WordSearch, around, commonest, count } from "./search.js";
import { WordLayer } from "./words.js";

const STILL = 6; // pixels of the screen: a finger that moves less taps
const LEAST = 2; // pixels of the picture, a side of the box
const HIGHEST = 0.55; // of the window's height, that the picture may take
const PAUSE = 150; // milliseconds after a key, so that one held down asks once
const WAYS_UP = { 0: "upright", 90: "turned clockwise by 90°", 180: "upside down", 270: "turned clockwise by 270°" };

const byId = (id) => document.getElementById(id);
const canvas = byId("canvas");
const context = canvas.getContext("2d");

let identifier = null;
let unusable = null; // why there is no identifier
let picture = null; // ImageBitmap
let box = null; // [left, top, right, bottom], in the picture's pixels; null while no box is drawn by hand
let turn = 0; // by how many degrees the view is turned counterclockwise; the box is the picture's all the same
let told = null; // by how many the last answer says that the letters are turned clockwise
let asked = 0; // counts questions, so that an answer that comes late is dropped
let answering = false; // one answer at a time is on its way
let due = false; // a question came meanwhile
let words = []; // that were found, as the SDK gives them
let search = null;
let quiet = null; // the timer that waits until keys are left alone

const layer = new WordLayer(byId("words"), chooseWord);

start();

async function start() {
  byId("file").addEventListener("change", chosen);
  byId("camera").addEventListener("change", chosen);
  document.addEventListener("paste", pasted);
  document.addEventListener("dragover", dragged);
  document.addEventListener("dragleave", () => document.body.classList.remove("over"));
  document.addEventListener("drop", dropped);
  byId("picture").addEventListener("pointerdown", pressed);
  canvas.addEventListener("keydown", keyed);
  byId("whole").addEventListener("click", whole);
  byId("find").addEventListener("click", find);
  byId("turn").addEventListener("click", turnView);
  addEventListener("resize", () => picture && paint());
  try {
    identifier = await ScriptIdentifier.load("student.onnx", { runtime: "ort/ort.wasm.min.mjs" });
    byId("known").textContent = list(identifier.labels.map((label) => label.name));
    if (identifier.threshold > 0) byId("limits").textContent = "A word that it is not sure about is answered “unknown”.";
    search = new WordSearch(identifier, byId);
    say(picture ? "" : "Ready. Choose a picture.");
    if (picture) ask();
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
  [turn, told] = [0, null];
  offerTurn();
  showWords([], "");
  complain(null);
  byId("drop").classList.add("filled");
  byId("stage").hidden = false;
  whole();
}

// --- the box

function pressed(event) {
  if (!picture || event.button !== 0) return;
  event.preventDefault();
  const word = layer.at(event.target);
  if (word === null) canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  const before = box;
  const isStill = (each) => Math.max(Math.abs(each.clientX - event.clientX), Math.abs(each.clientY - event.clientY)) < STILL;
  const [startX, startY] = place(event);
  const move = (each) => {
    if (box === before && isStill(each)) return;
    const [x, y] = place(each);
    box = mapped([startX, startY, x, y], view().matrix.inverse());
    paint();
  };
  const end = (each) => {
    for (const [name, listener] of Object.entries(listeners)) canvas.removeEventListener(name, listener);
    const drawn = box !== before && each.type !== "pointercancel" && box[2] - box[0] >= LEAST && box[3] - box[1] >= LEAST;
    if (drawn) {
      layer.select(null);
      ask();
      return;
    }
    box = before; // a mere touch draws no box
    paint();
    if (each.type === "pointerup" && word !== null && isStill(each)) chooseWord(word);
  };
  const listeners = { pointermove: move, pointerup: end, pointercancel: end };
  for (const [name, listener] of Object.entries(listeners)) canvas.addEventListener(name, listener);
}

/** Where a pointer is, in whole pixels of the picture as it is shown. */
function place(event) {
  const area = canvas.getBoundingClientRect();
  const { width, height } = view();
  const x = Math.round(((event.clientX - area.left) / area.width) * width);
  const y = Math.round(((event.clientY - area.top) / area.height) * height);
  return [clamp(x, 0, width), clamp(y, 0, height)];
}

/** The picture as it is shown, turned: its size in pixels, and the matrix that takes the picture's own pixels there. */
function view() {
  const [width, height] = turn % 180 ? [picture.height, picture.width] : [picture.width, picture.height];
  const centred = new DOMMatrix().translate(width / 2, height / 2).rotate(-turn);
  return { width, height, matrix: centred.translate(-picture.width / 2, -picture.height / 2) };
}

/** A box, turned by a matrix: [left, top, right, bottom] in whole pixels. */
function mapped([left, top, right, bottom], matrix) {
  const one = matrix.transformPoint({ x: left, y: top });
  const other = matrix.transformPoint({ x: right, y: bottom });
  const { min, max } = Math;
  return [min(one.x, other.x), min(one.y, other.y), max(one.x, other.x), max(one.y, other.y)].map(Math.round);
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
  box ??= [0, 0, picture.width, picture.height];
  const { width, height, matrix } = view(); // an arrow points where it does on the screen
  let [left, top, right, bottom] = mapped(box, matrix);
  if (event.key in ARROWS) {
    const [x, y] = ARROWS[event.key].map((each) => each * step);
    if (event.shiftKey) {
      right = clamp(right + x, left + LEAST, width);
      bottom = clamp(bottom + y, top + LEAST, height);
    } else {
      const dx = clamp(x, -left, width - right);
      const dy = clamp(y, -top, height - bottom);
      [left, top, right, bottom] = [left + dx, top + dy, right + dx, bottom + dy];
    }
  } else return;
  event.preventDefault();
  box = mapped([left, top, right, bottom], matrix.inverse());
  layer.select(null);
  paint();
  ask(PAUSE);
}

function whole() {
  layer.select(null);
  box = [0, 0, picture.width, picture.height];
  paint();
  ask();
}

/** Turns the view so that the letters stand upright, or back to the picture's own way up. */
function turnView() {
  turn = otherTurn();
  paint();
  offerTurn();
}

function otherTurn() {
  return told === null || told === turn ? 0 : told;
}

function offerTurn() {
  const other = otherTurn();
  byId("turn").hidden = other === turn;
  byId("turn").textContent = other === told ? "Turn upright" : "Turn back";
}

function paint() {
  const room = byId("stage").clientWidth;
  const { width, height, matrix } = view();
  // A small crop is enlarged until it can be seen and touched, a photograph shrunk until it fits.
  const fit = Math.min(room / width, (HIGHEST * innerHeight) / height);
  const shown = Math.min(fit, 8);
  const density = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * shown * density));
  canvas.height = Math.max(1, Math.round(height * shown * density));
  canvas.style.width = `${canvas.width / density}px`;
  canvas.style.height = `${canvas.height / density}px`;
  const scale = canvas.width / width; // canvas pixels for one of the picture
  context.imageSmoothingEnabled = shown < 2;
  context.setTransform(new DOMMatrix().scale(scale, canvas.height / height).multiply(matrix));
  context.drawImage(picture, 0, 0);
  context.resetTransform();
  layer.place({ width, height, matrix });
  if (box === null) return;
  const [left, top, right, bottom] = mapped(box, matrix).map((each) => each * scale);
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

// --- words that are found

/** Finds all words of the picture. What is there stays until they are found. */
async function find() {
  if (!picture || !search || search.running) return;
  const sought = picture;
  complain(null);
  try {
    const found = await search.find(sought, () => sought === picture);
    if (found) reportWords(found);
  } catch (error) {
    if (sought === picture) complain(error);
  }
}

function reportWords({ words: found, seconds }) {
  if (found.length === 0) {
    showWords([], "No words were found in this picture; draw a box around one by hand.");
    return;
  }
  asked++; // an answer that is on its way is about what was there before
  box = null;
  byId("answer").hidden = true;
  say("");
  showWords(found, `${count(found.length)} found in ${seconds.toFixed(1)} s. Tap one to know more, or draw a box by hand.`);
  told = commonest(found.map((word) => word.orientation));
  offerTurn();
  paint();
}

/** Shows other words over the picture, and below it a sentence and a legend. */
function showWords(found, sentence) {
  words = found;
  layer.show(words, (word) => `${word.script}, ${percent(word.score)}`);
  search?.show(words, sentence);
}

/** Tells more about one of the words. */
function chooseWord(index) {
  asked++;
  box = null;
  layer.select(index);
  report(words[index], null);
  paint();
}

// --- the answer

/** Asks about the box as it will be after so many milliseconds without another question. */
function ask(wait = 0) {
  asked++;
  clearTimeout(quiet);
  if (unusable) complain(unusable); // the picture and the box can still be looked at
  if (identifier && picture && box) quiet = setTimeout(answer, wait);
}

async function answer() {
  due = answering;
  if (answering) return;
  answering = true;
  const question = asked;
  try {
    const started = performance.now();
    const found = await identifier.identify(picture, { region: box });
    const milliseconds = performance.now() - started;
    if (question === asked) report(found, milliseconds);
  } catch (error) {
    if (question === asked) complain(error);
  }
  answering = false;
  if (due) answer();
}

/** Shows an answer to the box that was drawn, or with null milliseconds one of the words that were found. */
function report(answer, milliseconds) {
  complain(null);
  byId("answer").hidden = false;
  byId("script").replaceChildren(answer.script, " ", element("small", answer.code));
  byId("bars").replaceChildren(...answer.scores.slice(0, 3).map(bar));
  byId("time").hidden = milliseconds === null;
  byId("latency").textContent = milliseconds === null ? "" : `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  if (milliseconds !== null) told = answer.orientation; // of words that were found, most have decided
  offerTurn();
  byId("way-up").hidden = answer.orientationScore === null; // models of formats 1 and 2 do not tell
  const wayUp = answer.orientation === null ? "no telling" : WAYS_UP[answer.orientation];
  byId("orientation").textContent = wayUp;
  byId("mixture").hidden = answer.shares.length < 2;
  byId("shares").textContent = list(answer.shares.map(({ name, share }) => `${name} ${Math.round(100 * share)} %`));
  const [left, top, right, bottom] = box ?? around(answer.corners, picture);
  byId("box").textContent = `${right - left} × ${bottom - top} pixels at ${left}, ${top}`;
  say(`${answer.script}, ${percent(answer.score)}${answer.orientation ? `, ${wayUp}` : ""}`);
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
