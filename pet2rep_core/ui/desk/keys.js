// The keyboard of the desk: one table that the help sheet is made from. It leaves the images' keys alone (letters,
// arrows, Shift with digits: see viewer/keys.js) and keeps R and C, which are Streamlit's, from what is typed here.
import { button, key, make } from "./dom.js";

const TYPED = "input, textarea, select, [contenteditable=true], [role=textbox], [role=combobox], [role=listbox]";
const PRESSED = "button, a, summary, [role=button], [role=tab], [role=option]";

// [keys shown, text]
const TABLE = [
  [["1", "…", "5"], "key_score"],
  [["0", "N"], "key_none"],
  [["Tab", "↑", "↓"], "key_move"],
  [["←", "→"], "key_values"],
  [["/"], "key_comment"],
  [["⏎"], "key_save"],
  [["U"], "key_back"],
  [["Tab", "⏎"], "key_mark"],
  [["1", "…", "7"], "key_menu"],
  [["H", "J"], "key_items"],
  [["P"], "key_list"],
  [["Esc"], "key_escape"],
  [["?"], "key_help"],
];

export class Keys {
  constructor(desk) {
    this.desk = desk;
    this.onKey = (event) => this.handle(event);
    document.addEventListener("keydown", this.onKey, { capture: true });
    this.onLetters = (event) => {
      const typed = event.target.closest?.(TYPED);
      if (typed || /^[rc?]$/i.test(event.key)) event.stopPropagation();
    };
    desk.frame.addEventListener("keydown", this.onLetters);
  }

  close() {
    document.removeEventListener("keydown", this.onKey, { capture: true });
    this.desk.frame.removeEventListener("keydown", this.onLetters);
  }

  handle(event) {
    const { desk } = this;
    if (event.defaultPrevented || event.isComposing || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (!(target instanceof Element)) return;
    const inside = desk.frame.contains(target);
    const elsewhere = target.closest("[role=dialog], [data-testid=stDialog]") || (target.closest(TYPED) && !target.matches("input[type=range]"));
    if (!inside && elsewhere) return;
    if (desk.menu.shown && desk.menu.box.contains(target)) return;
    if (desk.sheet.shown) {
      if (event.key === "Escape" && desk.sheet.mayClose) this.done(event, () => desk.sheet.hide());
      return;
    }
    if (!desk.item) return;
    if (event.ctrlKey) {
      if (event.key === "Enter" && inside) this.done(event, () => desk.submit());
      return;
    }
    if (target.closest(TYPED) && inside) this.typing(event, target);
    else this.pressed(event, target, inside);
  }

  done(event, action) {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) action();
  }

  // In a reason or the comment: the keys are letters there, but for the way out.
  typing(event, target) {
    const { desk } = this;
    const reason = target.closest(".line");
    if (event.key === "Escape") this.done(event, () => (reason ? desk.form.focus() : desk.frame.focus()));
    else if (event.key === "Enter" && reason) this.done(event, () => desk.form.moveOn(desk.form.at, true));
    else if (event.key === "Enter" && target.closest(".why")) this.done(event, () => desk.submit());
  }

  pressed(event, target, inside) {
    const { desk } = this;
    const { form } = desk;
    const onScale = inside && target.closest(".scale");
    const digit = event.shiftKey ? null : /^(?:Digit|Numpad)([0-5])$/.exec(event.code);
    if (digit && (event.code.startsWith("Digit") || /[0-9]/.test(event.key))) this.done(event, () => desk.score(form.at, Number(digit[1]) || null));
    else if (/^n$/i.test(event.key)) this.done(event, () => desk.score(form.at, null));
    else if (event.key === "/") this.done(event, () => desk.form.remark());
    else if (/^u$/i.test(event.key)) this.done(event, () => desk.takeBack());
    else if (/^p$/i.test(event.key)) this.done(event, () => desk.sheet.list());
    else if (/^[hj]$/i.test(event.key)) this.done(event, () => desk.sheet.step(/h/i.test(event.key) ? -1 : 1));
    else if (event.key === "?" && !this.inImages(target)) this.done(event, () => this.toggleHelp());
    else if (event.key === "Enter" && (onScale || !target.closest(PRESSED))) this.done(event, () => desk.submit());
    else if (event.key === "Enter" && target.closest(".save")) this.done(event, () => desk.submit());
    else if (event.key === "Escape" && inside) this.done(event, () => this.toImages());
    else if (onScale && (event.key === "ArrowUp" || event.key === "ArrowDown")) this.move(event, event.key === "ArrowUp" ? -1 : 1);
    else if (onScale && (event.key === "ArrowLeft" || event.key === "ArrowRight")) this.along(event, target, event.key === "ArrowLeft" ? -1 : 1);
    else if (event.key === "ArrowUp" && inside && target.closest(".save")) this.move(event, -1);
  }

  // From row to row; held down it goes on.
  move(event, by) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const { form } = this.desk;
    form.goTo(Math.min(Math.max(form.at + by, 0), form.rows.length));
  }

  // Along the values of a row without choosing: the anchors can be read; Space chooses.
  along(event, target, by) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const all = [...target.closest(".scale").querySelectorAll("button")];
    all[(all.indexOf(target.closest("button")) + by + all.length) % all.length].focus();
  }

  images() {
    for (const host of document.querySelectorAll("*")) {
      const viewer = host.shadowRoot?.querySelector(".viewer");
      if (viewer) return viewer;
    }
    return document.querySelector(".viewer");
  }

  inImages(target) {
    return Boolean(target.closest(".viewer"));
  }

  toImages() {
    this.images()?.focus();
  }

  build() {
    const { desk } = this;
    const list = make("dl");
    for (const [keys, text] of TABLE) {
      const row = make("div", "line");
      const name = make("dt");
      for (const one of keys) name.append(one === "…" ? " … " : key(one));
      row.append(name, make("dd", "", desk.text(text)));
      list.append(row);
    }
    this.help = [make("h3", "", desk.text("help")), list, make("p", "hint", desk.text("help_images"))];
  }

  toggleHelp() {
    const { desk } = this;
    if (desk.sheet.shown) desk.sheet.hide();
    else desk.sheet.open(desk.text("help"), [...this.help, button("save", desk.text("close"), () => desk.sheet.hide())]);
  }
}
