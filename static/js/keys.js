// Keys: / search, n new, g and a letter to go, ? the list of keys. None while typing.
import { isTyping } from "./fresh.js";

const PATIENCE = 1500; // milliseconds between g and its letter
let goUntil = 0;

const press = (selector) => {
  const element = document.querySelector(selector);
  element?.click();
  return Boolean(element);
};

function search() {
  const field = document.querySelector("main [data-search], main input[type=search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}

const KEYS = {
  "/": search,
  n: () => press("main [data-new], [data-new]"),
  "?": () => press("[data-dialog=keys]"),
  g: () => { goUntil = Date.now() + PATIENCE; return true; },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const isSecond = Date.now() < goUntil;
  goUntil = 0;
  const done = isSecond && /^[a-z]$/.test(event.key) ? press(`[data-go="${event.key}"]`) : KEYS[event.key]?.();
  if (done) event.preventDefault();
});
