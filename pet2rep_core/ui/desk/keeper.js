// Every click is on its way to the server at once. What the server has not confirmed stays here and in the tab's own
// storage, and is sent again until it has.
const FIRST_RETRY_MS = 800;
const LONGEST_RETRY_MS = 5000;
const REFUSED_MS = 10000; // a full disk, say, may have room again
const TYPING_MS = 500;
const STORE = "pet2rep desk";

export class Keeper {
  constructor(desk) {
    this.desk = desk;
    this.onLine = () => this.again();
    this.onHide = () => { if (document.visibilityState === "hidden") this.flush(); };
    window.addEventListener("online", this.onLine);
    document.addEventListener("visibilitychange", this.onHide);
  }

  close() {
    window.removeEventListener("online", this.onLine);
    document.removeEventListener("visibilitychange", this.onHide);
    this.flush();
    this.end();
  }

  begin(item) {
    this.end();
    this.item = item;
    this.version = this.kept = 0;
    this.keptAt = null;
    this.base = JSON.stringify(this.desk.answers.now);
    this.lost = this.stale = false;
    this.attempt = 0;
  }

  end() {
    clearTimeout(this.waiting);
    clearTimeout(this.typing);
    this.item = null;
  }

  get name() {
    const { study, reader } = this.desk.data;
    return [STORE, study, reader, this.item.code, this.item.stage, this.item.draft.revision].join("/");
  }

  get pending() {
    return Boolean(this.item) && this.version > this.kept;
  }

  // What this tab could not send before it was reloaded, if nothing else has reached the server since.
  unsent() {
    let left = null;
    try {
      left = JSON.parse(sessionStorage.getItem(this.name));
    } catch { /* no storage, or not ours */ }
    return left && left.base === this.base ? left.said : null;
  }

  changed({ typing = false } = {}) {
    if (!this.item) return;
    this.version += 1;
    this.put();
    clearTimeout(this.typing);
    if (typing) this.typing = setTimeout(() => this.send(), TYPING_MS);
    else this.send();
    this.desk.showState();
  }

  put() {
    try {
      sessionStorage.setItem(this.name, JSON.stringify({ base: this.base, said: this.desk.answers.now }));
    } catch { /* full or forbidden: it is still in memory */ }
  }

  forget() {
    try {
      sessionStorage.removeItem(this.name);
    } catch { /* as above */ }
  }

  // One request at a time; what was clicked meanwhile goes with the next.
  async send() {
    clearTimeout(this.typing);
    clearTimeout(this.waiting);
    if (this.sending || !this.pending || this.stale || this.desk.submitting) return;
    const { item, version } = this;
    const said = JSON.stringify(this.desk.answers.now);
    this.sending = this.desk.server.keep(item.code, this.desk.draft());
    try {
      const answer = await this.sending;
      if (this.item !== item) return;
      this.base = said;
      this.kept = version;
      this.keptAt = new Date(answer.kept_at);
      this.came();
      if (this.pending) this.put();
      else this.forget();
    } catch (error) {
      if (this.item === item) this.failed(error, () => this.send());
    } finally {
      this.sending = null;
      this.desk.showState();
    }
    if (this.pending && !this.lost && !this.stale && !this.refused) this.send();
  }

  // Wait for what is on its way: a draft that the server reads after the answer it belongs to is stale there.
  async quiet() {
    await this.sending?.catch(() => {}); // "send" deals with it
  }

  came() {
    this.lost = false;
    this.refused = false;
    this.attempt = 0;
  }

  // Lost connection: try again, later and later. Leave that ran out: ask the page for more. Stale: say so, and stop.
  failed(error, again) {
    if (error.stale) {
      this.stale = true;
      this.desk.showStale(error.message);
      return;
    }
    if (error.status && !error.passing && !error.expired) {
      this.refused = true;
      this.desk.say(error.message);
      if (this.desk.submitting) return;
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.send(), REFUSED_MS);
      return;
    }
    this.lost = true;
    this.attempt += 1;
    this.retry = again;
    if (error.expired) this.desk.askForLeave();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(again, Math.min(FIRST_RETRY_MS * 2 ** (this.attempt - 1), LONGEST_RETRY_MS));
    this.desk.showState();
  }

  // The line is back, or there is fresh leave.
  again() {
    if (!this.lost || !this.item) return;
    this.attempt = 0;
    clearTimeout(this.waiting);
    this.retry();
  }

  // The page goes away: one last try, which the browser carries on with by itself.
  flush() {
    if (!this.pending || this.stale || this.desk.submitting) return;
    this.desk.server.keep(this.item.code, this.desk.draft(), { last: true }).catch(() => {}); // it is in the storage
  }
}
