// What the reader has said about an item so far: plain data, and every step of it to take back.
const copy = (value) => JSON.parse(JSON.stringify(value));

export class Answers {
  constructor(draft) {
    const { answers, reasons, comments, comment, marks, missed } = draft;
    this.now = copy({ answers, reasons, comments, comment, marks, missed });
    this.past = [];
  }

  // Change it by a function; typing into one field is one step.
  change(how, typing = "") {
    if (!typing || this.typing !== typing) this.past.push(copy(this.now));
    this.typing = typing;
    how(this.now);
  }

  takeBack() {
    this.typing = "";
    if (!this.past.length) return false;
    this.now = this.past.pop();
    return true;
  }

  score(key, value) {
    this.change((now) => {
      now.answers[key] = value;
      if (value !== null) delete now.reasons[key];
    });
  }

  // Off, minor, significant, off again: what the next press of a kind makes of it.
  static next(found) {
    return found === undefined ? false : found ? undefined : true;
  }

  significance(list, sentence, kind) {
    return this.now[list].find((one) => one.sentence === sentence && one.kind === kind)?.significant;
  }

  // "where" is the sentence with the span of its text; without a significance the mark goes.
  mark(list, where, kind, significant) {
    const { sentence, start, end } = where;
    this.change((now) => {
      now[list] = now[list].filter((one) => one.sentence !== sentence || one.kind !== kind);
      if (significant !== undefined) now[list].push({ sentence, start, end, ...(kind && { kind }), significant });
      now[list].sort((a, b) => a.sentence - b.sentence);
    });
  }

  of(list, sentence) {
    return this.now[list].filter((one) => one.sentence === sentence);
  }

  // Dimensions without an answer, and those that are not assessable for no stated reason.
  open(keys) {
    return keys.filter((key) => !(key in this.now.answers));
  }

  unexplained(keys) {
    return keys.filter((key) => this.now.answers[key] === null && !this.now.reasons[key]?.trim());
  }
}
