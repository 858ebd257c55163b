// From images to answers, in a worker: decoding, pre-processing and the network leave the page's thread alone.

import { ArgumentError, ImageError, RuntimeError, firstLine } from "./errors.js";
import { drawnSize } from "./image.js";
import { unpacked } from "./messages.js";
import { readModelInfo } from "./modelfile.js";

/** What `Answers` is, at a distance. */
export class WorkerAnswers {
  #worker;
  #waiting = new Map(); // by number of the question: `{ resolve, reject, progress }`
  #asked = 0;
  #failure = null; // why the worker answers no more

  /**
   * Starts a worker and opens a model there.
   *
   * runtime: the address of onnxruntime's module; null for the one that a bundler put into the worker. wasmPaths: as
   * onnxruntime-web takes them, or null. bytes: the model file's. Throws ModelError, RuntimeError.
   */
  static async open(runtime, wasmPaths, bytes, threads) {
    const info = readModelInfo(bytes); // before anything is started
    const answers = new WorkerAnswers(started(runtime), info);
    try {
      await answers.#ask("open", [runtime, wasmPaths, bytes, threads]);
    } catch (error) {
      answers.#worker.terminate();
      throw error;
    }
    return answers;
  }

  /** Use `open`. */
  constructor(worker, info) {
    this.#worker = worker;
    this.info = info;
    worker.onmessage = ({ data: { id, ...reply } }) => {
      const { resolve, reject, progress } = this.#waiting.get(id);
      if (reply.progress) {
        progress?.(...reply.progress);
        return;
      }
      this.#waiting.delete(id);
      const answer = unpacked(reply);
      if (answer instanceof Error) reject(answer);
      else resolve(answer);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      this.#failure = failure(event.message);
      for (const { reject } of this.#waiting.values()) reject(this.#failure);
      this.#waiting.clear();
    };
  }

  async identify(image, options) {
    const { sent, transfer } = await portable(image);
    return this.#ask("identify", [sent, options], transfer);
  }

  async identifyRegions(image, regions, options) {
    const { sent, transfer } = await portable(image);
    return (await this.#ask("identifyRegions", [sent, regions, options], transfer)).map(unpacked);
  }

  openDetector(bytes) {
    return this.#ask("openDetector", [bytes]);
  }

  async findWords(image, options, progress) {
    const { sent, transfer } = await portable(image);
    return this.#ask("findWords", [sent, options], transfer, progress);
  }

  async close() {
    this.#worker.terminate();
  }

  #ask(method, args, transfer = [], progress = null) {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = ++this.#asked;
    try {
      this.#worker.postMessage({ id, method, args }, transfer);
    } catch (error) {
      throw new ArgumentError(`an argument cannot be sent to the worker (${firstLine(error)})`, { cause: error });
    }
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, progress }));
  }
}

/** A worker with the onnxruntime of a bundler, or with one that it imports from an address. */
function started(runtime) {
  try {
    // Bundlers find these files by the very words.
    return runtime === null
      ? new Worker(new URL("./worker-bundled.js", import.meta.url), { type: "module" })
      : new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  } catch (error) {
    throw failure(firstLine(error)); // such as a file of another origin
  }
}

function failure(reason) {
  return new RuntimeError(
    `scriptkd's worker does not start or has failed (${reason || "a file of it did not load"}); a page without a bundler ` +
      "gives runtime, the address of onnxruntime's module; worker: false does without a worker",
  );
}

/** An image as it can be sent: `{ sent, transfer }`. What a canvas can draw is copied into a bitmap. */
async function portable(image) {
  if (image instanceof Blob || image instanceof ImageData) return { sent: image, transfer: [] };
  if (image?.data instanceof Uint8Array || image?.data instanceof Uint8ClampedArray) {
    const data = image.data.slice(); // a part of a large buffer would be sent with all of it
    return { sent: { data, width: image.width, height: image.height, channels: image.channels }, transfer: [data.buffer] };
  }
  if (image?.width === undefined || image.height === undefined) return { sent: null, transfer: [] }; // refused there
  drawnSize(image);
  try {
    const bitmap = await createImageBitmap(image);
    return { sent: bitmap, transfer: [bitmap] };
  } catch (error) {
    throw new ImageError(`the browser cannot draw this image: ${firstLine(error)}`, { cause: error });
  }
}
