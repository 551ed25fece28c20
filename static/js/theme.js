// Keeps the person's saved theme in step with Django's own switch (admin/js/theme.js), also where the admin was used.
import { onFresh, within } from "./fresh.js";

const page = document.documentElement;

async function save() {
  const chosen = page.dataset.theme;
  if (!page.dataset.themeUrl || localStorage.getItem("theme-saved") === chosen) return;
  const before = localStorage.getItem("theme-saved");
  localStorage.setItem("theme-saved", chosen);
  const headers = { "Content-Type": "application/json", ...JSON.parse(document.getElementById("frame").getAttribute("hx-headers")) };
  try {
    const answer = await fetch(page.dataset.themeUrl, { method: "PATCH", headers, body: JSON.stringify({ theme: chosen }), keepalive: true });
    if (!answer.ok) throw new Error(answer.statusText);
  } catch {
    localStorage.setItem("theme-saved", before); // it is tried again with the next page
  }
}

// The page of settings has saved another one.
onFresh((root) => {
  for (const { dataset } of within(root, "[data-apply-theme]")) {
    if (localStorage.getItem("theme-saved") === dataset.applyTheme) continue;
    localStorage.setItem("theme-saved", dataset.applyTheme);
    localStorage.setItem("theme", dataset.applyTheme);
    page.dataset.theme = dataset.applyTheme;
  }
});

new MutationObserver(save).observe(page, { attributeFilter: ["data-theme"] });
save();
