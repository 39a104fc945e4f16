"use strict";
// Every change goes to the server at once; what it answers is what is shown.
const WORDS = {
  en: { title: "Review the data set", hint: "Space plays, A accepts, R leaves out, J and K go on and back. Drag over the waveform to mark a part.", play: "Play", stop: "Stop", accept: "Use", reject: "Leave out", cut: "Keep the marked part", undo: "As it was", saved: "saved", saving: "saving…", all: "All", doubt: "With doubt", drop: "Left out", use: "Used", count: (u, n, s) => `${u} of ${n} clips used, ${s} s`, text: "What is said" },
  zh: { title: "检查数据集", hint: "空格播放，A 采用，R 不用，J、K 下一条和上一条。在波形上拖动可选取一段。", play: "播放", stop: "停止", accept: "采用", reject: "不用", cut: "只留选中部分", undo: "恢复原样", saved: "已保存", saving: "正在保存…", all: "全部", doubt: "有疑问", drop: "未采用", use: "已采用", count: (u, n, s) => `共 ${n} 条，采用 ${u} 条，${s} 秒`, text: "录音的文字" },
  ja: { title: "データセットの確認", hint: "スペースで再生、A で採用、R で除外、J と K で次と前。波形をドラッグして範囲を選びます。", play: "再生", stop: "停止", accept: "採用", reject: "除外", cut: "選んだ部分だけ残す", undo: "元に戻す", saved: "保存しました", saving: "保存中…", all: "すべて", doubt: "要確認", drop: "除外", use: "採用済み", count: (u, n, s) => `${n} 件中 ${u} 件を採用、${s} 秒`, text: "話している言葉" },
};
const language = (navigator.language || "en").slice(0, 2);
const say = WORDS[language] || WORDS.en;
document.documentElement.lang = WORDS[language] ? language : "en";
const token = new URLSearchParams(location.search).get("token");
const headers = { "X-Token": token };
const rows = new Map();
let playing = null;
let filter = "all";

for (const element of document.querySelectorAll("[data-say]")) element.textContent = say[element.dataset.say];

function complain(message) {
  const box = document.getElementById("error");
  box.textContent = message;
  box.hidden = !message;
}

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { ...headers, ...options.headers } });
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer;
}

function show(row) {
  const { clip, element } = row;
  element.classList.remove("use", "doubt", "drop");
  element.classList.add(clip.verdict);
  element.querySelector(".reason").textContent = clip.reason;
  element.querySelector(".undo").disabled = !clip.edited;
  element.querySelector(".accept").setAttribute("aria-pressed", clip.verdict === "use");
  element.querySelector(".reject").setAttribute("aria-pressed", clip.verdict === "drop");
  const text = element.querySelector("textarea");
  if (document.activeElement !== text) text.value = clip.text;
  draw(row);
  tally();
}

function tally() {
  const all = [...rows.values()];
  const used = all.filter((row) => row.clip.verdict !== "drop");
  const seconds = used.reduce((sum, row) => sum + (row.clip.cut ? row.clip.cut[1] - row.clip.cut[0] : row.clip.seconds), 0);
  document.getElementById("count").textContent = say.count(used.length, all.length, seconds.toFixed(1));
  for (const row of all) row.element.hidden = !(filter === "all" || row.clip.verdict === filter || row.clip.found === filter);
}

async function save(row, changes) {
  const state = row.element.querySelector(".state");
  state.textContent = say.saving;
  row.queue = (row.queue || Promise.resolve()).then(async () => {
    try {
      const answer = await ask("/clips/" + encodeURIComponent(row.clip.name), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(changes) });
      row.clip = await answer.json();
      state.textContent = say.saved;
      complain("");
    } catch (error) {
      state.textContent = "";
      complain(error.message);
    }
    show(row);
  });
  return row.queue;
}

async function load(row) {
  row.loading = row.loading || (async () => {
    const blob = await (await ask("/sound/" + encodeURIComponent(row.clip.name))).blob();
    row.audio = new Audio(URL.createObjectURL(blob));
    row.audio.addEventListener("timeupdate", () => {
      const end = (row.mark || row.clip.cut || [0, Infinity])[1];
      if (row.audio.currentTime >= end) row.audio.pause();
      draw(row);
    });
    for (const kind of ["play", "pause", "ended"]) row.audio.addEventListener(kind, () => label(row));
    row.peaks = peaks(await blob.arrayBuffer());
    draw(row);
  })();
  return row.loading;
}

// 16-bit mono WAV: the highest sample of each of 600 parts.
function peaks(buffer) {
  const view = new DataView(buffer);
  let at = 12;
  while (at + 8 < buffer.byteLength && view.getUint32(at, false) !== 0x64617461) at += 8 + view.getUint32(at + 4, true);
  const samples = new Int16Array(buffer.slice(at + 8, at + 8 + 2 * Math.floor((buffer.byteLength - at - 8) / 2)));
  const count = 600;
  const result = new Float32Array(count);
  for (let i = 0; i < samples.length; i++) {
    const place = Math.floor((i * count) / samples.length);
    result[place] = Math.max(result[place], Math.abs(samples[i]) / 32768);
  }
  return result;
}

function draw(row) {
  if (!row.peaks) return;
  const canvas = row.element.querySelector("canvas");
  const style = getComputedStyle(document.documentElement);
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = 72 * devicePixelRatio;
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  const x = (seconds) => (seconds / row.clip.seconds) * width;
  const kept = row.clip.cut || [0, row.clip.seconds];
  const loudest = Math.max(...row.peaks, 0.01);
  row.peaks.forEach((peak, i) => {
    const at = (i / row.peaks.length) * row.clip.seconds;
    pen.globalAlpha = at >= kept[0] && at <= kept[1] ? 1 : 0.25;
    pen.fillStyle = style.getPropertyValue("--wave");
    const half = Math.max(1, (peak / loudest) * height * 0.48);
    pen.fillRect((i * width) / row.peaks.length, height / 2 - half, Math.max(1, width / row.peaks.length - 1), 2 * half);
  });
  if (row.mark) {
    pen.globalAlpha = 0.25;
    pen.fillStyle = style.getPropertyValue("--use");
    pen.fillRect(x(row.mark[0]), 0, x(row.mark[1]) - x(row.mark[0]), height);
  }
  if (row.audio && row.audio.currentTime) {
    pen.globalAlpha = 1;
    pen.fillStyle = style.getPropertyValue("--drop");
    pen.fillRect(x(row.audio.currentTime), 0, 2, height);
  }
  row.element.querySelector(".cut").disabled = !row.mark;
}

function label(row) {
  row.element.querySelector(".play").textContent = row.audio && !row.audio.paused ? say.stop : say.play;
}

async function play(row) {
  await load(row);
  if (!row.audio.paused) return row.audio.pause();
  if (playing && playing !== row) playing.audio.pause();
  playing = row;
  const from = (row.mark || row.clip.cut || [0])[0];
  row.audio.currentTime = from;
  await row.audio.play();
}

function marking(row) {
  const canvas = row.element.querySelector("canvas");
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * row.clip.seconds;
  };
  let from = null;
  canvas.addEventListener("pointerdown", (event) => { from = at(event); canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (from === null) return;
    row.mark = [Math.min(from, at(event)), Math.max(from, at(event))];
    draw(row);
  });
  canvas.addEventListener("pointerup", () => {
    from = null;
    if (row.mark && row.mark[1] - row.mark[0] < 0.3) row.mark = null;
    draw(row);
  });
}

function add(clip) {
  const element = document.getElementById("row").content.firstElementChild.cloneNode(true);
  const row = { clip, element, mark: null };
  rows.set(clip.name, row);
  element.querySelector(".name").textContent = clip.source;
  for (const name of ["play", "accept", "reject", "cut", "undo"]) element.querySelector("." + name).textContent = say[name];
  const text = element.querySelector("textarea");
  text.setAttribute("aria-label", say.text);
  let waiting = 0;
  const keep = () => { clearTimeout(waiting); if (text.value.trim() !== row.clip.text) save(row, { text: text.value }); };
  text.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(keep, 500); });
  text.addEventListener("change", keep);
  element.querySelector(".play").addEventListener("click", () => play(row));
  element.querySelector(".accept").addEventListener("click", () => save(row, { verdict: "use" }));
  element.querySelector(".reject").addEventListener("click", () => save(row, { verdict: "drop" }));
  element.querySelector(".cut").addEventListener("click", () => { const cut = row.mark; row.mark = null; save(row, { cut }); });
  element.querySelector(".undo").addEventListener("click", () => save(row, { undo: true }));
  element.addEventListener("keydown", (event) => {
    if (event.target === text || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { " ": () => play(row), a: () => save(row, { verdict: "use" }), r: () => save(row, { verdict: "drop" }), j: () => go(element, 1), k: () => go(element, -1) }[event.key];
    if (!act || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    act();
  });
  marking(row);
  document.getElementById("clips").append(element);
  seen.observe(element);
  label(row);
  show(row);
}

function go(element, step) {
  const shown = [...document.querySelectorAll(".clip:not([hidden])")];
  const next = shown[shown.indexOf(element) + step];
  if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    const row = [...rows.values()].find((one) => one.element === entry.target);
    load(row).catch((error) => complain(error.message));
  }
}, { rootMargin: "300px" });

for (const name of ["all", "doubt", "drop", "use"]) {
  const button = document.createElement("button");
  button.textContent = say[name];
  button.id = "show-" + name;
  button.setAttribute("aria-pressed", name === filter);
  button.addEventListener("click", () => {
    filter = name;
    for (const other of document.querySelectorAll("nav button")) other.setAttribute("aria-pressed", other === button);
    tally();
  });
  document.getElementById("filters").append(button);
}

ask("/clips").then(async (answer) => {
  for (const clip of await answer.json()) add(clip);
  document.body.dataset.ready = "yes";
}).catch((error) => complain(error.message));
