// Mouse, pen and touch on the panes: the conventions of radiology viewers.
import { PLANES } from "./planes.js";

const WHEEL = 40; // delta of one slice
const TOUCH_STEP = 14; // px of one slice
const TURN_STEP = 10; // px of one frame of the MIP

export class Pointer {
  constructor(viewer) {
    this.viewer = viewer;
    this.wheel = 0;
    this.down = new Map();
    const panes = viewer.find(".panes");
    panes.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    panes.addEventListener("contextmenu", (event) => event.preventDefault());
    panes.addEventListener("pointerdown", (event) => this.onDown(event));
    panes.addEventListener("pointermove", (event) => this.onMove(event));
    for (const end of ["pointerup", "pointercancel"]) panes.addEventListener(end, (event) => this.onUp(event));
    panes.addEventListener("pointerleave", () => this.leave());
    panes.addEventListener("dblclick", (event) => this.onDouble(event));
    this.panes = panes;
  }

  paneOf(event) {
    const element = event.target.closest?.(".pane");
    return this.viewer.panes.find((pane) => pane.element === element);
  }

  onWheel(event) {
    const pane = this.paneOf(event);
    if (!pane?.field) return;
    event.preventDefault();
    const { viewer } = this;
    if (event.ctrlKey) {
      viewer.zoom(Math.exp(-event.deltaY / 300), pane, pane.under(event));
      return;
    }
    this.wheel += event.deltaMode === 1 ? event.deltaY * WHEEL : event.deltaY;
    const steps = Math.trunc(this.wheel / WHEEL);
    if (!steps) return;
    this.wheel -= steps * WHEEL;
    const by = Math.sign(steps); // a notch of any mouse is one slice
    if (pane.kind === "mip") viewer.turn(by);
    else viewer.step(by, pane.plane);
    this.wheel = 0;
  }

  onDown(event) {
    const pane = this.paneOf(event);
    const { viewer } = this;
    if (!pane?.field) return;
    viewer.frame.focus({ preventScroll: true });
    this.panes.setPointerCapture(event.pointerId);
    viewer.state.active = pane.kind;
    this.pressed = pane;
    this.down.set(event.pointerId, { pane, x: event.clientX, y: event.clientY, moved: 0 });
    if (this.down.size === 2) {
      this.pinch = this.spread();
      viewer.measuring.cancel();
      return;
    }
    this.does = this.whatFor(event, pane);
    if (this.does === "cross") viewer.moveTo(viewer.placeUnder(pane, event));
    else if (this.does === "draw") viewer.measuring.begin(pane, viewer.placeUnder(pane, event));
    event.preventDefault();
  }

  whatFor(event, pane) {
    const { tool } = this.viewer.state;
    if (event.button === 1 || (event.button === 0 && event.shiftKey)) return "pan";
    if (event.button === 2) return "window";
    if (pane.kind === "mip") return event.pointerType === "touch" ? "turn" : "cross";
    if (["sphere", "liver", "freehand", "line"].includes(tool)) return "draw";
    if (tool === "cross") return event.pointerType === "touch" ? "scroll" : "cross";
    return tool;
  }

  onMove(event) {
    const { viewer } = this;
    const held = this.down.get(event.pointerId);
    if (!held) {
      const pane = this.paneOf(event);
      viewer.hover = pane?.field && pane.kind !== "mip" ? viewer.placeUnder(pane, event) : null;
      viewer.controls.showReadout();
      return;
    }
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    Object.assign(held, { x: event.clientX, y: event.clientY, moved: held.moved + Math.abs(dx) + Math.abs(dy) });
    if (this.down.size === 2) this.onPinch(held, dx, dy);
    else this[`on_${this.does}`]?.(held, event, dx, dy);
  }

  on_cross({ pane }, event) {
    const { viewer } = this;
    const place = viewer.placeUnder(pane, event);
    viewer.hover = place;
    if (pane.kind !== "mip") viewer.moveTo(place);
  }

  on_draw({ pane }, event) {
    this.viewer.measuring.extend(this.viewer.placeUnder(pane, event));
  }

  on_pan({ pane }, _event, dx, dy) {
    this.viewer.pan(pane, dx, dy);
  }

  on_zoom({ pane }, _event, _dx, dy) {
    this.viewer.zoom(Math.exp(-dy / 150), pane);
  }

  on_window({ pane }, _event, dx, dy) {
    this.viewer.dragWindow(pane.kind === "ct" ? "ct" : "pet", dx, dy);
  }

  on_turn(held, _event, dx) {
    this.stepBy(held, dx, TURN_STEP, (by) => this.viewer.turn(by));
  }

  on_scroll(held, _event, _dx, dy) {
    this.stepBy(held, dy, TOUCH_STEP, (by) => this.viewer.step(by, held.pane.plane));
  }

  stepBy(held, delta, size, act) {
    held.rest = (held.rest ?? 0) + delta;
    const steps = Math.trunc(held.rest / size);
    held.rest -= steps * size;
    if (steps) act(steps);
  }

  spread() {
    const [a, b] = [...this.down.values()];
    return Math.hypot(a.x - b.x, a.y - b.y) || 1;
  }

  onPinch({ pane }, dx, dy) {
    const now = this.spread();
    this.viewer.zoom(now / this.pinch, pane);
    this.pinch = now;
    this.viewer.pan(pane, dx / 2, dy / 2);
  }

  onUp(event) {
    const held = this.down.get(event.pointerId);
    if (!held) return;
    this.down.delete(event.pointerId);
    const { viewer } = this;
    if (this.does === "draw") viewer.measuring.end();
    // A tap is a click: on the MIP too, where a drag turns.
    else if (event.pointerType === "touch" && held.moved < 8) viewer.moveTo(viewer.placeUnder(held.pane, event));
    this.does = null;
    viewer.changed();
  }

  leave() {
    this.viewer.hover = null;
    this.viewer.controls.showReadout();
  }

  onDouble(event) {
    const pane = this.pressed; // a captured pointer's clicks are the holder's, not the pane's
    const { viewer } = this;
    if (!pane || viewer.state.tool !== "cross") return;
    if (viewer.state.layout === "one") {
      viewer.setLayout(this.before ?? "four");
      return;
    }
    this.before = viewer.state.layout;
    viewer.state.active = pane.kind;
    if (pane.kind !== "mip" && PLANES[pane.plane]) viewer.state.plane = pane.plane;
    viewer.setLayout("one");
  }
}
