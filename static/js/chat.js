// <form data-stream="address">: what it sends is answered by lines of JSON, the answer as it is written. Without this script
// the same form leads to a page on which the answer asks for itself.
import { onFresh, within } from "./fresh.js";
import { lines } from "./ndjson.js";
import { toast } from "./toasts.js";

const live = new Set(); // elements of answers that a stream feeds
const NEAR = 120; // pixels from the end of the page within which one reads along

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches?.("form[data-stream]")) return;
  event.preventDefault();
  event.stopPropagation(); // htmx would send it as well
  send(form);
}, true);

async function send(form) {
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  const sent = form.querySelector("textarea")?.value ?? "";
  let answer = null;
  try {
    const response = await fetch(form.dataset.stream, { method: "POST", body: new FormData(form), headers: { Accept: "application/x-ndjson" } });
    if (response.status === 422) {
      for (const problem of (await response.json()).problems) toast(problem, "error");
      form.querySelector("textarea")?.focus();
      return;
    }
    if (!response.ok || response.redirected) throw new Error(response.statusText);
    for await (const line of lines(response)) {
      if (answer) answer.take(line);
      else {
        answer = begin(form, line, sent);
        delete form.dataset.busy;
      }
    }
  } catch (error) {
    console.error(error);
    toast(answer ? document.getElementById("chat")?.dataset.lost : document.getElementById("toasts").dataset.failed, answer ? "info" : "error");
  } finally {
    delete form.dataset.busy;
    answer?.end();
  }
}

/** Read along with an answer that was being written when its page was opened. If another process writes it, it goes on asking for itself. */
async function rejoin(box) {
  if (live.has(box.id)) return;
  live.add(box.id);
  let answer = null;
  try {
    const response = await fetch(box.dataset.live, { headers: { Accept: "application/x-ndjson" } });
    if (response.status !== 200) return;
    for await (const line of lines(response)) {
      if (answer) answer.take(line);
      else {
        const place = document.getElementById(line.element); // it may have asked for itself meanwhile
        if (!place) return;
        htmx.trigger(place, "htmx:abort");
        put(place, line.html, "outerHTML");
        answer = new Answer(line);
      }
    }
  } catch (error) {
    console.info(error); // it asks for itself again
  } finally {
    live.delete(box.id);
    answer?.end();
  }
}
onFresh((root) => within(root, "[data-live]").forEach(rejoin));

/** Put the new messages in place, and return what takes the rest of the stream. What was written since stays. */
function begin(form, first, sent) {
  const since = form.id === "composer" ? takeSent(form, sent) : "";
  forgetDraft(form);
  if (first.page) openConversation(first);
  else addMessages(form, first);
  writeOn(since);
  const after = document.querySelector("#composer [name=after]");
  if (after) after.value = first.answer;
  document.getElementById(first.element)?.scrollIntoView({ block: "end" });
  return new Answer(first);
}

/** Empty the field of what was sent, and return what has been written in it since. */
function takeSent(form, sent) {
  const field = form.querySelector("textarea");
  const since = field.value.startsWith(sent) ? field.value.slice(sent.length).trimStart() : field.value;
  field.value = "";
  return since;
}

function writeOn(since) {
  const field = document.querySelector("#composer textarea");
  if (!field || !since) return;
  field.value = since;
  field.dispatchEvent(new Event("input", { bubbles: true })); // for the draft
}

function forgetDraft(form) {
  const name = form.dataset.draft;
  if (name) document.dispatchEvent(new CustomEvent("draft-done", { detail: { value: name } }));
}

function openConversation(first) {
  history.pushState({ htmx: true }, "", first.url);
  document.title = `${first.title} · Macai`;
  const chat = document.getElementById("chat");
  put(chat, first.page, "innerHTML");
  document.querySelector("#composer textarea")?.focus();
}

function addMessages(form, first) {
  const thread = document.getElementById("thread");
  const old = first.instead_of ? document.getElementById(first.instead_of) : null;
  while (old && thread.lastElementChild !== old) thread.lastElementChild.remove();
  old?.remove();
  put(thread, first.html, "beforeend");
}

/** Put HTML in place as htmx does with what it has fetched. */
function put(target, html, swapStyle) {
  htmx.swap(target, html, { swapStyle, swapDelay: 0, settleDelay: 0 }, { contextElement: target, eventInfo: { target } });
}

/** An answer on the page that grows by what comes, at most once a frame. */
class Answer {
  constructor({ element, card }) {
    this.id = element;
    this.card = card;
    live.add(element);
    this.waiting = { text: "", thinking: "" };
    this.frame = 0;
  }

  take(line) {
    this.waiting.text += line.text ?? "";
    this.waiting.thinking += line.thinking ?? "";
    this.frame ||= requestAnimationFrame(() => this.show());
  }

  show() {
    this.frame = 0;
    const box = document.getElementById(this.id);
    if (!box) return; // one has gone to another page
    const readsAlong = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - NEAR;
    box.querySelector("[data-text]")?.append(this.waiting.text);
    const thinking = box.querySelector("[data-thinking]");
    if (thinking && this.waiting.thinking) {
      thinking.hidden = false;
      thinking.querySelector(".said").append(this.waiting.thinking);
    }
    this.waiting = { text: "", thinking: "" };
    if (readsAlong) window.scrollTo({ top: document.documentElement.scrollHeight });
  }

  /** Show it as it is kept: rendered, with its figures. One that is not done yet goes on asking for itself. */
  end() {
    cancelAnimationFrame(this.frame);
    live.delete(this.id);
    this.show();
    if (document.getElementById(this.id)) htmx.ajax("GET", this.card, { target: `#${this.id}`, swap: "outerHTML" });
  }
}

// A conversation opens at its end; whoever pressed something in it stays where that was.
let kept = null;
document.addEventListener("submit", (event) => {
  if (event.target.closest?.("#thread")) kept = window.scrollY;
});
onFresh((root) => {
  const thread = root.id === "frame" || root === document.documentElement ? document.querySelector("#thread[data-at-end]") : null;
  if (!thread) return;
  const place = kept;
  kept = null;
  setTimeout(() => { // after htmx has gone to the top
    if (place !== null) window.scrollTo({ top: place });
    else if (!document.getElementById(location.hash.slice(1))) window.scrollTo({ top: document.documentElement.scrollHeight });
  });
});

// Enter sends, Shift+Enter is a new line. On a phone Enter is a new line, too: there is a button.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!event.target.matches?.(".composer textarea") || matchMedia("(pointer: coarse)").matches) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

// <a data-copy-from href="address of a text">: copies the text; where the browser forbids that, it shows it.
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("[data-copy-from]");
  if (!link) return;
  event.preventDefault();
  try {
    const text = fetch(link.href).then((response) => response.text());
    if (window.ClipboardItem) await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((words) => new Blob([words], { type: "text/plain" })) })]);
    else await navigator.clipboard.writeText(await text);
    toast(link.dataset.copied, "success");
  } catch {
    location.assign(link.href);
  }
});

// A menu closes when one looks elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.dropdown[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.dropdown[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
