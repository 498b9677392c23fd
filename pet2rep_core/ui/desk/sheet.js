// What lies over the desk for a moment: the help, the reader's items, the feedback of a training item, the end.
import { button, key, make, newId } from "./dom.js";

const MARKS = { open: "○", draft: "◔", provisional: "◑", done: "●" };

export class Sheet {
  constructor(desk) {
    this.desk = desk;
    this.box = desk.find(".sheet");
    this.box.addEventListener("keydown", (event) => this.handle(event));
  }

  get shown() {
    return !this.box.hidden;
  }

  get mayClose() {
    return this.closes;
  }

  open(name, content, { closes = true, whole = false, focus = null } = {}) {
    this.closes = closes;
    this.box.classList.toggle("whole", whole);
    this.before = this.shown ? this.before : this.desk.frame.getRootNode().activeElement;
    const inner = make("div", "paper");
    inner.append(...content);
    this.box.setAttribute("role", "dialog");
    this.box.setAttribute("aria-label", name);
    this.box.replaceChildren(inner);
    this.box.hidden = false;
    (focus ?? this.box.querySelector("button, input, select, textarea"))?.focus();
  }

  hide() {
    if (!this.shown) return;
    this.box.hidden = true;
    this.box.replaceChildren();
    if (this.before?.isConnected) this.before.focus();
  }

  // The Tab key stays on the sheet.
  handle(event) {
    event.stopPropagation();
    if (event.key === "?" && this.closes && !event.target.matches("input, textarea")) {
      event.preventDefault();
      this.hide();
      return;
    }
    if (event.key !== "Tab") return;
    const all = [...this.box.querySelectorAll("button:not([disabled]), input, select, textarea")];
    const at = all.indexOf(event.target);
    const next = event.shiftKey ? at - 1 : at + 1;
    if (next >= 0 && next < all.length) return;
    event.preventDefault();
    all.at(event.shiftKey ? -1 : 0)?.focus();
  }

  // Numbers and states of the reader's items; nothing else is known of them here.
  async list() {
    const { desk } = this;
    let said;
    try {
      said = await desk.server.items();
    } catch (error) {
      desk.say(error.status && !error.passing && !error.expired ? error.message : desk.text("cannot_open"));
      return;
    }
    const grid = make("div", "items");
    grid.setAttribute("role", "group");
    grid.setAttribute("aria-label", desk.text("list"));
    let current = null;
    for (const item of said.items) {
      const number = item.training ? desk.text("training_number", { n: item.number }) : String(item.number);
      const one = button("item", "", () => this.jump(item.code), `${number}: ${desk.text(`item_${item.state}`)}`);
      one.disabled = !item.may_open;
      const sign = make("span", "sign", MARKS[item.state]);
      sign.setAttribute("aria-hidden", "true");
      one.append(sign, number);
      one.dataset.state = item.state;
      one.title = desk.text(`item_${item.state}`);
      if (item.code === desk.item?.code) {
        one.setAttribute("aria-current", "true");
        current = one;
      }
      grid.append(one);
    }
    grid.addEventListener("keydown", (event) => this.walk(event, grid));
    const legend = make("p", "hint", Object.entries(MARKS).map(([state, sign]) => `${sign} ${desk.text(`item_${state}`)}`).join("   "));
    const buttons = make("div", "buttons");
    buttons.append(button("save", desk.text("next_open"), () => this.jump(null)));
    if (desk.item) buttons.append(button("quiet", desk.text("close"), () => this.hide()));
    this.open(desk.text("list"), [make("h3", "", desk.text("list")), legend, grid, buttons], { closes: Boolean(desk.item), focus: current ?? grid.querySelector("button") });
  }

  walk(event, grid) {
    const all = [...grid.children].filter(({ disabled }) => !disabled);
    const perRow = all.filter(({ offsetTop }) => offsetTop === all[0].offsetTop).length;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: perRow, ArrowUp: -perRow }[event.key];
    if (!by) return;
    event.preventDefault();
    all[Math.min(Math.max(all.indexOf(event.target) + by, 0), all.length - 1)].focus();
  }

  jump(code) {
    this.hide();
    this.desk.keeper.flush();
    this.desk.open(code);
  }

  // The item before or after, in the reader's own order.
  step(by) {
    const code = by < 0 ? this.desk.item.previous : this.desk.item.next;
    if (code) this.jump(code);
  }

  // After a training item: the reader's scores beside the consensus.
  feedback({ rows, passed, note, within_one: share }, goOn) {
    const { desk } = this;
    const table = make("table");
    const head = make("tr");
    head.append(...["dimension", "yours", "consensus", "difference"].map((name) => make("th", "", desk.text(name))));
    table.append(head);
    for (const named of desk.data.rubric) {
      const { yours, consensus } = rows.find(({ dimension }) => dimension === named.key) ?? {};
      if (consensus === undefined) continue;
      const row = make("tr");
      const shown = (value) => (value === null || value === undefined ? "–" : String(value));
      const away = typeof yours === "number" && typeof consensus === "number" ? yours - consensus : null;
      const difference = make("td", "", away === null ? "–" : away === 0 ? "✓" : `${away > 0 ? "+" : "−"}${Math.abs(away)}`);
      if (away !== null) difference.dataset.away = String(Math.min(Math.abs(away), 2));
      const anchor = make("td", "anchor", named.anchors[consensus] ?? "");
      row.append(make("th", "", named.name), make("td", "", shown(yours)), make("td", "", shown(consensus)), difference, anchor);
      table.append(row);
    }
    head.append(make("th", "", desk.text("consensus_means")));
    const words = [make("h3", "", desk.text("feedback")), make("p", "", desk.text("feedback_lead", { share: Math.round(share * 100) })), table];
    if (note) words.push(make("p", "note", note));
    if (typeof passed === "boolean") words.push(make("p", "passed", desk.text(passed ? "training_passed" : "training_failed")));
    const go = button("save", desk.text("go_on"), () => {
      this.hide();
      goOn();
    });
    go.append(" ", key("⏎"));
    this.open(desk.text("feedback"), [...words, go], { closes: false, focus: go });
  }

  // No item to open: why. At the end of a study first the question which models they were, then thanks.
  async closing(empty) {
    const { desk } = this;
    const { reason, done, total, guess } = empty;
    const title = make("h3", "", desk.text(`empty_${reason}`));
    const lead = make("p", "", desk.text(`empty_${reason}_lead`, { done, total }));
    const list = button("quiet", desk.text("list"), () => this.list());
    if (!guess) {
      const thanks = this.guessed ? [make("p", "", desk.text("guess_thanks"))] : [];
      this.open(title.textContent, [title, lead, ...thanks, ...(total ? [list] : [])], { closes: false, whole: true });
      return;
    }
    const { items } = await desk.server.items().catch(() => ({ items: [] }));
    if (desk.item) return; // the reader has gone back to one meanwhile
    const number = (code) => items.find((item) => item.code === code)?.number ?? "?";
    const general = this.field(desk.text("guess_general"), "");
    const asked = [...guess.codes].sort((a, b) => number(a) - number(b));
    const fields = asked.map((code) => this.field(desk.text("guess_item", { n: number(code) }), code));
    const problem = make("p", "problem");
    problem.setAttribute("role", "alert");
    const event = newId();
    const send = async (none) => {
      const said = Object.fromEntries([general, ...fields].map(({ code, input }) => [code, input.value.trim()]).filter(([, words]) => words));
      if (!none && !Object.keys(said).length) {
        problem.textContent = desk.text("guess_empty");
        general.input.focus();
        return;
      }
      try {
        await desk.server.guess({ guesses: none ? {} : said, event_id: event, comment: none ? "no idea" : "" });
        this.guessed = true;
        this.closing({ ...empty, guess: null });
      } catch (error) {
        problem.textContent = error.status && !error.passing && !error.expired ? error.message : desk.text("guess_lost");
        if (error.expired) desk.askForLeave();
      }
    };
    const rows = make("div", "guesses");
    rows.append(...[general, ...fields].map(({ element }) => element));
    const buttons = make("div", "buttons");
    buttons.append(button("save ready", desk.text("guess_send"), () => send(false)), button("quiet", desk.text("guess_none"), () => send(true)), list);
    this.open(title.textContent, [title, lead, make("p", "question", desk.text("guess_question")), rows, problem, buttons], { closes: false, whole: true, focus: general.input });
  }

  // A line to write a model's name into; no names to choose from are known here.
  field(label, code) {
    const element = make("label", "guess", label);
    const input = Object.assign(make("input"), { type: "text", maxLength: 200, placeholder: code ? "" : this.desk.text("guess_hint") });
    element.append(input);
    return { element, input, code };
  }
}
