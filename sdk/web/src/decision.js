// Section 5 of the model contract: from the network's logits to the answer.

import { UNKNOWN } from "./scripts.js";

const UPRIGHT = Object.freeze({ orientation: 0, orientationScore: 1 });
const UNTOLD = Object.freeze({ orientation: null, orientationScore: null });

/**
 * The script of an image, without its orientation. windows: for each of its windows the logits, one of each of the
 * model's labels. allowed: where the labels stand that may be answered.
 */
export function decide(windows, info, threshold, allowed) {
  const labels = allowed.map((i) => info.labels[i]);
  const each = windows.map((logits) => softmax(allowed.map((i) => logits[i]), info.temperature));
  const scores = means(each).map((score, i) => ({ ...labels[i], score }));
  scores.sort((a, b) => b.score - a.score); // stable: of equal scores the first label is first
  const [best] = scores;
  const { name, code } = best.score >= threshold ? best : UNKNOWN;
  const shares = each.length === 1 ? [{ name, code, share: 1 }] : sharesOf(each, labels, threshold);
  return { script: name, code, score: best.score, best: best.name, scores, shares };
}

/**
 * `{ orientation, orientationScore }`: by how many degrees the letters are turned clockwise from upright, null where
 * there is no telling, and its probability. Both are null for the older formats.
 *
 * windows: for each the logits of 0, 90, 180 and 270 degrees. turned: by how many degrees the crop was turned
 * counterclockwise before the network saw it. upright: the caller says that the letters stand upright.
 */
export function tellOrientation(windows, { orientationTemperature, orientationThreshold }, turned, upright) {
  if (orientationTemperature === null) return UNTOLD;
  if (upright) return UPRIGHT;
  const scores = means(windows.map((logits) => softmax(logits, orientationTemperature)));
  const orientationScore = Math.max(...scores);
  const degrees = (90 * scores.indexOf(orientationScore) + turned) % 360;
  return { orientation: orientationScore >= orientationThreshold ? degrees : null, orientationScore };
}

/** Which share of the windows each script won, "unknown" those whose score is below the threshold; the largest first. */
function sharesOf(windows, labels, threshold) {
  const won = [...labels, UNKNOWN].map((label) => ({ ...label, share: 0 }));
  for (const scores of windows) {
    const highest = Math.max(...scores);
    won[highest >= threshold ? scores.indexOf(highest) : labels.length].share++;
  }
  const counted = won.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share);
  return counted.map((each) => ({ ...each, share: each.share / windows.length }));
}

/** The probabilities of logits that are divided by the temperature first. */
function softmax(logits, temperature) {
  const scaled = Array.from(logits, (value) => value / temperature);
  const highest = Math.max(...scaled);
  const powers = scaled.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The means of lists of equal length, element by element, added in their order. */
function means(lists) {
  return lists[0].map((_, i) => lists.reduce((sum, each) => sum + each[i], 0) / lists.length);
}
