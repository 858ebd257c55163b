// scriptkd in browsers and Node.js: with onnxruntime-web, models, and in a page a worker.

import { Answers } from "./answers.js";
import { ArgumentError } from "./errors.js";
import { ScriptIdentifier as CoreIdentifier } from "./identifier.js";
import { importAddress, loaded } from "./runtime.js";
import { WorkerAnswers } from "./workeranswers.js";

export * from "./core.js";

/** The addresses of the models that come with the package. */
export const bundledModels = Object.freeze({
  get student() {
    return new URL("../models/student.onnx", import.meta.url);
  },
  get upright() {
    return new URL("../models/upright.onnx", import.meta.url);
  },
  get world() {
    return new URL("../models/world.onnx", import.meta.url);
  },
  get worldUpright() {
    return new URL("../models/world-upright.onnx", import.meta.url);
  },
});

/** Tells the script of cropped word images; all but `load` is told in identifier.js. */
export class ScriptIdentifier extends CoreIdentifier {
  /**
   * Opens a model file.
   *
   * model: its address (string or URL; in Node.js also a path), or its bytes (ArrayBuffer or Uint8Array); the default is
   * `bundledModels.student`.
   * runtime: the onnxruntime to use: the address of its module (string or URL), which a page without a bundler needs; or
   * the module itself, such as onnxruntime-node. The default is the installed onnxruntime-web.
   * wasmPaths: where onnxruntime-web's .wasm and .mjs files are: the address of their folder, or `{ wasm, mjs }`, the
   * addresses of either. The default is beside its module.
   * worker: whether images are read and answered in a worker, so that the page stays responsive. The default in a page is
   * true, unless `runtime` is a module, which cannot go there.
   * threads: of one answer; more than one needs a page that is cross-origin isolated.
   * threshold: 0 to 1, in place of the model's own.
   *
   * Throws ModelError for a file that is missing or unfit, RuntimeError for an onnxruntime or a worker that does not start.
   */
  static async load(model = bundledModels.student, { runtime = null, wasmPaths = null, worker, threads = 1, threshold = null } = {}) {
    const module = runtime !== null && !isAddress(runtime) ? runtime : null;
    const inWorker = worker ?? (typeof document !== "undefined" && module === null);
    if (inWorker && module) throw new ArgumentError("a runtime's module cannot go to a worker; give its address, or worker: false");
    return this.open(model, threads, threshold, async (bytes) => {
      if (module) return Answers.open(module, bytes, threads);
      const [address, paths] = [runtime, wasmPaths].map(absolute);
      if (inWorker) return WorkerAnswers.open(address, paths, bytes, threads);
      const importing = address ? importAddress(address) : import("onnxruntime-web/wasm");
      return Answers.open(await loaded(importing, paths), bytes, threads);
    });
  }
}

function isAddress(value) {
  return typeof value === "string" || value instanceof URL;
}

/** An address, or an object of addresses, that means the same in a worker, whose own lies elsewhere; null stays null. */
function absolute(value) {
  if (value === null) return null;
  if (!isAddress(value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, absolute(each)]));
  return typeof document === "undefined" ? String(value) : new URL(value, document.baseURI).href;
}
