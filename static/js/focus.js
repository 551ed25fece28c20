// After a form came back with errors, the first field that needs something has the focus.
import { onFresh, within } from "./fresh.js";

onFresh((root) => {
  const [first] = within(root, "[aria-invalid=true]");
  if (first) setTimeout(() => first.focus(), 0); // after htmx has settled
});
