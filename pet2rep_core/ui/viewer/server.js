// What the viewer asks of the server beside the volumes: the reader's settings and measurements.
import { Refused } from "./volume.js";

const SETTINGS = new Map(); // reader -> settings, so that the next case need not ask again

export class Server {
  constructor(data) {
    this.source = data.source;
    this.language = data.language;
  }

  async ask(path, body) {
    const { api, token } = this.source;
    const answer = await fetch(`${api}/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "X-Case-Token": token, "Accept-Language": this.language, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      credentials: "same-origin",
      keepalive: body !== undefined,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Refused.of(answer.status, said);
    return said;
  }

  // A picture of the case, or null where there is none: the volumes bring theirs.
  async picture(path, query) {
    const { api, token } = this.source;
    try {
      const answer = await fetch(`${api}/${path}?${new URLSearchParams(query)}`, { headers: { "X-Case-Token": token }, credentials: "same-origin" });
      return answer.ok ? await createImageBitmap(await answer.blob()) : null;
    } catch {
      return null;
    }
  }

  // The reader's settings, or null where there are none or they cannot be read: the viewer then has its defaults.
  async settings() {
    const { reader } = this.source;
    if (!SETTINGS.has(reader)) {
      try {
        SETTINGS.set(reader, await this.ask("settings"));
      } catch {
        return null;
      }
    }
    return SETTINGS.get(reader);
  }

  saveSettings(settings) {
    SETTINGS.set(this.source.reader, settings);
    this.ask("settings", settings).catch(() => {}); // they still hold for this tab
  }
}
