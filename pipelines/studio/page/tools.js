// What all parts of the page share: words, elements, the server, files on their way in.

let words = {};

export async function loadWords(language) {
  words = await (await fetch(`/page/words/${language}.json`)).json();
}

export function t(key, values = {}) {
  let text = words[key] ?? key;
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(`{${name}}`, value);
  return text;
}

export const has = (key) => key in words;

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !["list", "form", "type", "width", "height"].includes(name)) element[name] = value;
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

export async function api(method, path, body) {
  const options = { method, headers: { "X-Language": document.documentElement.lang } };
  if (body instanceof Blob) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error(t("error.gone"));
  }
  if (answer.ok) return answer;
  let told = "";
  try {
    told = (await answer.json()).error.message;
  } catch { /* it said nothing that can be read */ }
  if (answer.status === 413) told = t("error.large");
  if (answer.status === 401) told = t("error.key");
  throw new Error(told || t("error.bug"));
}

export const get = async (path) => (await api("GET", path)).json();
export const post = async (path, body) => (await api("POST", path, body)).json();
export const part = encodeURIComponent;

let alertTimer;
export function fail(error) {
  const box = document.getElementById("alert");
  const close = h("button", { type: "button", onclick: () => box.replaceChildren() }, t("close"));
  box.replaceChildren(h("div", {}, h("span", {}, error.message ?? String(error)), close));
  clearTimeout(alertTimer);
  alertTimer = setTimeout(() => box.replaceChildren(), 30000);
}

let statusTimer;
export function say(text) {
  const box = document.getElementById("status");
  box.replaceChildren(h("div", {}, text));
  clearTimeout(statusTimer);
  statusTimer = setTimeout(() => box.replaceChildren(), 4000);
}

// A button whose work may fail; it cannot be pressed twice while it works.
export function button(label, work, kind = "", more = {}) {
  const element = h("button", { type: "button", className: kind, ...more }, label);
  element.addEventListener("click", async () => {
    element.disabled = true;
    try {
      await work(element);
    } catch (error) {
      fail(error);
    } finally {
      element.disabled = false;
    }
  });
  return element;
}

export const field = (label, control) => h("label", { className: "field" }, label, control);
export const tick = (label, control) => h("label", { className: "tick" }, control, label);
export const card = (title, ...children) =>
  h("section", { className: "card stack" }, title && h("h2", {}, title), ...children);
export const lead = (key) => [h("h1", {}, t(`${key}.title`)), h("p", { className: "lead" }, t(`${key}.lead`))];

export function select(options, chosen) {
  return h("select", {}, options.map(([value, label]) =>
    h("option", { value, selected: value === chosen }, label)));
}

export async function voiceSelect(chosen) {
  const { voices } = await get("/v1/audio/voices");
  return select(voices.map((voice) => [voice.id, voice.name]), chosen);
}

export const languageSelect = (first) => select([["", first], ["en", "English"], ["zh", "中文"], ["ja", "日本語"], ["de", "Deutsch"]], "");

export function bytes(count) {
  if (count < 1e6) return `${Math.ceil(count / 1000)} kB`;
  return count < 1e9 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e9).toFixed(1)} GB`;
}

export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("span.s", { s: whole });
  if (whole < 3600) return t("span.min", { min: Math.floor(whole / 60), s: whole % 60 });
  return t("span.h", { h: Math.floor(whole / 3600), min: Math.floor((whole % 3600) / 60) });
}

export const ask = (text) => window.confirm(text);

// ---------------------------------------------------------------- files

const MOST_FILES = 2000, MOST_BYTES = 1e9;

async function entriesOf(transfer) {
  const files = [];
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const walk = async (entry) => {
    if (entry.isFile) files.push(await new Promise((done, no) => entry.file(done, no)));
    else {
      const reader = entry.createReader();
      for (;;) {
        const batch = await new Promise((done, no) => reader.readEntries(done, no));
        if (!batch.length) break;
        for (const inner of batch) await walk(inner);
      }
    }
  };
  for (const root of roots) await walk(root);
  return files.length ? files : [...transfer.files];
}

// A place to drop files or a folder. `target(name)` is the path each is put at.
export function dropZone(hint, accept, target, done) {
  const bar = h("progress", { hidden: true, max: 1, "aria-label": t("upload.progress") });
  const told = h("p", { className: "note" });
  const pick = (folder) => {
    const input = h("input", { type: "file", multiple: true, accept, className: "hidden", tabIndex: -1, "aria-hidden": "true" });
    if (folder) input.setAttribute("webkitdirectory", "");
    input.addEventListener("change", () => send([...input.files]));
    return input;
  };
  const files = pick(false), folder = pick(true);
  const send = async (chosen) => {
    try {
      if (!chosen.length) return;
      if (chosen.length > MOST_FILES) throw new Error(t("error.files", { n: MOST_FILES }));
      const large = chosen.find((file) => file.size > MOST_BYTES);
      if (large) throw new Error(t("error.large_file", { name: large.name }));
      bar.hidden = false;
      const refused = [];
      for (const [index, file] of chosen.entries()) {
        bar.value = index / chosen.length;
        told.textContent = t("upload.now", { name: file.name, n: index + 1, all: chosen.length });
        try {
          await api("PUT", target(file.name), file);
        } catch (error) {
          refused.push(error.message);
          if (refused.length > 20) break;
        }
      }
      bar.hidden = true;
      told.textContent = t("upload.done", { n: chosen.length - refused.length });
      if (refused.length) fail(new Error(refused.slice(0, 4).join(" ")));
      await done();
    } catch (error) {
      bar.hidden = true;
      fail(error);
    } finally {
      files.value = folder.value = "";
    }
  };
  const zone = h("div", { className: "drop" }, h("div", {}, hint),
    h("div", { className: "row" },
      h("button", { type: "button", onclick: () => files.click() }, t("upload.files")),
      h("button", { type: "button", onclick: () => folder.click() }, t("upload.folder"))),
    files, folder, bar, told);
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    try {
      await send(await entriesOf(event.dataTransfer));
    } catch (error) {
      fail(error);
    }
  });
  return zone;
}

// ---------------------------------------------------------------- sound

// Play raw 16-bit samples at 24 kHz as they come. Returns what stops it; `ended` resolves at the end.
export async function playStream(answer, onFirst = () => {}) {
  const context = new AudioContext({ sampleRate: 24000 });
  const reader = answer.body.getReader();
  let at = 0, odd = new Uint8Array(0), stopped = false;
  const pump = (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || stopped) break;
      const data = new Uint8Array(odd.length + value.length);
      data.set(odd); data.set(value, odd.length);
      const whole = data.length - (data.length % 2);
      odd = data.slice(whole);
      if (!whole) continue;
      const samples = new Int16Array(data.buffer.slice(0, whole));
      const buffer = context.createBuffer(1, samples.length, 24000);
      const channel = buffer.getChannelData(0);
      for (let i = 0; i < samples.length; i++) channel[i] = samples[i] / 32768;
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(context.destination);
      if (at === 0) onFirst();
      at = Math.max(at, context.currentTime + 0.05);
      source.start(at);
      at += buffer.duration;
    }
  })();
  const ended = pump.then(() => new Promise((over) => {
    setTimeout(over, stopped ? 0 : Math.max(0, (at - context.currentTime) * 1000));
  })).finally(() => context.state !== "closed" && context.close());
  return { ended, read: pump, stop: () => { stopped = true; reader.cancel().catch(() => {}); context.close(); } };
}
