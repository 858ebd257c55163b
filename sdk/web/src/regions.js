// One word of a larger image: a box, or four corners that are rectified (section 7 of the model contract).

import { ImageError } from "./errors.js";

const SMALLEST_SIDE = 2; // pixels
const LARGEST_SIDE = 16_384; // pixels
export const MOST_PIXELS = 50_000_000; // a word crop has thousands; beyond is a mistake or an attack

/** Throws ImageError for an image of that many pixels that is too small or too large. */
export function checkSize(width, height) {
  const size = `${width}x${height} pixels`;
  if (Math.min(width, height) < SMALLEST_SIDE) {
    throw new ImageError(`${size}, but at least ${SMALLEST_SIDE}x${SMALLEST_SIDE} are needed`);
  }
  if (Math.max(width, height) > LARGEST_SIDE) throw new ImageError(`${size}, but at most ${LARGEST_SIDE} a side are allowed`);
  if (width * height > MOST_PIXELS) throw new ImageError(`${size}, but at most ${MOST_PIXELS / 1e6} million are allowed`);
}

/**
 * How a region is cut from an image of that size: `{ box, finish }`. The box, [left, top, right, bottom] in whole numbers,
 * is what of the image is needed; `finish` makes the region of its pixels, `{ data, width, height, channels }`.
 *
 * region: null (all of the image); a box [left, top, right, bottom]; or four corners [[x, y], ...] of a quadrilateral in
 * the word's own reading order, top left, top right, bottom right, bottom left, which is stretched to a rectangle.
 * Throws ImageError for anything else, and for a region outside the image.
 */
export function cutting(region, width, height) {
  if (region === null) return { box: [0, 0, width, height], finish: (pixels) => pixels };
  const shown = short(region);
  const numbers = listed(region);
  const isBox = numbers?.length === 4 && numbers.every((value) => typeof value === "number");
  const corners = isBox ? null : numbers?.map(listed);
  if (!isBox && !(corners?.length === 4 && corners.every((corner) => corner?.length === 2 && corner.every((value) => typeof value === "number")))) {
    throw new ImageError(`a region must be [left, top, right, bottom] or four corners [x, y], not ${shown}`);
  }
  if (!(corners ?? [numbers]).flat().every(Number.isFinite)) throw new ImageError(`a region must not hold NaN or infinity: ${shown}`);
  if (isBox) return { box: clipped(numbers, width, height, shown), finish: (pixels) => pixels };
  return rectification(corners, width, height, shown);
}

function clipped(numbers, width, height, shown) {
  const [left, top, right, bottom] = numbers.map(rounded);
  if (right - left < SMALLEST_SIDE || bottom - top < SMALLEST_SIDE) {
    throw new ImageError(`the region ${shown} is empty: right and bottom must exceed left and top by ${SMALLEST_SIDE} or more`);
  }
  const box = [Math.max(left, 0), Math.max(top, 0), Math.min(right, width), Math.min(bottom, height)];
  if (box[2] <= box[0] || box[3] <= box[1]) throw outside(shown, width, height);
  checkSize(box[2] - box[0], box[3] - box[1]);
  return box;
}

function rectification(corners, width, height, shown) {
  // In float32, as the Python SDK has them: what that rounds to one corner counts as one here too.
  const quad = corners.map((corner) => corner.map((value) => Math.fround(value - 0.5) + 0.5));
  const sides = quad.map(([x, y], i) => [quad[(i + 1) % 4][0] - x, quad[(i + 1) % 4][1] - y]);
  // Corners in order around a convex shape turn the same way at each (clockwise, as y points down).
  if (!sides.every(([x, y], i) => x * sides[(i + 1) % 4][1] - y * sides[(i + 1) % 4][0] > 0)) {
    throw new ImageError(
      `the corners ${shown} do not go clockwise around a convex quadrilateral: top left, top right, bottom right, bottom left`,
    );
  }
  const [above, beside, below, before] = sides.map(([x, y]) => Math.hypot(x, y));
  const [wide, high] = [rounded((above + below) / 2), rounded((before + beside) / 2)];
  checkSize(wide, high);
  const toImage = projection(quad, wide, high);
  const seen = within(quad, width, height);
  if (!(area(seen) > 0)) throw outside(shown, width, height);
  const toRectangle = inverse(toImage);
  if (![...toImage, ...toRectangle].every(Number.isFinite)) throw new ImageError(`the corners ${shown} are too close to a line to be rectified`);
  // Of the rectangle, the rows and columns that hold something of the image.
  const [left, top, right, bottom] = bounds(seen.map((point) => projected(toRectangle, point)));
  const part = [Math.max(rounded(left), 0), Math.max(rounded(top), 0), Math.min(rounded(right), wide), Math.min(rounded(bottom), high)];
  checkSize(part[2] - part[0], part[3] - part[1]);
  const [least, first, most, last] = bounds(seen); // and a pixel more, as between two is a mean of both
  const box = [
    Math.max(Math.floor(least) - 1, 0),
    Math.max(Math.floor(first) - 1, 0),
    Math.min(Math.ceil(most) + 1, width),
    Math.min(Math.ceil(last) + 1, height),
  ];
  return { box, finish: (pixels) => rectified(pixels, box, toImage, part) };
}

/** The part of the rectangle, bilinear; beyond the edges of the box's pixels these are repeated. */
function rectified({ data, width, height, channels }, [left, top], toImage, part) {
  const [outWidth, outHeight] = [part[2] - part[0], part[3] - part[1]];
  const out = new Uint8Array(outWidth * outHeight * channels);
  let to = 0;
  for (let row = part[1]; row < part[3]; row++) {
    for (let column = part[0]; column < part[2]; column++) {
      const [x, y] = projected(toImage, [column + 0.5, row + 0.5]);
      const u = Math.min(Math.max(x - 0.5 - left, 0), width - 1);
      const v = Math.min(Math.max(y - 0.5 - top, 0), height - 1);
      const [u0, v0] = [Math.floor(u), Math.floor(v)];
      const [a, b] = [u - u0, v - v0];
      const at = (v0 * width + u0) * channels;
      const right = u0 + 1 < width ? channels : 0;
      const below = v0 + 1 < height ? width * channels : 0;
      for (let c = at; c < at + channels; c++) {
        const upper = data[c] + a * (data[c + right] - data[c]);
        const lower = data[c + below] + a * (data[c + below + right] - data[c + below]);
        out[to++] = rounded(upper + b * (lower - upper));
      }
    }
  }
  return { data: out, width: outWidth, height: outHeight, channels };
}

/** The matrix, nine numbers in rows, that takes a rectangle of that size to four corners. */
function projection([[x0, y0], [x1, y1], [x2, y2], [x3, y3]], width, height) {
  const [dx1, dx2, dy1, dy2] = [x1 - x2, x3 - x2, y1 - y2, y3 - y2];
  const [sx, sy] = [x0 - x1 + x2 - x3, y0 - y1 + y2 - y3];
  const determinant = dx1 * dy2 - dx2 * dy1;
  const g = (sx * dy2 - dx2 * sy) / determinant;
  const h = (dx1 * sy - sx * dy1) / determinant;
  return [
    [(x1 - x0 + g * x1) / width, (x3 - x0 + h * x3) / height, x0],
    [(y1 - y0 + g * y1) / width, (y3 - y0 + h * y3) / height, y0],
    [g / width, h / height, 1],
  ].flat();
}

function inverse([a, b, c, d, e, f, g, h, i]) {
  const adjugate = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f, d * h - e * g, b * g - a * h, a * e - b * d];
  const determinant = a * adjugate[0] + b * adjugate[3] + c * adjugate[6];
  return adjugate.map((value) => value / determinant);
}

function projected([a, b, c, d, e, f, g, h, i], [x, y]) {
  const w = g * x + h * y + i;
  return [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
}

/** What of a convex polygon lies in an image of that size, as a polygon. */
function within(polygon, width, height) {
  const edges = [([x]) => x, ([, y]) => y, ([x]) => width - x, ([, y]) => height - y]; // inside where not negative
  return edges.reduce((left, inside) => {
    return left.flatMap((point, i) => {
      const next = left[(i + 1) % left.length];
      const [here, there] = [inside(point), inside(next)];
      const kept = here >= 0 ? [point] : [];
      if (here < 0 === there < 0) return kept;
      const part = here / (here - there);
      return [...kept, [point[0] + part * (next[0] - point[0]), point[1] + part * (next[1] - point[1])]];
    });
  }, polygon);
}

function area(polygon) {
  return polygon.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = polygon[(i + 1) % polygon.length];
    return sum + (x * nextY - y * nextX) / 2;
  }, 0);
}

function bounds(points) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function rounded(value) {
  return Math.floor(value + 0.5);
}

/** A list or typed array as an array; null for anything else, such as a text. */
function listed(value) {
  return typeof value === "object" && typeof value?.[Symbol.iterator] === "function" ? Array.from(value) : null;
}

function outside(shown, width, height) {
  return new ImageError(`the region ${shown} is outside the image of ${width}x${height} pixels`);
}

/** A region as a text for a sentence. */
function short(region) {
  const list = (value) => (listed(value) ? `(${listed(value).map(list).join(", ")})` : String(value));
  const text = list(region);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
