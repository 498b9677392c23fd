// The controls around the panes: buttons, selections, slider, readout, the strip of key slices.
import { icon } from "./icons.js";
import { make } from "./pane.js";
import { PLANES } from "./planes.js";
import { LAYOUTS } from "./state.js";
import { Refused } from "./volume.js";

const TOOLS = ["cross", "window", "pan", "zoom", "sphere", "liver", "freehand", "line"];
const TOOL_KEYS = { tool_window: "key_window_tool", tool_zoom: "key_zoom" };
const ANNOUNCE_MS = 400;

export class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    this.bar = viewer.find(".toolbar");
    this.foot = viewer.find(".foot");
    this.message = viewer.find(".message");
    this.live = viewer.find(".live");
  }

  build() {
    const { viewer } = this;
    const { data } = viewer;
    const text = (key) => viewer.text(key);
    this.toggles = [];
    viewer.frame.setAttribute("aria-label", text("label"));
    viewer.frame.lang = data.language;
    const kinds = viewer.kinds();
    const hasPet = kinds.includes("pet");
    const groups = [
      this.group("planes", Object.keys(PLANES).map((plane) => this.button(text(plane), `key_${plane}`, () => viewer.setPlane(plane), () => viewer.state.plane === plane))),
      kinds.length > 1 && this.group("layouts", LAYOUTS.map((layout) => this.button(text(`layout_${layout}`), "key_layout", () => viewer.setLayout(layout), () => viewer.state.layout === layout))),
      hasPet && this.select("pet_window", data.pet_windows.map(({ label }) => label), () => data.pet_windows.findIndex(({ name }) => name === viewer.state.pet.name), (n) => viewer.setPreset("pet", n)),
      kinds.includes("ct") && this.select("ct_window", data.ct_windows.map(({ label }) => label), () => data.ct_windows.findIndex(({ name }) => name === viewer.state.ct.name), (n) => viewer.setPreset("ct", n)),
      kinds.includes("fused") && this.select("fused_map", data.fused_maps.map(({ label }) => label), () => data.fused_maps.findIndex(({ name }) => name === viewer.state.map), (n) => viewer.setMap(data.fused_maps[n].name)),
      kinds.includes("fused") && this.opacity(),
      this.group("display", [
        hasPet && this.iconButton("invert", "key_invert", () => viewer.toggle("inverted"), () => viewer.state.inverted),
        this.iconButton("smooth", "key_smooth", () => viewer.toggle("smooth"), () => viewer.state.smooth),
        this.iconButton("fit", "key_fit", () => viewer.resetViews()),
        hasPet && this.iconButton("rotate", "key_rotate", () => viewer.toggleTurning(), () => Boolean(viewer.turning)),
        this.iconButton("full", "key_full", () => viewer.toggleFullScreen()),
      ]),
      this.group("tools", TOOLS.filter((tool) => tool !== "liver" || viewer.state.hasSuv).map((tool) => this.iconButton(tool, `tool_${tool}`, () => viewer.setTool(tool), () => viewer.state.tool === tool))),
      this.iconButton("help", "key_help", () => viewer.keys.toggleHelp(), () => viewer.keys.helpShown),
    ];
    this.bar.replaceChildren(...groups.filter(Boolean));
    this.buildFoot();
    viewer.keys.buildHelp();
    this.show();
  }

  group(name, children) {
    const group = make("span", `group ${name}`);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", this.viewer.text(`group_${name}`));
    group.append(...children.filter(Boolean));
    return group;
  }

  button(label, titleKey, onClick, pressed) {
    const button = make("button", "", label);
    button.type = "button";
    const title = this.viewer.data.texts[titleKey];
    const key = this.viewer.keys.keyOf(TOOL_KEYS[titleKey] ?? titleKey.replace("tool_", "key_"));
    button.title = [title ?? label, key && `(${key})`].filter(Boolean).join(" ");
    button.onclick = onClick;
    if (pressed) this.toggles.push(() => button.setAttribute("aria-pressed", String(pressed())));
    return button;
  }

  iconButton(name, titleKey, onClick, pressed) {
    const button = this.button("", titleKey, onClick, pressed);
    button.className = "sign";
    button.setAttribute("aria-label", this.viewer.text(titleKey));
    button.append(icon(name));
    return button;
  }

  select(name, labels, chosen, onChoose) {
    const select = make("select", name);
    select.setAttribute("aria-label", this.viewer.text(name));
    select.title = this.viewer.text(name);
    const own = make("option", "", this.viewer.text("own_window"));
    own.value = "-1";
    own.hidden = true;
    select.append(own, ...labels.map((label, n) => Object.assign(make("option", "", label), { value: String(n) })));
    select.onchange = () => {
      onChoose(Number(select.value));
      this.viewer.frame.focus(); // so that the keys go to the images again
    };
    this.toggles.push(() => { select.value = String(chosen()); });
    return select;
  }

  opacity() {
    const { viewer } = this;
    const label = make("label", "opacity", viewer.text("opacity"));
    const range = Object.assign(make("input"), { type: "range", min: 0, max: 100, step: 5 });
    range.oninput = () => viewer.setOpacity(Number(range.value) / 100);
    range.onpointerup = () => viewer.frame.focus();
    this.toggles.push(() => { range.value = String(Math.round(viewer.state.opacity * 100)); });
    label.append(range);
    return label;
  }

  buildFoot() {
    const { viewer } = this;
    this.slider = Object.assign(make("input", "slider"), { type: "range", min: 0, step: 1 });
    this.slider.oninput = () => {
      viewer.state.goTo(Number(this.slider.value));
      viewer.changed();
    };
    this.position = make("output", "position");
    this.readout = make("output", "readout");
    this.readout.setAttribute("aria-live", "off");
    this.strip = this.buildStrip();
    this.foot.replaceChildren(this.slider, this.position, this.readout, this.strip);
  }

  // The pictures that a model gets, as buttons that lead to their planes.
  buildStrip() {
    const { viewer } = this;
    const { key_slices: keys } = viewer.data.case;
    const strip = make("div", "strip");
    strip.setAttribute("role", "group");
    strip.setAttribute("aria-label", viewer.text("key_slices"));
    if (!keys.length || viewer.data.blind) return strip;
    strip.append(make("span", "", viewer.text("key_slices")));
    keys.forEach((plane, n) => {
      const button = this.button("", "", () => viewer.showCoronal(plane), () => viewer.state.plane === "coronal" && viewer.state.slice() === plane);
      button.title = `${viewer.text("coronal")} ${plane}`;
      button.setAttribute("aria-label", `${viewer.text("key_slice")} ${plane}`);
      button.dataset.plane = plane;
      const image = Object.assign(make("img"), { alt: "", src: viewer.data.model_pictures[n], loading: "lazy" });
      button.append(image, make("span", "", String(plane)));
      strip.append(button);
    });
    return strip;
  }

  // Bring every control in line with the state.
  show() {
    const { viewer } = this;
    if (!this.slider || !viewer.state) return;
    for (const toggle of this.toggles) toggle();
    const { state } = viewer;
    const count = state.count();
    this.slider.max = String(count - 1);
    this.slider.value = String(state.slice());
    const name = viewer.text(state.plane);
    const at = `${name} ${state.slice()} / ${count - 1} · ${this.place(state.plane)}`;
    this.slider.setAttribute("aria-label", viewer.text("slice"));
    this.slider.setAttribute("aria-valuetext", at);
    if (this.position.textContent !== at) {
      this.position.textContent = at;
      clearTimeout(this.announcing);
      this.announcing = setTimeout(() => this.announce(at), ANNOUNCE_MS);
    }
    this.showReadout();
  }

  // Where a plane lies in mm along its normal, with the letter of the direction.
  place(plane) {
    const { state } = this.viewer;
    const { normal } = PLANES[plane];
    return this.along(normal, state.toMm(state.cross)[normal]);
  }

  along(axis, mm) {
    return `${(mm >= 0 ? "LPH" : "RAF")[axis]} ${Math.abs(mm).toFixed(1)} mm`;
  }

  // Values of the voxel under the cursor, or at the crosshair while the pointer is elsewhere.
  showReadout() {
    const { viewer } = this;
    const { state } = viewer;
    if (!state) return;
    const place = viewer.hover ?? state.cross;
    if (!viewer.inside(place)) {
      this.readout.textContent = "";
      return;
    }
    const { pet, hu } = viewer.valuesAt(place);
    const missing = (value) => value === undefined || Number.isNaN(value);
    const parts = [];
    const has = (name) => viewer.data.case.volumes.includes(name);
    if (has("pet")) {
      const shown = missing(pet) ? "–" : state.hasSuv ? pet.toFixed(2) : String(Number(pet.toPrecision(4)));
      parts.push(state.hasSuv ? `SUV ${shown}` : `${shown} ${viewer.data.case.pet_unit_label}`);
    }
    if (has("ct")) parts.push(`HU ${missing(hu) ? "–" : Math.round(hu)}`);
    const voxel = place.map((at) => Math.round(at));
    parts.push(`(${voxel.join(", ")})`, state.toMm(voxel).map((mm, axis) => this.along(axis, mm)).join("  ").replaceAll(" mm", "") + " mm");
    this.readout.textContent = parts.join(" · ");
  }

  announce(message) {
    this.live.textContent = message;
  }

  // What went wrong with a request; that images are missing stays said beside it.
  say(message) {
    this.message.replaceChildren(...(this.viewer.loadingFailed ? this.failure : []), message);
  }

  // What went wrong, in one sentence: what our server said, else one of ours; never the browser's own words.
  sentence(error) {
    if (error.expired) return this.viewer.text("expired");
    return (error instanceof Refused && error.message) || this.viewer.text("failed");
  }

  // One sentence, and a button that tries again.
  failed(error) {
    const { viewer } = this;
    viewer.loadingFailed = true;
    const again = make("button", "", viewer.text(error.expired ? "reload" : "again"));
    again.type = "button";
    again.onclick = () => (error.expired ? location.reload() : viewer.open());
    this.failure = [this.sentence(error), " ", again];
    this.say("");
    viewer.changed();
  }
}
