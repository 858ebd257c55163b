// The errors that the SDK throws on purpose; each message is one sentence meant for the user.

export class ScriptkdError extends Error {
  get name() {
    return "ScriptkdError"; // not the constructor's: bundlers rename classes
  }
}

/** An image that cannot be read or used. */
export class ImageError extends ScriptkdError {
  get name() {
    return "ImageError";
  }
}

/** A model file that is missing, broken or not written for this version of the SDK. */
export class ModelError extends ScriptkdError {
  get name() {
    return "ModelError";
  }
}

/** An onnxruntime, or a worker for it, that does not start or fails: not the model's or the image's fault. */
export class RuntimeError extends ScriptkdError {
  get name() {
    return "RuntimeError";
  }
}

/** A wrong argument. */
export class ArgumentError extends ScriptkdError {
  get name() {
    return "ArgumentError";
  }
}

/** An identifier that is used after its `close()`. */
export class ClosedError extends ScriptkdError {
  get name() {
    return "ClosedError";
  }
}

/** The first line of what somebody else's error says, for a sentence of our own. */
export function firstLine(error) {
  return String(error?.message ?? error).trim().split("\n")[0].slice(0, 200);
}
