// Text areas grow with their text. Browsers that know `field-sizing` do it alone.
import { onFresh, within } from "./fresh.js";

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

if (!CSS.supports("field-sizing", "content")) {
  document.addEventListener("input", (event) => {
    if (event.target.matches("textarea")) grow(event.target);
  });
  onFresh((root) => within(root, "textarea").forEach(grow));
}
