// Recordings: drop them, or read sentences aloud here; prepare; review.

import { api, ask, button, bytes, card, dropZone, fail, field, get, h, languageSelect, lead, part, post, say, select, span, t } from "/page/tools.js";
import { begin, jobList, whenDone } from "/page/jobs.js";

const ACCEPT = "audio/*,video/*,.txt,.lab,.srt,.vtt,.csv,.tsv,.opus,.m4a,.flac,.wav";

export async function show(place) {
  const sets = h("div");
  const name = h("input", { type: "text", value: "anna", maxLength: 60 });
  const named = () => {
    if (!name.value.trim()) throw new Error(t("recordings.name_first"));
    return part(name.value.trim());
  };

  async function list() {
    const found = await get("/api/recordings");
    sets.replaceChildren(...found.map(row));
    if (!found.length) sets.append(h("p", { className: "note" }, t("recordings.none")));
  }

  function row(set) {
    const language = languageSelect(t("language.find"));
    const speaker = select([["auto", t("recordings.speaker_auto")], ["one", t("recordings.speaker_one")], ["folders", t("recordings.speaker_folders")]], "auto");
    const denoise = select([["off", t("recordings.denoise_off")], ["spectral", t("recordings.denoise_on")]], "off");
    return h("article", { className: "card stack", "data-set": set.name },
      h("div", { className: "row middle" }, h("h2", { style: "margin:0" }, set.name),
        h("span", { className: "note" }, t("recordings.count", { sounds: set.sounds, files: set.files, size: bytes(set.bytes) })),
        set.prepared && h("span", { className: "good-text" }, t("recordings.prepared"))),
      h("div", { className: "row" }, field(t("language.spoken"), language), field(t("recordings.speaker"), speaker), field(t("recordings.denoise"), denoise)),
      h("div", { className: "row" },
        button(t("recordings.prepare"), async () => {
          await begin(`/api/recordings/${part(set.name)}/prepare`, { language: language.value || null, speaker: speaker.value, denoise: denoise.value });
          say(t("started"));
        }, "main"),
        set.prepared && button(t("recordings.review"), async () => {
          const { url } = await post(`/api/recordings/${part(set.name)}/review`);
          window.open(url, "_blank", "noopener");
        }),
        h("a", { className: "button", href: "#train", onclick: () => sessionStorage.setItem("recordings", set.name) }, t("recordings.train")),
        button(t("remove"), async () => {
          if (ask(t("recordings.sure", { name: set.name }))) { await api("DELETE", `/api/recordings/${part(set.name)}`); await list(); }
        }, "bad")));
  }

  const results = jobList((job) => job.kind === "prepare", (job) => [
    h("p", {}, t("recordings.result", { use: job.result.verdicts.use ?? 0, doubt: job.result.verdicts.doubt ?? 0, drop: job.result.verdicts.drop ?? 0, span: span(job.result.seconds) })),
    h("ul", {}, job.result.advice.map((line) => h("li", {}, line))),
    job.result.left_out.length > 0 && h("details", {}, h("summary", {}, t("recordings.left_out", { n: job.result.left_out.length })), h("ul", {}, job.result.left_out.map((line) => h("li", {}, line))))]);

  place.append(...lead("recordings"),
    card(t("recordings.give"), field(t("recordings.name"), name),
      dropZone(t("recordings.drop"), ACCEPT, (file) => `/api/recordings/${named()}/files/${part(file)}`, list)),
    await recorder(named, list), h("h2", {}, t("recordings.sets")), sets, results);
  await list().catch(fail);
  whenDone(sets, "prepare", list);
}

// Sentences to read, one by one; each is kept with its words beside it.
async function recorder(named, done) {
  const language = select([["en", "English"], ["zh", "中文"], ["ja", "日本語"]], ["en", "zh", "ja"].includes(document.documentElement.lang) ? document.documentElement.lang : "en");
  const count = select([10, 20, 30, 50].map((n) => [n, String(n)]), 20);
  const sentence = h("p", { className: "sentence", "aria-live": "polite" }), told = h("p", { className: "note" });
  const heard = h("audio", { controls: true, hidden: true, "aria-label": t("record.hear") });
  let sentences = [], at = 0, media = null, chunks = [], stream = null;
  const show = () => {
    sentence.textContent = sentences[at] ?? "";
    sentence.lang = language.value;
    told.textContent = sentences.length ? t("record.at", { n: at + 1, all: sentences.length }) : "";
  };
  const start = button(t("record.begin"), async () => {
    const made = await get(`/api/recordings/script/${language.value}/${count.value}`);
    sentences = made.sentences;
    at = 0;
    heard.hidden = true;
    show();
    tools.hidden = false;
  });
  const record = button(t("record.record"), async () => {
    if (media?.state === "recording") { media.stop(); return; }
    stream ??= await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } })
      .catch(() => { throw new Error(t("record.no_microphone")); });
    chunks = [];
    media = new MediaRecorder(stream);
    media.addEventListener("dataavailable", (event) => chunks.push(event.data));
    media.addEventListener("stop", () => keep().catch(fail));
    media.start();
    record.textContent = t("record.stop");
    record.setAttribute("aria-pressed", "true");
  }, "main", { "aria-pressed": "false" });
  async function keep() {
    record.textContent = t("record.record");
    record.setAttribute("aria-pressed", "false");
    const sound = new Blob(chunks, { type: media.mimeType });
    const suffix = media.mimeType.includes("mp4") ? "m4a" : media.mimeType.includes("ogg") ? "ogg" : "webm";
    const stem = `read-${language.value}-${String(at + 1).padStart(3, "0")}`;
    await api("PUT", `/api/recordings/${named()}/files/${stem}.${suffix}`, sound);
    await api("PUT", `/api/recordings/${named()}/files/${stem}.txt`, new Blob([sentences[at]]));
    heard.src = URL.createObjectURL(sound);
    heard.hidden = false;
    told.textContent = t("record.kept", { n: at + 1, all: sentences.length });
    await done();
  }
  const step = (by) => () => { at = Math.min(sentences.length - 1, Math.max(0, at + by)); heard.hidden = true; show(); };
  const tools = h("div", { hidden: true }, sentence, told,
    h("div", { className: "row" }, record, button(t("record.back"), step(-1)), button(t("record.next"), step(1))), heard);
  return card(t("record.title"), h("p", { className: "note" }, t("record.lead")),
    h("div", { className: "row" }, field(t("language"), language), field(t("record.count"), count), start), tools);
}
