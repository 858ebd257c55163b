// Which script is this word written in?

import * as ort from "onnxruntime-web/wasm";
import { ArgumentError, ModelError } from "./errors.js";
import { loadImage } from "./image.js";
import { readModelInfo } from "./modelfile.js";

const UNKNOWN = Object.freeze({ name: "unknown", code: "Zyyy" });

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
   * Returns `{ script, code, score, best, scores }`: name and ISO 15924 code of the best script ("unknown" and "Zyyy"
   * below the threshold), its probability, its name whatever the threshold says, and all scripts as
   * `{ name, code, score }`, best first.
   *
   * Throws ImageError for an image that cannot be read or used.
   */
  async identify(image, { region = null } = {}) {
    if (this.#session === null) throw new ArgumentError("this identifier has been closed");
    const pixels = await loadImage(image, region);
    return decide(await this.#run(networkInput(pixels, this.info)), this.info, this.threshold);
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
    const result = this.#running.then(async () => (await session.run({ image: tensor }, ["logits"])).logits.data);
    this.#running = result.catch(() => {}); // a failed run is its caller's; the next one goes on
    return result;
  }
}

function networkInput(pixels, info) {
  if (info.anySize) return new ort.Tensor("uint8", asRgb(pixels), [pixels.height, pixels.width, 3]);
  const { channels, height } = info.preprocessing;
  const { data, width } = info.preprocessing.apply(pixels);
  return new ort.Tensor("uint8", data, [1, channels, height, width]);
}

function asRgb({ data, channels }) {
  return channels === 3 ? data : Uint8Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)]);
}

/** Section 4 of the model contract. */
function decide(logits, info, threshold) {
  const scaled = Array.from(logits, (value) => value / info.temperature);
  const highest = Math.max(...scaled);
  const powers = scaled.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  const scores = info.labels.map((label, i) => ({ ...label, score: powers[i] / sum }));
  scores.sort((a, b) => b.score - a.score); // stable: of equal scores the first label is first
  const [best] = scores;
  const answer = best.score >= threshold ? best : UNKNOWN;
  return { script: answer.name, code: answer.code, score: best.score, best: best.name, scores };
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
  if (session.inputNames.join() !== "image" || !session.outputNames.includes("logits")) {
    throw new ModelError(
      `the network must have the one input 'image' and the output 'logits', not ${session.inputNames} and ${session.outputNames}`,
    );
  }
  const { channels, height, widthMin, widthMax } = info.preprocessing;
  const shapes = info.anySize
    ? [[1, 9, 3], [16, 2, 3]]
    : [...new Set([widthMin, widthMax])].map((width) => [2, channels, height, width]);
  const count = info.anySize ? 1 : 2;
  for (const shape of shapes) {
    const blank = new ort.Tensor("uint8", new Uint8Array(shape.reduce((product, side) => product * side)), shape);
    let logits;
    try {
      ({ logits } = await session.run({ image: blank }, ["logits"]));
    } catch (error) {
      throw new ModelError(`the network does not run on a blank image (${firstLine(error)})`, { cause: error });
    }
    if (logits.type !== "float32" || logits.dims.join() !== `${count},${info.labels.length}`) {
      throw new ModelError(
        `the metadata has ${info.labels.length} labels, but the network answers ${count} blank images with ` +
          `${logits.type} of shape [${logits.dims}]`,
      );
    }
    if (!logits.data.every(Number.isFinite)) throw new ModelError("the network answers a blank image with NaN or infinity");
  }
}

function firstLine(error) {
  return String(error?.message ?? error).trim().split("\n")[0].slice(0, 200);
}
