// Pictures: the options and the price of the chosen model, references by drop and paste, arrows and the thumb in the gallery.
import { isTyping, onFresh, within } from "./fresh.js";

const LISTS = ["size", "quality", "count", "background", "output_format"];

/** Offer what the chosen model can do; what it cannot is out of sight. */
function offer(form) {
  const model = JSON.parse(form.dataset.models)[form.elements.model.value];
  if (!model) return;
  for (const name of LISTS) {
    const field = form.elements[name];
    const values = model[name].map(String);
    const kept = values.includes(field.value) ? field.value : values[0];
    field.replaceChildren(...values.map((value) => new Option(value, value, value === kept, value === kept)));
  }
  const can = { ...model.can, background: model.background.length > 0, output_format: model.output_format.length > 0 };
  for (const part of form.querySelectorAll("[data-can]")) part.hidden = !can[part.dataset.can];
  const note = form.querySelector("[data-retires]");
  note.hidden = !model.retires;
  note.textContent = note.dataset.words.replace("{words}", model.retires);
  form.elements.prompt.dataset.limit = model.limit;
  form.elements.prompt.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Write on the button what is made, and what it costs with the options as they stand. */
function price(form) {
  const model = JSON.parse(form.dataset.models)[form.elements.model.value];
  const count = Number(form.elements.count.value);
  const words = JSON.parse(form.dataset.buttons)[count];
  if (!model || !words) return;
  const each = model.prices[form.elements.size.value]?.[form.elements.quality.value];
  const early = form.elements.shows_partial.checked && model.can.stream && count === 1 ? Number(model.early_price) : 0;
  const text = each === undefined ? words[1] : words[0].replace("{price}", about(Number(each) * count + early));
  form.querySelector(".create").textContent = text.replace("{n}", count);
}

/** Whole cents, or up to four decimals below a cent. */
function about(sum) {
  return sum >= 0.01 ? (Math.round(sum * 100 + 1e-9) / 100).toFixed(2) : sum.toFixed(4).replace(/0{1,2}$/, "");
}

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form?.dataset.models) return;
  if (event.target.name === "model") offer(form);
  price(form);
});
onFresh((root) => within(root, "form[data-models]").forEach((form) => {
  const { model } = form.elements;
  if (model.selectedIndex < 0) model.selectedIndex = 0; // a draft may name a model that is gone
  offer(form);
  price(form);
}));

document.addEventListener("htmx:afterRequest", (event) => {
  const field = event.target;
  if (field.name === "files" && field.type === "file") field.value = ""; // they are in the form by name now
});

/** Hand pictures over to the form as if they had been chosen in its file field. */
function take(form, files) {
  const field = form.elements.files;
  const pictures = [...files].filter((file) => file.type.startsWith("image/"));
  if (!pictures.length || field.closest("[hidden]")) return false;
  const transfer = new DataTransfer();
  pictures.forEach((file) => transfer.items.add(file));
  field.files = transfer.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

document.addEventListener("paste", (event) => {
  const form = document.querySelector("form[data-models]");
  if (form && take(form, event.clipboardData?.files ?? [])) event.preventDefault();
});

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  const form = document.querySelector("form[data-models]");
  if (!form || !hasFiles(event)) return;
  event.preventDefault();
  form.querySelector("[data-drop]").classList.add("is-dropping");
});
for (const name of ["dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    if (name === "dragleave" && event.relatedTarget) return;
    document.querySelector("[data-drop]")?.classList.remove("is-dropping");
  });
}
document.addEventListener("drop", (event) => {
  const form = document.querySelector("form[data-models]");
  if (!form || !hasFiles(event)) return;
  event.preventDefault();
  take(form, event.dataTransfer.files);
});

/** The tile that is reached from another one by an arrow key. */
function towards(tile, key) {
  const tiles = [...document.querySelectorAll("[data-tile]")];
  const place = tiles.indexOf(tile);
  if (key === "ArrowLeft") return tiles[place - 1];
  if (key === "ArrowRight") return tiles[place + 1];
  const here = tile.getBoundingClientRect();
  const isDown = key === "ArrowDown";
  const others = (isDown ? tiles.slice(place + 1) : tiles.slice(0, place).reverse()).map((one) => [one, one.getBoundingClientRect()]);
  const row = others.find(([, box]) => (isDown ? box.top > here.top + 1 : box.top < here.top - 1))?.[1].top;
  const inRow = others.filter(([, box]) => Math.abs(box.top - row) < 1);
  return inRow.sort((one, other) => Math.abs(one[1].left - here.left) - Math.abs(other[1].left - here.left))[0]?.[0];
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const tile = event.target.closest?.(".tile, .trashed")?.querySelector("[data-tile]");
  if (event.key === ".") {
    (tile?.parentElement.querySelector(".tile-rate") ?? document.querySelector(".page-head .thumb"))?.click();
  } else if (event.key.startsWith("Arrow")) {
    const step = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    const walk = step && document.querySelector(`[data-walk="${step}"]`);
    const first = document.querySelector("[data-tile]");
    if (tile) towards(tile, event.key)?.focus();
    else if (walk && !document.querySelector("#zoom:checked")) walk.click();
    else if (first && (event.target === document.body || event.target.id === "main")) first.focus();
    else return;
    event.preventDefault();
  }
});

// A download leaves the page where it is, so htmx must not fetch it.
document.addEventListener("submit", (event) => {
  if (event.submitter?.matches("[data-download]")) event.stopPropagation();
}, true);
