// Images, whatever they come as, into `{ data, width, height, channels }`, upright and opaque.

import { ImageError } from "./errors.js";
import { cut } from "./pixels.js";
import { MOST_PIXELS, checkSize, cutting } from "./regions.js";
import { WHITE, ground, lay, opaque } from "./transparency.js";

const MOST_BYTES = 8 * MOST_PIXELS; // of a file
const KINDS = "a Blob, a canvas, an ImageBitmap, an <img>, ImageData or { data, width, height, channels }";
const PIXELS = "decode it first and give { data, width, height, channels }";
const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1", "mif2"]; // brands of files
const AVIF = ["avif", "avis"];

/**
 * Reads an image and returns its pixels, RGB or gray.
 *
 * image: a Blob or File (PNG, JPEG, WebP, GIF, BMP and what else the browser reads; EXIF orientation is honoured); a canvas,
 * ImageBitmap, HTMLImageElement or ImageData; or `{ data, width, height, channels }` with 1 (gray), 3 (RGB) or 4 (RGBA)
 * bytes a pixel, row by row. The last works everywhere; the others need a browser.
 * Transparent images are laid on black or on white, whichever shows what is drawn. Alpha of 0 everywhere is no alpha: the
 * colours are what is stored. A canvas, and so a file, keeps no colours there; then it is an error.
 * region: [left, top, right, bottom] in pixels of the upright image, right and bottom exclusive; fractions are rounded,
 * and what of it lies outside the image is cut off. Or four corners [x, y] in the word's own reading order: top left, top
 * right, bottom right, bottom left; they are stretched to a rectangle.
 *
 * Throws ImageError, which says why, for anything else and for images too small, too large or broken.
 */
export async function loadImage(image, region = null) {
  const opened = await openImage(image);
  try {
    return opened.part(region);
  } finally {
    opened.close();
  }
}

/** An image, as `loadImage` takes it, that is read once: `{ part(region), close() }`. */
export async function openImage(image) {
  if (image?.data && Number.isInteger(image.channels)) return pixelParts(image);
  if (typeof ImageData !== "undefined" && image instanceof ImageData) return pixelParts({ ...plain(image), channels: 4 });
  if (typeof Blob !== "undefined" && image instanceof Blob) {
    const bitmap = await decodeImage(image);
    try {
      return drawnParts(bitmap, () => bitmap.close());
    } catch (error) {
      bitmap.close();
      throw error;
    }
  }
  if (image?.width !== undefined && image?.height !== undefined) return drawnParts(image, () => {});
  throw new ImageError(`an image must be ${KINDS}`);
}

/**
 * Decodes an image file (Blob) into an upright ImageBitmap, to be closed by the caller. What its header declares is
 * checked first. Throws ImageError.
 */
export async function decodeImage(blob) {
  if (blob.size > MOST_BYTES) throw new ImageError(`a file of more than ${MOST_BYTES / 1e6} MB`);
  let bytes;
  try {
    bytes = new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    throw new ImageError("the file cannot be read any more", { cause: error });
  }
  if (bytes.length === 0) throw new ImageError("empty: no bytes at all");
  let header;
  try {
    header = declared(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ImageError("broken or truncated image file", { cause: error });
  }
  if (header?.width !== undefined) {
    checkSize(header.width, header.height);
    if (header.kind === "PNG" && find(bytes, "IEND", 8) < 0) throw new ImageError("broken or truncated PNG");
  }
  if (typeof createImageBitmap === "undefined") throw new ImageError(`${platform()} has no image decoder: ${PIXELS}`);
  try {
    // Straight pixels: no colour management, as the contract starts from the bytes that the file holds.
    return await createImageBitmap(blob, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch (error) {
    throw new ImageError(undecoded(header), { cause: error });
  }
}

/** Why a browser did not read a file with that header. */
function undecoded(header) {
  if (header === null) return "not an image that this browser can read";
  if (header.kind === "SVG") return "an SVG drawing, which has no pixels of its own; save it as PNG";
  if (header.width === undefined) return `${header.kind === "AVIF" ? "an" : "a"} ${header.kind} image that this browser does not read; save it as JPEG or PNG`;
  return `broken or truncated ${header.kind}`;
}

/** Where this runs, for a sentence. */
function platform() {
  return globalThis.process?.versions?.node ? "Node.js" : "this platform";
}

function plain({ data, width, height }) {
  return { data, width, height };
}

/** Parts of anything that a canvas draws, opaque. */
function drawnParts(source, close) {
  if (typeof OffscreenCanvas === "undefined") {
    throw new ImageError(`${platform()} has no canvas to read an image from: ${PIXELS}`);
  }
  const [width, height] = drawnSize(source);
  let shade; // of the whole picture, asked for once
  const part = (region) => {
    const { box, finish } = cutting(region, width, height);
    const pixels = drawn(source, box);
    if (opaque(pixels)) return finish(lay(pixels, WHITE));
    shade ??= ground(drawn(source, [0, 0, width, height]));
    if (shade === null) {
      throw new ImageError("all of it is transparent, and browsers keep no colours there; save it without transparency");
    }
    return finish(lay(pixels, shade));
  };
  return { part, close };
}

/** Width and height of anything that a canvas draws, in pixels. Throws ImageError where it is too small or too large. */
export function drawnSize(source) {
  const width = source.naturalWidth ?? source.videoWidth ?? source.width;
  const height = source.naturalHeight ?? source.videoHeight ?? source.height;
  checkSize(width, height);
  return [width, height];
}

/** A box of anything that a canvas draws, in four channels. */
function drawn(source, [left, top, right, bottom]) {
  const [width, height] = [right - left, bottom - top];
  try {
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.drawImage(source, left, top, width, height, 0, 0, width, height);
    return { ...plain(context.getImageData(0, 0, width, height)), channels: 4 };
  } catch (error) {
    throw new ImageError(`the browser cannot draw this image: ${error.message}`, { cause: error });
  }
}

/** Checks raw pixels; parts of them, opaque. */
function pixelParts({ data, width, height, channels }) {
  if (![1, 3, 4].includes(channels)) throw new ImageError(`an image must have 1, 3 or 4 channels, not ${channels}`);
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) throw new ImageError("an image's data must be bytes");
  if (!Number.isInteger(width) || !Number.isInteger(height) || data.length !== width * height * channels) {
    throw new ImageError(`${data.length} bytes are not an image of ${width}x${height} pixels with ${channels} channels`);
  }
  checkSize(width, height);
  let shade; // of the whole picture, asked for once; null where it has no alpha
  const part = (region) => {
    const { box, finish } = cutting(region, width, height);
    const pixels = cut({ data, width, channels }, box);
    if (channels !== 4) return finish(pixels);
    if (opaque(pixels)) return finish(lay(pixels, WHITE));
    if (shade === undefined) shade = ground({ data, width, height });
    return finish(lay(pixels, shade));
  };
  return { part, close() {} };
}

/**
 * Kind, width and height that a file's header declares; null for unknown kinds, and no size of those that not every browser
 * reads. RangeError for a header that ends early.
 */
function declared(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = (text, at = 0) => find(bytes.subarray(0, at + text.length), text, at) === at;
  if (starts("\x89PNG\r\n\x1a\n")) return { kind: "PNG", width: view.getUint32(16), height: view.getUint32(20) };
  if (starts("GIF87a") || starts("GIF89a")) {
    return { kind: "GIF", width: view.getUint16(6, true), height: view.getUint16(8, true) };
  }
  if (starts("BM")) {
    const old = bytes[14] === 12; // the header of OS/2 and Windows 2
    const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
    const height = old ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
    return { kind: "BMP", width, height };
  }
  if (starts("RIFF") && starts("WEBP", 8)) return { kind: "WebP", ...webpSize(view, starts) };
  if (starts("\xff\xd8\xff")) return { kind: "JPEG", ...jpegSize(view) };
  if (starts("II*\0") || starts("MM\0*")) return { kind: "TIFF" };
  if (starts("ftyp", 4)) return heifKind(bytes, view);
  const beginning = text(bytes, 0, 2048);
  return /^(\xef\xbb\xbf)?\s*</.test(beginning) && /<svg\b/i.test(beginning) ? { kind: "SVG" } : null;
}

/** HEIC, the photos of iPhones, or AVIF, by the brands that a file begins with; null for others, such as films. */
function heifKind(bytes, view) {
  const end = Math.min(view.getUint32(0), 1024);
  const brands = [text(bytes, 8, 12)];
  for (let at = 16; at < end; at += 4) brands.push(text(bytes, at, at + 4));
  if (brands.some((brand) => AVIF.includes(brand))) return { kind: "AVIF" }; // which may name HEIF's general brands too
  return brands.some((brand) => HEIC.includes(brand)) ? { kind: "HEIC" } : null;
}

function text(bytes, from, to) {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function webpSize(view, starts) {
  if (starts("VP8X", 12)) {
    return { width: (view.getUint32(24, true) & 0xffffff) + 1, height: (view.getUint32(26, true) >>> 8) + 1 };
  }
  if (starts("VP8L", 12)) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

function jpegSize(view) {
  for (let at = 2; ; ) {
    while (view.getUint8(at) !== 0xff) at++;
    const marker = view.getUint8(++at);
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: view.getUint16(at + 6), height: view.getUint16(at + 4) };
    }
    if (marker === 0xff) continue; // padding
    at++;
    if (marker > 0x01 && !(marker >= 0xd0 && marker <= 0xd7)) at += view.getUint16(at); // the others have no length
  }
}

/** Where an ASCII text begins in the bytes, from `at` on; -1 if nowhere. */
function find(bytes, text, at) {
  const codes = Array.from(text, (character) => character.charCodeAt(0));
  for (let i = bytes.indexOf(codes[0], at); i >= 0; i = bytes.indexOf(codes[0], i + 1)) {
    if (codes.every((code, k) => bytes[i + k] === code)) return i;
  }
  return -1;
}
