// The panel under a field: what magic writes, what it changed, and what becomes of it. Nothing is overwritten unasked.
import { compare, likeness, show } from "./diff.js";
import { Answer } from "./magic_answer.js";

const PREFIX = "macai-magic:"; // in the session's storage: a panel survives a reload
const ALIKE = 0.12; // of the longer text; below this the marks would hide the words
const PATIENCE = 4000; // milliseconds without a word, after which the wait is explained
const STEPS = 20; // that can be undone
const live = new Map(); // panels by their place

/** The place of a field: the address its form is sent to, and its id. */
const placeOf = (field) => `${field.form.getAttribute("action")}#${field.id}`;

/** Return the panel of a field: as it is, or as it was before the page was loaded again. Undefined if it has none. */
export function panelOf(field) {
  const place = placeOf(field);
  if (!live.has(place)) restore(place, field);
  return live.get(place);
}

/** Return the panel of a field, a new one if it has none. */
export function panelFor(field) {
  return panelOf(field) ?? new Panel(placeOf(field), field.id);
}

function restore(place, field) {
  let kept;
  try {
    kept = JSON.parse(sessionStorage.getItem(PREFIX + place));
  } catch { /* forbidden: the panel does not survive, everything else works */ }
  // Another text stands in the field, say of a song to be made again: the panel has nothing to do with it.
  const isSameText = kept && (field.form.dataset.draft || [kept.original, kept.done.at(-1)?.to].includes(field.value));
  if (isSameText) new Panel(place, field.id).comeBack(kept);
}

/** What was sent is done with: a reload begins anew. */
document.addEventListener("draft-done", (event) => {
  for (const [place, panel] of live) {
    if (panel.field?.form.dataset.draft === event.detail.value) sessionStorage.removeItem(PREFIX + place);
  }
});

class Panel {
  constructor(place, fieldId) {
    Object.assign(this, { place, fieldId });
    this.wish = null; // {url, body, label}: what was asked for, to be asked for again
    this.answers = [];
    this.at = 0; // which of them is looked at
    this.original = ""; // what stood in the field when magic began
    this.done = []; // what the panel did to the field, the latest last: {from, to, runFrom, runTo}
    this.undone = [];
    this.isTaken = false; // the answer looked at stands in the field
    this.view = null; // changes, result
    this.element = document.getElementById("magic-panel").content.firstElementChild.cloneNode(true);
    this.words = this.element.dataset;
    this.element.addEventListener("click", (event) => this.press(event.target.closest("button[data-do]")));
    live.set(place, this);
  }

  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  /** The field as it is now: a form that comes back with errors brings a new one. Null while another page is shown. */
  get field() {
    const field = document.getElementById(this.fieldId);
    return field?.form && placeOf(field) === this.place ? field : null;
  }

  get answer() {
    return this.answers[this.at];
  }

  get isWriting() {
    return this.answers.some((answer) => answer.isWriting);
  }

  /** A field of one line takes one line. */
  get isOneLine() {
    return this.field?.matches("input") ?? false;
  }

  /** What goes into the field. */
  get result() {
    const text = this.answer.text.trim();
    return this.isOneLine ? titleOf(text.split("\n").find((line) => line.trim()) ?? "") : text;
  }

  /** Stand under the field, wherever it is now. */
  attach() {
    const slot = document.querySelector(`[data-magic-slot="${CSS.escape(this.fieldId)}"]`);
    if (!slot || !this.field) return;
    slot.replaceChildren(this.element);
    const label = this.field.labels[0].firstChild.textContent.trim();
    this.element.setAttribute("aria-label", this.words.of.replace("{field}", label)); // several panels are told apart
    this.draw();
  }

  // --- What magic writes ---

  /** Have something written. `previous` names the run that made what stands in the field. */
  begin(wish, previous = "") {
    this.wish = wish;
    this.original = this.field.value;
    this.answers = [];
    this.add(previous);
  }

  add(previous) {
    const answer = new Answer(this.words, (more) => this.hear(answer, more), { facts: { label: this.wish.label } });
    this.answers.push(answer);
    Object.assign(this, { at: this.answers.length - 1, view: null, isTaken: false });
    this.attach();
    answer.begin(this.wish.url, this.wish.body, previous);
    this.tick(answer);
  }

  hear(answer, more) {
    if (!this.answers.includes(answer)) return;
    if (!more || !answer.isWriting) this.keep();
    if (answer !== this.answer) return;
    if (more && answer.isWriting) this.append(more);
    else this.draw();
  }

  /** Count the seconds, and explain a long wait. */
  tick(answer) {
    if (answer !== this.answer || !answer.isWriting) return;
    this.drawFacts();
    if (!answer.text && Date.now() - answer.startedAt > PATIENCE) this.say(answer.thoughts ? this.words.thinking : this.words.loading);
    setTimeout(() => this.tick(answer), 1000);
  }

  // --- What becomes of it ---

  press(button) {
    const verbs = {
      stop: () => this.stop(),
      replace: () => this.replace(button.dataset.line ?? this.result),
      append: () => this.appendToField(),
      again: () => this.add(this.answer.run ?? ""),
      undo: () => this.undo(),
      redo: () => this.redo(),
      discard: () => this.discard(),
      changes: () => this.look({ view: "changes" }),
      result: () => this.look({ view: "result" }),
      before: () => this.look({ at: this.at - 1, view: null, isTaken: false }),
      after: () => this.look({ at: this.at + 1, view: null, isTaken: false }),
      yes: () => this.decide(true),
      no: () => this.decide(false),
    };
    verbs[button?.dataset.do]?.();
  }

  async stop() {
    const problem = await this.answer.stop();
    if (problem) this.say(problem);
  }

  replace(text) {
    const isAsLeft = [this.original, this.done.at(-1)?.to].includes(this.field.value);
    this.askUnless(isAsLeft, this.words.changed, () => this.take(text, this.words.replaced));
  }

  appendToField() {
    const before = this.field.value.trimEnd();
    this.take(before ? before + (this.isOneLine ? " " : "\n\n") + this.result : this.result, this.words.appended);
  }

  take(text, said) {
    this.done = [...this.done, this.put(text, this.answer.run)].slice(-STEPS);
    this.undone = [];
    this.isTaken = true;
    this.changedField(said, "undo");
  }

  /** Give back exactly what was there. Who has written on since is asked first, and gets that back by "redo". */
  undo() {
    const step = this.done.at(-1);
    this.askUnless(this.field.value === step.to, this.words.writtenOn, () => {
      this.done.pop();
      this.undone.push(this.put(step.from, step.runFrom));
      this.isTaken = false;
      this.changedField(this.words.undone, "redo");
    });
  }

  redo() {
    const step = this.undone.at(-1);
    this.askUnless(this.field.value === step.to, this.words.writtenOn, () => {
      this.undone.pop();
      this.done.push(this.put(step.from, step.runFrom));
      this.isTaken = true;
      this.changedField(this.words.redone, "undo");
    });
  }

  /** Write into the field, and into the one beside it that remembers the magic. Return the step. */
  put(text, run) {
    const { field } = this;
    const memory = field.form.elements[`${field.name}_run`];
    const step = { from: field.value, runFrom: memory?.value ?? "" };
    field.value = text;
    if (memory) memory.value = run ?? "";
    field.dispatchEvent(new Event("input", { bubbles: true })); // for the counter and the draft
    field.dispatchEvent(new Event("change", { bubbles: true }));
    return { ...step, to: field.value };
  }

  changedField(said, next) {
    this.keep();
    this.draw();
    this.say(said);
    this.part(next).focus();
  }

  discard() {
    for (const answer of this.answers) {
      answer.stop();
      answer.state = "stopped"; // for us: nobody looks any more
    }
    this.answers = [];
    live.delete(this.place);
    sessionStorage.removeItem(PREFIX + this.place);
    this.element.remove();
    this.field?.focus();
  }

  /** Do something at once, or after a yes. */
  askUnless(isPlain, question, act) {
    this.waiting = act;
    this.part("ask").hidden = isPlain;
    if (isPlain) {
      act();
      return;
    }
    this.part("question").textContent = question;
    this.part("ask").querySelector("[data-do=no]").focus();
  }

  decide(isYes) {
    this.part("ask").hidden = true;
    if (isYes) this.waiting();
    else this.field.focus();
  }

  // --- What is seen ---

  look(change) {
    Object.assign(this, change);
    this.draw();
  }

  draw() {
    const { answer } = this;
    const hasText = Boolean(answer.text.trim());
    const shown = {
      stop: answer.isWriting,
      replace: !answer.isWriting && hasText && !this.isTaken,
      append: !answer.isWriting && hasText && !this.isTaken,
      again: !this.isWriting && Boolean(this.wish),
      undo: this.done.length > 0,
      redo: this.undone.length > 0,
      problem: Boolean(answer.problem),
      thoughts: !answer.isWriting && Boolean(answer.thoughts),
      walk: this.answers.length > 1,
    };
    for (const [name, isShown] of Object.entries(shown)) this.part(name).hidden = !isShown;
    this.part("discard").textContent = this.isTaken ? this.words.close : this.words.discard;
    this.part("problem-text").textContent = answer.problem;
    this.part("thoughts-text").textContent = answer.thoughts;
    this.part("before").disabled = this.at === 0;
    this.part("after").disabled = this.at === this.answers.length - 1;
    this.part("place").textContent = this.words.place.replace("{n}", this.at + 1).replace("{all}", this.answers.length);
    this.drawText(hasText);
    this.drawFacts();
    this.say(this.summary(hasText));
  }

  drawText(hasText) {
    const { answer } = this;
    const box = this.part("text");
    const canCompare = !answer.isWriting && hasText && Boolean(this.original.trim()) && !this.isOneLine;
    box.hidden = !hasText && !answer.isWriting;
    box.setAttribute("aria-busy", String(answer.isWriting));
    this.part("views").hidden = !canCompare;
    box.textContent = answer.isWriting ? answer.text : answer.text.trim();
    if (canCompare) this.drawChanges(box, compare(this.original.trim(), answer.text.trim()));
    else if (this.isOneLine && !answer.isWriting) this.drawLines(box);
  }

  drawChanges(box, pieces) {
    this.view ??= likeness(pieces) >= ALIKE ? "changes" : "result";
    for (const view of ["changes", "result"]) this.part(view).setAttribute("aria-pressed", String(this.view === view));
    if (this.view === "changes") show(box, pieces);
  }

  /** Several lines for a field of one: each can be taken. */
  drawLines(box) {
    const titles = this.answer.text.split("\n").map(titleOf).filter(Boolean);
    if (titles.length < 2) return;
    this.part("replace").hidden = true;
    this.part("append").hidden = true;
    box.replaceChildren(...titles.map((title) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "chip", textContent: title });
      Object.assign(button.dataset, { do: "replace", line: title });
      return button;
    }));
  }

  append(more) {
    const box = this.part("text");
    const isAtEnd = box.scrollTop + box.clientHeight > box.scrollHeight - 30;
    if (box.firstChild) box.firstChild.appendData(more);
    else box.textContent = more;
    if (isAtEnd) box.scrollTop = box.scrollHeight;
  }

  drawFacts() {
    const { facts: { label, version, model, seconds }, isWriting, startedAt } = this.answer;
    const passed = isWriting ? (Date.now() - startedAt) / 1000 : seconds;
    const time = Number.isFinite(passed) ? this.words.seconds.replace("{n}", passed.toFixed(isWriting ? 0 : 1)) : "";
    this.part("name").textContent = label ?? this.words.name;
    this.part("facts").textContent = [version && this.words.version.replace("{n}", version), model, time].filter(Boolean).join(" · ");
  }

  summary(hasText) {
    const { state, text, problem } = this.answer;
    if (!hasText && state !== "writing") return problem ? "" : this.words.nothing;
    return (this.words[state] ?? "").replace("{n}", text.trim().split(/\s+/u).length.toLocaleString());
  }

  /** Say something to everybody: it stands in the panel, and a screen reader reads it out. */
  say(words) {
    const status = this.part("status");
    if (status.textContent !== words) status.textContent = words;
  }

  // --- Over a reload ---

  keep() {
    const { wish, at, original, done, undone, isTaken } = this;
    const kept = { wish, at, original, done, undone, isTaken, answers: this.answers.map((answer) => answer.kept) };
    try {
      sessionStorage.setItem(PREFIX + this.place, JSON.stringify(kept));
    } catch { /* full or forbidden: the panel does not survive a reload; the studio keeps every text */ }
  }

  comeBack({ answers, ...kept }) {
    Object.assign(this, kept);
    this.answers = answers.filter((one) => one.run).map((one) => {
      const answer = new Answer(this.words, (more) => this.hear(answer, more), one);
      if (answer.isWriting) answer.follow();
      return answer;
    });
    this.at = Math.min(this.at, this.answers.length - 1);
    if (!this.answers.length) live.delete(this.place);
  }
}

/** Return a title without what models like to put around it: a number, a bullet, quotes. */
function titleOf(line) {
  return line.trim().replace(/^(?:\d+[.)]|[-*•])\s+/u, "").replace(/^["“„«*]+|["”“»*]+$/gu, "").trim();
}
