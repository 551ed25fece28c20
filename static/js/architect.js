// The lyric architect in a dialog beside the song's form: sections are dragged into their order; the lyrics stream into the panel.
import { start } from "./magic.js";

const DRAFT = "macai-draft:architect";
const dialog = () => document.getElementById("architect-dialog");
const fields = (form) => [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-architect]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation(); // a link of the frame would be followed
  dialog().showModal();
  if (!document.getElementById("architect")) fetchForm(link);
}, true);

async function fetchForm(link) {
  await htmx.ajax("GET", link.dataset.architect, { target: "#architect-box", swap: "innerHTML" });
  const form = document.getElementById("architect");
  if (!form) return;
  await restore(form);
  form.dataset.isReady = "yes"; // before, saving it would overwrite what is to be restored
}

// --- The plan survives a reload, until it is begun anew ---

function save(form) {
  try {
    localStorage.setItem(DRAFT, JSON.stringify(fields(form)));
  } catch { /* storage is full or forbidden: the architect works without drafts */ }
}

async function restore(form) {
  let draft;
  try {
    draft = JSON.parse(localStorage.getItem(DRAFT) ?? "[]");
  } catch {
    return;
  }
  if (!draft.length) return;
  for (const [name, value] of draft) if (!["section", "hint"].includes(name) && form.elements[name]) form.elements[name].value = value;
  const values = { section: [], hint: [] };
  for (const [name, value] of draft) values[name]?.push(value);
  await htmx.ajax("POST", form.getAttribute("hx-post"), { source: dialog(), target: "#architect-sections", swap: "outerHTML", values });
}

for (const name of ["input", "dragend", "htmx:afterSettle"]) {
  document.addEventListener(name, () => {
    const form = document.getElementById("architect");
    if (form?.dataset.isReady) save(form);
  });
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-architect-anew]")) return;
  localStorage.removeItem(DRAFT);
  document.getElementById("architect").remove();
  fetchForm(document.querySelector("a[data-architect]"));
});

// "Write" is not one of the buttons that change the sections, which htmx sends.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "architect" || event.submitter?.name === "change") return;
  event.stopPropagation();
  const lyrics = document.getElementById("id_lyrics");
  if (!form.closest("dialog") || !lyrics) return; // on its own page it leads to a page with the lyrics
  event.preventDefault();
  dialog().close();
  start(lyrics, { url: form.dataset.writeUrl, body: String(new URLSearchParams(new FormData(form))), label: form.dataset.label });
}, true);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !event.target.matches?.("[data-section] [name=hint]")) return;
  event.preventDefault();
  event.target.closest("[data-section]").nextElementSibling?.querySelector("[name=hint]").focus();
});

// --- Dragging, by the grip only: text in the fields stays selectable ---

let dragged = null;

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.(".section-grip");
  if (grip) grip.closest("[data-section]").draggable = true;
});
document.addEventListener("dragstart", (event) => {
  if (!event.target.matches?.("[data-section]")) return;
  dragged = event.target;
  dragged.classList.add("is-dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", ""); // or some browsers do not begin
});
document.addEventListener("dragover", (event) => {
  const over = dragged && event.target.closest?.("[data-section]");
  if (!dragged || !event.target.closest?.("[data-sections]")) return;
  event.preventDefault();
  if (!over || over === dragged) return;
  const { top, height } = over.getBoundingClientRect();
  if (event.clientY < top + height / 2) over.before(dragged);
  else over.after(dragged);
});
document.addEventListener("drop", (event) => {
  if (dragged) event.preventDefault();
});
document.addEventListener("dragend", () => {
  if (!dragged) return;
  dragged.classList.remove("is-dragged");
  dragged.draggable = false;
  number(dragged.parentElement);
  dragged = null;
});
document.addEventListener("pointerup", (event) => {
  const section = event.target.closest?.(".section-grip")?.closest("[data-section]");
  if (section) section.draggable = false;
});

/** Number the buttons as the sections stand now. */
function number(list) {
  const sections = [...list.children];
  sections.forEach((section, place) => {
    for (const button of section.querySelectorAll("[name=change]")) {
      const [verb] = button.value.split("-");
      button.value = `${verb}-${place}`;
      button.disabled = (verb === "up" && place === 0) || (verb === "down" && place === sections.length - 1);
    }
  });
}
