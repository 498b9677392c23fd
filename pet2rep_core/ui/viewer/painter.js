// Paints panes: slices of the volumes become pixels, with their captions, letters and colour bars.
import { Blend, makeTable, packed, paintCt, paintPet } from "./colours.js";
import { FRAMES } from "./mip.js";
import { put } from "./pane.js";
import { cutSlice, resample } from "./planes.js";

const OUTSIDE = { pet: NaN, ct: -1024 };
const KEPT_CUTS = 12;

export class Painter {
  constructor(viewer) {
    this.viewer = viewer;
    this.tables = new Map();
    this.cuts = new Map();
    this.lent = new Map(); // arrays of this picture; those of the one before are written again
    this.spares = new Map();
    this.arrived = 0;
  }

  // The volumes are others now, or have more planes.
  forget() {
    this.cuts.clear();
    this.arrived += 1;
  }

  table(name) {
    if (!this.tables.has(name)) {
      const table = makeTable(this.viewer.data.display.colour_points[name]);
      this.tables.set(name, { table, colours: packed(table) });
    }
    return this.tables.get(name);
  }

  blend() {
    const { map, opacity } = this.viewer.state;
    const key = `${map}/${opacity}`;
    if (this.blendKey !== key) {
      this.blendKey = key;
      this.blended = new Blend(this.table(map).table, opacity);
    }
    return this.blended;
  }

  // A slice of a volume, kept while it is shown: panning and windows need no new one.
  cut(name, plane, index) {
    const key = `${name}/${plane}/${index}/${this.viewer.state.smooth}`;
    if (!this.cuts.has(key)) {
      const volume = this.viewer.volumes[name];
      this.cuts.set(key, cutSlice(volume, plane, index, this.viewer.state.smooth, this.oldCut(`${name}/${plane}/`)));
    }
    return this.cuts.get(key);
  }

  // When enough are kept, the oldest of this kind goes, and its memory is used again.
  oldCut(kind) {
    if (this.cuts.size < KEPT_CUTS) return null;
    const keys = [...this.cuts.keys()];
    const key = keys.find((other) => other.startsWith(kind)) ?? keys[0];
    const cut = this.cuts.get(key);
    this.cuts.delete(key);
    return cut;
  }

  // Begin a picture: panes of one plane and size share what was read.
  begin() {
    this.spares = new Map([...this.spares, ...this.lent]);
    this.lent = new Map();
    this.sampled = new Map();
  }

  once(name, plane, field) {
    const key = `${name}/${plane}/${Object.values(field).join("/")}`;
    if (!this.sampled.has(key)) this.sampled.set(key, this.read(name, plane, field));
    return this.sampled.get(key);
  }

  read(name, plane, field) {
    const volume = this.viewer.volumes[name];
    if (!volume) return null;
    const cut = this.cut(name, plane, this.viewer.state.slice(plane));
    return this.resampled(`${name}/${plane}`, cut, volume, plane, field, OUTSIDE[name]);
  }

  resampled(what, slice, volume, plane, field, outside) {
    const values = resample(slice, volume, plane, field, this.viewer.state.smooth, outside, this.spares.get(what));
    this.spares.delete(what);
    this.lent.set(what, values);
    return values;
  }

  draw(pane, resting) {
    const { state } = this.viewer;
    const spacing = pane.kind === "mip" ? this.mipSpacing() : state.grid.spacing_mm;
    const field = pane.place(state.view(pane.plane, pane.width, pane.height), spacing, resting);
    const painted = this.paintedBy(pane, field);
    if (pane.painted !== painted) {
      this.paint(pane, field);
      pane.painted = painted;
    }
    pane.element.classList.toggle("light", pane.kind !== "ct" && pane.kind !== "fused" && state.inverted);
    pane.element.classList.toggle("active", pane.kind === state.active);
    put(pane.note, this.note(pane));
    this.label(pane);
    pane.drawScale();
    const [across, down] = this.viewer.crossOn(pane);
    pane.drawCross(across, down, state.crossShown);
    pane.drawRegions(pane.kind === "mip" ? [] : this.viewer.measuring.regionsOn(pane.plane, state.slice(pane.plane)));
  }

  // What a pane has to say while something of its picture is missing.
  note({ kind, plane }) {
    const { volumes, mip, state, loadingFailed } = this.viewer;
    const come = (name) => volumes[name]?.whole || (plane === "coronal" && volumes[name]?.ready > volumes[name]?.at(state.slice(plane), 1) + 1);
    if (kind === "mip" && mip?.refused) return this.viewer.text("no_mip");
    if (kind === "mip" ? mip?.frames[state.frame] : (kind === "fused" ? ["pet", "ct"] : [kind]).every(come)) return "";
    return this.viewer.text(loadingFailed ? "not_loaded" : "loading");
  }

  // Everything that a pane's pixels depend on: where it is the same, they are.
  paintedBy({ kind, plane }, field) {
    const { state, mip } = this.viewer;
    const { pet, ct, map, opacity, inverted, smooth, frame } = state;
    const [petWindow, ctWindow] = [pet, ct].map(({ low, high }) => `${low}/${high}`);
    const parts = [this.arrived, smooth, ...Object.values(field)];
    if (kind === "mip") parts.push(frame, Boolean(mip?.frames[frame]));
    else parts.push(state.slice(plane));
    if (kind !== "ct") parts.push(petWindow, kind === "fused" ? `${map}/${opacity}` : inverted);
    if (kind === "ct" || kind === "fused") parts.push(ctWindow);
    return parts.join(" ");
  }

  // Paint a pane's pixels.
  paint(pane, field) {
    const { state } = this.viewer;
    const out = pane.pixels();
    const greys = this.table(state.inverted ? "grey-inverted" : "grey");
    const pet = pane.kind === "ct" ? null : pane.kind === "mip" ? this.readMip(field) : this.once("pet", pane.plane, field);
    const ct = pane.kind === "ct" || pane.kind === "fused" ? this.once("ct", pane.plane, field) : null;
    if (pane.kind === "fused" && pet && ct) this.blend().paint(out, pet, state.pet, ct, state.ct);
    else if (pane.kind === "fused" && pet) paintPet(out, pet, state.pet, this.table(state.map).colours);
    else if (pet) paintPet(out, pet, state.pet, greys.colours);
    else if (ct) paintCt(out, ct, state.ct);
    else out.fill(0xff000000);
    pane.show();
    if (this.note(pane)) this.drawPoster(pane);
  }

  // What the server drew of this plane, until the volumes have come. Its kinds lie side by side.
  drawPoster(pane) {
    const { poster, state, data } = this.viewer;
    if (!poster || pane.plane !== "coronal" || state.slice("coronal") !== poster.slice) return;
    const kinds = this.viewer.kinds().filter((kind) => kind !== "mip");
    const width = poster.bitmap.width / kinds.length;
    const [first, end] = data.case.columns;
    const [left, top] = pane.pixelOf(first - 0.5, state.grid.shape[2] - 0.5).map((at) => at * pane.perPx);
    const [right, bottom] = pane.pixelOf(end - 0.5, -0.5).map((at) => at * pane.perPx);
    // half a pixel less at each side, or the neighbour shines through
    const from = [kinds.indexOf(pane.kind) * width + 0.5, 0, width - 1, poster.bitmap.height];
    pane.context.drawImage(poster.bitmap, ...from, left, top, right - left, bottom - top);
  }

  mipSpacing() {
    const [i, j, k] = this.viewer.state.grid.spacing_mm;
    return [Math.max(i, j), j, k];
  }

  readMip(field) {
    const slice = this.viewer.mip?.slice(this.viewer.state.frame);
    if (!slice) return null;
    const { scale, shift } = this.viewer.volumes.pet;
    const turned = { scale: [1, 1, scale[2]], shift: [(slice.width - 1) / 2, 0, shift[2]] };
    return this.resampled("mip", slice, turned, "coronal", field, NaN);
  }

  label(pane) {
    const { state } = this.viewer;
    const { letters, pet_unit_label: unit } = this.viewer.data.case;
    const turn = Math.round((state.frame * 360) / FRAMES);
    const isPet = pane.kind !== "ct";
    const window = isPet ? this.petLabel() : this.ctLabel();
    const caption = pane.kind === "mip" ? `${this.viewer.text("mip")} ${turn}°` : this.viewer.text(pane.kind);
    put(pane.caption, `${caption} · ${window}`);
    const side = pane.kind === "mip" ? this.viewer.mip?.letters(state.frame, letters.coronal, letters.sagittal) ?? letters.coronal : letters[pane.plane];
    pane.drawLetters(side);
    const map = pane.kind === "fused" ? state.map : state.inverted ? "grey-inverted" : "grey";
    const number = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toFixed(2))));
    pane.drawBar(isPet && { low: number(state.pet.low), high: `${number(state.pet.high)} ${unit}`, colours: this.table(map).colours });
    const where = pane.kind === "mip" ? `${turn}°` : `${this.viewer.text(pane.plane)} ${state.slice(pane.plane)}`;
    pane.canvas.setAttribute("aria-label", `${pane.caption.textContent}, ${where}`);
  }

  petLabel() {
    const { low, high } = this.viewer.state.pet;
    const number = (value) => String(Number(value.toPrecision(3)));
    return `${this.viewer.state.hasSuv ? "SUV " : ""}${number(low)}–${number(high)}`;
  }

  ctLabel() {
    const { low, high } = this.viewer.state.ct;
    return `W ${Math.round(high - low)} L ${Math.round((high + low) / 2)}`;
  }
}
