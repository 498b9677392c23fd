// Measuring: regions are drawn here and measured by the server, on the original voxels. Each is kept at once as the
// reader's own note; taking it back withdraws the note.
import { icon } from "./icons.js";
import { make } from "./pane.js";
import { PLANES } from "./planes.js";

const SPHERE_MM = 30; // a click without a drag: the sphere of the liver reference
const CIRCLE = 48;
const LEAST_MM = 4;
const LEAST_PX = 3;

export class Measuring {
  constructor(viewer) {
    this.viewer = viewer;
    this.panel = viewer.find(".measured");
    this.regions = [];
    this.threshold = 0;
  }

  // Fetch the reader's own notes of this case.
  async open() {
    const { viewer } = this;
    const { key } = viewer.data.source;
    this.regions = [];
    this.draft = null;
    this.show();
    try {
      const { measurements } = await viewer.server.ask(viewer.data.blind ? `measurements?${new URLSearchParams({ item: viewer.data.generation_id })}` : "measurements");
      if (viewer.data.source.key !== key) return;
      this.regions = measurements.reverse();
    } catch (error) {
      if (!viewer.loadingFailed) viewer.controls.say(viewer.controls.sentence(error));
    }
    this.show();
  }

  begin(pane, place) {
    if (!place || pane.kind === "mip") return;
    const { tool } = this.viewer.state;
    const kind = tool === "liver" ? "sphere" : tool;
    this.draft = { kind, role: tool === "liver" ? "liver" : "", plane: pane.plane, from: place, to: place, points: [place], pane };
  }

  extend(place) {
    const { draft } = this;
    if (!draft || !place) return;
    draft.to = place;
    const last = draft.points.at(-1);
    const px = Math.hypot(...this.onPane(place).map((at, n) => at - this.onPane(last)[n]));
    if (draft.kind === "freehand" && px >= LEAST_PX) draft.points.push(place);
    this.viewer.changed();
  }

  onPane(place) {
    const { pane } = this.draft;
    const { across, down } = PLANES[pane.plane];
    return pane.pixelOf(place[across], place[down]);
  }

  cancel() {
    this.draft = null;
    this.viewer.changed();
  }

  async end() {
    const { draft, viewer } = this;
    if (!draft) return;
    const shape = this.shapeOf(draft);
    const key = viewer.data.source.key;
    if (!shape) {
      this.cancel();
      return;
    }
    draft.waiting = true;
    try {
      const measured = await viewer.server.ask("measure", {
        ...shape, role: draft.role, keep: true, id: crypto.randomUUID?.() ?? "", generation_id: viewer.data.generation_id,
      });
      if (viewer.data.source.key !== key) return;
      this.regions.push(measured);
      this.chosen = null;
      viewer.controls.say("");
    } catch (error) {
      viewer.controls.say(viewer.controls.sentence(error));
    }
    if (this.draft === draft) this.draft = null;
    if (draft.role === "liver") await this.measureAgain();
    this.show();
  }

  // A new liver reference changes the PERCIST threshold of the others.
  async measureAgain() {
    const { viewer } = this;
    for (const region of this.regions.filter(({ role, shape }) => role !== "liver" && shape.kind !== "line")) {
      const { kind, ...rest } = region.shape;
      const { id, generation_id: generation, label } = region.kept;
      Object.assign(region, await viewer.server.ask("measure", { shape: kind, ...rest, keep: true, id, label, generation_id: generation }));
    }
  }

  shapeOf({ kind, from, to, points, plane }) {
    const { state } = this.viewer;
    const mm = (place) => state.toMm(place);
    const length = Math.hypot(...mm(to).map((at, n) => at - mm(from)[n]));
    if (kind === "sphere") return { shape: kind, centre_mm: mm(from), diameter_mm: length < LEAST_MM ? SPHERE_MM : 2 * length };
    if (kind === "line") return length < LEAST_MM ? null : { shape: kind, start_mm: mm(from), end_mm: mm(to) };
    return points.length < 3 ? null : { shape: kind, plane, index: state.slice(plane), points_mm: points.map(mm) };
  }

  // What of the regions a plane cuts, as outlines in its grid coordinates.
  regionsOn(plane, slice) {
    const drawn = this.regions.map((region, n) => this.outline(region.shape, plane, slice, `region${n === this.chosen ? " chosen" : ""}${region.role ? " liver" : ""}`));
    const { draft } = this;
    if (draft && PLANES[draft.plane]) {
      const shape = this.shapeOf(draft);
      if (shape && draft.plane === plane) drawn.push(this.outline({ kind: shape.shape, ...shape }, plane, slice, "region draft"));
    }
    return drawn.filter(Boolean);
  }

  outline(shape, plane, slice, className) {
    const { state } = this.viewer;
    const { across, down, normal } = PLANES[plane];
    const spacing = state.grid.spacing_mm;
    if (shape.kind === "sphere") {
      const centre = state.toGrid(shape.centre_mm);
      const away = (centre[normal] - slice) * spacing[normal];
      const square = (shape.diameter_mm / 2) ** 2 - away ** 2;
      if (square <= 0) return null;
      const radius = Math.sqrt(square);
      const points = Array.from({ length: CIRCLE }, (_, n) => {
        const angle = (2 * Math.PI * n) / CIRCLE;
        return [centre[across] + (radius * Math.cos(angle)) / spacing[across], centre[down] + (radius * Math.sin(angle)) / spacing[down]];
      });
      return { points, closed: true, className };
    }
    const places = (shape.points_mm ?? [shape.start_mm, shape.end_mm]).map((mm) => state.toGrid(mm));
    if (places.some((place) => Math.abs(place[normal] - slice) > 0.5)) return null;
    return { points: places.map((place) => [place[across], place[down]]), closed: shape.kind === "freehand", className };
  }

  async remove(region) {
    const { viewer } = this;
    try {
      await viewer.server.ask(`measurements/${encodeURIComponent(region.kept.id)}/withdraw`, {});
      this.regions = this.regions.filter((other) => other !== region);
      if (region.role === "liver") await this.measureAgain();
    } catch (error) {
      viewer.controls.say(viewer.controls.sentence(error));
    }
    this.show();
  }

  removeLast() {
    const region = this.regions[this.chosen ?? this.regions.length - 1];
    if (region) this.remove(region);
  }

  goTo(n) {
    const { viewer } = this;
    const { shape, measured } = this.regions[n];
    this.chosen = n;
    const mm = shape.centre_mm ?? measured.uptake?.max_mm ?? (shape.points_mm ?? [shape.start_mm])[0];
    if (shape.plane && shape.plane !== viewer.state.plane) viewer.setPlane(shape.plane);
    viewer.moveTo(viewer.state.toGrid(mm));
    this.show();
  }

  show() {
    const { viewer, regions } = this;
    this.chosen = regions.length ? Math.min(this.chosen ?? Infinity, regions.length - 1) : null; // first the newest
    this.panel.hidden = !regions.length;
    viewer.changed();
    if (!regions.length) {
      this.panel.replaceChildren();
      return;
    }
    const named = regions.find(({ measured }) => measured.segments?.length)?.measured.segments.map(({ threshold }) => threshold) ?? [];
    const thresholds = viewer.state.hasSuv ? named : named.slice(0, 1); // the others are in SUV
    this.threshold = Math.min(this.threshold, Math.max(thresholds.length - 1, 0));
    const table = make("table");
    table.append(this.head(thresholds), ...regions.map((region, n) => this.row(region, n)));
    const note = make("p", "own", viewer.text("measured_note"));
    this.panel.replaceChildren(table, note);
  }

  head(thresholds) {
    const { viewer } = this;
    const suv = viewer.state.hasSuv ? "SUV" : "";
    const row = make("tr");
    const unit = viewer.data.case.pet_unit_label;
    const select = make("select");
    select.setAttribute("aria-label", viewer.text("threshold"));
    thresholds.forEach((name, n) => select.append(Object.assign(make("option", "", viewer.data.texts[`threshold_${name.replaceAll(".", "_")}`] ?? name), { value: String(n) })));
    select.value = String(this.threshold);
    select.onchange = () => {
      this.threshold = Number(select.value);
      this.show();
    };
    const names = ["", `${suv}max`, `${suv}mean`, `${suv}peak`, "mL", "HU"];
    row.append(...names.map((name, n) => Object.assign(make("th", "", name), { title: n && n < 4 ? unit : "" })));
    const last = make("th");
    last.colSpan = 2;
    last.append(viewer.state.hasSuv ? "MTV / TLG " : `${viewer.text("volume_total")} `, thresholds.length ? select : "");
    row.append(last, make("th"));
    return row;
  }

  row({ shape, measured, role, kept }, n) {
    const { viewer } = this;
    const row = make("tr", n === this.chosen ? "chosen" : "");
    const number = (value, digits = 2) => (value === null || value === undefined ? "–" : Number(value).toFixed(digits));
    const name = make("button", "", kept?.label || `${viewer.text(role ? `tool_${role}` : `tool_${shape.kind}`)} ${n + 1}`);
    name.type = "button";
    name.onclick = () => this.goTo(n);
    const { uptake, hu, segments } = measured;
    const segment = segments?.[this.threshold];
    const cells = shape.kind === "line"
      ? [`${number(measured.length_mm, 1)} mm`, "", "", "", "", "", ""]
      : [number(uptake?.max), number(uptake?.mean), number(uptake?.peak.value), number(measured.volume_ml, 1), number(hu?.mean, 0), segment ? number(segment.volume_ml, 1) : "", segment ? number(segment.total, 1) : ""];
    const first = make("td");
    first.append(name);
    row.append(first, ...cells.map((text) => make("td", "", text)));
    if (uptake?.peak.reason) row.children[3].title = uptake.peak.reason;
    if (segment?.reason) row.children[6].title = segment.reason;
    const end = make("td");
    if (!viewer.data.blind) end.append(this.action("chart", () => viewer.component.setStateValue("chart", kept.id)));
    end.append(this.action("remove", () => this.remove(this.regions[n])));
    row.append(end);
    row.title = measured.signature ?? "";
    return row;
  }

  action(name, onClick) {
    const button = make("button", "small");
    button.append(icon(name));
    button.type = "button";
    button.title = this.viewer.text(name);
    button.setAttribute("aria-label", this.viewer.text(name));
    button.onclick = onClick;
    return button;
  }
}
