// One pane: a canvas with its letters, scale, colour bar, crosshair and drawn regions.
import { LEVELS } from "./colours.js";
import { makeField, pixelOfPlace, placeOnField } from "./planes.js";

const SVG = "http://www.w3.org/2000/svg";
const GAP = 12; // px around the crosshair's middle that stay free
const MOVING_PIXELS = 320_000;
const RESTING_PIXELS = 4_000_000;
const SCALES_MM = [200, 100, 50, 20, 10, 5];

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// Say something; what is said already is left alone, since a browser lays the page out for every change.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function line(className) {
  const element = document.createElementNS(SVG, "path");
  element.setAttribute("class", className);
  return element;
}

export class Pane {
  constructor(kind, plane) {
    this.kind = kind;
    this.plane = plane;
    this.element = make("figure", "pane");
    Object.assign(this.element.dataset, { kind, plane });
    this.canvas = make("canvas", "picture");
    this.canvas.setAttribute("role", "img");
    this.context = this.canvas.getContext("2d", { alpha: false });
    if (!this.context) throw new Error("canvas");
    this.marks = document.createElementNS(SVG, "svg");
    this.marks.setAttribute("class", "marks");
    this.marks.setAttribute("aria-hidden", "true");
    this.regions = document.createElementNS(SVG, "g");
    this.cross = line("cross");
    this.marks.append(this.regions, this.cross);
    this.caption = make("figcaption");
    this.letters = Object.fromEntries(
      ["left", "right", "top", "bottom"].map((side) => [side, make("span", `letter ${side}`)]),
    );
    this.scale = make("span", "scale");
    this.scaleLine = make("i");
    this.scaleText = make("span");
    this.scale.append(this.scaleLine, this.scaleText);
    this.bar = make("span", "bar");
    this.barLow = make("span");
    this.barHigh = make("span");
    this.ramp = make("canvas", "ramp");
    [this.ramp.width, this.ramp.height] = [128, 1];
    this.bar.append(this.barLow, this.ramp, this.barHigh);
    this.note = make("p", "note");
    this.element.append(
      this.canvas, this.marks, this.caption, this.bar, ...Object.values(this.letters), this.scale, this.note,
    );
  }

  // Size in CSS px; read once per layout, since reading it makes the browser lay the page out.
  fit() {
    const box = this.element.getBoundingClientRect();
    this.width = Math.max(1, Math.floor(box.width));
    this.height = Math.max(1, Math.floor(box.height));
    this.marks.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
  }

  // The field that this pane shows: view is { centre: [across, down], mmPerPx }, spacing along I, J, K.
  place(view, spacing, resting) {
    const most = resting ? RESTING_PIXELS : MOVING_PIXELS;
    const ratio = globalThis.devicePixelRatio || 1;
    const sharp = Math.min(ratio, Math.sqrt(most / (this.width * this.height)));
    const columns = Math.max(1, Math.round(this.width * sharp));
    const rows = Math.max(1, Math.round(this.height * sharp));
    const plane = this.plane === "mip" ? "coronal" : this.plane;
    this.perPx = columns / this.width;
    this.mmPerPx = view.mmPerPx;
    this.field = makeField(plane, view.centre, view.mmPerPx / this.perPx, columns, rows, spacing);
    return this.field;
  }

  // Pixels to paint, as packed colours.
  pixels() {
    const { columns, rows } = this.field;
    if (this.canvas.width !== columns || this.canvas.height !== rows || !this.image) {
      [this.canvas.width, this.canvas.height] = [columns, rows];
      this.image = this.context.createImageData(columns, rows);
      this.packed = new Uint32Array(this.image.data.buffer);
    }
    return this.packed;
  }

  show() {
    this.context.putImageData(this.image, 0, 0);
  }

  // Grid coordinates (across, down) under a pointer event.
  under(event) {
    const box = this.element.getBoundingClientRect();
    return placeOnField(this.field, (event.clientX - box.left) * this.perPx, (event.clientY - box.top) * this.perPx);
  }

  pixelOf(across, down) {
    return pixelOfPlace(this.field, across, down).map((at) => at / this.perPx);
  }

  drawCross(across, down, shown) {
    if (!shown) {
      this.cross.setAttribute("d", "");
      return;
    }
    const [x, y] = this.pixelOf(across, down).map((at) => Math.round(at) + 0.5);
    const [w, h] = [this.width, this.height];
    this.cross.setAttribute(
      "d", `M${x} 0V${y - GAP}M${x} ${y + GAP}V${h}M0 ${y}H${x - GAP}M${x + GAP} ${y}H${w}`,
    );
  }

  // Regions as polygons in grid coordinates of this plane: [{ points: [[across, down]...], closed, id, faint }].
  drawRegions(regions) {
    if (!regions.length && !this.regions.firstChild) return;
    this.regions.replaceChildren(...regions.map(({ points, closed, className }) => {
      const path = line(className);
      const [first, ...others] = points.map(([a, d]) => this.pixelOf(a, d).map((v) => v.toFixed(1)).join(" "));
      path.setAttribute("d", `M${first}${others.map((p) => `L${p}`).join("")}${closed ? "Z" : ""}`);
      return path;
    }));
  }

  drawLetters(letters) {
    for (const [side, element] of Object.entries(this.letters)) put(element, letters[side]);
  }

  drawScale() {
    const mm = SCALES_MM.find((length) => length / this.mmPerPx < this.width * 0.4) ?? SCALES_MM.at(-1);
    this.scaleLine.style.width = `${mm / this.mmPerPx}px`;
    put(this.scaleText, mm >= 10 ? `${mm / 10} cm` : `${mm} mm`);
  }

  drawBar(bar) {
    this.bar.hidden = !bar;
    if (!bar) return;
    put(this.barLow, bar.low);
    put(this.barHigh, bar.high);
    if (this.rampOf === bar.colours) return;
    this.rampOf = bar.colours;
    const context = this.ramp.getContext("2d");
    const image = context.createImageData(this.ramp.width, 1);
    const out = new Uint32Array(image.data.buffer);
    for (let n = 0; n < out.length; n += 1) out[n] = bar.colours[Math.round((n * (LEVELS - 1)) / (out.length - 1))];
    context.putImageData(image, 0, 0);
  }
}
