// Ctrl+Enter and Cmd+Enter send the form that is being filled in. A form on its way is not sent twice.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button.primary[type=submit], button[type=submit], button:not([type])");
  if (!button?.disabled) form.requestSubmit(button ?? undefined);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sending) event.preventDefault();
  else if (form.method === "post" && form.closest("[hx-boost]")?.getAttribute("hx-boost") !== "true") {
    form.dataset.sending = "yes";
    setTimeout(() => delete form.dataset.sending, 5000);
  }
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) delete form.dataset.sending;
});
