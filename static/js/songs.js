// Songs: the price on the button.
import { onFresh, within } from "./fresh.js";

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
  const { form } = event.target;
  if (form?.dataset.prices) price(form);
});
onFresh((root) => within(root, "form[data-prices]").forEach(price));
