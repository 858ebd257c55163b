// scriptkd in React Native: its core, with the phone's own onnxruntime.

import * as runtime from "onnxruntime-react-native";
import { ScriptIdentifier as CoreIdentifier } from "scriptkd/core";

export { ArgumentError, ClosedError, ImageError, ModelError, RuntimeError, ScriptkdError, readModelInfo } from "scriptkd/core";

/** Tells the script of cropped word images, given as pixels; all but `load` is told in scriptkd's identifier.js. */
export class ScriptIdentifier extends CoreIdentifier {
  /**
   * Opens a model file.
   *
   * model: its bytes, such as one of `scriptkd-react-native/models/`, or an address that can be fetched.
   * threads: of one answer, 1 to 256. threshold: 0 to 1, in place of the model's own.
   *
   * Throws ModelError for a file that is missing or unfit, RuntimeError for an onnxruntime that does not start.
   */
  static load(model, { threads, threshold } = {}) {
    return super.load(model, { runtime, threads, threshold });
  }
}
