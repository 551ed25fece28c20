// <output data-counter="id of a field"> counts its letters against data-limit or maxlength.
import { onFresh, within } from "./fresh.js";

function count(output) {
  const field = document.getElementById(output.dataset.counter);
  if (!field) return;
  const limit = Number(field.dataset.limit ?? field.getAttribute("maxlength"));
  const length = [...field.value].length; // characters as Python counts them
  output.textContent = limit ? `${length.toLocaleString()} / ${limit.toLocaleString()}` : length.toLocaleString();
  output.classList.toggle("is-over", limit > 0 && length > limit);
}

document.addEventListener("input", (event) => {
  const output = event.target.id && document.querySelector(`[data-counter="${CSS.escape(event.target.id)}"]`);
  if (output) count(output);
});
onFresh((root) => within(root, "[data-counter]").forEach(count));
