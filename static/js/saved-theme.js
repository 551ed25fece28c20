// Runs before Django's own switch: a theme that was saved elsewhere since this browser last looked is taken over here.
"use strict";
{
  const saved = document.documentElement.dataset.savedTheme;
  try {
    if (saved && localStorage.getItem("theme-saved") !== saved) {
      localStorage.setItem("theme", saved);
      localStorage.setItem("theme-saved", saved);
    }
  } catch {
    // Without a storage of its own the browser shows what the page says.
  }
}
