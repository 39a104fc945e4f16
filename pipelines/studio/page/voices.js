// Voices: hear, score, compare, rename, hand on, remove.

import { api, ask, button, bytes, card, dropZone, field, get, h, lead, part, post, say, select, t, tick } from "/page/tools.js";
import { begin, jobList, whenDone } from "/page/jobs.js";

const SCORES = ["similarity", "similarity_ceiling", "cer", "reference_cer", "mos_p808", "reference_mos_p808"];

export async function show(place) {
  const list = h("div"), chosen = new Set();
  const sets = (await get("/api/recordings")).filter((set) => set.sounds);
  const against = select(sets.map((set) => [set.name, set.name]), sets[0]?.name);

  async function score(voices) {
    if (!sets.length) throw new Error(t("voices.no_recordings"));
    await begin("/api/voices/score", { voices, recordings: against.value });
    say(t("started"));
  }

  function row(voice) {
    const box = h("input", { type: "checkbox", checked: chosen.has(voice.name), onchange: (event) => (event.target.checked ? chosen.add(voice.name) : chosen.delete(voice.name)) });
    const known = SCORES.filter((name) => name in voice.scores);
    const details = h("dl", { hidden: true });
    const about = button(t("voices.card"), async () => {
      if (details.hidden && !details.childNodes.length) {
        const { card: facts } = await get(`/api/voices/${part(voice.name)}`);
        for (const name of ["who", "consent", "base", "licence", "clips", "seconds", "software"]) {
          if (facts[name]) details.append(h("dt", {}, h("strong", {}, t(`card.${name}`))), h("dd", {}, String(facts[name]).slice(0, 600)));
        }
      }
      details.hidden = !details.hidden;
      about.setAttribute("aria-expanded", String(!details.hidden));
    }, "", { "aria-expanded": "false" });
    const own = voice.ships ? [] : [
      button(t("voices.rename"), async () => {
        const name = window.prompt(t("voices.new_name"), voice.name);
        if (name && name !== voice.name) { await post(`/api/voices/${part(voice.name)}/rename`, { name }); await refreshList(); }
      }),
      h("a", { className: "button", href: `/api/voices/${part(voice.name)}/pack`, download: `${voice.name}.voice` }, t("voices.pack")),
      button(t("remove"), async () => {
        if (!ask(t("voices.sure", { name: voice.name }))) return;
        const gone = await (await api("DELETE", `/api/voices/${part(voice.name)}`)).json();
        if (gone.made.length) say(t("voices.made", { files: gone.made.join(", ") }));
        await refreshList();
      }, "bad")];
    return h("article", { className: "card stack", "data-voice": voice.name },
      h("div", { className: "row middle" }, tick("", Object.assign(box, { ariaLabel: t("voices.choose", { name: voice.name }) })), h("h2", { style: "margin:0" }, voice.name),
        h("span", { className: "note" }, `${voice.languages.join(" ")} · ${t("voices.speakers", { n: voice.speakers.length })} · ${bytes(voice.bytes)}`)),
      voice.problem && h("p", { className: "bad-text" }, voice.problem),
      voice.quick && h("p", { className: "note" }, t("voices.quick")),
      known.length > 0 && h("div", { className: "scroll" }, h("table", {}, h("tbody", {}, known.map((name) => h("tr", {}, h("th", { scope: "row" }, t(`score.${name}`)), h("td", {}, String(voice.scores[name]))))))),
      voice.samples.slice(0, 3).map((file) => h("audio", { controls: true, preload: "none", src: `/api/voices/${part(voice.name)}/samples/${part(file)}`, "aria-label": `${voice.name}, ${file}` })),
      h("div", { className: "row" },
        h("a", { className: "button", href: "#speak", onclick: () => sessionStorage.setItem("voice", voice.name) }, t("voices.try")),
        about, button(t("voices.score"), () => score([voice.name])), own,
        voice.report && h("a", { className: "button", href: `/api/voices/reports/${part(voice.name)}`, target: "_blank" }, t("voices.report"))),
      details);
  }

  async function refreshList() {
    list.replaceChildren(...(await get("/api/voices")).map(row));
  }

  const jobs = jobList((job) => ["evaluate", "compare"].includes(job.kind), (job) =>
    h("a", { className: "button", href: `/api/voices/reports/${part(job.result.report)}`, target: "_blank" }, t("voices.report")));
  place.append(...lead("voices"), list,
    card(t("voices.compare"), h("p", { className: "note" }, t("voices.compare_hint")),
      h("div", { className: "row" }, sets.length ? field(t("voices.against"), against) : h("p", { className: "note" }, t("voices.no_recordings")),
        button(t("voices.compare_go"), async () => {
          if (chosen.size < 2) throw new Error(t("voices.two"));
          await score([...chosen]);
        })), jobs),
    card(t("voices.add"), dropZone(t("voices.add_hint"), ".voice", (name) => `/api/voices/packed/${part(name)}`, refreshList)));
  await refreshList();
  whenDone(list, "evaluate", refreshList);
}
