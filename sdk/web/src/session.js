// A network in an onnxruntime: onnxruntime-web, onnxruntime-node, onnxruntime-react-native.

import { ArgumentError, ModelError, RuntimeError, firstLine } from "./errors.js";

// y = x as an ONNX file. Where it cannot be opened it is onnxruntime that is broken, not the model that was asked for.
const SOUND_MODEL = Uint8Array.from([
  8, 7, 18, 0, 58, 55, 10, 16, 10, 1, 120, 18, 1, 121, 34, 8, 73, 100, 101, 110, 116, 105, 116, 121, 18, 1, 103, 90, 15, 10, 1, 120, 18,
  10, 10, 8, 8, 2, 18, 4, 10, 2, 8, 1, 98, 15, 10, 1, 121, 18, 10, 10, 8, 8, 2, 18, 4, 10, 2, 8, 1, 66, 4, 10, 0, 16, 13,
]);

/** A network that is open. It takes one run at a time, as onnxruntime-web's sessions do; others wait for their turn. */
export class Session {
  #runtime;
  #session;
  #running = Promise.resolve();

  /**
   * Opens an ONNX file. runtime: an onnxruntime module. threads: of one run, where the runtime can have several.
   * Throws ModelError, RuntimeError, or ArgumentError for a runtime that is none.
   */
  static async open(runtime, bytes, threads) {
    if (typeof runtime?.InferenceSession?.create !== "function" || typeof runtime.Tensor !== "function") {
      throw new ArgumentError("runtime must be an onnxruntime module, with InferenceSession and Tensor");
    }
    if (runtime.env?.wasm) runtime.env.wasm.numThreads = threads;
    const create = (file) => runtime.InferenceSession.create(file, { intraOpNumThreads: threads, logSeverityLevel: 4 });
    try {
      return new Session(runtime, await create(bytes));
    } catch (error) {
      const reason = firstLine(error);
      await create(SOUND_MODEL).catch(() => {
        throw new RuntimeError(`onnxruntime does not start (${reason})`, { cause: error });
      });
      throw new ModelError(`not an ONNX file that onnxruntime can load (${reason})`, { cause: error });
    }
  }

  /** Use `open`. */
  constructor(runtime, session) {
    this.#runtime = runtime;
    this.#session = session;
  }

  get inputNames() {
    return this.#session.inputNames;
  }

  get outputNames() {
    return this.#session.outputNames;
  }

  /** Runs the network on numbers of that type and shape, for its one input; gives onnxruntime's tensors by output. */
  run(type, data, shape, outputs) {
    const tensor = new this.#runtime.Tensor(type, data, shape);
    const result = this.#running.then(() => this.#session.run({ [this.inputNames[0]]: tensor }, outputs));
    this.#running = result.catch(() => {}); // a failed run is its caller's; the next one goes on
    return result;
  }

  /** Frees the network's memory. No run may be on its way. */
  close() {
    return this.#session.release();
  }
}
