// Lines of JSON as they arrive, and what an answer that is no stream says.

/** Yield each line of an answer (application/x-ndjson) as an object. */
export async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      const parts = (rest + (value ?? "")).split("\n");
      rest = done ? "" : parts.pop();
      for (const part of parts) if (part.trim()) yield JSON.parse(part);
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Return the sentences of an answer that says no: {"detail": ...} or {field: [sentences]}; `otherwise` if it has none. */
export async function sentence(response, otherwise) {
  let body;
  try {
    body = await response.json();
  } catch {
    return otherwise;
  }
  const found = [];
  const collect = (value) => {
    if (typeof value === "string") found.push(value);
    else if (value && typeof value === "object") Object.values(value).forEach(collect);
  };
  collect(body.detail ?? body.errors ?? body);
  return found.join(" ") || otherwise;
}

/** Return the header without which the studio refuses to change anything. */
export function csrf() {
  return JSON.parse(document.getElementById("frame").getAttribute("hx-headers"));
}
