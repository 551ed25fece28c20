// Links and forms of the frame are fetched, and only #frame is replaced: the player outside goes on playing.
const frame = () => document.getElementById("frame");

// To the server a boosted request is an ordinary one: it gets the whole page. Only pieces of a page carry HX-Request.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.boosted) delete event.detail.headers["HX-Request"];
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const detail = event.detail;
  if (!detail.boosted) return;
  if (!detail.serverResponse.includes('id="frame"')) {
    // The admin, the API, an error page of a proxy: a page of its own.
    detail.shouldSwap = false;
    leaveTo(detail);
    return;
  }
  detail.shouldSwap = true;
  detail.isError = false;
  detail.target = frame();
  detail.selectOverride = "#frame";
  detail.swapOverride = "outerHTML show:window:top";
});

function leaveTo(detail) {
  if (detail.requestConfig.verb === "get") location.assign(detail.pathInfo.responsePath || detail.pathInfo.finalRequestPath);
  else location.reload();
}

// A form that was sent to the page it stands on adds no step to the history.
document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
  const { boosted, history } = event.detail;
  if (boosted && history.path === location.pathname + location.search) history.type = "replace";
});

// Downloads are the browser's. Caught on the way down, before htmx hears of the click.
document.addEventListener("click", (event) => {
  if (event.target.closest?.("a[download], a[target]")) event.stopPropagation();
}, true);

// As after a page load, reading starts at the top of the new content.
document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.detail.boosted) return;
  const main = document.getElementById("main");
  if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.boosted) frame()?.classList.add("htmx-request");
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.boosted) frame()?.classList.remove("htmx-request");
});
