// Speak: a text, heard as it is made, and kept.

import { api, button, card, fail, field, get, h, languageSelect, lead, part, playStream, select, span, t, voiceSelect } from "/page/tools.js";

export async function show(place) {
  const text = h("textarea", { rows: 6, id: "speak-text", maxLength: 20000, placeholder: t("speak.placeholder") });
  const voice = await voiceSelect(sessionStorage.getItem("voice") ?? "base");
  const speed = h("input", { type: "range", min: 0.5, max: 2, step: 0.05, value: 1 });
  const shown = h("output", {}, "1.00");
  speed.addEventListener("input", () => { shown.textContent = Number(speed.value).toFixed(2); });
  const seed = h("input", { type: "number", min: 0, max: 2147483647, value: 0 });
  const format = select(["mp3", "wav", "flac", "opus", "m4a"].map((name) => [name, name]), "mp3");
  const language = languageSelect(t("language.own"));
  const told = h("p", { className: "note", role: "status" });
  const history = h("div");
  let playing = null;
  const stop = button(t("speak.stop"), () => playing?.stop(), "", { hidden: true });

  const go = button(t("speak.go"), async () => {
    const wish = { text: text.value, voice: voice.value, speed: Number(speed.value), seed: Number(seed.value), language: language.value || null, format: format.value };
    if (!wish.text.trim()) throw new Error(t("speak.empty"));
    sessionStorage.setItem("voice", wish.voice);
    const began = performance.now();
    told.textContent = t("speak.waiting");
    const answer = await api("POST", "/api/spoken", wish).catch((error) => { told.textContent = ""; throw error; });
    playing = await playStream(answer, () => {
      told.textContent = t("speak.first", { s: ((performance.now() - began) / 1000).toFixed(2) });
    });
    stop.hidden = false;
    try {
      await playing.read;
      await list();
      await playing.ended;
    } finally {
      stop.hidden = true;
    }
  }, "main", { id: "speak-go" });

  async function list() {
    const rows = await get("/api/spoken");
    history.replaceChildren(...rows.map((row) => h("article", { className: "card" },
      h("p", { style: "margin:0" }, row.text.length > 220 ? `${row.text.slice(0, 220)}…` : row.text),
      h("p", { className: "note" }, `${row.voice} · ×${row.speed} · ${t("speak.seed")} ${row.seed} · ${span(row.seconds)}`),
      h("audio", { controls: true, preload: "none", src: `/api/spoken/${row.name}/sound`, "aria-label": row.text.slice(0, 60) }),
      h("div", { className: "row" },
        h("a", { className: "button", href: `/api/spoken/${row.name}/sound`, download: `${row.name}.${row.format}` }, t("download")),
        button(t("speak.reuse"), () => { text.value = row.text; speed.value = row.speed; shown.textContent = Number(row.speed).toFixed(2); seed.value = row.seed; voice.value = row.voice; text.focus(); }),
        button(t("remove"), async () => { await api("DELETE", `/api/spoken/${part(row.name)}`); await list(); })))));
    if (!rows.length) history.append(h("p", { className: "note" }, t("speak.none")));
  }

  place.append(...lead("speak"), card("", field(t("speak.text"), text),
    h("div", { className: "row" }, field(t("voice"), voice), field(h("span", {}, `${t("speak.speed")} `, shown), speed), field(t("speak.seed"), seed)),
    h("div", { className: "row" }, field(t("language.text"), language), field(t("speak.format"), format)),
    h("div", { className: "row middle" }, go, stop), told), h("h2", {}, t("speak.history")), history);
  await list().catch(fail);
}
