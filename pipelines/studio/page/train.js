// Train: a voice from a set of recordings, watched while it grows.

import { button, card, field, get, h, languageSelect, lead, part, say, select, t, tick } from "/page/tools.js";
import { begin, current, jobList, onJobs } from "/page/jobs.js";

export async function show(place) {
  const [sets, voices] = await Promise.all([get("/api/recordings"), get("/api/voices")]);
  const usable = sets.filter((set) => set.sounds);
  const recordings = select(usable.map((set) => [set.name, set.prepared ? set.name : `${set.name} (${t("train.raw")})`]), sessionStorage.getItem("recordings"));
  const name = h("input", { type: "text", maxLength: 60, id: "train-name", value: recordings.value || "" });
  recordings.addEventListener("change", () => { name.value = recordings.value; });
  const consent = h("textarea", { rows: 3, id: "train-consent", placeholder: t("train.consent_example") });
  const base = select(voices.filter((voice) => !voice.problem).map((voice) => [voice.name, voice.name]), "base");
  const budget = select([["auto", t("train.auto")], ["quick", t("train.quick")], ["3", t("train.minutes", { n: 3 })], ["10", t("train.minutes", { n: 10 })], ["30", t("train.minutes", { n: 30 })], ["60", t("train.minutes", { n: 60 })], ["480", t("train.hours", { n: 8 })]], "auto");
  const language = languageSelect(t("language.recordings"));
  const force = h("input", { type: "checkbox" });
  const go = button(t("train.go"), async () => {
    if (!usable.length) throw new Error(t("train.no_recordings"));
    if (!consent.value.trim()) { consent.focus(); throw new Error(t("train.no_consent")); }
    const minutes = /^\d+$/.test(budget.value) ? Number(budget.value) : null;
    await begin("/api/train", { recordings: recordings.value, name: name.value.trim(), consent: consent.value, base: base.value, minutes, quick: budget.value === "quick", language: language.value || null, force: force.checked });
    say(t("started"));
  }, "main", { id: "train-go" });

  const jobs = jobList((job) => job.kind === "train", (job) => [
    h("p", {}, t("train.ready", { name: job.result.name, scores: scores(job.result.scores) })),
    h("a", { className: "button", href: "#speak", onclick: () => sessionStorage.setItem("voice", job.result.name) }, t("voices.try"))]);
  place.append(...lead("train"),
    usable.length ? "" : h("p", { className: "card" }, t("train.no_recordings"), " ", h("a", { href: "#recordings" }, t("recordings.title"))),
    card("", h("div", { className: "row" }, field(t("train.recordings"), recordings), field(t("train.name"), name)),
      field(t("train.consent"), consent),
      h("div", { className: "row" }, field(t("train.base"), base), field(t("train.budget"), budget), field(t("language.spoken"), language)),
      tick(t("train.force"), force), h("div", {}, go)),
    jobs, growth());
}

function scores(found) {
  return ["similarity", "cer"].filter((name) => name in found).map((name) => `${t(`score.${name}`)} ${found[name]}`).join(", ");
}

// The newest training: its plan, its loss as a curve, what it said at each check.
function growth() {
  const plan = h("p", { className: "note" }), curve = h("div"), samples = h("div", { className: "samples" });
  const element = h("section", { className: "card stack", hidden: true }, h("h2", {}, t("train.growth")), plan, curve, h("h3", {}, t("train.samples")), samples);
  const shown = new Set();
  let of = "", busy = false;
  onJobs(element, async () => {
    const job = current().find((one) => one.kind === "train" && one.state !== "waiting");
    if (!job || busy) return;
    busy = true;
    try {
      if (of !== job.target) { of = job.target; shown.clear(); samples.replaceChildren(); }
      const [told, names] = await Promise.all([get(`/api/jobs/${job.id}/curve`), get(`/api/train/${part(job.params.name)}/samples`)]);
      element.hidden = !told.plan && !names.length;
      plan.textContent = told.plan;
      curve.replaceChildren(...(told.points.length > 1 ? [drawn(told.points)] : []));
      for (const stem of names) {
        if (shown.has(stem)) continue;
        shown.add(stem);
        const at = `/api/train/${part(job.params.name)}/samples/${part(stem)}`;
        const step = t("train.step", { n: Number(stem.split("-")[1]) });
        samples.prepend(h("figure", { style: "margin:0" }, h("img", { src: `${at}.png`, alt: t("train.spectrogram", { step }) }),
          h("audio", { controls: true, preload: "none", src: `${at}.wav`, "aria-label": step }), h("figcaption", { className: "note" }, step)));
      }
    } catch { /* asked again with the next news */ } finally { busy = false; }
  });
  return element;
}

function drawn(points) {
  const W = 640, H = 170, left = 46, bottom = 22;
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const x = (v) => left + ((v - x0) / (x1 - x0 || 1)) * (W - left - 8);
  const y = (v) => 8 + ((y1 - v) / (y1 - y0 || 1)) * (H - bottom - 12);
  const svg = (tag, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  };
  const label = t("train.loss", { from: ys[0].toFixed(2), to: ys.at(-1).toFixed(2) });
  const picture = svg("svg", { class: "curve", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label });
  picture.append(svg("line", { x1: left, x2: W - 8, y1: H - bottom, y2: H - bottom }),
    svg("text", { x: 2, y: y(y1) + 10 }, y1.toFixed(2)), svg("text", { x: 2, y: y(y0) }, y0.toFixed(2)),
    svg("text", { x: left, y: H - 4 }, String(x0)), svg("text", { x: W - 60, y: H - 4 }, String(x1)),
    svg("path", { d: points.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("") }));
  return h("figure", { style: "margin:0" }, picture, h("figcaption", { className: "note" }, label));
}
