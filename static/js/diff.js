// What changed between two texts, word by word. Nothing here reads HTML: what is shown is set as text.

const TOKEN = /\r\n|[\n\r]|[^\S\n\r]+|[\p{L}\p{N}\p{M}'’_]+|./gsu;
const LINE = /[^\n]*\n|[^\n]+/g;
const MOST_CHANGES = 1200; // beyond this the search for the shortest way would hold the page up
const MOST_PIECES = 4000; // and beyond this the showing of it
const HAS_WORD = /[\p{L}\p{N}]/u;

/**
 * Return the way from one text to another as pieces {kind, text}: "same" in both, "cut" only before, "add" only after.
 *
 * Words where that is cheap, else lines, else everything at once: any length of text takes a fraction of a second.
 */
export function compare(before, after) {
  if (before === after) return before ? [{ kind: "same", text: before }] : [];
  for (const pattern of [TOKEN, LINE]) {
    const pieces = tidy(shortest(before.match(pattern) ?? [], after.match(pattern) ?? []));
    if (pieces && pieces.length <= MOST_PIECES) return pieces;
  }
  return [{ kind: "cut", text: before }, { kind: "add", text: after }].filter((piece) => piece.text);
}

/** Return how much of the longer text stayed as it was, from 0 to 1. */
export function likeness(pieces) {
  const length = { same: 0, cut: 0, add: 0 };
  for (const piece of pieces) length[piece.kind] += piece.text.length;
  return length.same / Math.max(length.same + Math.max(length.cut, length.add), 1);
}

/** Show pieces in an element: <del> struck through, <ins> underlined. */
export function show(element, pieces) {
  const tags = { same: "span", cut: "del", add: "ins" };
  element.replaceChildren(...pieces.map(({ kind, text }) => {
    const part = document.createElement(tags[kind]);
    part.textContent = text;
    if (kind !== "same" && !text.replace(/[\r\n]/g, "")) part.className = "is-break"; // or nothing would be seen of it
    return part;
  }));
}

/** The shortest way (Myers 1986, the greedy algorithm) between two lists of tokens; null if it is too long to be looked for. */
function shortest(before, after) {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const middle = walk(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return middle && [
    ...before.slice(0, start).map((text) => ({ kind: "same", text })),
    ...middle,
    ...before.slice(before.length - end).map((text) => ({ kind: "same", text })),
  ];
}

function walk(before, after) {
  const numbers = new Map(); // tokens are compared as numbers
  const numbered = (tokens) => Int32Array.from(tokens, (token) => {
    if (!numbers.has(token)) numbers.set(token, numbers.size);
    return numbers.get(token);
  });
  const [old, fresh] = [numbered(before), numbered(after)];
  const most = Math.min(old.length + fresh.length, MOST_CHANGES);
  const reach = new Int32Array(2 * most + 3); // how far into `old` each diagonal has come
  const trace = [];
  for (let changes = 0; changes <= most; changes += 1) {
    trace.push(reach.slice(most - changes, most + changes + 3)); // what this round can look at
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      const at = most + 1 + diagonal;
      const isDown = diagonal === -changes || (diagonal !== changes && reach[at - 1] < reach[at + 1]);
      let x = isDown ? reach[at + 1] : reach[at - 1] + 1;
      while (x < old.length && x - diagonal < fresh.length && old[x] === fresh[x - diagonal]) x += 1;
      reach[at] = x;
      if (x >= old.length && x - diagonal >= fresh.length) return back(trace, before, after);
    }
  }
  return null;
}

/** Walk back from the end of both lists along what the search has noted. */
function back(trace, before, after) {
  const pieces = [];
  let [x, y] = [before.length, after.length];
  for (let changes = trace.length - 1; changes >= 0; changes -= 1) {
    const reach = trace[changes];
    const at = changes + 1 + (x - y);
    const isDown = x - y === -changes || (x - y !== changes && reach[at - 1] < reach[at + 1]);
    const fromX = isDown ? reach[at + 1] : reach[at - 1];
    const fromY = fromX - (x - y) + (isDown ? -1 : 1);
    while (x > fromX + (isDown ? 0 : 1) && y > fromY + (isDown ? 1 : 0)) {
      x -= 1;
      y -= 1;
      pieces.push({ kind: "same", text: before[x] });
    }
    if (changes === 0) break;
    pieces.push(isDown ? { kind: "add", text: after[fromY] } : { kind: "cut", text: before[fromX] });
    [x, y] = [fromX, fromY];
  }
  return pieces.reverse();
}

/** Join what belongs together, so that a changed sentence reads as one change and not as confetti. */
function tidy(pieces) {
  if (!pieces) return null;
  const blocks = []; // {cut, add, same}: a change, and what follows it unchanged
  let block = { cut: "", add: "", same: "" };
  for (const { kind, text } of pieces) {
    if (kind !== "same" && block.same) {
      blocks.push(block);
      block = { cut: "", add: "", same: "" };
    }
    block[kind] += text;
  }
  blocks.push(block);
  const joined = [];
  for (const next of blocks) {
    const last = joined.at(-1);
    if (last && isSwallowed(last, next)) {
      last.cut += last.same + next.cut;
      last.add += last.same + next.add;
      last.same = next.same;
    } else joined.push({ ...next });
  }
  return joined.flatMap(({ cut, add, same }) => [
    { kind: "cut", text: cut }, { kind: "add", text: add }, { kind: "same", text: same },
  ]).filter((piece) => piece.text);
}

/** Whether what stands unchanged between two changes is too little to be worth seeing. */
function isSwallowed(last, next) {
  const isChange = (one) => one.cut || one.add;
  if (!isChange(last) || !isChange(next) || last.same.includes("\n")) return false;
  const largest = (one) => Math.max(one.cut.length, one.add.length);
  return !HAS_WORD.test(last.same) || last.same.length <= Math.min(largest(last), largest(next)) / 2;
}
