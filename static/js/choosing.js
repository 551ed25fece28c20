// <input type="checkbox" data-select>: how many are chosen is said in [data-chosen]. <select data-submit> sends its form at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  if (event.target.matches("[data-select]")) count();
});

function count() {
  const output = document.querySelector("[data-chosen]");
  if (!output) return;
  const number = document.querySelectorAll("[data-select]:checked").length;
  output.textContent = (number === 1 ? output.dataset.one : output.dataset.many).replace("{n}", number);
}
