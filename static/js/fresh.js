// Content arrives twice over: with the page, and later through htmx.

/** Call `visit(element)` for the whole document now, and for each piece that htmx puts in place later. */
export function onFresh(visit) {
  visit(document.documentElement);
  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt !== document.body) visit(event.detail.elt);
  });
}

/** All elements that match, `root` itself included. */
export function within(root, selector) {
  const found = [...root.querySelectorAll(selector)];
  return root.matches(selector) ? [root, ...found] : found;
}

/** Whether the user is writing, so that single keys mean letters. */
export function isTyping(target) {
  return target.isContentEditable || target.matches?.("textarea, select, input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit])");
}
