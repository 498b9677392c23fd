// What the desk asks of the server: JSON both ways, with the leave that the page was given.
export class Refused extends Error {
  constructor(status, said) {
    super([said.error, said.hint].filter(Boolean).join(" "));
    this.status = status;
    this.expired = status === 403 && said.hint === undefined; // only leave that has run out comes without a hint
    this.stale = status === 409;
  }

  // Worth trying again: the server or the way to it is down, or the store is busy.
  get passing() {
    return this.status >= 500;
  }
}

const PATIENCE_MS = 15000;

export class Server {
  constructor(data) {
    this.api = data.api;
    this.token = data.token;
    this.language = data.language;
  }

  async ask(path, body, { last = false } = {}) {
    const abort = new AbortController();
    const patience = setTimeout(() => abort.abort(), PATIENCE_MS);
    try {
      const answer = await fetch(`${this.api}/${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: { "X-Study-Token": this.token, "Accept-Language": this.language, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
        credentials: "same-origin",
        cache: "no-store",
        keepalive: last,
        signal: abort.signal,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      // A proxy that lost the server answers with a page of its own.
      const said = await answer.json().catch(() => null);
      if (!answer.ok) throw new Refused(answer.status, said ?? { hint: "" });
      if (said === null) throw new Error("cut off");
      return said;
    } finally {
      clearTimeout(patience);
    }
  }

  desk(code) {
    return this.ask(code ? `desk?code=${encodeURIComponent(code)}` : "desk");
  }

  items() {
    return this.ask("items");
  }

  keep(code, draft, options) {
    return this.ask(`items/${encodeURIComponent(code)}/draft`, draft, options);
  }

  submit(code, draft) {
    return this.ask(`items/${encodeURIComponent(code)}/submit`, draft);
  }

  unlock(code, reason) {
    return this.ask(`items/${encodeURIComponent(code)}/unlock`, { reason });
  }

  guess(guess) {
    return this.ask("guess", guess);
  }
}
