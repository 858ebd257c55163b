/** A model file's bytes. */
declare const model: Uint8Array;
export default model;
