// From images to answers, with a network that is here.

import { crops } from "./crop.js";
import { decide, tellOrientation } from "./decision.js";
import { Detector } from "./detector.js";
import { ArgumentError, ImageError, RuntimeError, firstLine } from "./errors.js";
import { loadImage, openImage } from "./image.js";
import { readModelInfo } from "./modelfile.js";
import { Network, WAYS_UP } from "./network.js";
import { allowed } from "./scripts.js";

/** Answers questions about images; what they are and what is thrown is told at `ScriptIdentifier`. */
export class Answers {
  #network;
  #openDetector; // of a file's bytes
  #detector = null;

  /** Opens a model file. The arguments are those of `Network.open`. */
  static async open(runtime, bytes, threads) {
    const info = readModelInfo(bytes);
    const network = await Network.open(runtime, bytes, info, threads);
    return new Answers(network, info, (file) => Detector.open(runtime, file, threads));
  }

  /** Use `open`. */
  constructor(network, info, openDetector) {
    this.#network = network;
    this.info = info;
    this.#openDetector = openDetector;
  }

  async identify(image, { region = null, ...options }) {
    const asked = this.#asked(options);
    const opened = await openImage(image);
    try {
      return await this.#answer(opened.part(region), asked);
    } finally {
      opened.close();
    }
  }

  async identifyRegions(image, regions, options) {
    const asked = this.#asked(options);
    const opened = await openImage(image);
    try {
      return await inTurn(regions, "region", (region) => this.#answer(opened.part(region), asked));
    } finally {
      opened.close();
    }
  }

  async openDetector(bytes) {
    const before = this.#detector;
    this.#detector = await this.#openDetector(bytes);
    await before?.close();
  }

  async findWords(image, options, progress) {
    const asked = this.#asked(options);
    if (this.#detector === null) throw new ArgumentError("there is no text detector yet: call openDetector first");
    const pixels = await loadImage(image);
    const found = await this.#detector.detect(pixels);
    const { part } = await openImage(pixels);
    const words = [];
    for (const [index, { corners, score }] of found.entries()) {
      progress?.(index, found.length);
      try {
        words.push({ corners, textScore: score, ...(await this.#answer(part(corners), asked)) });
      } catch (error) {
        if (!(error instanceof ImageError)) throw error; // else nearly all of it lies outside
      }
    }
    progress?.(found.length, found.length);
    return words;
  }

  async close() {
    await this.#network.close();
    await this.#detector?.close();
  }

  /** Checks what a caller wants to know: `{ threshold, indices, upright }`. */
  #asked({ threshold = null, allow = null, deny = null, upright = false }) {
    const { info } = this;
    if (typeof upright !== "boolean") throw new ArgumentError(`upright must be true or false, not ${upright}`);
    if (upright && info.anySize && info.orientationTemperature !== null) {
      throw new ArgumentError("this model turns tall crops inside its graph (--any-size), so it takes no upright: true");
    }
    checkThreshold(threshold);
    return { threshold: threshold ?? info.threshold, indices: allowed(info.labels, allow, deny), upright };
  }

  async #answer(pixels, { threshold, indices, upright }) {
    const { info } = this;
    const { data, shape, turned } = networkInput(pixels, info, upright);
    let answers;
    try {
      answers = await this.#network.run(data, shape);
    } catch (error) {
      throw new RuntimeError(`onnxruntime failed on this image (${firstLine(error)})`, { cause: error });
    }
    const { logits, orientation } = answers;
    return {
      ...decide(rows(logits.data, info.labels.length), info, threshold, indices),
      ...tellOrientation(orientation && rows(orientation.data, WAYS_UP), info, turned, upright),
    };
  }
}

/** Throws ArgumentError for a threshold that is none; null is the model's own. */
export function checkThreshold(threshold) {
  if (threshold !== null && !(typeof threshold === "number" && threshold >= 0 && threshold <= 1)) {
    throw new ArgumentError(`threshold must be a number from 0 to 1, not ${threshold}`);
  }
}

/** Several images or regions as an array; throws ArgumentError, saying where one belongs, for anything else and for a single one's numbers. */
export function several(values, what, single) {
  const list = typeof values === "object" && typeof values?.[Symbol.iterator] === "function" ? Array.from(values) : null;
  if (list === null || list.some((each) => typeof each === "number")) {
    throw new ArgumentError(`several ${what}s must be a list of ${what}s; for one there is ${single}`);
  }
  return list;
}

/** The answers to each of a list, one after the other; an ImageError is the answer in its place, and names it by its number. */
export async function inTurn(listed, what, answer) {
  const answers = [];
  for (const [index, each] of listed.entries()) {
    try {
      answers.push(await answer(each));
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      answers.push(new ImageError(`${what} ${index}: ${error.message}`, { cause: error }));
    }
  }
  return answers;
}

/** What the network takes of an image: bytes and their shape; and by how many degrees it was turned counterclockwise. */
function networkInput(image, info, upright) {
  if (info.anySize) return { data: asRgb(image), shape: [image.height, image.width, 3], turned: 0 };
  const { windows, rows, turned } = crops(image, info.preprocessing, upright);
  const inputs = windows.map((window) => info.preprocessing.apply(window, rows));
  const [{ data, width }] = inputs;
  const bytes = new Uint8Array(inputs.length * data.length);
  inputs.forEach((input, i) => bytes.set(input.data, i * data.length));
  return { data: bytes, shape: [inputs.length, info.preprocessing.channels, rows, width], turned };
}

function asRgb({ data, channels }) {
  return channels === 3 ? data : Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]);
}

/** The rows of a matrix of so many columns. */
function rows(data, columns) {
  return Array.from({ length: data.length / columns }, (_, i) => data.subarray(i * columns, (i + 1) * columns));
}
