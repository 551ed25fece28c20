// Magic on a field: the menu at its corner offers the templates of its category; what one writes goes into the panel under it.
import { onFresh, within } from "./fresh.js";
import { panelFor, panelOf } from "./magic_panel.js";

const GAP = 4; // pixels between the button and the menu
const menu = document.getElementById("magic-menu");
let opener = null; // the button whose menu is shown

const fieldOf = (button) => document.getElementById(button.dataset.field);

async function open(button) {
  opener = button;
  note(menu.dataset.waiting);
  if (!menu.matches(":popover-open")) menu.showPopover();
  place();
  const response = await fetch(button.dataset.menu).catch(() => null);
  const page = response?.ok ? await response.text() : null;
  if (opener !== button || !menu.matches(":popover-open")) return;
  if (page === null) note(menu.dataset.failed);
  else menu.innerHTML = page; // a piece of our own, made by the server
  fillIn(button);
  const offers = menu.querySelectorAll("[data-magic-offer]");
  if (offers.length === 1) offers[0].querySelector("details")?.setAttribute("open", "");
  place();
  menu.querySelector("button, summary, a, select")?.focus();
}

function note(words) {
  const paragraph = document.createElement("p");
  paragraph.className = "muted small magic-note";
  paragraph.textContent = words;
  menu.replaceChildren(paragraph);
}

/** Below the button, above it where there is no room, and never beyond the window. */
function place() {
  const at = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const isAbove = at.bottom + GAP + height > innerHeight && at.top - GAP - height > 0;
  menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
  menu.style.top = `${isAbove ? at.top - GAP - height : Math.max(8, Math.min(at.bottom + GAP, innerHeight - height - 8))}px`;
}

/** A title is made of lyrics and a style: what stands on the page goes into the variables of that name. */
function fillIn(button) {
  for (const pair of button.dataset.from.split(" ").filter(Boolean)) {
    const [name, id] = pair.split("=");
    const source = document.getElementById(id);
    for (const variable of menu.querySelectorAll(`[data-variable="${name}"]`)) variable.value = source?.value ?? source?.textContent ?? "";
  }
}

function run(offer) {
  const field = fieldOf(opener);
  const text = field.value;
  if (panelOf(field)?.isWriting) return complain(offer, menu.dataset.busy);
  if (offer.dataset.needsText === "yes" && !text.trim()) return complain(offer, menu.dataset.empty);
  const variables = Object.fromEntries([...offer.querySelectorAll("[data-variable]")].map((one) => [one.dataset.variable, one.value]));
  const { category } = offer.closest("[data-magic-list]").dataset;
  const body = { category, action: offer.dataset.action, text, variables: JSON.stringify(variables) };
  const memory = field.form.elements[`${field.name}_run`]?.value;
  menu.hidePopover();
  start(field, { url: menu.dataset.runUrl, body: String(new URLSearchParams(body)), label: offer.dataset.label }, memory);
  return null;
}

/** Have something written for a field. `wish` is {url, body, label}; `previous` the run that its text came about by. */
export function start(field, wish, previous = "") {
  const panel = panelFor(field);
  panel.begin(wish, previous);
  panel.element.scrollIntoView({ block: "nearest" });
  panel.part("stop").focus({ preventScroll: true });
}

function complain(offer, words) {
  const status = menu.querySelector("[data-complaint]") ?? document.createElement("p");
  Object.assign(status.dataset, { complaint: "yes" });
  status.className = "errorlist";
  status.setAttribute("role", "alert");
  status.textContent = words;
  offer.append(status);
  return null;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-magic]");
  if (button && menu) open(button);
});
menu?.addEventListener("click", (event) => {
  const offer = event.target.closest("[data-magic-run]")?.closest("[data-magic-offer]");
  if (offer) run(offer);
});
menu?.addEventListener("keydown", (event) => {
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || event.target.matches("select, textarea, input")) return;
  const stops = [...menu.querySelectorAll("summary, [data-magic-offer] > button")];
  const next = stops[stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) { event.preventDefault(); next.focus(); }
});
menu?.addEventListener("toggle", (event) => {
  if (event.target === menu && event.newState === "closed") opener?.isConnected && menu.contains(document.activeElement) && opener.focus();
  else if (event.target !== menu) place(); // a template's fields were unfolded
}, true);
addEventListener("resize", () => { if (menu?.matches(":popover-open")) place(); });

// A field that is cleared owes nothing to magic any more.
document.addEventListener("input", (event) => {
  const memory = event.target.form?.elements[`${event.target.name}_run`];
  if (memory && !event.target.value.trim()) memory.value = "";
});

// Panels stand where their fields are: after a form came back with errors, after a reload, after the way back to a page.
onFresh((root) => {
  for (const slot of within(root, "[data-magic-slot]")) {
    const field = document.getElementById(slot.dataset.magicSlot);
    if (field?.form) panelOf(field)?.attach();
  }
});
