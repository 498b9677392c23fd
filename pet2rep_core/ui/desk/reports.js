// The two reports. A sentence can be marked; words in it that name a place of the body lead there in the images.
// Everything in them is somebody else's text: it becomes text nodes, never markup.
import { Answers } from "./answers.js";
import { button, key, make } from "./dom.js";

export const KINDS = ["false", "place", "uptake", "size", "contradiction", "copied", "fabricated"];
export const SIGNS = { false: "✕", place: "⊕", uptake: "◐", size: "↔", contradiction: "≠", copied: "≡", fabricated: "∅", missed: "○" };
const LISTS = { generated: "marks", reference: "missed" };

export class Reports {
  constructor(desk) {
    this.desk = desk;
    this.box = desk.find(".reports");
  }

  build() {
    const { item } = this.desk;
    this.sentences = { generated: new Map(), reference: new Map() };
    this.box.replaceChildren(this.report("generated", item.generated), this.report("reference", item.reference));
    this.show();
  }

  report(which, report) {
    const side = make("section", which);
    const title = make("h3", "", this.desk.text(which));
    const count = make("span", "count");
    title.append(count);
    side.append(title);
    if (!report) {
      side.append(this.absent(which));
      return side;
    }
    const body = make("div", "p2r-report");
    body.setAttribute("role", "region");
    body.setAttribute("aria-label", this.desk.text(which));
    body.lang = report.language;
    body.tabIndex = 0;
    body.append(...report.segments.map((segment) => (segment.sentence === null ? segment.parts.map(({ text }) => text).join("") : this.sentence(which, segment))));
    this.rove(body);
    side.append(body);
    return side;
  }

  absent(which) {
    const { item } = this.desk;
    const hidden = which === "reference" && item.stage === "provisional";
    const words = make("p", "absent", this.desk.text(hidden ? "reference_hidden" : "no_reference"));
    if (hidden) words.append(" ", key("⏎"));
    return words;
  }

  sentence(which, segment) {
    const { sentence, parts } = segment;
    const element = make("span", "sentence");
    element.append(...parts.map((part) => (part.point ? this.place(part) : part.text)));
    const flag = button("flag", "", (event) => {
      event.stopPropagation();
      this.desk.menu.open(which, segment, flag, event.detail === 0);
    });
    flag.onmousedown = (event) => event.preventDefault(); // the focus stays where it is
    const entry = { element, flag, words: parts.map(({ text }) => text).join("").trim() };
    this.sentences[which].set(sentence, entry);
    element.append(flag);
    element.onclick = (event) => {
      if (event.target.closest(".p2r-place") || !getSelection().isCollapsed) return;
      this.desk.menu.open(which, segment, flag);
    };
    return element;
  }

  place({ text, point, plane, label }) {
    const words = make("span", "p2r-place", text);
    words.setAttribute("role", "button");
    words.tabIndex = -1;
    words.title = label;
    words.dataset.point = point;
    words.dataset.plane = plane;
    return words;
  }

  // One stop of the Tab key for all sentences of a report, and one for its places.
  rove(body) {
    for (const name of [".flag", ".p2r-place"]) {
      const all = [...body.querySelectorAll(name)];
      all.forEach((one, n) => { one.tabIndex = n ? -1 : 0; });
    }
    body.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!by || !event.target.matches(".flag")) return;
      const all = [...body.querySelectorAll(".flag")];
      all[(all.indexOf(event.target) + by + all.length) % all.length].focus();
      event.preventDefault();
      event.stopPropagation();
    });
  }

  show() {
    for (const which of ["generated", "reference"]) {
      const list = LISTS[which];
      for (const [n, entry] of this.sentences[which]) this.showSentence(which, n, entry, this.desk.answers.of(list, n));
      const count = this.box.querySelector(`.${which} .count`);
      const marked = this.desk.answers.now[list].length;
      if (count) count.textContent = marked ? this.desk.text(list === "marks" ? "marked" : "missed_count", { n: marked }) : "";
    }
  }

  showSentence(which, n, { element, flag, words }, marks) {
    const { desk } = this;
    const kindOf = (mark) => mark.kind ?? "missed";
    element.classList.toggle("marked", marks.length > 0);
    element.dataset.kind = marks.length ? kindOf(marks[0]) : "";
    element.classList.toggle("significant", marks.some(({ significant }) => significant));
    flag.replaceChildren(...marks.map((mark) => {
      const chip = make("span", `chip${mark.significant ? " significant" : ""}`, `${SIGNS[kindOf(mark)]} ${desk.text(`kind_${kindOf(mark)}_short`)}${mark.significant ? " !" : ""}`);
      chip.dataset.kind = kindOf(mark);
      return chip;
    }));
    if (!marks.length) flag.append("⚑");
    const said = marks.map((mark) => `${desk.text(`kind_${kindOf(mark)}`)}, ${desk.text(mark.significant ? "significant" : "minor")}`).join("; ");
    flag.setAttribute("aria-label", desk.text(which === "generated" ? "mark_sentence" : "mark_missed", { n: n + 1, words: words.slice(0, 60) }) + (said ? `: ${said}` : ""));
    flag.setAttribute("aria-haspopup", "dialog");
    flag.title = said || desk.text(which === "generated" ? "mark" : "mark_as_missed");
    flag.disabled = desk.locked;
  }
}

// The small menu beside a sentence: what is wrong with it, and whether that matters.
export class Menu {
  constructor(desk) {
    this.desk = desk;
    this.box = desk.find(".menu");
    this.box.addEventListener("keydown", (event) => this.handle(event));
    this.box.addEventListener("focusout", (event) => { if (this.shown && !this.box.contains(event.relatedTarget)) this.close(false); });
    this.onOutside = (event) => { if (this.shown && !event.composedPath().includes(this.box)) this.close(false); };
    document.addEventListener("pointerdown", this.onOutside, { capture: true });
  }

  end() {
    document.removeEventListener("pointerdown", this.onOutside, { capture: true });
  }

  get shown() {
    return !this.box.hidden;
  }

  // Opened with the mouse, the menu gives the focus back to where it was: Enter then saves as before.
  open(which, segment, flag, byKey = false) {
    if (this.desk.locked) return;
    const before = this.desk.frame.getRootNode().activeElement;
    Object.assign(this, { list: LISTS[which], segment, flag, back: byKey ? flag : before });
    this.kinds = which === "generated" ? KINDS : [undefined];
    this.box.setAttribute("role", "dialog");
    this.box.setAttribute("aria-label", this.desk.text(which === "generated" ? "mark" : "mark_as_missed"));
    this.rows = this.kinds.map((kind, n) => this.row(kind, n));
    this.box.replaceChildren(...this.rows.map(({ element }) => element), make("p", "hint", this.desk.text("menu_hint")));
    this.box.hidden = false;
    this.stand();
    this.show();
    this.rows[0].kind.focus({ preventScroll: true });
  }

  // Below the sentence's sign where there is room, above it elsewhere; never beyond the desk.
  stand() {
    const frame = this.desk.frame.getBoundingClientRect();
    const at = this.flag.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const left = Math.min(Math.max(at.left - frame.left - 20, 4), frame.width - width - 4);
    const below = at.bottom - frame.top + 4;
    this.box.style.left = `${left}px`;
    this.box.style.top = `${below + height > frame.height ? Math.max(at.top - frame.top - height - 4, 4) : below}px`;
  }

  row(kind, n) {
    const element = make("div", "choice");
    const name = kind ?? "missed";
    element.dataset.kind = name;
    const sign = make("span", "sign", SIGNS[name]);
    sign.setAttribute("aria-hidden", "true");
    const main = button("kind", "", () => this.set(kind, Answers.next(this.now(kind))));
    main.append(key(String(n + 1)), sign, make("span", "", this.desk.text(`kind_${name}`)));
    const give = (significant, label) => {
      const one = button("weight", this.desk.text(label), () => this.set(kind, this.now(kind) === significant ? undefined : significant), `${this.desk.text(`kind_${name}`)}: ${this.desk.text(label)}`);
      return one;
    };
    const minor = give(false, "minor");
    const grave = give(true, "significant");
    element.append(main, minor, grave);
    return { element, kind: main, minor, grave, name: kind };
  }

  now(kind) {
    return this.desk.answers.significance(this.list, this.segment.sentence, kind);
  }

  set(kind, significant) {
    this.desk.mark(this.list, this.segment, kind, significant);
    this.show();
  }

  show() {
    for (const row of this.rows) {
      const now = this.now(row.name);
      row.element.classList.toggle("on", now !== undefined);
      row.kind.setAttribute("aria-pressed", String(now !== undefined));
      row.minor.setAttribute("aria-pressed", String(now === false));
      row.grave.setAttribute("aria-pressed", String(now === true));
    }
  }

  handle(event) {
    event.stopPropagation(); // neither the images' keys nor Streamlit's
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    const at = this.rows.findIndex(({ element }) => element.contains(event.target));
    if (digit && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const row = this.rows[Number(digit[1]) - 1];
      if (row) {
        this.set(row.name, event.shiftKey ? true : Answers.next(this.now(row.name)));
        row.kind.focus();
      }
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const by = event.key === "ArrowDown" ? 1 : -1;
      this.rows[(at + by + this.rows.length) % this.rows.length].kind.focus();
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const all = [...this.rows[at].element.querySelectorAll("button")];
      all[(all.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : all.length - 1)) % all.length].focus();
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return;
    }
    event.preventDefault();
  }

  close(focus = true) {
    if (!this.shown) return;
    this.box.hidden = true;
    if (!focus) return;
    if (this.back?.isConnected) this.back.focus();
    else this.desk.form.focus();
  }
}
