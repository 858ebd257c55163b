// The errors that the SDK throws on purpose; each message is one sentence meant for the user.

export class ScriptkdError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** An image that cannot be read or used. */
export class ImageError extends ScriptkdError {}

/** A model file that is missing, broken or not written for this version of the SDK. */
export class ModelError extends ScriptkdError {}

/** A wrong argument. */
export class ArgumentError extends ScriptkdError {}
