// <button data-dialog="id"> opens a <dialog>; its own form closes it. A click beside it closes it, too.
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog]");
  if (opener) {
    opener.closest("[popover]:popover-open")?.hidePopover();
    document.getElementById(opener.dataset.dialog)?.showModal();
  } else if (event.target.matches?.("dialog.dialog")) event.target.close();
});
