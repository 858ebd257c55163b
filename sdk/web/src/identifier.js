// Which script is this word written in?

import { Answers, checkThreshold, inTurn, several } from "./answers.js";
import { ArgumentError, ClosedError, ModelError } from "./errors.js";
import { modelBytes } from "./modelbytes.js";

/**
 * Tells the script of cropped word images, with an onnxruntime that the caller gives. Opening a model takes up to a second,
 * an answer milliseconds, so keep it.
 *
 * Options that all methods that identify share:
 * - threshold: 0 to 1; a best score below it is answered "unknown". Null is the one given to `load`, or the model's own.
 * - allow, deny: lists of scripts by name, ISO 15924 code or alias. The answer is one of `allow` (null: all that the model
 *   knows) and none of `deny`, and the scores are scaled to sum to 1 over those: they are the probabilities given that
 *   nothing else occurs. So name what can occur, not what you hope for.
 * - upright: true says that the letters stand upright, as in a scanned page. Then nothing is turned, and the orientation
 *   is 0. Else a model of format 3 takes a crop any way up and tells which it is.
 *
 * An answer is `{ script, code, score, best, scores, orientation, orientationScore, shares }`:
 * - script, code: name and ISO 15924 code of the best script ("unknown" and "Zyyy" below the threshold);
 * - score, best: its probability, and its name whatever the threshold says;
 * - scores: all allowed scripts as `{ name, code, score }`, best first;
 * - orientation: by how many degrees the letters are turned clockwise from upright, 0, 90 (a word reads from top to
 *   bottom), 180 or 270. Turning the picture counterclockwise by as much makes it upright. Null where there is no
 *   telling, and for models of formats 1 and 2;
 * - orientationScore: its probability; null for models of formats 1 and 2;
 * - shares: of a line that is seen in several windows, which share of them each script won, as `{ name, code, share }`,
 *   the largest first; they sum to 1, and windows below the threshold count as "unknown".
 *
 * All methods throw ArgumentError for a wrong argument, RuntimeError where onnxruntime fails, ClosedError after `close`.
 */
export class ScriptIdentifier {
  #answers; // what answers: here (`Answers`), or in a worker (`WorkerAnswers`)
  #running = new Set(); // promises of calls, for which `close` waits

  /**
   * Opens a model file.
   *
   * model: its address (string or URL; in Node.js also a path), or its bytes (ArrayBuffer or Uint8Array).
   * runtime: the onnxruntime to use: the module onnxruntime-web, onnxruntime-node or onnxruntime-react-native.
   * threads: of one answer, where the runtime can have several; in a browser that takes a page that is cross-origin isolated.
   * threshold: 0 to 1, in place of the model's own.
   *
   * Throws ModelError for a file that is missing or unfit, RuntimeError for an onnxruntime that does not start.
   */
  static async load(model, { runtime, threads = 1, threshold = null } = {}) {
    return this.open(model, threads, threshold, (bytes) => Answers.open(runtime, bytes, threads));
  }

  /** Checks the arguments, reads the file, and makes an identifier of what `answering(bytes)` gives. For `load`. */
  static async open(model, threads, threshold, answering) {
    if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
      throw new ArgumentError(`threads must be an integer from 1 to 256, not ${threads}`);
    }
    checkThreshold(threshold);
    const answers = await opened(model, null, answering);
    return new this(answers, threshold ?? answers.info.threshold);
  }

  /** Use `load`. */
  constructor(answers, threshold) {
    this.#answers = answers;
    this.info = answers.info; // what the model file says about itself
    this.threshold = threshold;
  }

  /** The scripts that the model knows, `{ name, code }`, in the order of its outputs. */
  get labels() {
    return this.info.labels;
  }

  /**
   * Tells the script of one image, or of a region of it (see `loadImage` for both).
   *
   * Throws ImageError for an image or region that cannot be read or used.
   */
  identify(image, options = {}) {
    return this.#ask(async (answers) => answers.identify(image, this.#with(options)));
  }

  /**
   * Tells the scripts of several words of one image, such as a page, which is read once: the answers, in the regions' order. A
   * region that cannot be used gets its ImageError, as a value, in its place.
   *
   * Throws ImageError for an image that cannot be read or used.
   */
  identifyRegions(image, regions, options = {}) {
    return this.#ask(async (answers) => {
      return answers.identifyRegions(image, several(regions, "region", "identify's region"), this.#with(options));
    });
  }

  /**
   * Tells the scripts of many images: the answers, in their order. An image that cannot be read or used gets its ImageError,
   * as a value, in its place.
   */
  identifyBatch(images, options = {}) {
    return this.#ask(async (answers) => {
      return inTurn(several(images, "image", "identify"), "image", (image) => answers.identify(image, this.#with(options)));
    });
  }

  /**
   * Opens the text detector that `findWords` needs: PP-OCR's as an ONNX file, which this package does not hold.
   *
   * detector: its address (string or URL; in Node.js also a path), or its bytes (ArrayBuffer or Uint8Array).
   * progress: called with how many bytes have come, and of how many, or null where the server does not say.
   *
   * Throws ModelError for a file that cannot be had or is no such detector.
   */
  openDetector(detector, { progress = null } = {}) {
    return this.#ask((answers) => opened(detector, progress, (bytes) => answers.openDetector(bytes)));
  }

  /**
   * Finds the words of an image, or lines where words stand close, and tells the script of each: the answers in order, from
   * the top and in a line from the left, each with two fields more; none where there is no text.
   * - corners: four [x, y] in pixels, clockwise from the top left as the picture lies, as `identify` takes a region. They may
   *   lie somewhat outside of it;
   * - textScore: the detector's mean probability of text, 0.5 to 1.
   *
   * options: those of `identify`; and progress, called with how many words are done, and of how many.
   *
   * Throws ImageError for an image that cannot be read or used.
   */
  findWords(image, { progress = null, ...options } = {}) {
    return this.#ask(async (answers) => answers.findWords(image, this.#with(options), progress));
  }

  /** Frees the networks' memory. Calls that run are finished; later ones throw ClosedError. Closing again does nothing. */
  async close() {
    const answers = this.#answers;
    this.#answers = null;
    await Promise.allSettled(this.#running);
    await answers?.close();
  }

  /** What a question to the answers gives, an asynchronous function. */
  async #ask(question) {
    if (this.#answers === null) throw new ClosedError("this identifier has been closed; load a new one");
    const running = question(this.#answers);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  #with(options) {
    return { ...options, threshold: options.threshold ?? this.threshold };
  }
}

/** What `opening` makes of a model file's bytes; its ModelError names the file. */
async function opened(model, progress, opening) {
  const { bytes, name } = await modelBytes(model, progress);
  try {
    return await opening(bytes);
  } catch (error) {
    if (error instanceof ModelError) throw new ModelError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}
