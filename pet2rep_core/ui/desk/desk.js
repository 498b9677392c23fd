// The reading desk: one item at a time, both reports, the scores. Streamlit is asked only for the images of the next item.
import { Answers } from "./answers.js";
import { Clock, minutes } from "./clock.js";
import { button, key, make, newId } from "./dom.js";
import { Foot, Form } from "./form.js";
import { Keeper } from "./keeper.js";
import { Keys } from "./keys.js";
import { Menu, Reports } from "./reports.js";
import { Server } from "./server.js";
import { Sheet } from "./sheet.js";

const IMAGES_AGAIN_MS = 3000; // ask the page once more for the images of the item
const TOO_SOON_MS = 500; // a second Enter this soon is a slip of the finger

// Streamlit says its colours, not whether they are dark.
function isDark(element) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  if (!canvas) return false;
  canvas.fillStyle = getComputedStyle(element).getPropertyValue("--st-background-color").trim() || "#fff";
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return red + green + blue < 384;
}

export class Desk {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.frame = this.find(".desk");
    this.frame.desk = this; // for the browser tests
    this.form = new Form(this);
    this.foot = new Foot(this);
    this.reports = new Reports(this);
    this.menu = new Menu(this);
    this.sheet = new Sheet(this);
    this.keeper = new Keeper(this);
    this.clock = new Clock((ms) => this.showTime(ms));
    this.keys = new Keys(this);
  }

  close() {
    this.keeper.close();
    this.clock.close();
    this.keys.close();
    this.menu.end();
    clearInterval(this.matching);
    this.closed = true;
  }

  text(name, values = {}) {
    return Object.entries(values).reduce((said, [key, value]) => said.replace(`{${key}}`, value), this.data.texts[name]);
  }

  update(component) {
    const before = this.data;
    this.component = component;
    this.data = component.data;
    this.server = new Server(this.data);
    this.frame.classList.toggle("dark", isDark(this.frame));
    const { study, reader, language, token } = this.data;
    if (before?.study !== study || before?.reader !== reader) this.open(this.data.code);
    else if (before.language !== language) this.buildAll();
    if (before && before.token !== token) this.keeper.again();
    this.match();
  }

  // Nothing may be changed: another tab has the item, the item is closed, or an answer is on its way.
  get locked() {
    return !this.item || !this.item.may_submit || this.keeper.stale || Boolean(this.submitting) || !this.matched;
  }

  get amends() {
    return this.item.needs_reason;
  }

  async open(code, { anew = false } = {}) {
    const opening = this.opening = {};
    this.sheet.hide();
    this.say("");
    try {
      const said = await this.server.desk(code);
      if (this.opening !== opening || this.closed) return;
      this.misses = 0;
      if (said.item) this.take(said, anew);
      else this.finish(said);
    } catch (error) {
      if (this.opening !== opening || this.closed) return;
      this.cannotOpen(error, opening, () => this.open(code, { anew }));
    }
  }

  // The line or the server is away: go on trying. Anything else is said, with a button.
  cannotOpen(error, opening, again) {
    const passing = error.status === undefined || error.passing || error.expired;
    if (error.expired) this.askForLeave();
    this.misses = (this.misses ?? 0) + 1;
    this.say(passing ? this.text("cannot_open") : error.message, button("", this.text("again"), again));
    if (passing) setTimeout(() => this.opening === opening && !this.closed && again(), Math.min(500 * 2 ** this.misses, 5000));
  }

  take({ item, study }, anew) {
    Object.assign(this, { item, study, submitting: null });
    this.event = newId();
    this.answers = new Answers(item.draft);
    this.keeper.begin(item);
    const unsent = anew ? null : this.keeper.unsent();
    if (unsent) this.answers.now = unsent;
    this.clock.begin(item.draft.active_ms);
    this.since = performance.now();
    if (this.data.code !== item.code) this.component.setStateValue("code", item.code);
    this.match();
    this.buildAll();
    const [first] = this.answers.open(this.form.keys);
    this.form.goTo(first === undefined ? 0 : this.form.keys.indexOf(first), { focus: false });
    this.announce(`${this.itemName()}. ${this.stageName()}`);
    if (unsent) this.keeper.changed();
  }

  // The page draws the images of the item that it knows by its code. Until it has them the item cannot be rated: what
  // is seen would be another patient.
  match() {
    if (!this.item) return;
    const before = this.matched;
    this.matched = this.data.code === this.item.code;
    clearInterval(this.matching);
    const veil = this.find(".veil");
    veil.hidden = this.matched;
    veil.textContent = this.matched ? "" : this.text("images_come");
    if (!this.matched) this.matching = setInterval(() => {
      veil.textContent = this.text("images_late");
      this.component.setStateValue("code", this.item.code);
      this.component.setTriggerValue("again", newId());
    }, IMAGES_AGAIN_MS);
    if (before !== this.matched && this.foot.save) this.show();
  }

  askForLeave() {
    this.component.setTriggerValue("again", newId());
  }

  buildAll() {
    this.frame.setAttribute("aria-label", this.text("label"));
    this.frame.lang = this.data.language;
    this.keys.build();
    if (!this.item) return;
    this.buildHead();
    this.form.build();
    this.foot.build();
    this.reports.build();
    this.show();
    this.form.goTo(this.form.at, { focus: false });
  }

  buildHead() {
    const { item } = this;
    const where = make("span", "where", this.itemName());
    const bar = make("progress", "progress");
    bar.max = item.total;
    bar.value = item.done;
    bar.title = this.text("progress", { done: item.done, total: item.total });
    bar.setAttribute("aria-label", bar.title);
    this.stageChip = make("span", "stage", this.stageName());
    this.stageChip.dataset.stage = item.training ? "training" : item.stage;
    this.time = make("span", "time");
    this.time.title = this.text("active_time");
    this.state = make("span", "state");
    const list = button("quiet", this.text("list"), () => this.sheet.list());
    list.append(" ", key("P"));
    const help = button("quiet", "?", () => this.keys.toggleHelp(), this.text("help"));
    this.find(".head").replaceChildren(where, bar, this.stageChip, make("span", "gap"), this.state, this.time, list, help);
    this.showTime(this.clock.ms);
  }

  itemName() {
    const { number, total, training } = this.item;
    return this.text(training ? "training_item" : "item", { n: number, total });
  }

  stageName() {
    if (this.item.stage === "provisional") return this.text("stage_provisional");
    return this.text(this.study.staged ? "stage_final" : "stage_only");
  }

  show() {
    if (!this.item) return;
    this.frame.dataset.code = this.item.code;
    this.frame.dataset.stage = this.item.stage;
    this.frame.classList.toggle("locked", this.locked);
    this.form.show();
    this.foot.show();
    this.reports.show();
    this.showState();
  }

  showTime(ms) {
    if (this.time) this.time.textContent = minutes(ms);
  }

  // What has become of the answers, in words.
  showState() {
    if (!this.item || !this.state) return;
    const { keeper, item } = this;
    let [kind, said] = ["", ""];
    if (keeper.stale) [kind, said] = ["bad", this.text("state_stale")];
    else if (keeper.lost) [kind, said] = ["bad", this.text("state_lost")];
    else if (keeper.refused) [kind, said] = ["bad", this.text("state_refused")];
    else if (this.submitting) [kind, said] = ["busy", this.text("state_saving")];
    else if (keeper.pending) [kind, said] = ["busy", this.text("state_keeping")];
    else if (keeper.keptAt) [kind, said] = ["good", this.text("state_kept", { time: this.timeOf(keeper.keptAt) })];
    else if (item.source === "draft") [kind, said] = ["good", this.text("state_was_kept")];
    else if (item.draft.revision) [kind, said] = ["good", this.text("state_saved", { revision: item.draft.revision })];
    if (this.savedBefore && !kind) [kind, said] = ["good", this.savedBefore];
    this.state.dataset.kind = kind;
    if (this.state.textContent !== said) this.state.textContent = said;
    this.frame.dataset.state = keeper.stale ? "stale" : keeper.lost ? "lost" : this.submitting ? "saving" : keeper.pending ? "keeping" : "kept";
  }

  timeOf(at) {
    return at.toLocaleTimeString(this.data.language === "zh" ? "zh-CN" : "en-GB", { hour12: false });
  }

  // One sentence above the reports, with what can be done about it.
  say(message, ...actions) {
    const notice = this.find(".notice");
    notice.replaceChildren(message, ...actions.flatMap((action) => [" ", action]));
    notice.hidden = !message;
  }

  announce(message) {
    this.find(".live").textContent = message;
  }

  showStale(message) {
    this.say(message || this.text("stale"), button("", this.text("take_over"), () => {
      this.keeper.forget(); // what this tab did not get through is not to be mixed with what the other one did
      this.open(this.item.code, { anew: true });
    }));
    this.show();
  }

  draft() {
    const { opening, revision, stage } = this.item.draft;
    return { opening, stage, revision, active_ms: this.clock.count(), ...this.answers.now };
  }

  score(n, value) {
    if (this.locked) return;
    const dimension = this.form.rows[n]?.dimension;
    if (!dimension) return;
    const inForm = this.form.box.contains(this.root.activeElement ?? this.frame.getRootNode().activeElement);
    this.answers.score(dimension.key, value);
    this.changed();
    this.announce(`${dimension.name}: ${value === null ? this.text("not_assessable_long") : `${value}, ${dimension.anchors[value]}`}`);
    if (value === null) this.form.focusReason(n);
    else this.form.moveOn(n, inForm);
  }

  mark(list, where, kind, significant) {
    if (this.locked) return;
    this.answers.mark(list, where, kind, significant);
    this.changed();
  }

  typed(field, how) {
    if (this.locked) return;
    this.answers.change(how, field);
    this.keeper.changed({ typing: true });
    this.foot.show();
  }

  takeBack() {
    if (this.locked || !this.answers.takeBack()) return;
    this.changed();
    const [first] = this.answers.open(this.form.keys);
    if (first !== undefined) this.form.goTo(this.form.keys.indexOf(first), { focus: false });
    this.announce(this.text("taken_back"));
  }

  changed() {
    this.say("");
    this.show();
    this.keeper.changed();
  }

  // Save what is complete and go on; otherwise say what is missing, and go there.
  submit() {
    if (this.locked || performance.now() - this.since < TOO_SOON_MS) return;
    const missing = this.missing();
    if (missing) {
      this.say(missing.said);
      missing.go();
      return;
    }
    this.menu.close(false);
    this.submitting = { event_id: this.event, reason: this.foot.why.value.trim() };
    this.say("");
    this.show();
    this.sendSubmission();
  }

  missing() {
    const { keys } = this.form;
    const names = (found) => found.map((one) => this.form.rows[keys.indexOf(one)].dimension.name).join(this.data.language === "zh" ? "、" : ", ");
    const open = this.answers.open(keys);
    if (open.length) return { said: this.text("open", { names: names(open) }), go: () => this.form.goTo(keys.indexOf(open[0])) };
    const unexplained = this.answers.unexplained(keys);
    if (unexplained.length) return { said: this.text("say_why", { names: names(unexplained) }), go: () => this.form.focusReason(keys.indexOf(unexplained[0])) };
    if (this.amends && !this.foot.why.value.trim()) return { said: this.text("change_needs_reason"), go: () => this.foot.why.focus() };
    return null;
  }

  // A study that is locked: ask a researcher for leave to change this item.
  async askUnlock() {
    const reason = this.foot.why.value.trim();
    if (!reason) {
      this.say(this.text("change_needs_reason"));
      this.foot.why.focus();
      return;
    }
    try {
      await this.server.unlock(this.item.code, reason);
      this.item.unlock = "asked";
      this.say(this.text("unlock_sent"));
      this.show();
    } catch (error) {
      this.say(error.status && !error.passing && !error.expired ? error.message : this.text("cannot_open"));
    }
  }

  // The same event until the server confirms it: sent twice it is saved once.
  async sendSubmission() {
    const { item, keeper, submitting } = this;
    await keeper.quiet();
    if (this.item !== item || this.submitting !== submitting) return;
    try {
      const said = await this.server.submit(item.code, { ...this.draft(), ...submitting });
      if (this.item !== item || this.submitting !== submitting) return;
      keeper.came();
      keeper.forget();
      keeper.end();
      this.clock.stop();
      this.submitted(said);
    } catch (error) {
      if (this.item !== item || this.submitting !== submitting) return;
      keeper.failed(error, () => this.sendSubmission());
      if (keeper.lost) return;
      this.submitting = null; // it was refused: what is missing can be given
      this.event = newId();
      this.show();
    }
  }

  submitted(said) {
    this.keeper.keptAt = null;
    this.savedBefore = this.text(said.next_stage ? "state_saved_first" : "state_saved_before", { revision: said.revision, time: this.timeOf(new Date(said.saved_at)) });
    this.announce(this.savedBefore);
    if (said.next_stage) {
      this.open(this.item.code, { anew: true });
      return;
    }
    const goOn = () => (said.next_code ? this.open(said.next_code, { anew: true }) : this.open(null, { anew: true }));
    this.submitting = null;
    this.item.may_submit = false; // it is in; what comes next is being opened
    this.item.unlock = "";
    this.show();
    if (said.feedback) this.sheet.feedback(said.feedback, goOn);
    else goOn();
  }

  // Nothing is left to rate: the question about the models, then the end.
  finish(said) {
    this.item = null;
    this.keeper.end();
    this.clock.stop();
    this.find(".veil").hidden = true;
    clearInterval(this.matching);
    this.frame.dataset.code = "";
    this.frame.dataset.stage = "";
    this.study = said.study;
    for (const part of [".head", ".reports", ".form", ".foot"]) this.find(part).replaceChildren();
    this.keys.build();
    if (this.data.code) this.component.setStateValue("code", "");
    this.sheet.closing(said.empty);
  }
}
