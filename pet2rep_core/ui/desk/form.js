// The five dimensions, one line each: 1 to 5, not assessable, and the printed anchor of what is chosen or pointed at.
import { button, key, make } from "./dom.js";

const VALUES = [1, 2, 3, 4, 5];

export class Form {
  constructor(desk) {
    this.desk = desk;
    this.box = desk.find(".form");
    this.at = 0;
  }

  get keys() {
    return this.desk.data.rubric.map(({ key: name }) => name);
  }

  build() {
    this.rows = this.desk.data.rubric.map((dimension, n) => this.row(dimension, n));
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", this.desk.text("rating"));
    this.box.replaceChildren(...this.rows.map(({ element }) => element));
  }

  row(dimension, n) {
    const element = make("div", "row");
    const name = make("div", "name", dimension.name);
    name.title = dimension.question;
    name.onclick = () => this.goTo(n);
    const scale = make("div", "scale");
    scale.setAttribute("role", "radiogroup");
    scale.setAttribute("aria-label", dimension.name);
    const row = { element, dimension, n, buttons: new Map(), hovered: undefined };
    for (const value of VALUES) scale.append(this.value(row, value, String(value), `${value}: ${dimension.anchors[value]}`));
    scale.append(this.value(row, null, this.desk.text("not_assessable"), this.desk.text("not_assessable_long")));
    row.words = make("div", "anchor");
    row.reason = this.line(row, "reasons", this.desk.text("reason"));
    row.reason.setAttribute("list", "reasons");
    row.remark = this.line(row, "comments", this.desk.text("comment_on", { name: dimension.name }));
    row.remark.onblur = () => {
      row.remarking = false;
      this.showAnchor(row);
    };
    row.note = button("note", "✎", () => this.remark(n));
    element.append(name, scale, row.words, row.reason, row.remark, row.note);
    element.addEventListener("focusin", () => this.goTo(n, { focus: false }));
    return row;
  }

  value(row, value, label, name) {
    const one = button(value === null ? "value none" : "value", label, () => this.desk.score(row.n, value), name);
    one.setAttribute("role", "radio");
    one.dataset.value = String(value);
    const point = (at) => () => {
      row.hovered = at;
      this.showAnchor(row);
    };
    one.onmouseenter = one.onfocus = point(value);
    one.onmouseleave = one.onblur = point(undefined);
    row.buttons.set(value, one);
    return one;
  }

  // A line to type into: why a dimension cannot be assessed, or a comment on it.
  line({ dimension }, what, label) {
    const field = make("input", `line ${what}`);
    field.type = "text";
    field.maxLength = 500;
    field.placeholder = label;
    field.setAttribute("aria-label", `${dimension.name}: ${label}`);
    field.oninput = () => this.desk.typed(`${what} ${dimension.key}`, (now) => {
      if (field.value) now[what][dimension.key] = field.value;
      else delete now[what][dimension.key];
    });
    return field;
  }

  // Open the comment of a row in the place of its anchor.
  remark(n = this.at) {
    const row = this.rows[n];
    if (!row || this.desk.locked) return;
    row.remarking = true;
    this.goTo(n, { focus: false });
    this.showAnchor(row);
    row.remark.focus();
  }

  // Make a row the one that the digits score.
  goTo(n, { focus = true } = {}) {
    this.at = Math.min(Math.max(n, 0), this.rows.length); // one past the last: everything is answered
    for (const row of this.rows) {
      row.element.classList.toggle("current", row.n === this.at);
      if (row.n === this.at) row.element.setAttribute("aria-current", "true");
      else row.element.removeAttribute("aria-current");
    }
    if (focus) this.focus();
  }

  focus() {
    const row = this.rows[this.at];
    if (!row) {
      this.desk.foot.save.focus();
      return;
    }
    const { answers } = this.desk.answers.now;
    const given = answers[row.dimension.key];
    row.buttons.get(given === undefined ? 3 : given).focus();
  }

  focusReason(n) {
    const row = this.rows[n];
    row.hovered = undefined; // the anchor of the value under the focus would stand in the reason's place
    this.showAnchor(row);
    this.goTo(n, { focus: false });
    row.reason.focus();
  }

  // After a score: the next row that is open, else simply the next one.
  moveOn(from, focus) {
    const { answers } = this.desk.answers.now;
    const open = (row) => !(row.dimension.key in answers);
    const next = this.rows.find((row) => row.n > from && open(row)) ?? this.rows.find(open);
    this.goTo(next ? next.n : from + 1, { focus });
  }

  show() {
    const { answers, reasons, comments } = this.desk.answers.now;
    const { item } = this.desk;
    for (const row of this.rows) {
      const given = answers[row.dimension.key];
      const first = item.provisional?.[row.dimension.key];
      for (const [value, one] of row.buttons) {
        const before = first !== undefined && value === first;
        one.setAttribute("aria-checked", String(given === value));
        one.classList.toggle("first", before);
        one.title = before ? this.desk.text("first_score") : "";
        one.tabIndex = value === (given === undefined ? 3 : given) ? 0 : -1; // one stop of the Tab key a row
        one.disabled = this.desk.locked;
      }
      row.element.classList.toggle("given", given !== undefined);
      for (const [field, kept] of [[row.reason, reasons], [row.remark, comments]]) {
        const said = kept[row.dimension.key] ?? "";
        if (field.value !== said) field.value = said;
        field.disabled = this.desk.locked;
      }
      const remark = comments[row.dimension.key] ?? "";
      row.note.classList.toggle("has", Boolean(remark));
      row.note.title = remark || this.desk.text("comment_on", { name: row.dimension.name });
      row.note.setAttribute("aria-label", this.desk.text("comment_on", { name: row.dimension.name }) + (remark ? `: ${remark}` : ""));
      row.note.disabled = this.desk.locked;
      this.showAnchor(row);
    }
  }

  showAnchor(row) {
    const given = this.desk.answers.now.answers[row.dimension.key];
    const shown = row.hovered === undefined ? given : row.hovered;
    row.words.classList.toggle("question", !shown);
    row.words.replaceChildren();
    if (shown) row.words.append(make("b", "", String(shown)), ` ${row.dimension.anchors[shown]}`);
    else row.words.append(shown === null ? this.desk.text("not_assessable_long") : row.dimension.question);
    const pointing = row.hovered !== undefined && row.hovered !== null;
    row.remark.hidden = !row.remarking;
    row.reason.hidden = row.remarking || given !== null || pointing;
    row.words.hidden = row.remarking || !row.reason.hidden;
  }
}

// Comment, what is kept, taking back, saving.
export class Foot {
  constructor(desk) {
    this.desk = desk;
    this.box = desk.find(".foot");
  }

  build() {
    const { desk } = this;
    const text = (name) => desk.text(name);
    this.comment = make("textarea", "comment");
    this.comment.rows = 1;
    this.comment.maxLength = 2000;
    this.comment.placeholder = text("comment");
    this.comment.setAttribute("aria-label", text("comment"));
    this.comment.oninput = () => desk.typed("comment", (now) => { now.comment = this.comment.value; });
    this.why = make("input", "why");
    this.why.type = "text";
    this.why.maxLength = 500;
    this.why.placeholder = text("change_reason");
    this.why.setAttribute("aria-label", text("change_reason"));
    this.back = button("quiet", text("take_back"), () => desk.takeBack());
    this.back.append(" ", key("U"));
    this.save = button("save", "", () => (desk.item.may_submit ? desk.submit() : desk.askUnlock()));
    const reasons = make("datalist");
    reasons.id = "reasons";
    reasons.append(...[1, 2, 3, 4].map((n) => Object.assign(make("option"), { value: text(`reason_${n}`) })));
    this.box.replaceChildren(this.comment, this.why, this.back, this.save, reasons);
  }

  show() {
    const { desk } = this;
    if (this.comment.value !== desk.answers.now.comment) this.comment.value = desk.answers.now.comment;
    this.comment.disabled = desk.locked;
    const { item } = desk;
    const mayAsk = !item.may_submit && item.unlock === "none";
    this.why.hidden = !desk.amends && !mayAsk;
    this.why.placeholder = desk.text(mayAsk ? "unlock_reason" : "change_reason");
    this.why.setAttribute("aria-label", this.why.placeholder);
    const name = mayAsk ? "unlock_ask" : item.unlock === "asked" ? "unlock_asked" : item.stage === "provisional" ? "reveal" : desk.amends ? "save_change" : "save_next";
    const open = desk.answers.open(desk.form.keys).length;
    this.save.replaceChildren(desk.text(name), ...(mayAsk ? [] : [" ", key("⏎")]));
    this.save.classList.toggle("ready", !open);
    this.save.disabled = mayAsk ? false : desk.locked;
    this.back.disabled = desk.locked || !desk.answers.past.length;
  }
}
