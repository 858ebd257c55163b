// Everything but a runtime of its own: for whoever gives one, and for platforms without workers and addresses.

export { crops } from "./crop.js";
export { ArgumentError, ClosedError, ImageError, ModelError, RuntimeError, ScriptkdError } from "./errors.js";
export { ScriptIdentifier } from "./identifier.js";
export { decodeImage, loadImage } from "./image.js";
export { readModelInfo } from "./modelfile.js";
export { Preprocessing } from "./preprocess.js";
