// The viewer: one case, linked panes, everything drawn here. Streamlit is asked for nothing while a reader looks.
import { Controls } from "./controls.js";
import { Keys } from "./keys.js";
import { Measuring } from "./measuring.js";
import { FRAMES, Mip } from "./mip.js";
import { Pane } from "./pane.js";
import { Painter } from "./painter.js";
import { PLANES } from "./planes.js";
import { Pointer } from "./pointer.js";
import { Server } from "./server.js";
import { LAYOUTS, State } from "./state.js";
import { isWhole, keepOnly, openVolume } from "./volume.js";

const REST_MS = 140; // after the last step the picture is drawn in full sharpness
const SAVE_MS = 800;
const ARRIVING_MS = 120;

export class Viewer {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.frame = this.find(".viewer");
    this.frame.viewer = this; // for the browser tests and the benchmark
    this.canDraw = Boolean(document.createElement("canvas").getContext("2d"));
    this.panes = [];
    this.volumes = {};
    this.painter = new Painter(this);
    this.controls = new Controls(this);
    this.keys = new Keys(this);
    this.pointer = new Pointer(this);
    this.measuring = new Measuring(this);
    this.sizes = new ResizeObserver(() => this.layOut());
    this.sizes.observe(this.find(".panes"));
    this.onPlace = (event) => this.followWords(event);
    document.addEventListener("click", this.onPlace);
    document.addEventListener("keydown", this.onPlace);
  }

  close() {
    this.closed = true;
    this.sizes.disconnect();
    this.keys.close();
    document.removeEventListener("click", this.onPlace);
    document.removeEventListener("keydown", this.onPlace);
    cancelAnimationFrame(this.waiting);
    clearTimeout(this.resting);
    clearInterval(this.turning);
    this.saveSettings(true);
  }

  text(key, values = {}) {
    return Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value), this.data.texts[key]);
  }

  update(component) {
    const { data } = component;
    this.component = component;
    const before = this.data;
    this.data = data;
    this.server = new Server(data);
    if (!this.canDraw) {
      this.controls.say(this.text("no_canvas"));
      return;
    }
    const sameReader = before?.source.reader === data.source.reader;
    if (sameReader && before.source.key === data.source.key) {
      if (before.language !== data.language) this.controls.build();
      if (data.blind && before.generation_id !== data.generation_id) this.measuring.open(); // another item of the case
      if (this.whole()) this.fetchNext();
      this.changed();
      return;
    }
    if (!sameReader) keepOnly([]); // nothing of one reader is shown to another
    if (sameReader) this.state.openAnew(data);
    else this.state = new State(data);
    this.controls.build();
    this.open();
  }

  async open() {
    const { source, case: described } = this.data;
    this.volumes = {};
    this.mip = null;
    this.poster = null;
    this.painter.forget();
    this.loadingFailed = false;
    this.cameAt = 0;
    this.opened = performance.now();
    keepOnly([source.key, this.data.next?.source.key]);
    this.frame.removeAttribute("data-ready");
    this.controls.say("");
    this.layOut();
    const settings = this.server.settings().then((saved) => saved && this.data.source.key === source.key && this.takeSettings(saved));
    if (!described.volumes.every((name) => isWhole(source, name))) this.fetchPoster(source);
    // One after the other: the PET is small, comes first and is seen while the CT is on its way.
    for (const name of described.volumes) if (this.data.source.key === source.key) await this.receive(source, name);
    await settings;
    if (this.data.source.key !== source.key || this.closed) return;
    this.mip?.goOn();
    this.measuring.open();
    if (this.whole()) this.fetchNext();
  }

  async receive(source, name) {
    const current = () => this.data.source.key === source.key && !this.closed;
    const entry = openVolume(source, name, (volume) => {
      if (!current()) return;
      this.volumes[name] = volume;
      if (performance.now() - this.cameAt < ARRIVING_MS) return; // pictures in between would only delay the rest
      this.cameAt = performance.now();
      this.painter.forget();
      this.changed();
    });
    if (entry.volume) this.volumes[name] = entry.volume;
    let volume = null;
    try {
      volume = await entry.done;
    } catch (error) {
      if (current()) this.controls.failed(error);
      return;
    }
    if (!current()) return; // it is another patient's by now
    this.volumes[name] = volume;
    if (name === "pet") {
      this.mip = Mip.of(this.volumes.pet, this.state.grid.spacing_mm, (frame) => [null, this.state.frame].includes(frame) && current() && this.changed());
    }
    this.painter.forget();
    this.changed();
  }

  // The first plane as the server draws it: seen long before the volumes have come over a slow line.
  async fetchPoster(source) {
    const slice = this.state.slice("coronal");
    const { pet, ct } = this.state;
    const bitmap = await this.server.picture(`coronal/${slice}.png`, { ...(pet.name && this.state.hasSuv && { pet: pet.name }), ct: ct.name });
    if (!bitmap || this.data.source.key !== source.key || this.closed || this.whole()) return;
    this.poster = { bitmap, slice };
    this.painter.forget();
    this.changed();
  }

  fetchNext() {
    const { next } = this.data;
    for (const name of next?.volumes ?? []) openVolume(next.source, name).done.catch(() => {}); // told when it is opened
  }

  whole() {
    return this.data.case.volumes.every((name) => this.volumes[name]?.whole);
  }

  takeSettings(saved) {
    this.state.takeSettings(saved, this.data);
    this.controls.show();
    this.layOut();
  }

  // A reader changed a setting: draw it, and remember it a moment later.
  settingsChanged() {
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.saveSettings(), SAVE_MS);
    this.changed();
  }

  saveSettings(now) {
    if (now && !this.saving) return;
    clearTimeout(this.saving);
    this.saving = 0;
    this.server?.saveSettings(this.state.settings());
  }

  // Kinds of panes that this case can show.
  kinds() {
    const { volumes } = this.data.case;
    const [pet, ct] = ["pet", "ct"].map((name) => volumes.includes(name));
    return [ct && "ct", pet && "pet", pet && ct && "fused", pet && "mip"].filter(Boolean);
  }

  wanted() {
    const kinds = this.kinds();
    const { layout, plane, active } = this.state;
    const shown = kinds.includes(active) ? active : kinds.at(kinds.length > 2 ? 2 : 0);
    if (layout === "one") return [[shown, plane]];
    if (layout === "four") return kinds.map((kind) => [kind, plane]);
    const kind = shown === "mip" ? kinds.includes("fused") ? "fused" : "pet" : shown;
    return [...Object.keys(PLANES).map((name) => [kind, name]), ...(kinds.includes("mip") ? [["mip", plane]] : [])];
  }

  layOut() {
    if (!this.state || this.closed) return;
    const holder = this.find(".panes");
    const wanted = this.wanted();
    const same = wanted.length === this.panes.length
      && wanted.every(([kind, plane], n) => this.panes[n].kind === kind && this.panes[n].plane === (kind === "mip" ? "mip" : plane));
    if (!same) {
      this.panes = wanted.map(([kind, plane]) => new Pane(kind, kind === "mip" ? "mip" : plane));
      holder.replaceChildren(...this.panes.map((pane) => pane.element));
    }
    const { clientWidth: width, clientHeight: height } = holder;
    if (!width || !height) return;
    const columns = this.bestColumns(width, height);
    holder.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    holder.style.gridTemplateRows = `repeat(${Math.ceil(this.panes.length / columns)}, minmax(0, 1fr))`;
    for (const pane of this.panes) pane.fit();
    this.changed();
  }

  // As many columns as show the pictures largest.
  bestColumns(width, height) {
    let best = [1, 0];
    for (let columns = 1; columns <= this.panes.length; columns += 1) {
      const rows = Math.ceil(this.panes.length / columns);
      const area = this.panes.reduce((sum, pane) => {
        const [w, h] = this.state.size(pane.plane);
        const perMm = Math.min(width / columns / w, height / rows / h);
        return sum + w * h * perMm * perMm;
      }, 0);
      if (area > best[1] * 1.001) best = [columns, area];
    }
    return best[0];
  }

  changed() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.draw(true), REST_MS);
    if (!this.waiting) {
      this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        this.draw(false);
      });
    }
  }

  draw(resting) {
    if (this.closed || !this.panes.length || !this.panes[0].width) return;
    const began = performance.now();
    this.painter.begin();
    for (const pane of this.panes) this.painter.draw(pane, resting);
    this.controls.show();
    if (this.poster || Object.keys(this.volumes).length) {
      this.frame.dataset.shown = `${this.data.source.key}:${this.state.slice()}`;
      this.frame.dataset.resting = String(resting);
      this.first ??= performance.now();
    }
    if (this.whole()) this.frame.dataset.ready = this.data.source.key;
    this.frames = (this.frames ?? 0) + 1;
    this.drawMs = performance.now() - began;
  }

  crossOn(pane) {
    const { cross, frame } = this.state;
    if (pane.kind === "mip") return [this.mip ? this.mip.across(frame, cross) : 0, cross[2]];
    const { across, down } = PLANES[pane.plane];
    return [cross[across], cross[down]];
  }

  // SUV (or the PET's unit) and HU of the voxels at a place of the grid.
  valuesAt(place) {
    return { pet: this.volumes.pet?.nearest(place.map(Math.round)), hu: this.volumes.ct?.nearest(place) };
  }

  // Place of the grid under a pointer; on the MIP the hottest voxel of the ray.
  placeUnder(pane, event) {
    const [across, down] = pane.under(event);
    if (pane.kind === "mip") return this.mip?.hottest(this.state.frame, across, down) ?? null;
    const axes = PLANES[pane.plane];
    const place = [...this.state.cross];
    [place[axes.across], place[axes.down]] = [across, down];
    return place;
  }

  inside(place) {
    return place && place.every((at, axis) => at >= -0.5 && at < this.state.grid.shape[axis] - 0.5);
  }

  moveTo(place) {
    if (!this.state || !this.inside(place)) return;
    this.state.moveTo(place);
    for (const pane of this.panes) {
      const view = this.state.view(pane.plane, pane.width, pane.height);
      if (pane.plane === "mip") continue;
      const { across, down } = PLANES[pane.plane];
      const half = [pane.width, pane.height].map((px, n) => (px / 2) * view.mmPerPx / this.state.grid.spacing_mm[[across, down][n]]);
      this.state.reveal(pane.plane, half);
    }
    this.changed();
  }

  setPreset(which, n) {
    const window = this.data[`${which}_windows`][n];
    if (!window || !this.data.case.volumes.includes(which)) return;
    this.state.setWindow(which, window);
    this.settingsChanged();
  }

  nextPreset(which, by) {
    const windows = this.data[`${which}_windows`];
    const at = windows.findIndex(({ name }) => name === this.state[which].name);
    this.setPreset(which, (at + by + windows.length) % windows.length);
  }

  // Sideways: width; up and down: level (CT) or the upper end (PET, whose lower end stays).
  dragWindow(which, dx, dy) {
    const { low, high } = this.state[which];
    const speed = (high - low) / 200;
    const width = Math.max(high - low + dx * speed, which === "ct" ? 2 : (high - low) / 50);
    const centre = (low + high) / 2 + dy * speed;
    if (which === "ct") this.state.setWindow("ct", { low: centre - width / 2, high: centre + width / 2 });
    else this.state.setWindow("pet", { low, high: Math.max(low + width - dy * speed, low + (high - low) / 50) });
    this.changed();
  }

  setMap(name) {
    this.state.map = name;
    this.settingsChanged();
  }

  setOpacity(value) {
    this.state.opacity = Math.min(Math.max(Number(value.toFixed(2)), 0), 1);
    this.settingsChanged();
  }

  toggle(what) {
    this.state[what] = !this.state[what];
    this.settingsChanged();
  }

  resetViews() {
    this.state.resetViews();
    this.changed();
  }

  zoom(factor, pane = this.panes.find(({ kind }) => kind === this.state.active) ?? this.panes[0], keep = null) {
    this.state.zoomBy(pane.plane, factor, keep ?? (pane.plane === "mip" ? null : this.crossOn(pane)));
    this.changed();
  }

  pan(pane, dx, dy) {
    const view = this.state.views[pane.plane];
    const { acrossStep, downStep } = pane.field;
    view.centre = [view.centre[0] - dx * pane.perPx * acrossStep, view.centre[1] - dy * pane.perPx * downStep];
    this.changed();
  }

  step(by, plane) {
    this.state.goTo(this.state.slice(plane) + by, plane);
    this.changed();
  }

  turn(by) {
    this.state.frame = (((this.state.frame + by) % FRAMES) + FRAMES) % FRAMES;
    this.changed();
  }

  toggleTurning() {
    clearInterval(this.turning);
    this.turning = this.turning ? 0 : setInterval(() => this.turn(1), 90);
    this.controls.show();
  }

  setPlane(plane) {
    this.state.plane = plane;
    this.layOut();
  }

  setLayout(layout) {
    this.state.layout = layout;
    this.layOut();
    this.settingsChanged();
  }

  nextLayout() {
    this.setLayout(LAYOUTS[(LAYOUTS.indexOf(this.state.layout) + 1) % LAYOUTS.length]);
  }

  setActive(kind) {
    this.state.active = kind;
    this.layOut();
  }

  stepActive(by) {
    const kinds = this.kinds();
    const at = Math.max(0, kinds.indexOf(this.state.active));
    this.setActive(kinds[(at + by + kinds.length) % kinds.length]);
  }

  nextKeySlice(by) {
    const keys = this.data.case.key_slices;
    if (!keys.length) return;
    const order = [...keys].sort((a, b) => a - b);
    const now = this.state.slice("coronal");
    const following = by > 0 ? order.find((n) => n > now) ?? order[0] : order.findLast((n) => n < now) ?? order.at(-1);
    this.showCoronal(following);
  }

  showCoronal(index) {
    this.state.plane = "coronal";
    this.state.goTo(index, "coronal");
    this.layOut();
  }

  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.frame.requestFullscreen?.();
  }

  // The crosshair's key brings its tool back, and with the tool in hand hides and shows it.
  toggleCross() {
    if (this.state.tool === "cross") this.state.crossShown = !this.state.crossShown;
    this.state.tool = "";
    this.setTool("cross");
  }

  setTool(tool) {
    this.state.tool = this.state.tool === tool ? "cross" : tool;
    this.frame.dataset.tool = this.state.tool;
    this.changed();
  }

  // A click (or Enter) on words of a report that name a place; the arrows lead from one to the next.
  followWords(event) {
    const words = event.composedPath()[0].closest?.(".p2r-place"); // it may lie in another component
    if (!words || !this.state) return;
    if (event.type === "keydown") {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (by) this.focusWords(words, by, event);
      if (event.key !== "Enter" && event.key !== " ") return;
    }
    const { plane, point } = words.dataset;
    event.preventDefault();
    if (this.state.plane !== plane && this.state.layout !== "planes") this.setPlane(plane);
    this.moveTo(point.split(",").map(Number));
    this.controls.announce(words.title);
  }

  focusWords(words, by, event) {
    const all = [...words.closest(".p2r-report").querySelectorAll(".p2r-place")];
    all[(all.indexOf(words) + by + all.length) % all.length].focus();
    event.preventDefault();
  }
}
