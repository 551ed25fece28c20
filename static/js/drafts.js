// <form data-draft="name"> survives a reload and a closed tab. It is forgotten when the server accepts it and says so: with any
// element that carries data-draft-done="name", or with the header HX-Trigger: {"draft-done": "name"}.
import { onFresh, within } from "./fresh.js";

const PREFIX = "macai-draft:";
const WAIT = 300; // milliseconds after the last letter
const timers = new Map();

// Of hidden fields only those with data-kept: the others are the server's.
const fields = (form) => [...form.elements].filter((field) => field.name && ("kept" in field.dataset || !["password", "hidden", "file", "submit", "button"].includes(field.type)));

function save(form) {
  const draft = fields(form).map((field) => [field.name, field.value, field.type === "checkbox" || field.type === "radio" ? field.checked : null]);
  try {
    localStorage.setItem(PREFIX + form.dataset.draft, JSON.stringify(draft));
  } catch { /* storage is full or forbidden: the form works without drafts */ }
}

function forget(name) {
  clearTimeout(timers.get(name));
  localStorage.removeItem(PREFIX + name);
}

function restore(form) {
  // What the server sent with errors is newer than any draft.
  if (form.querySelector("[aria-invalid=true]") || form.dataset.draftRestored) return;
  form.dataset.draftRestored = "yes";
  let draft;
  try {
    draft = JSON.parse(localStorage.getItem(PREFIX + form.dataset.draft) ?? "[]");
  } catch {
    return;
  }
  for (const [name, value, checked] of draft) {
    const field = fields(form).find((one) => one.name === name && (checked === null || one.value === value));
    if (!field) continue;
    if (checked === null) field.value = value;
    else field.checked = checked;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

const remember = (event) => {
  const form = event.target.closest?.("form[data-draft]");
  if (!form) return;
  clearTimeout(timers.get(form.dataset.draft));
  timers.set(form.dataset.draft, setTimeout(() => save(form), WAIT));
};
document.addEventListener("input", remember);
document.addEventListener("change", remember);
document.addEventListener("draft-done", (event) => forget(event.detail.value));

onFresh((root) => {
  for (const done of within(root, "[data-draft-done]")) forget(done.dataset.draftDone);
  for (const form of within(root, "form[data-draft]")) restore(form);
});
