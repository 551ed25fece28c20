// The style chooser: [data-chooser="id of a field"] holds chips; pressed, their word stands in the field, between commas.
import { onFresh, within } from "./fresh.js";

const same = (piece, word) => piece.trim().toLowerCase() === word.toLowerCase();
const has = (text, word) => text.split(",").some((piece) => same(piece, word));
const chooserOf = (part) => part.closest("[data-chooser]");
const fieldOf = (chooser) => document.getElementById(chooser.dataset.chooser);

/** Return the text with a word more; the rest stays as it was written. */
export function withWord(text, word) {
  const before = text.replace(/[\s,]+$/, "");
  return before ? `${before}, ${word}` : word;
}

/** Return the text without a word. */
export function withoutWord(text, word) {
  return text.split(",").filter((piece) => !same(piece, word)).join(",").trim();
}

/** Press the chips whose words stand in the field. */
function update(chooser) {
  const { value } = fieldOf(chooser);
  for (const chip of chooser.querySelectorAll("[data-word]")) chip.setAttribute("aria-pressed", String(has(value, chip.dataset.word)));
}

function toggle(chip) {
  const chooser = chooserOf(chip);
  const field = fieldOf(chooser);
  const { word } = chip.dataset;
  const isThere = has(field.value, word);
  const text = isThere ? withoutWord(field.value, word) : withWord(field.value, word);
  const limit = Number(field.dataset.limit) || Infinity;
  const isFull = !isThere && [...text].length > limit;
  say(chooser, (isFull ? "full" : isThere ? "removed" : "added"), word);
  if (isFull) return;
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true })); // for the counter, the draft and the chips
}

function say(chooser, what, word) {
  chooser.querySelector("[data-said]").textContent = chooser.dataset[what].replace("{word}", word);
}

/** Of each kind one chip is reached by Tab; the arrows lead to the others. */
function makeReachable(chooser) {
  for (const kind of chooser.querySelectorAll(".chooser-kind")) {
    const chips = [...kind.querySelectorAll("[data-word]")];
    const shown = chips.filter((chip) => !chip.hidden);
    const reachable = shown.find((chip) => chip.tabIndex === 0) ?? shown[0];
    for (const chip of chips) chip.tabIndex = chip === reachable ? 0 : -1;
    kind.hidden = !shown.length;
  }
}

function search(chooser, text) {
  const wanted = text.trim().toLowerCase();
  for (const chip of chooser.querySelectorAll("[data-word]")) chip.hidden = !chip.dataset.word.toLowerCase().includes(wanted);
  makeReachable(chooser);
  chooser.querySelector("[data-none]").hidden = Boolean(chooser.querySelector("[data-word]:not([hidden])"));
}

function move(event, chip) {
  const chips = [...chip.closest(".chooser-kind").querySelectorAll("[data-word]:not([hidden])")];
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const next = { Home: chips[0], End: chips.at(-1) }[event.key] ?? chips[chips.indexOf(chip) + step];
  if (!next) return;
  event.preventDefault();
  chip.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest?.("[data-chooser] [data-word]");
  if (chip) toggle(chip);
});
document.addEventListener("input", (event) => {
  if (event.target.id === "style-search") search(chooserOf(event.target), event.target.value);
  for (const chooser of document.querySelectorAll("[data-chooser]")) {
    if (event.target.id === chooser.dataset.chooser) update(chooser);
  }
});
document.addEventListener("keydown", (event) => {
  const chip = event.target.closest?.("[data-chooser] [data-word]");
  if (chip) move(event, chip);
  else if (event.target.id === "style-search" && event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault(); // it would send the form around it
    chooserOf(event.target).querySelector("[data-word]:not([hidden])")?.click();
  }
});
onFresh((root) => {
  for (const chooser of within(root, "[data-chooser]")) {
    makeReachable(chooser);
    update(chooser);
  }
});
