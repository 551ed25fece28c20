// <form data-once>: what is sent costs money, so two clicks in a row are one.
const REST = 1500; // milliseconds in which a second click is the same click
const restUntil = new WeakMap();
const isPaidFor = (form) => form.matches?.("form[data-once]");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPaidFor(event.target) && Date.now() < (restUntil.get(event.target) ?? 0)) event.preventDefault();
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target;
  if (!isPaidFor(form) || !event.detail.successful) return;
  restUntil.set(form, Date.now() + REST);
  // The form keeps its content, but what was wrong with it before is not wrong any more.
  form.querySelectorAll(".errorlist, [data-gone-when-sent]").forEach((part) => part.remove());
  form.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
});
