// The keyboard: one table that the help sheet is made from. The digits belong to scoring, R and C to Streamlit.
import { make } from "./pane.js";

const PAGE = 10;
const BLEND = 0.1;
const ZOOM = 1.25;
// What these have the focus keep for themselves.
const TYPED = "input:not([type=range]), textarea, select, [contenteditable=true], [role=textbox], [role=combobox], [role=listbox]";
const MOVED = "[role=radio], [role=slider], [role=tab], [role=option], [role=menuitem], .p2r-place, input[type=range], [role=spinbutton]";
const MOVES = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown", " ", "Enter"]);

const SIGNS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", PageUp: "PgUp", PageDown: "PgDn" };

const vertical = (viewer, by) => (viewer.state.layout === "one" && viewer.state.active === "mip" ? viewer.turn(by) : viewer.step(by));

// [keys, text, action]
const TABLE = [
  [["ArrowUp", "ArrowDown"], "key_step", (v, key) => vertical(v, key === "ArrowDown" ? 1 : -1)],
  [["PageUp", "PageDown"], "key_page", (v, key) => vertical(v, key === "PageDown" ? PAGE : -PAGE)],
  [["Home", "End"], "key_ends", (v, key) => v.step(key === "Home" ? -Infinity : Infinity)],
  [["ArrowLeft", "ArrowRight"], "key_pane", (v, key) => v.stepActive(key === "ArrowRight" ? 1 : -1)],
  [["K"], "key_key_slice", (v, _key, event) => v.nextKeySlice(event.shiftKey ? -1 : 1)],
  [["H", "J"], "key_case"], // the page's own buttons
  [["O"], "key_coronal", (v) => v.setPlane("coronal")],
  [["A"], "key_axial", (v) => v.setPlane("axial")],
  [["S"], "key_sagittal", (v) => v.setPlane("sagittal")],
  [["G"], "key_layout", (v) => v.nextLayout()],
  [["F"], "key_fused", (v) => v.setActive(v.state.active === "fused" ? "pet" : v.state.active === "pet" ? "ct" : v.kinds().includes("fused") ? "fused" : v.kinds()[0])],
  [["M"], "key_mip", (v) => v.kinds().includes("mip") && v.setActive("mip")],
  [["Shift+1", "Shift+2", "Shift+3", "Shift+4", "Shift+5"], "key_window", (v, key) => v.setPreset(v.state.active === "ct" ? "ct" : "pet", Number(key.at(-1)) - 1)],
  [["W"], "key_ct", (v, _key, event) => v.nextPreset("ct", event.shiftKey ? -1 : 1)],
  [["I"], "key_invert", (v) => v.toggle("inverted")],
  [["B"], "key_smooth", (v) => v.toggle("smooth")],
  [["[", "]"], "key_blend", (v, key) => v.setOpacity(v.state.opacity + (key === "]" ? BLEND : -BLEND))],
  [["+", "-"], "key_zoom", (v, key) => v.zoom(key === "+" ? ZOOM : 1 / ZOOM)],
  [["Z"], "key_fit", (v) => v.resetViews()],
  [["T"], "key_rotate", (v) => v.toggleTurning()],
  [["<", ">"], "key_turn", (v, key) => v.turn(key === ">" ? 1 : -1)],
  [["X"], "key_cross", (v) => v.toggleCross()],
  [["D"], "key_window_tool", (v) => v.setTool("window")],
  [["V"], "key_sphere", (v) => v.setTool("sphere")],
  [["Y"], "key_liver", (v) => v.state.hasSuv && v.setTool("liver")],
  [["E"], "key_freehand", (v) => v.setTool("freehand")],
  [["L"], "key_line", (v) => v.setTool("line")],
  [["Delete", "Backspace"], "key_remove", (v) => v.measuring.removeLast()],
  [["Q"], "key_full", (v) => v.toggleFullScreen()],
  [["Escape"], "key_escape", (v) => (v.keys.helpShown ? v.keys.toggleHelp() : v.setTool("cross"))],
  [["?"], "key_help", (v) => v.keys.toggleHelp()],
];
const BY_KEY = new Map(TABLE.flatMap(([keys, , action]) => keys.map((key) => [key, action])));

// The name under which the table knows what was pressed; shifted digits by their place on the keyboard.
function nameOf(event) {
  const digit = /^(?:Digit|Numpad)([1-5])$/.exec(event.code);
  if (digit) return event.shiftKey ? `Shift+${digit[1]}` : null;
  if (event.key === "=") return "+";
  return event.key.length === 1 ? event.key.toUpperCase() : event.key;
}

export class Keys {
  constructor(viewer) {
    this.viewer = viewer;
    this.helpShown = false;
    this.onKey = (event) => this.handle(event);
    document.addEventListener("keydown", this.onKey);
    // Not Streamlit's while the images have the focus; it listens at the document too, so they must not get there.
    viewer.frame.addEventListener("keydown", (event) => { if (/^[rc]$/i.test(event.key)) event.stopPropagation(); });
    this.sheet = viewer.find(".help");
  }

  close() {
    document.removeEventListener("keydown", this.onKey);
  }

  handle(event) {
    const { viewer } = this;
    if (!viewer.state || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (!(target instanceof Element) || target.closest(TYPED)) return;
    const inside = viewer.frame.contains(target);
    if (!inside && target.closest("[role=dialog], [data-testid=stDialog]")) return;
    if (MOVES.has(event.key) && (target.closest(MOVED) || (target.closest("button, a, [role=button]") && (event.key === " " || event.key === "Enter")))) return;
    const name = nameOf(event);
    const action = BY_KEY.get(name);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action(viewer, name, event);
  }

  keyOf(text) {
    return TABLE.find(([, id]) => id === text)?.[0][0];
  }

  toggleHelp() {
    this.helpShown = !this.helpShown;
    this.sheet.hidden = !this.helpShown;
    if (this.helpShown) this.sheet.querySelector("button").focus();
    else this.viewer.frame.focus();
    this.viewer.controls.show();
  }

  buildHelp() {
    const { viewer } = this;
    const title = make("h3", "", viewer.text("help"));
    const list = make("dl");
    const rows = [...TABLE.map(([keys, text]) => [keys, viewer.text(text)]), ...["wheel", "drag_right", "drag_middle", "double"].map((what) => [[viewer.text(`mouse_${what}_name`)], viewer.text(`mouse_${what}`)])];
    for (const [keys, text] of rows) {
      const row = make("div", "row");
      const name = make("dt");
      const shown = keys.length > 3 ? [keys[0], "…", keys.at(-1)] : keys;
      for (const key of shown) name.append(key === "…" ? "…" : make("kbd", "", SIGNS[key] ?? key));
      row.append(name, make("dd", "", text));
      list.append(row);
    }
    const close = make("button", "", viewer.text("close"));
    close.type = "button";
    close.onclick = () => this.toggleHelp();
    this.sheet.setAttribute("role", "dialog");
    this.sheet.setAttribute("aria-label", viewer.text("help"));
    this.sheet.hidden = !this.helpShown;
    this.sheet.replaceChildren(title, close, list);
  }
}
