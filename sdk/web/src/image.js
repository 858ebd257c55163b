// Images, whatever they come as, into `{ data, width, height, channels }`, upright and opaque.

import { ImageError } from "./errors.js";
import { cut } from "./pixels.js";
import { WHITE, ground, lay, opaque } from "./transparency.js";

const SMALLEST_SIDE = 2; // pixels
const LARGEST_SIDE = 16_384; // pixels
const MOST_PIXELS = 50_000_000; // a word crop has thousands; beyond is a mistake or an attack
const MOST_BYTES = 8 * MOST_PIXELS; // of a file

/**
 * Reads an image and returns its pixels, RGB or gray.
 *
 * image: a Blob or File (PNG, JPEG, WebP, GIF, BMP and what else the browser reads; EXIF orientation is honoured); a canvas, ImageBitmap, HTMLImageElement or ImageData; or
 * `{ data, width, height, channels }` with 1 (gray), 3 (RGB) or 4 (RGBA) bytes a pixel.
 * Transparent images are laid on black or on white, whichever shows what is drawn. Alpha of 0 everywhere is no alpha: the
 * colours are what is stored. A canvas, and so a file, keeps no colours there; then it is an error.
 * region: [left, top, right, bottom] in pixels of the upright image, right and bottom exclusive; fractions are rounded,
 * and what of it lies outside the image is cut off.
 *
 * Throws ImageError, which says why, for anything else and for images too small, too large or broken.
 */
export async function loadImage(image, region = null) {
  if (image?.data && Number.isInteger(image.channels)) return fromPixels(image, region);
  if (typeof ImageData !== "undefined" && image instanceof ImageData) return fromPixels({ ...plain(image), channels: 4 }, region);
  if (image instanceof Blob) {
    const bitmap = await decodeImage(image);
    try {
      return draw(bitmap, region);
    } finally {
      bitmap.close();
    }
  }
  if (image?.width !== undefined && image?.height !== undefined) return draw(image, region);
  throw new ImageError("an image must be a Blob, a canvas, an ImageBitmap, an <img>, ImageData or { data, width, height, channels }");
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
  if (header !== null) {
    if (header.kind === "TIFF") throw new ImageError("a TIFF image, which browsers do not read; save it as PNG or JPEG");
    checkSize(header.width, header.height);
    if (header.kind === "PNG" && find(bytes, "IEND", 8) < 0) throw new ImageError("broken or truncated PNG");
  }
  try {
    // Straight pixels: no colour management, as the contract starts from the bytes that the file holds.
    return await createImageBitmap(blob, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch (error) {
    const reason = header ? `broken or truncated ${header.kind}` : "not an image that this browser can read";
    throw new ImageError(reason, { cause: error });
  }
}

function plain({ data, width, height }) {
  return { data, width, height };
}

function checkSize(width, height) {
  const size = `${width}x${height} pixels`;
  if (Math.min(width, height) < SMALLEST_SIDE) {
    throw new ImageError(`${size}, but at least ${SMALLEST_SIDE}x${SMALLEST_SIDE} are needed`);
  }
  if (Math.max(width, height) > LARGEST_SIDE) throw new ImageError(`${size}, but at most ${LARGEST_SIDE} a side are allowed`);
  if (width * height > MOST_PIXELS) throw new ImageError(`${size}, but at most ${MOST_PIXELS / 1e6} million are allowed`);
}

/** Checks a region and returns what of it lies in the image, in whole numbers; all of the image where there is none. */
function box(region, width, height) {
  if (region === null || region === undefined) return [0, 0, width, height];
  const numbers = Array.from(region, Number);
  const text = `(${Array.from(region).join(", ")})`;
  if (numbers.length !== 4) throw new ImageError(`a region must be [left, top, right, bottom], not ${text}`);
  if (!numbers.every(Number.isFinite)) throw new ImageError(`a region must not hold NaN or infinity: ${text}`);
  let [left, top, right, bottom] = numbers.map((value) => Math.floor(value + 0.5));
  if (right - left < SMALLEST_SIDE || bottom - top < SMALLEST_SIDE) {
    throw new ImageError(
      `the region ${text} is empty: right and bottom must exceed left and top by ${SMALLEST_SIDE} or more`,
    );
  }
  [left, top, right, bottom] = [Math.max(left, 0), Math.max(top, 0), Math.min(right, width), Math.min(bottom, height)];
  if (right <= left || bottom <= top) {
    throw new ImageError(`the region ${text} is outside the image of ${width}x${height} pixels`);
  }
  checkSize(right - left, bottom - top);
  return [left, top, right, bottom];
}

/** The region of anything that a canvas draws, opaque. */
function draw(source, region) {
  const width = source.naturalWidth ?? source.videoWidth ?? source.width;
  const height = source.naturalHeight ?? source.videoHeight ?? source.height;
  checkSize(width, height);
  const seen = box(region, width, height);
  const part = drawn(source, seen);
  if (opaque(part)) return lay(part, WHITE);
  const shade = ground(region ? drawn(source, [0, 0, width, height]) : part); // it hangs on the whole picture
  if (shade === null) {
    throw new ImageError("all of it is transparent, and browsers keep no colours there; save it without transparency");
  }
  return lay(part, shade);
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

/** Checks raw pixels and cuts the region out, opaque. */
function fromPixels({ data, width, height, channels }, region) {
  if (![1, 3, 4].includes(channels)) throw new ImageError(`an image must have 1, 3 or 4 channels, not ${channels}`);
  if (!Number.isInteger(width) || !Number.isInteger(height) || data.length !== width * height * channels) {
    throw new ImageError(`${data.length} bytes are not an image of ${width}x${height} pixels with ${channels} channels`);
  }
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) throw new ImageError("an image's data must be bytes");
  checkSize(width, height);
  const part = cut({ data, width, channels }, box(region, width, height));
  if (channels !== 4) return part;
  return lay(part, opaque(part) ? WHITE : ground({ data, width, height }));
}

/** Kind, width and height that a file's header declares, null for unknown kinds; RangeError for one that ends early. */
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
  return null;
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
  for (let i = at; i + codes.length <= bytes.length; i++) {
    if (codes.every((code, k) => bytes[i + k] === code)) return i;
  }
  return -1;
}
