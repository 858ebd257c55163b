// Types of `scriptkd`: those of its core, and a runtime, models and a worker of its own.

import { ScriptIdentifier as CoreIdentifier, type Global, type ModelSource, type Runtime } from "./core.js";

export * from "./core.js";

type Address = string | Global<"URL">;

export interface LoadOptions {
  /** The address of an onnxruntime's module, for a page without a bundler; or the module. The default is onnxruntime-web. */
  runtime?: Runtime | Address | null;
  /** Where onnxruntime-web's other files are: their folder, or the address of either. The default is beside its module. */
  wasmPaths?: Address | { wasm?: Address; mjs?: Address } | null;
  /** Whether images are read and answered in a worker. The default in a page is true, unless `runtime` is a module. */
  worker?: boolean;
  /** 1 to 256, of one answer. The default is 1; more need a page that is cross-origin isolated. */
  threads?: number;
  /** 0 to 1, in place of the model's own. */
  threshold?: number | null;
}

export class ScriptIdentifier extends CoreIdentifier {
  /** The default model is `bundledModels.student`. Throws ModelError, RuntimeError, ArgumentError. */
  static load(model?: ModelSource, options?: LoadOptions): Promise<ScriptIdentifier>;
}

/** The addresses of the models that come with the package. */
export const bundledModels: {
  /** Ten scripts, in any orientation. */
  readonly student: Global<"URL">;
  /** 26 scripts, in any orientation. */
  readonly world: Global<"URL">;
  /** Ten scripts, for upright words only. */
  readonly upright: Global<"URL">;
  /** 26 scripts, for upright words only. */
  readonly worldUpright: Global<"URL">;
};
