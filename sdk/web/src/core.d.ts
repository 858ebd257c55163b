// Types of `scriptkd/core`. What names mean is told in the .js files, in identifier.js above all.

/** What a platform has under a global name, such as a browser's ImageBitmap; never where there is no such thing. */
export type Global<Name extends string> = typeof globalThis extends { readonly [Each in Name]: { readonly prototype: infer Found } } ? Found : never;

/** Bytes row by row: 1 channel is gray, 3 are R, G, B, 4 have alpha as well. */
export interface Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
}

/** Pixels work everywhere; the others need a browser. */
export type ImageInput =
  | Pixels
  | Global<"Blob">
  | Global<"ImageData">
  | Global<"ImageBitmap">
  | Global<"HTMLImageElement">
  | Global<"HTMLCanvasElement">
  | Global<"HTMLVideoElement">
  | Global<"OffscreenCanvas">;

/** Left, top, right, bottom in pixels of the upright image; right and bottom exclusive. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];
export type Point = readonly [x: number, y: number];
/** Of the word, in its own reading order: they are stretched to a rectangle. */
export type Corners = readonly [topLeft: Point, topRight: Point, bottomRight: Point, bottomLeft: Point];
export type Region = Box | Corners;

export interface Script {
  readonly name: string;
  /** ISO 15924. */
  readonly code: string;
}

export type Orientation = 0 | 90 | 180 | 270;

export interface Prediction {
  /** The best script's name; "unknown" below the threshold. */
  script: string;
  /** Its ISO 15924 code; "Zyyy" below the threshold. */
  code: string;
  /** The best script's probability, 0 to 1, also where the answer is "unknown". */
  score: number;
  /** The best script's name, whatever the threshold says. */
  best: string;
  /** All allowed scripts, best first; the scores sum to 1. */
  scores: { name: string; code: string; score: number }[];
  /** By how many degrees the letters are turned clockwise from upright; null where there is no telling, and for formats 1 and 2. */
  orientation: Orientation | null;
  /** The orientation's probability; null for models of formats 1 and 2. */
  orientationScore: number | null;
  /** Of a line that is seen in several windows, which share of them each script won, the largest first. */
  shares: { name: string; code: string; share: number }[];
}

export interface AskOptions {
  /** 0 to 1; a best score below it is "unknown". The default is the one given to `load`, or the model's own. */
  threshold?: number | null;
  /** Scripts by name, ISO 15924 code or alias, of which the answer is one. The default is all that the model knows. */
  allow?: Iterable<string> | null;
  /** Scripts of which the answer is none. */
  deny?: Iterable<string> | null;
  /** The letters stand upright. */
  upright?: boolean;
}

export interface IdentifyOptions extends AskOptions {
  region?: Region | null;
}

export interface FindOptions extends AskOptions {
  /** Called with how many words are done, and of how many. */
  progress?: ((done: number, all: number) => void) | null;
}

export interface Word extends Prediction {
  /** In pixels, clockwise from the top left as the picture lies. */
  corners: [[number, number], [number, number], [number, number], [number, number]];
  /** The detector's mean probability of text, 0.5 to 1. */
  textScore: number;
}

/** An onnxruntime: the module onnxruntime-web, onnxruntime-node or onnxruntime-react-native. */
export interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options?: object): Promise<unknown> };
  readonly Tensor: unknown;
}

/** A model file's address or its bytes; in Node.js also its path. */
export type ModelSource = string | Global<"URL"> | ArrayBuffer | Uint8Array;

export interface CoreLoadOptions {
  runtime: Runtime;
  /** 1 to 256, of one answer. The default is 1. */
  threads?: number;
  /** 0 to 1, in place of the model's own. */
  threshold?: number | null;
}

export interface ModelInfo {
  readonly network: string;
  readonly labels: readonly Script[];
  readonly preprocessing: Preprocessing;
  readonly anySize: boolean;
  readonly temperature: number;
  readonly threshold: number;
  readonly orientationTemperature: number | null;
  readonly orientationThreshold: number | null;
  readonly precision: string;
  readonly provenance: object;
}

export class ScriptIdentifier {
  protected constructor();
  /** Throws ModelError, RuntimeError, ArgumentError. */
  static load(model: ModelSource, options: CoreLoadOptions): Promise<ScriptIdentifier>;
  readonly info: ModelInfo;
  readonly threshold: number;
  /** The scripts that the model knows, in the order of its outputs. */
  get labels(): readonly Script[];
  /** Throws ImageError for an image or region that cannot be read or used. */
  identify(image: ImageInput, options?: IdentifyOptions): Promise<Prediction>;
  /** An image that is read once, and words of it; a region that cannot be used gets its ImageError in its place. */
  identifyRegions(image: ImageInput, regions: Iterable<Region>, options?: AskOptions): Promise<(Prediction | ImageError)[]>;
  /** Many images; one that cannot be read or used gets its ImageError in its place. */
  identifyBatch(images: Iterable<ImageInput>, options?: IdentifyOptions): Promise<(Prediction | ImageError)[]>;
  /** Opens PP-OCR's text detector, an ONNX file that this package does not hold. Throws ModelError. */
  openDetector(detector: ModelSource, options?: { progress?: ((loaded: number, total: number | null) => void) | null }): Promise<void>;
  /** Finds the words of an image and tells their scripts, line by line; `openDetector` comes first. Throws ImageError. */
  findWords(image: ImageInput, options?: FindOptions): Promise<Word[]>;
  /** Frees the networks' memory. Later calls throw ClosedError. */
  close(): Promise<void>;
}

/** The base of all errors that are thrown on purpose; each message is one sentence meant for the user. */
export class ScriptkdError extends Error {}
/** An image that cannot be read or used. */
export class ImageError extends ScriptkdError {
  get name(): "ImageError";
}
/** A model file that is missing, broken or not written for this version. */
export class ModelError extends ScriptkdError {
  get name(): "ModelError";
}
/** An onnxruntime, or a worker for it, that does not start or fails. */
export class RuntimeError extends ScriptkdError {
  get name(): "RuntimeError";
}
/** A wrong argument. */
export class ArgumentError extends ScriptkdError {
  get name(): "ArgumentError";
}
/** An identifier that is used after its `close()`. */
export class ClosedError extends ScriptkdError {
  get name(): "ClosedError";
}

/** An image's pixels, or those of a region, RGB or gray, opaque. Throws ImageError. */
export function loadImage(image: ImageInput, region?: Region | null): Promise<Pixels>;
/** An image file as an upright bitmap, to be closed by the caller; only in browsers. Throws ImageError. */
export function decodeImage(blob: Global<"Blob">): Promise<Global<"ImageBitmap">>;
/** What a model file says about itself. Throws ModelError. */
export function readModelInfo(bytes: Uint8Array): ModelInfo;

/** How a crop becomes a network's input (section 3 of the model contract). */
export class Preprocessing {
  constructor(values: object);
  readonly channels: 1 | 3;
  readonly height: number;
  readonly widthMin: number;
  readonly widthMax: number;
  readonly widthStep: number;
  readonly squareHeight: number | null;
  get fixedWidth(): boolean;
  get heights(): number[];
  freeWidth(height: number, width: number, rows: number): number;
  widthFor(height: number, width: number, rows?: number): number;
  apply(image: Pixels, rows?: number): { data: Uint8Array; width: number };
}

/** The crops of an image that the network sees (section 2 of the model contract). */
export function crops(
  image: Pixels,
  preprocessing: Preprocessing,
  upright?: boolean,
): { windows: Pixels[]; rows: number; turned: 0 | 90 };
