export { crops } from "./crop.js";
export { ArgumentError, ImageError, ModelError, ScriptkdError } from "./errors.js";
export { ScriptIdentifier } from "./identifier.js";
export { decodeImage, loadImage } from "./image.js";
export { readModelInfo } from "./modelfile.js";
export { Preprocessing } from "./preprocess.js";
