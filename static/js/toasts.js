// Short messages in the corner. A server adds one with Django's messages, or with HX-Trigger: {"toast": {"text": ..., "kind": "error"}}.
import { onFresh, within } from "./fresh.js";

const READING_TIME = 6000; // milliseconds; errors stay until closed
const corner = document.getElementById("toasts");

/** Show `text`, and after it a link (an <a>), if there is one; kind: success, info, warning, error. */
export function toast(text, kind = "info", link = null) {
  if (!corner || [...corner.children].some((other) => other.firstElementChild.textContent === text)) return;
  const box = document.createElement("div");
  box.className = `toast ${kind}`;
  const words = document.createElement("span");
  words.textContent = text;
  if (link) words.replaceChildren(`${text.replace(link.textContent, "").trim()} `, link);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.textContent = "✕";
  close.setAttribute("aria-label", corner.dataset.closeLabel);
  close.addEventListener("click", () => box.remove());
  box.append(words, close);
  corner.append(box);
  if (!kind.includes("error")) fadeAfter(box);
}

function fadeAfter(box) {
  let timer = setTimeout(() => box.remove(), READING_TIME);
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => { timer = setTimeout(() => box.remove(), READING_TIME / 2); });
}

onFresh((root) => {
  for (const list of within(root, "[data-messages]")) {
    for (const item of list.children) toast(item.textContent.trim(), item.className.replace("toast", "").trim(), item.querySelector("a"));
    list.remove();
  }
});

document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.kind));
document.addEventListener("htmx:responseError", () => toast(corner.dataset.failed, "error"));
// A card that asks for itself every two seconds must not fill the screen: the same words are shown once.
document.addEventListener("htmx:sendError", () => toast(corner.dataset.offline, "error"));
