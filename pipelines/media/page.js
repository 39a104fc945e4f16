// Follows the sound: lights the word that is said, turns the picture, keeps the text in view.
(() => {
  "use strict";
  const SCROLL_REST_MS = 6000; // how long the reader's own scrolling is left alone
  const HOLD_S = 0.25; // a word stays lit over a shorter pause
  const EARLY_S = 0.03; // screens show what is drawn a little later

  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const [sound, play, seek, clock, speed, stage] = [
    "sound", "play", "seek", "clock", "speed", "stage",
  ].map(find);
  const times = JSON.parse(find("times").textContent);
  const words = [...document.querySelectorAll(".w")];
  const lines = [...document.querySelectorAll(".line")];
  const lineOf = words.map((word) => lines.indexOf(word.closest(".line")));
  const pictures = [...document.querySelectorAll("figure img")];
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  let word = -1, line = -1, scene = -1, restUntil = 0, wanted = null;

  // A blob can be sought in every browser, a data address not in all.
  function unpack() {
    const [head, body] = sound.getAttribute("src").split(",", 2);
    const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
    const type = head.slice("data:".length).split(";")[0];
    sound.src = URL.createObjectURL(new Blob([bytes], { type }));
  }

  // The last number of `starts` that is at most `time`: its place, or -1.
  function place(starts, time) {
    let low = 0, high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  function spoken(time) {
    const found = place(times.wordStarts, time);
    if (found < 0) return -1;
    const next = times.wordStarts[found + 1] ?? Infinity;
    const end = times.wordEnds[found];
    return time < (next - end < HOLD_S ? next : end + HOLD_S / 2) ? found : -1;
  }

  function mark(list, before, after, name) {
    list[before]?.classList.remove(name);
    list[after]?.classList.add(name);
    return after;
  }

  function show() {
    const time = sound.currentTime + EARLY_S;
    const saying = spoken(time);
    if (saying !== word) {
      word = mark(words, word, saying, "on");
      if (word >= 0) keepInView(words[word]);
    }
    const reading = place(times.lineStarts, time);
    if (reading !== line) line = mark(lines, line, reading, "now");
    const seen = Math.max(0, place(times.sceneStarts, time));
    if (seen !== scene) scene = mark(pictures, scene, seen, "on");
    const whole = length();
    seek.value = String(Math.round((1000 * sound.currentTime) / whole));
    const now = digits(sound.currentTime);
    if (clock.firstChild.textContent !== now) {
      clock.firstChild.textContent = now;
      seek.setAttribute("aria-valuetext", `${now} / ${digits(whole)}`);
    }
  }

  function length() {
    return Number.isFinite(sound.duration) && sound.duration > 0 ? sound.duration : times.duration;
  }

  function digits(seconds) {
    const whole = Math.floor(seconds);
    const tail = String(whole % 60).padStart(2, "0");
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return `${minutes}:${tail}`;
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
  }

  // The free part of the window lies between the picture (on a phone) and the bar.
  function keepInView(element) {
    if (sound.paused || performance.now() < restUntil) return;
    const box = element.getBoundingClientRect();
    const held = stage.getBoundingClientRect();
    const above = held.width > 0.9 * innerWidth ? Math.max(0, held.bottom) : 0;
    const free = innerHeight - find("bar").offsetHeight - above;
    const at = (box.top - above) / free;
    if (at > 0.2 && at < 0.62) return;
    restUntil = performance.now() + 700; // let this movement end before the next
    const top = scrollY + box.top - above - 0.36 * free;
    scrollTo({ top, behavior: still.matches ? "auto" : "smooth" });
  }

  function goTo(seconds, thenPlay) {
    restUntil = 0;
    sound.currentTime = seconds;
    if (thenPlay) start();
    show();
  }

  function start() {
    restUntil = 0;
    sound.play().catch(() => root.classList.remove("playing"));
  }

  function toggle() {
    if (sound.paused) start();
    else sound.pause();
  }

  // One line back or on; back goes to the line's own beginning first, as players do.
  function step(by) {
    const from = place(times.lineStarts, sound.currentTime + EARLY_S);
    const inside = from >= 0 && sound.currentTime - times.lineStarts[from] > 1.2;
    const target = by < 0 && inside ? from : from + by;
    goTo(times.lineStarts[Math.min(Math.max(target, 0), lines.length - 1)] ?? 0, false);
    if (line >= 0 && sound.paused) lines[line].scrollIntoView({ block: "center" });
  }

  function frame() {
    show();
    wanted = sound.paused ? null : requestAnimationFrame(frame);
  }

  function playing(now) {
    root.classList.toggle("playing", now);
    play.setAttribute("aria-label", now ? play.dataset.pause : play.dataset.play);
    play.title = play.getAttribute("aria-label");
    if (now && wanted === null) wanted = requestAnimationFrame(frame);
  }

  function addMarks() {
    for (const seconds of times.sceneStarts.slice(1)) {
      const tick = document.createElement("i");
      tick.style.left = `${(100 * seconds) / times.duration}%`;
      seek.parentElement.append(tick);
    }
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const own = event.target.closest("button, select, input");
    if (event.key === " " && !event.target.closest("button, select")) {
      event.preventDefault();
      toggle();
    } else if (!own && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      step(event.key === "ArrowLeft" ? -1 : 1);
    } else if (["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"].includes(event.key)) {
      rest();
    }
  }

  function rest() {
    restUntil = performance.now() + SCROLL_REST_MS;
  }

  function onLockScreen() {
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.metadata = new MediaMetadata({
      title: document.title,
      artist: times.author,
    });
    navigator.mediaSession.setActionHandler("previoustrack", () => step(-1));
    navigator.mediaSession.setActionHandler("nexttrack", () => step(1));
  }

  unpack();
  root.classList.add("js");
  stage.append(...pictures);
  addMarks();
  onLockScreen();
  sound.addEventListener("play", () => playing(true));
  sound.addEventListener("pause", () => playing(false));
  sound.addEventListener("ended", () => playing(false));
  for (const name of ["seeked", "timeupdate", "loadedmetadata"]) sound.addEventListener(name, show);
  play.addEventListener("click", toggle);
  find("back").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  seek.addEventListener("input", () => goTo((length() * Number(seek.value)) / 1000, false));
  speed.addEventListener("change", () => { sound.playbackRate = Number(speed.value); });
  document.addEventListener("click", (event) => {
    const clicked = words.indexOf(event.target.closest(".w"));
    if (clicked >= 0 && String(getSelection()) === "") goTo(times.wordStarts[clicked], true);
  });
  document.addEventListener("keydown", onKey);
  for (const name of ["wheel", "touchmove"]) addEventListener(name, rest, { passive: true });
  show();
})();
