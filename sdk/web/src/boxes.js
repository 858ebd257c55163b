// From a text detector's map to boxes: sdk/contract/words.md, sections 3 and 4. Whole numbers as far as it goes, so that
// every platform finds the same.

const ABOVE = Math.fround(0.3); // probability: of a pixel of text
const THINNEST = 3; // pixels of the map: the shorter side
const SUREST = 0.5; // the least mean probability
const GROWTH = 1.6; // the detector was trained on shrunken words; this undoes it
const MOST = 1000; // boxes

/**
 * Where text is: `[{ corners, score }]`, line by line. corners: four [x, y] in pixels of the picture, clockwise from the top
 * left, as the picture lies; they may lie outside of it. score: the mean probability, 0.5 to 1.
 *
 * map: `{ data, width, height }`, probabilities row by row. width, height: of the picture that the map belongs to.
 */
export function boxes(map, width, height) {
  const found = [];
  for (const points of components(map)) {
    const { ex, ey, limits } = rectangle(hull(points));
    const square = ex * ex + ey * ey;
    const length = Math.sqrt(square);
    const [a, b, c, d] = limits;
    const [u, v] = [(b - a) / length, (d - c) / length];
    if (Math.min(u, v) < THINNEST) continue;
    const score = meanWithin(map, ex, ey, limits);
    if (!(score >= SUREST)) continue;
    const grown = ((GROWTH * u * v) / (2 * (u + v))) * length;
    const [left, right, top, bottom] = [a - grown, b + grown, c - grown, d + grown];
    const corners = [[left, top], [right, top], [right, bottom], [left, bottom]].map(([s, t]) => [
      (((s * ex - t * ey) / square) * width) / map.width,
      (((s * ey + t * ex) / square) * height) / map.height,
    ]);
    found.push({ area: u * v, box: { corners: fromTopLeft(corners), score } });
  }
  found.sort((one, other) => other.area - one.area); // stable, as all sorting here
  return inLines(found.slice(0, MOST).map(({ box }) => box));
}

/**
 * The components, each the points [x, y] at the ends of its runs, by rows from the top. A pixel of text is a square with four
 * corners; points of that lattice that are neighbours, also diagonally, belong together.
 */
function components({ data, width, height }) {
  const runs = []; // { y, start, end, parent }, row by row
  let above = 0; // where the runs of the row above begin
  for (let y = 0; y <= height; y++) {
    const first = runs.length;
    const isText = (x) =>
      (y < height && ((x < width && data[y * width + x] > ABOVE) || (x > 0 && data[y * width + x - 1] > ABOVE))) ||
      (y > 0 && ((x < width && data[(y - 1) * width + x] > ABOVE) || (x > 0 && data[(y - 1) * width + x - 1] > ABOVE)));
    let next = above;
    for (let x = 0; x <= width; x++) {
      if (!isText(x)) continue;
      const run = { y, start: x, end: x, parent: runs.length };
      while (run.end < width && isText(run.end + 1)) run.end++;
      x = run.end;
      runs.push(run);
      while (next < first && runs[next].end < run.start - 1) next++;
      for (let i = next; i < first && runs[i].start <= run.end + 1; i++) join(runs, i, runs.length - 1);
    }
    above = first;
  }
  const groups = new Map();
  runs.forEach(({ y, start, end }, i) => {
    const root = rootOf(runs, i);
    if (!groups.has(root)) groups.set(root, []);
    groups.get(root).push([start, y]);
    if (end > start) groups.get(root).push([end, y]);
  });
  return groups.values();
}

function rootOf(runs, i) {
  while (runs[i].parent !== i) {
    runs[i].parent = runs[runs[i].parent].parent;
    i = runs[i].parent;
  }
  return i;
}

function join(runs, one, other) {
  const [a, b] = [rootOf(runs, one), rootOf(runs, other)];
  runs[Math.max(a, b)].parent = Math.min(a, b);
}

/** The convex hull of points that come row by row: clockwise as it is seen, from the topmost, leftmost one on. */
function hull(points) {
  const chain = (ordered) => {
    const kept = [];
    for (const point of ordered) {
      while (kept.length > 1 && cross(kept.at(-2), kept.at(-1), point) <= 0) kept.pop();
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return [...chain(points), ...chain([...points].reverse())];
}

/** Positive where the way over three points turns clockwise as it is seen, y pointing down. */
function cross([x0, y0], [x1, y1], [x2, y2]) {
  return (x1 - x0) * (y2 - y1) - (y1 - y0) * (x2 - x1);
}

/** The least rectangle along an edge of a hull, the first of equals: the edge, and the limits of p·e and p×e. */
function rectangle(corners) {
  let best = null;
  corners.forEach(([x0, y0], i) => {
    const [x1, y1] = corners[(i + 1) % corners.length];
    const [ex, ey] = [x1 - x0, y1 - y0];
    let [a, b, c, d] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [x, y] of corners) {
      const [along, across] = [x * ex + y * ey, y * ex - x * ey];
      [a, b, c, d] = [Math.min(a, along), Math.max(b, along), Math.min(c, across), Math.max(d, across)];
    }
    const area = ((b - a) * (d - c)) / (ex * ex + ey * ey);
    if (best === null || area < best.area) best = { area, ex, ey, limits: [a, b, c, d] };
  });
  return best;
}

/** The mean over the map's pixels whose centres are in a rectangle or on its edge. */
function meanWithin({ data, width, height }, ex, ey, [a, b, c, d]) {
  const square = ex * ex + ey * ey;
  const xs = [a, b].flatMap((s) => [c, d].map((t) => (s * ex - t * ey) / square));
  const ys = [a, b].flatMap((s) => [c, d].map((t) => (s * ey + t * ex) / square));
  const [left, right] = [Math.max(Math.floor(Math.min(...xs)) - 1, 0), Math.min(Math.ceil(Math.max(...xs)) + 1, width)];
  const [top, bottom] = [Math.max(Math.floor(Math.min(...ys)) - 1, 0), Math.min(Math.ceil(Math.max(...ys)) + 1, height)];
  let [sum, count] = [0, 0];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const along = (2 * x + 1) * ex + (2 * y + 1) * ey;
      const across = (2 * y + 1) * ex - (2 * x + 1) * ey;
      if (along < 2 * a || along > 2 * b || across < 2 * c || across > 2 * d) continue;
      sum += data[y * width + x];
      count++;
    }
  }
  return sum / count;
}

function fromTopLeft(corners) {
  const before = ([x0, y0], [x1, y1]) => x0 + y0 < x1 + y1 || (x0 + y0 === x1 + y1 && y0 < y1);
  const first = corners.reduce((best, corner, i) => (before(corner, corners[best]) ? i : best), 0);
  return [...corners.slice(first), ...corners.slice(0, first)];
}

function inLines(found) {
  const placed = found.map((box) => {
    const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = box.corners;
    const height = Math.sqrt((x3 - x0) ** 2 + (y3 - y0) ** 2);
    return { box, x: (x0 + x1 + x2 + x3) / 4, y: (y0 + y1 + y2 + y3) / 4, height };
  });
  placed.sort((one, other) => one.y - other.y);
  const lines = [];
  for (const each of placed) {
    const line = lines.at(-1);
    const middle = line && line.reduce((sum, { y }) => sum + y, 0) / line.length;
    const height = line && line.reduce((sum, { height }) => sum + height, 0) / line.length;
    if (line && each.y - middle < Math.min(each.height, height) / 2) line.push(each);
    else lines.push([each]);
  }
  return lines.flatMap((line) => line.sort((one, other) => one.x - other.x).map(({ box }) => box));
}
