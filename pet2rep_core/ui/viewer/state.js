// What a reader sees now: place, windows, layout. Settings last from case to case; the place does not.
import { PLANES } from "./planes.js";

export const LAYOUTS = ["four", "planes", "one"];
const ZOOM = [0.5, 16];

export class State {
  constructor(data) {
    this.plane = "coronal";
    this.layout = "four";
    this.active = "fused";
    this.tool = "cross";
    this.smooth = true;
    this.inverted = true;
    this.opacity = data.display.opacity;
    this.map = data.display.fused_map;
    this.crossShown = true;
    this.openAnew(data);
  }

  // Begin with another case: keep the settings, forget the place.
  openAnew(data) {
    const { grid, box, key_slices: keys } = data.case;
    this.grid = grid;
    this.box = box;
    const middle = box.map(([first, end]) => Math.floor((first + end - 1) / 2));
    if (keys.length) middle[1] = keys[Math.floor(keys.length / 2)];
    this.cross = middle;
    this.frame = 0;
    this.views = {};
    this.hasSuv = data.case.pet_unit === "suvbw";
    this.chooseWindows(data);
    this.resetViews();
  }

  chooseWindows(data) {
    const chosen = (windows, name, first) => windows.find((w) => w.name === name) ?? windows[first];
    this.pet = chosen(data.pet_windows, this.petName, data.pet_default);
    this.ct = chosen(data.ct_windows, this.ctName, data.ct_default);
  }

  // Take a window for "pet" or "ct"; one that was dragged has no name and ends with the case.
  setWindow(which, window) {
    this[which] = window;
    if (window.name && (which === "ct" || this.hasSuv)) this[`${which}Name`] = window.name;
  }

  resetViews() {
    for (const [name, { across, down }] of Object.entries(PLANES)) {
      this.views[name] = { zoom: 1, centre: [this.middle(across), this.middle(down)] };
    }
    this.views.mip = { zoom: 1, centre: [0, this.middle(2)] };
  }

  middle(axis) {
    const [first, end] = this.box[axis];
    return (first + end - 1) / 2;
  }

  // Size in mm of the box as a plane shows it.
  size(plane) {
    const { across, down } = PLANES[plane === "mip" ? "coronal" : plane];
    return [across, down].map((axis) => (this.box[axis][1] - this.box[axis][0]) * this.grid.spacing_mm[axis]);
  }

  view(plane, width, height) {
    const { zoom, centre } = this.views[plane];
    const [w, h] = this.size(plane);
    return { centre, mmPerPx: Math.max(w / width, h / height) / zoom };
  }

  zoomBy(plane, factor, keep) {
    const view = this.views[plane];
    const before = view.zoom;
    view.zoom = Math.min(Math.max(before * factor, ZOOM[0]), ZOOM[1]);
    const moved = 1 - before / view.zoom;
    if (keep) view.centre = view.centre.map((at, n) => at + (keep[n] - at) * moved);
  }

  // Bring a place into sight where a zoomed view does not show it.
  reveal(plane, half) {
    if (plane === "mip") return;
    const { across, down } = PLANES[plane];
    const view = this.views[plane];
    [across, down].forEach((axis, n) => {
      const away = this.cross[axis] - view.centre[n];
      if (Math.abs(away) > half[n]) view.centre[n] = this.cross[axis];
    });
  }

  moveTo(place) {
    this.cross = place.map((at, axis) => Math.min(Math.max(Math.round(at), 0), this.grid.shape[axis] - 1));
  }

  slice(plane = this.plane) {
    return this.cross[PLANES[plane].normal];
  }

  count(plane = this.plane) {
    return this.grid.shape[PLANES[plane].normal];
  }

  goTo(index, plane = this.plane) {
    const place = [...this.cross];
    place[PLANES[plane].normal] = Math.min(Math.max(index, 0), this.count(plane) - 1);
    this.cross = place;
  }

  // Grid coordinates of a place in LPS mm: Cramer's rule on the affine's three columns.
  toGrid(mm) {
    const [a, b, c] = this.grid.affine_lps;
    const columns = [0, 1, 2].map((n) => [a[n], b[n], c[n]]);
    const away = [mm[0] - a[3], mm[1] - b[3], mm[2] - c[3]];
    const det = ([p, q, r]) => p[0] * (q[1] * r[2] - q[2] * r[1]) - q[0] * (p[1] * r[2] - p[2] * r[1]) + r[0] * (p[1] * q[2] - p[2] * q[1]);
    const whole = det(columns);
    return [0, 1, 2].map((n) => det(columns.map((column, m) => (m === n ? away : column))) / whole);
  }

  toMm(place) {
    return [0, 1, 2].map((row) => place.reduce((sum, at, n) => sum + at * this.grid.affine_lps[row][n], this.grid.affine_lps[row][3]));
  }

  settings() {
    const { layout, smooth, inverted, opacity, map, petName, ctName } = this;
    return { layout, smooth, inverted, opacity, map, ...(petName && { pet: petName }), ...(ctName && { ct: ctName }) };
  }

  takeSettings(saved, data) {
    if (LAYOUTS.includes(saved.layout)) this.layout = saved.layout;
    for (const key of ["smooth", "inverted"]) if (typeof saved[key] === "boolean") this[key] = saved[key];
    if (saved.opacity >= 0 && saved.opacity <= 1) this.opacity = saved.opacity;
    if (data.fused_maps.some(({ name }) => name === saved.map)) this.map = saved.map;
    if (saved.pet) this.petName = saved.pet;
    if (saved.ct) this.ctName = saved.ct;
    this.chooseWindows(data);
  }
}
