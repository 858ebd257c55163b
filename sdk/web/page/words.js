// The words that were found in a picture, drawn over it. Each is a shape that can be tapped, or reached by keyboard: one Tab
// goes to the shapes, arrow keys from one to the next, Enter chooses.

import { colour } from "./colours.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

export class WordLayer {
  #svg;
  #choose;
  #words = [];
  #shapes = [];

  /** svg: the element over the picture. choose: called with the number of the word that a keyboard or screen reader chose. */
  constructor(svg, choose) {
    this.#svg = svg;
    this.#choose = choose;
    svg.addEventListener("keydown", (event) => this.#keyed(event));
    // Screen readers click without a pointer; a finger's or mouse's click may also be the end of a drag.
    svg.addEventListener("click", (event) => event.detail === 0 && this.#chosen(this.at(event.target)));
  }

  /** Shows other words, as `findWords` gives them, named by `label(word)`; an empty list hides all. */
  show(words, label) {
    this.#words = words;
    this.#shapes = words.map((word, i) => {
      const shape = drawn("g", drawn("polygon"), drawn("polygon"), drawn("line"));
      const [casing, area, top] = shape.children;
      casing.setAttribute("class", "casing");
      area.setAttribute("class", "shape");
      top.setAttribute("class", "top");
      shape.style.setProperty("--script", colour(word.code));
      shape.setAttribute("role", "button");
      shape.setAttribute("tabindex", i === 0 ? "0" : "-1");
      shape.setAttribute("aria-label", `${i + 1} of ${words.length}: ${label(word)}`);
      shape.setAttribute("aria-pressed", "false");
      return shape;
    });
    this.#svg.replaceChildren(...this.#shapes);
    this.#svg.toggleAttribute("hidden", words.length === 0);
  }

  /** Draws the words where they are in a view of the picture: its size, and the matrix that takes the picture's pixels there. */
  place({ width, height, matrix }) {
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#words.forEach(({ corners, orientation }, i) => {
      const points = corners.map(([x, y]) => matrix.transformPoint({ x, y }));
      const [casing, area, top] = this.#shapes[i].children;
      const list = points.map(({ x, y }) => `${x},${y}`).join(" ");
      casing.setAttribute("points", list);
      area.setAttribute("points", list);
      if (orientation === null) return;
      const [from, to] = [0, 1].map((next) => points[(orientation / 90 + next) % 4]); // the top of the letters
      for (const [name, value] of Object.entries({ x1: from.x, y1: from.y, x2: to.x, y2: to.y })) top.setAttribute(name, value);
    });
  }

  /** Marks a word as the chosen one; null: none. */
  select(index) {
    this.#shapes.forEach((shape, i) => shape.setAttribute("aria-pressed", String(i === index)));
    if (index !== null) this.#enter(index);
  }

  /** The number of the word that an event's target belongs to; null for none. */
  at(target) {
    const index = this.#shapes.indexOf(target.closest?.("g"));
    return index < 0 ? null : index;
  }

  #keyed(event) {
    const index = this.at(event.target);
    if (index === null || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.#chosen(index);
    else if (event.key in STEPS) this.#enter(Math.min(Math.max(index + STEPS[event.key], 0), this.#shapes.length - 1));
    else return;
    event.preventDefault();
  }

  #chosen(index) {
    if (index !== null) this.#choose(index);
  }

  #enter(index) {
    this.#shapes.forEach((shape, i) => shape.setAttribute("tabindex", i === index ? "0" : "-1"));
    this.#shapes[index].focus({ preventScroll: true });
  }
}

function drawn(name, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  made.append(...children);
  return made;
}
