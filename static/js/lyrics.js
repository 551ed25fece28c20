// The lyrics drawer: {"sections": [{"section_type", "start", "end", "lines": [{"start", "end", "text", "words": [...]}]}]}, in milliseconds.
const REST = 5000; // milliseconds without scrolling by itself, after the user scrolled
const bar = document.getElementById("player");
const drawer = document.getElementById("lyrics");
const part = (name) => document.querySelector(`[data-player="${name}"]`);
let audio = null;
let sections = [];
let lines = []; // {start, end, element, words: [{start, end, element}]}
let shown = null;
let restUntil = 0;
let wanted = "";

/** Fetch and draw the words of a song. */
export async function loadWords(url) {
  wanted = url;
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  const body = answer.ok ? await answer.json() : { sections: [] };
  if (url !== wanted) return; // another song was started meanwhile
  sections = body.sections ?? [];
  draw();
}

/** Empty the drawer and the marks, for the next song. */
export function forgetWords() {
  wanted = "";
  sections = [];
  draw();
  part("marks").replaceChildren();
}

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function draw() {
  lines = [];
  shown = null;
  const pieces = sections.flatMap((section) => [
    ...(section.section_type ? [element("p", "lyrics-section", section.section_type)] : []),
    ...(section.lines ?? []).map(drawLine),
  ]);
  part("lines").replaceChildren(...(lines.length ? pieces : [element("p", "muted", bar.dataset.noLyrics)]));
}

function drawLine(line) {
  const button = element("button", "lyrics-line");
  button.type = "button";
  const words = (line.words ?? []).map((word) => ({ ...word, element: element("span", "lyrics-word", word.text) }));
  if (words.length) button.append(...words.flatMap((word, place) => (place ? [" ", word.element] : [word.element])));
  else button.textContent = line.text;
  button.addEventListener("click", () => {
    audio.currentTime = line.start / 1000;
    restUntil = 0;
  });
  lines.push({ start: line.start, end: line.end, element: button, words });
  return button;
}

/** Put the sections' names on the seek bar; `duration` in seconds. */
export function drawMarks(duration) {
  const marks = Number.isFinite(duration) && duration > 0 ? sections : [];
  part("marks").replaceChildren(...marks.filter((section) => section.section_type).map((section) => {
    const mark = element("span", "", section.section_type);
    mark.style.insetInlineStart = `${section.start / duration / 10}%`;
    mark.style.width = `${((section.end ?? section.start) - section.start) / duration / 10}%`;
    return mark;
  }));
}

function follow() {
  if (drawer.hidden) return;
  requestAnimationFrame(follow);
  const now = audio.currentTime * 1000;
  const line = lines.findLast((one) => one.start <= now) ?? null;
  if (line !== shown) {
    shown?.element.classList.remove("is-current");
    shown?.words.forEach((word) => word.element.classList.remove("is-current"));
    line?.element.classList.add("is-current");
    shown = line;
    if (line && Date.now() > restUntil) scrollTo(line.element);
  }
  for (const word of line?.words ?? []) word.element.classList.toggle("is-current", word.start <= now && now < word.end);
}

function scrollTo(target) {
  const box = part("lines");
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  box.scrollTo({ top: target.offsetTop - box.clientHeight / 3, behavior: isCalm ? "auto" : "smooth" });
}

function open(isOpen) {
  drawer.hidden = !isOpen;
  part("words").setAttribute("aria-expanded", String(isOpen));
  if (!isOpen) return;
  shown = null;
  follow();
}

/** Connect the drawer to the audio element it follows. */
export function setUpWords(player) {
  audio = player;
  part("words").addEventListener("click", () => open(drawer.hidden));
  part("close-words").addEventListener("click", () => { open(false); part("words").focus(); });
  drawer.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { open(false); part("words").focus(); }
  });
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    part("lines").addEventListener(name, () => { restUntil = Date.now() + REST; }, { passive: true });
  }
}
