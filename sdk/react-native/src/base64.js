// Model files as text in modules: so they come with an app's code, and no file has to be found on the phone.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The bytes of a base64 text. */
export function bytes(text) {
  const values = new Uint8Array(128);
  for (let i = 0; i < DIGITS.length; i++) values[DIGITS.charCodeAt(i)] = i;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const out = new Uint8Array((text.length / 4) * 3 - padding);
  for (let at = 0, to = 0; at < text.length; at += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => values[text.charCodeAt(at + i)]);
    out[to++] = (a << 2) | (b >> 4); // of what is too long or lies behind the end, nothing is kept
    out[to++] = (b << 4) | (c >> 2);
    out[to++] = (c << 6) | d;
  }
  return out;
}
