// <details class="story">: in [data-diff="id"] what changed since the text of #id is marked, once it is looked at.
import { compare, show } from "./diff.js";

document.addEventListener("toggle", (event) => {
  const story = event.target;
  if (!story.matches?.(".story[open]") || story.dataset.isDiffed) return;
  story.dataset.isDiffed = "yes";
  // First all texts are read, then they are marked: one may be compared with another.
  const pairs = [...story.querySelectorAll("[data-diff]")].map((after) => {
    const before = document.getElementById(after.dataset.diff);
    return [after, compare(before.textContent, after.textContent)];
  });
  for (const [after, pieces] of pairs) show(after, pieces);
}, true);
