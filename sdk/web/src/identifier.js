// Which script is this word written in?

import * as ort from "onnxruntime-web/wasm";
import { crops } from "./crop.js";
import { decide, tellOrientation } from "./decision.js";
import { ArgumentError, ModelError } from "./errors.js";
import { loadImage } from "./image.js";
import { readModelInfo } from "./modelfile.js";

const WAYS_UP = 4; // 0, 90, 180 and 270 degrees

/**
 * Tells the script of cropped word images. Loading one takes a second or so, for onnxruntime's WebAssembly; an answer
 * takes milliseconds, so keep it.
 */
export class ScriptIdentifier {
  #session;
  #running = Promise.resolve(); // onnxruntime-web's sessions take one run at a time

  /**
   * Loads a model file.
   *
   * model: its address (string or URL), or its bytes (ArrayBuffer or Uint8Array).
   * threads: of one answer; more than one needs a page that is cross-origin isolated.
   * wasmPaths: address of the folder with onnxruntime's two .wasm files' parts; else where its module lies.
   * threshold: 0 to 1, in place of the model's own; a best score below it is answered "unknown".
   *
   * Throws ModelError for a file that is missing or unfit, ArgumentError for a wrong argument.
   */
  static async load(model, { threads = 1, wasmPaths, threshold } = {}) {
    if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
      throw new ArgumentError(`threads must be an integer from 1 to 256, not ${threads}`);
    }
    if (threshold !== undefined && !(typeof threshold === "number" && threshold >= 0 && threshold <= 1)) {
      throw new ArgumentError(`threshold must be a number from 0 to 1, not ${threshold}`);
    }
    const { bytes, name } = await modelBytes(model);
    try {
      const info = readModelInfo(bytes);
      ort.env.wasm.numThreads = threads;
      if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = String(wasmPaths);
      const session = await createSession(bytes);
      await checkNetwork(session, info);
      return new ScriptIdentifier(session, info, threshold ?? info.threshold);
    } catch (error) {
      if (error instanceof ModelError) throw new ModelError(`${name}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  /** Use `load`. */
  constructor(session, info, threshold) {
    this.#session = session;
    this.info = info;
    this.threshold = threshold;
  }

  /** The scripts that the model knows, `{ name, code }`, in the order of its outputs. */
  get labels() {
    return this.info.labels;
  }

  /**
   * Tells the script of one image, or of a region of it (see `loadImage` for both).
   *
   * upright: true says that the letters stand upright, as in a scanned page. Then nothing is turned, and the orientation
   * is 0. Else a model of format 3 takes a crop any way up and tells which it is.
   *
   * Returns `{ script, code, score, best, scores, orientation, orientationScore, shares }`:
   * - script, code: name and ISO 15924 code of the best script ("unknown" and "Zyyy" below the threshold);
   * - score, best: its probability, and its name whatever the threshold says;
   * - scores: all scripts as `{ name, code, score }`, best first;
   * - orientation: by how many degrees the letters are turned clockwise from upright, 0, 90 (a word reads from top to
   *   bottom), 180 or 270. Turning the picture counterclockwise by as much makes it upright. Null where there is no
   *   telling, and for models of formats 1 and 2;
   * - orientationScore: its probability; null for models of formats 1 and 2;
   * - shares: of a line that is seen in several windows, which share of them each script won, as `{ name, code, share }`,
   *   the largest first; they sum to 1, and windows below the threshold count as "unknown".
   *
   * Throws ImageError for an image that cannot be read or used, ArgumentError for another wrong argument.
   */
  async identify(image, { region = null, upright = false } = {}) {
    if (this.#session === null) throw new ArgumentError("this identifier has been closed");
    if (typeof upright !== "boolean") throw new ArgumentError(`upright must be true or false, not ${upright}`);
    if (upright && this.info.anySize && this.info.orientationTemperature !== null) {
      throw new ArgumentError("this model turns tall crops inside its graph (--any-size), so it takes no upright: true");
    }
    const { tensor, turned } = networkInput(await loadImage(image, region), this.info, upright);
    const { logits, orientation } = await this.#run(tensor);
    const told = orientation && rows(orientation.data, WAYS_UP);
    return {
      ...decide(rows(logits.data, this.labels.length), this.info, this.threshold),
      ...tellOrientation(told, this.info, turned, upright),
    };
  }

  /** Frees the network's memory; the identifier answers no more. */
  async close() {
    const session = this.#session;
    this.#session = null;
    await this.#running;
    await session?.release();
  }

  #run(tensor) {
    const session = this.#session;
    const result = this.#running.then(() => session.run({ image: tensor }, outputsOf(this.info)));
    this.#running = result.catch(() => {}); // a failed run is its caller's; the next one goes on
    return result;
  }
}

/** What the network takes of an image, and by how many degrees it was turned counterclockwise. */
function networkInput(image, info, upright) {
  if (info.anySize) return { tensor: new ort.Tensor("uint8", asRgb(image), [image.height, image.width, 3]), turned: 0 };
  const { windows, rows, turned } = crops(image, info.preprocessing, upright);
  const inputs = windows.map((window) => info.preprocessing.apply(window, rows));
  const [{ data, width }] = inputs;
  const bytes = new Uint8Array(inputs.length * data.length);
  inputs.forEach((input, i) => bytes.set(input.data, i * data.length));
  return { tensor: new ort.Tensor("uint8", bytes, [inputs.length, info.preprocessing.channels, rows, width]), turned };
}

function asRgb({ data, channels }) {
  return channels === 3 ? data : Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]);
}

/** The rows of a matrix of so many columns. */
function rows(data, columns) {
  return Array.from({ length: data.length / columns }, (_, i) => data.subarray(i * columns, (i + 1) * columns));
}

/** The names of the network's outputs. */
function outputsOf(info) {
  return info.orientationTemperature === null ? ["logits"] : ["logits", "orientation"];
}

async function modelBytes(model) {
  if (model instanceof Uint8Array) return { bytes: model, name: "the model" };
  if (model instanceof ArrayBuffer) return { bytes: new Uint8Array(model), name: "the model" };
  if (typeof model !== "string" && !(model instanceof URL)) {
    throw new ArgumentError("a model must be an address, an ArrayBuffer or a Uint8Array");
  }
  const name = String(model);
  let response;
  try {
    response = await fetch(model);
    if (response.ok) return { bytes: new Uint8Array(await response.arrayBuffer()), name };
  } catch (error) {
    throw new ModelError(`${name}: cannot be fetched (${error.message})`, { cause: error });
  }
  throw new ModelError(`${name}: no such model file (the server says ${response.status})`);
}

async function createSession(bytes) {
  try {
    return await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 4 });
  } catch (error) {
    throw new ModelError(`not an ONNX file that onnxruntime can load (${firstLine(error)})`, { cause: error });
  }
}

/** Checks that inputs and outputs are what the metadata says, by running the network on blank images. */
async function checkNetwork(session, info) {
  const wanted = outputsOf(info);
  if (session.inputNames.join() !== "image" || !wanted.every((name) => session.outputNames.includes(name))) {
    const names = wanted.map((name) => `'${name}'`).join(" and ");
    throw new ModelError(
      `the network must have the one input 'image' and the output ${names}, not ${session.inputNames} and ${session.outputNames}`,
    );
  }
  const { channels, heights, widthMin, widthMax } = info.preprocessing;
  if (info.anySize) {
    for (const [height, width] of [[1, 9], [16, 2]]) {
      const blank = { data: new Uint8Array(height * width), width, height, channels: 1 };
      await runBlank(session, info, [height, width, 3], crops(blank, info.preprocessing).windows.length);
    }
    return;
  }
  // Two images at both limits of the width, so that a batch size or a width frozen at export is found here.
  for (const height of heights) {
    for (const width of new Set([widthMin, widthMax])) await runBlank(session, info, [2, channels, height, width], 2);
  }
}

/** Runs the network on a blank input of that shape, for which it must answer so many rows. */
async function runBlank(session, info, shape, count) {
  const blank = new ort.Tensor("uint8", new Uint8Array(shape.reduce((product, side) => product * side)), shape);
  let answers;
  try {
    answers = await session.run({ image: blank }, outputsOf(info));
  } catch (error) {
    throw new ModelError(`the network does not run on a blank image (${firstLine(error)})`, { cause: error });
  }
  for (const [name, classes, what] of [["logits", info.labels.length, "labels"], ["orientation", WAYS_UP, "ways up"]]) {
    const answer = answers[name];
    if (answer === undefined) continue; // formats 1 and 2 tell no orientation
    if (answer.type !== "float32" || answer.dims.join() !== `${count},${classes}`) {
      throw new ModelError(
        `the metadata has ${classes} ${what}, but the network answers ${count} blank images with ` +
          `${answer.type} of shape [${answer.dims}], not float32 of shape [${count},${classes}]`,
      );
    }
    if (!answer.data.every(Number.isFinite)) throw new ModelError("the network answers a blank image with NaN or infinity");
  }
}

function firstLine(error) {
  return String(error?.message ?? error).trim().split("\n")[0].slice(0, 200);
}
