// Errors between a page and its worker: structured clones forget their classes.

import * as errors from "./errors.js";

/** An answer or error as `{ answer }` or `{ error: { name, message } }`. */
export function packed(value) {
  return value instanceof Error ? { error: { name: value.name, message: value.message } } : { answer: value };
}

/** The answer or error that was packed. */
export function unpacked({ answer, error }) {
  if (!error) return answer;
  const Kind = errors[error.name] ?? Error; // what is not ours is a bug, and stays one
  return new Kind(error.message);
}
