// The bar that plays. Any <button data-play data-src data-title data-subtitle data-href data-lyrics-url data-cover> starts it;
// the queue is the play buttons of the page on which it was started.
import { isTyping, onFresh, within } from "./fresh.js";
import { drawMarks, forgetWords, loadWords, setUpWords } from "./lyrics.js";
import { toast } from "./toasts.js";

const bar = document.getElementById("player");
if (bar) setUp();

function setUp() {
  const audio = bar.querySelector("audio");
  const part = (name) => document.querySelector(`[data-player="${name}"]`);
  const STEP_BACK = 3; // seconds into a song after which "previous" starts it again
  let queue = [];
  let current = null;
  let isSeeking = false;

  const trackOf = (button) => {
    const { src, title, subtitle, href, lyricsUrl, cover } = button.dataset;
    return { src, title, subtitle, href, lyricsUrl, cover };
  };

  function start(track) {
    current = track;
    bar.hidden = false;
    audio.src = track.src;
    part("title").textContent = track.title;
    part("subtitle").textContent = track.subtitle ?? "";
    part("link").toggleAttribute("href", Boolean(track.href));
    if (track.href) part("link").href = track.href;
    showCover(track.cover);
    forgetWords();
    part("words").hidden = !track.lyricsUrl;
    if (track.lyricsUrl) loadWords(track.lyricsUrl).then(() => drawMarks(audio.duration), () => {});
    tellTheSystem(track);
    return play();
  }

  const play = () => audio.play().catch((error) => {
    if (error.name !== "AbortError") toast(bar.dataset.broken, "error");
  });
  const toggle = () => (audio.paused ? play() : audio.pause());

  function step(by) {
    const place = queue.findIndex((track) => track.src === current?.src);
    if (by < 0 && (audio.currentTime > STEP_BACK || place <= 0)) audio.currentTime = 0;
    else if (queue[place + by]) start(queue[place + by]);
  }

  function showCover(url) {
    const box = part("cover");
    box.querySelector("img")?.remove();
    if (!url) return;
    const image = new Image();
    image.alt = "";
    image.src = url;
    box.append(image);
  }

  function markButtons(root) {
    for (const button of within(root, "[data-play]")) {
      const isCurrent = current !== null && button.dataset.src === current.src;
      button.classList.toggle("is-current", isCurrent);
      button.classList.toggle("is-playing", isCurrent && !audio.paused);
      button.setAttribute("aria-pressed", String(isCurrent && !audio.paused));
    }
  }

  function showState() {
    bar.classList.toggle("is-playing", !audio.paused);
    const label = part("toggle").dataset;
    part("toggle").setAttribute("aria-label", audio.paused ? label.playLabel : label.pauseLabel);
    if ("mediaSession" in navigator) navigator.mediaSession.playbackState = audio.paused ? "paused" : "playing";
    markButtons(document.documentElement);
  }

  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  function showTime() {
    const length = Number.isFinite(audio.duration) ? audio.duration : 0;
    part("now").textContent = clock(audio.currentTime);
    part("length").textContent = clock(length);
    const seek = part("seek");
    seek.max = length || 100;
    if (!isSeeking) seek.value = audio.currentTime;
    seek.setAttribute("aria-valuetext", `${clock(audio.currentTime)} / ${clock(length)}`);
  }

  function tellTheSystem(track) {
    if (!("mediaSession" in navigator)) return;
    const artwork = track.cover ? [{ src: track.cover }] : [];
    navigator.mediaSession.metadata = new MediaMetadata({ title: track.title, artist: track.subtitle ?? "", artwork });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-play]");
    if (!button) return;
    if (current?.src === button.dataset.src) { toggle(); return; }
    queue = [...document.querySelectorAll("[data-play]")].map(trackOf);
    start(trackOf(button));
  });
  document.addEventListener("keydown", (event) => {
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
    if (event.key !== " " || !isPlain || !current || isTyping(event.target)) return;
    if (event.target.closest("button, a, summary, label, [role=button], input:not([type=range]), audio, dialog")) return;
    event.preventDefault();
    toggle();
  });

  part("toggle").addEventListener("click", toggle);
  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("seek").addEventListener("input", (event) => {
    isSeeking = true;
    part("now").textContent = clock(event.target.value);
  });
  part("seek").addEventListener("change", (event) => {
    audio.currentTime = event.target.value;
    isSeeking = false;
  });
  part("volume").addEventListener("input", (event) => {
    audio.volume = event.target.value;
    localStorage.setItem("volume", event.target.value);
  });
  const volume = Number(localStorage.getItem("volume") ?? 1);
  audio.volume = part("volume").value = volume >= 0 && volume <= 1 ? volume : 1;

  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, showState);
  for (const name of ["timeupdate", "durationchange", "loadedmetadata"]) audio.addEventListener(name, showTime);
  audio.addEventListener("loadedmetadata", () => drawMarks(audio.duration));
  audio.addEventListener("ended", () => step(1));
  audio.addEventListener("error", () => toast(bar.dataset.broken, "error"));

  if ("mediaSession" in navigator) {
    const actions = {
      play, pause: () => audio.pause(), previoustrack: () => step(-1), nexttrack: () => step(1),
      seekto: (details) => { audio.currentTime = details.seekTime; },
    };
    for (const [name, action] of Object.entries(actions)) navigator.mediaSession.setActionHandler(name, action);
  }
  setUpWords(audio);
  onFresh(markButtons);
}
