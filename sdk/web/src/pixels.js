// Images as `{ data, width, height, channels }`: bytes row by row; 1 channel is gray, 3 are R, G, B, 4 have alpha as well.

/** A box [left, top, right, bottom] of an image, right and bottom exclusive, as an image of its own. */
export function cut({ data, width, channels }, [left, top, right, bottom]) {
  const length = (right - left) * channels;
  const out = new Uint8Array(length * (bottom - top));
  for (let y = top, to = 0; y < bottom; y++, to += length) {
    const from = (y * width + left) * channels;
    out.set(data.subarray(from, from + length), to);
  }
  return { data: out, width: right - left, height: bottom - top, channels };
}

/** The luma of an image of 3 or 4 channels, as a gray one. */
export function luma({ data, width, height, channels }) {
  const gray = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < gray.length; i++, at += channels) gray[i] = lumaAt(data, at);
  return { data: gray, width, height, channels: 1 };
}

/** (299 R + 587 G + 114 B + 500) div 1000 of the pixel whose red byte is at `at`: the weights of ITU-R BT.601. */
export function lumaAt(data, at) {
  return Math.floor((299 * data[at] + 587 * data[at + 1] + 114 * data[at + 2] + 500) / 1000);
}
