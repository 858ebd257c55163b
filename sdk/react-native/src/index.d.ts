// Types of `scriptkd-react-native`: those of scriptkd's core, whose runtime is given.

import { ScriptIdentifier as CoreIdentifier, type CoreLoadOptions, type ModelSource } from "scriptkd/core";

export {
  ArgumentError,
  ClosedError,
  ImageError,
  ModelError,
  RuntimeError,
  ScriptkdError,
  readModelInfo,
  type AskOptions,
  type IdentifyOptions,
  type ModelInfo,
  type Pixels,
  type Prediction,
  type Region,
  type Script,
} from "scriptkd/core";

export class ScriptIdentifier extends CoreIdentifier {
  /** Throws ModelError, RuntimeError, ArgumentError. */
  static load(model: ModelSource, options?: Omit<CoreLoadOptions, "runtime">): Promise<ScriptIdentifier>;
}
