// One answer of magic: asked for, read word by word, come back to. The studio writes it whether or not anybody reads.
import { csrf, lines, sentence } from "./ndjson.js";

const PAUSE = 1000; // milliseconds between two looks at a text that is written elsewhere
const KEPT = ["run", "text", "thoughts", "facts", "state", "problem"];
const ANY_RUN = "00000000-0000-0000-0000-000000000000"; // stands in an address for the run's id

export class Answer {
  /** `changed(more)` is called when something has changed; `more` is what was added to the text, if only that. */
  constructor(words, changed, kept = {}) {
    this.words = words; // addresses and sentences
    this.changed = changed;
    this.run = null;
    this.text = "";
    this.thoughts = "";
    this.facts = {}; // label, version, model, seconds, as the studio tells them
    this.state = "writing"; // writing, done, stopped, failed
    this.problem = "";
    this.startedAt = Date.now();
    Object.assign(this, kept);
  }

  get isWriting() {
    return this.state === "writing";
  }

  /** What is kept of it over a reload. */
  get kept() {
    return Object.fromEntries(KEPT.map((name) => [name, this[name]]));
  }

  /** Ask for it: `url` and `body` say what for, `previous` names the run that it is made again after, or made of. */
  async begin(url, body, previous) {
    const sent = new URLSearchParams(body);
    if (previous) sent.set("previous", previous);
    try {
      const response = await fetch(url, { method: "POST", body: sent, headers: { ...csrf(), Accept: "application/x-ndjson" } });
      if (response.ok) for await (const line of lines(response)) this.take(line);
      else this.end({ state: "failed", error: await sentence(response, this.words.failed) });
    } catch {
      if (!this.run) this.end({ state: "failed", error: this.words.offline });
    }
    if (this.isWriting) await this.follow(); // the connection broke; the studio writes on
  }

  take({ run, text, thinking, state, ...facts }) {
    if (run) Object.assign(this, { run, facts: { ...this.facts, ...facts } });
    if (thinking) this.thoughts += thinking;
    if (text) this.text += text;
    if (state) this.end({ state, ...facts });
    else if (!facts.silence) this.changed(text);
  }

  end({ state, error, ...facts }) {
    if (!this.isWriting) return;
    Object.assign(this, { state, problem: error ?? "", facts: { ...this.facts, ...facts } });
    this.changed();
  }

  /** Look again and again at a text that is written, until it is whole; where it meets who writes it, it reads along. */
  async follow() {
    while (this.isWriting) {
      const headers = { Accept: "application/x-ndjson, application/json" };
      const response = await fetch(this.words.runUrl.replace(ANY_RUN, this.run), { headers }).catch(() => null);
      if (response?.headers.get("Content-Type") === "application/x-ndjson") await this.readAlong(response);
      else if (response?.ok) {
        const { text, thinking, state, ...facts } = await response.json();
        Object.assign(this, { text, thoughts: thinking ?? "" });
        if (state === "writing") this.changed();
        else this.end({ state, ...facts });
      } else if (response) this.end({ state: "failed", error: await sentence(response, this.words.failed) });
      if (this.isWriting) await new Promise((resolve) => { setTimeout(resolve, PAUSE); }); // offline, too: it may come back
    }
  }

  /** Take in a stream that begins with the first word again. */
  async readAlong(response) {
    let isFresh = false;
    try {
      for await (const line of lines(response)) {
        if (isFresh || !(line.text || line.thinking)) this.take(line);
        else {
          isFresh = true;
          Object.assign(this, { text: line.text ?? "", thoughts: line.thinking ?? "" });
          this.changed();
        }
      }
    } catch { /* the connection broke again */ }
  }

  /** Have the writing stopped; what came so far is kept. Return what went wrong with that, in words. */
  async stop() {
    if (!this.run || !this.isWriting) return "";
    const response = await fetch(this.words.stopUrl.replace(ANY_RUN, this.run), { method: "POST", headers: csrf() }).catch(() => null);
    if (response?.ok) return "";
    return response ? sentence(response, this.words.failed) : this.words.offline;
  }
}
