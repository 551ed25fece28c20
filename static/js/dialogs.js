// <button data-dialog="id"> opens a <dialog>; its own form closes it. A click beside it closes it, too.
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog]");
  if (opener) {
    opener.closest("[popover]:popover-open")?.hidePopover();
    document.getElementById(opener.dataset.dialog)?.showModal();
  } else if (event.target.matches?.("dialog.dialog")) event.target.close();
});

// A link to a page that asks something shows its question here instead: <dialog id="ask">. [data-close] in it closes it.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "ask" && !event.detail.target.open) event.detail.target.showModal();
});
document.addEventListener("click", (event) => {
  const dialog = event.target.closest?.("[data-close]")?.closest("dialog");
  if (!dialog) return;
  event.preventDefault();
  event.stopPropagation();
  dialog.close();
}, true);
