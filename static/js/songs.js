// Songs: the price on the button, questions in a dialog, how many are chosen, one song for a double click.
import { onFresh, within } from "./fresh.js";

const REST = 1500; // milliseconds in which a second click on "Create" is the same click

/** Write on the button what is made, and what it costs with the options as they stand. */
function price(form) {
  const chosen = new FormData(form);
  const count = Number(chosen.get("variants") ?? 1);
  const each = Number(JSON.parse(form.dataset.prices)[chosen.get("model")]);
  const words = JSON.parse(form.dataset.buttons)[count];
  if (!words || !Number.isFinite(each)) return;
  const sum = (each * count).toFixed(4).replace(/0{1,2}$/, "");
  form.querySelector(".create").textContent = words.replace("{n}", count).replace("{price}", sum);
}

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.dataset.prices) price(form);
  else if (event.target.matches("[data-submit]")) form.requestSubmit();
  if (event.target.matches("[data-select]")) count();
});
onFresh((root) => within(root, "form[data-prices]").forEach(price));

function count() {
  const output = document.querySelector("[data-chosen]");
  if (!output) return;
  const number = document.querySelectorAll("[data-select]:checked").length;
  output.textContent = (number === 1 ? output.dataset.one : output.dataset.many).replace("{n}", number);
}

let restUntil = 0;
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "song-form" && Date.now() < restUntil) event.preventDefault();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.id !== "song-form" || !event.detail.successful) return;
  restUntil = Date.now() + REST;
  // The form keeps its content, but what was wrong with it before is not wrong any more.
  event.target.querySelectorAll(".errorlist").forEach((list) => list.remove());
  event.target.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
});

// A link to a page that asks something shows its question here instead: <dialog id="ask">.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "ask" && !event.detail.target.open) event.detail.target.showModal();
});
document.addEventListener("click", (event) => {
  const dialog = event.target.closest?.("[data-close]")?.closest("dialog");
  if (!dialog) return;
  event.preventDefault();
  event.stopPropagation();
  dialog.close();
}, true);
