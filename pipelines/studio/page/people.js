// Digital human: learn how somebody writes, give documents, talk.

import { api, ask, button, card, dropZone, field, get, h, lead, part, playStream, say, t, tick, voiceSelect } from "/page/tools.js";
import { begin, jobList, whenDone } from "/page/jobs.js";

const CHATS = ".txt,.json,.jsonl,.csv,.tsv,.mbox,.md,.docx", DOCUMENTS = ".txt,.md,.html,.htm,.epub,.pdf,.docx,.fb2";

export async function show(place) {
  const list = h("div", { className: "row" }), one = h("div");
  const name = h("input", { type: "text", maxLength: 60 });
  async function refreshList() {
    const found = await get("/api/people");
    list.replaceChildren(...found.map((person) => button(person.name, () => open(person.name))));
    if (!found.length) list.append(h("p", { className: "note" }, t("people.none")));
  }
  async function open(who) {
    sessionStorage.setItem("person", who);
    one.replaceChildren(await show_one(who, async () => { await refreshList(); await open(who); }, async () => { one.replaceChildren(); await refreshList(); }));
  }
  place.append(...lead("people"),
    card("", h("div", { className: "row" }, field(t("people.name"), name), button(t("people.new"), async () => {
      if (!name.value.trim()) throw new Error(t("people.name_first"));
      await open(name.value.trim());
    }, "main")), list), one);
  await refreshList();
  const last = sessionStorage.getItem("person");
  if (last) await open(last).catch(() => sessionStorage.removeItem("person"));
}

async function show_one(name, again, gone) {
  const base = `/api/people/${part(name)}`;
  const person = await get(base).catch(() => ({ name, given: [], documents: [], learned: false, remembers: false, history: [] }));
  const me = h("input", { type: "text", placeholder: t("people.me_hint") });
  const drop = h("input", { type: "checkbox" });
  const mine = (job) => ["learn", "remember"].includes(job.kind) && job.params.name === name;
  const element = h("div", {}, h("h2", {}, name),
    card(t("people.learn"), dropZone(t("people.chats"), CHATS, (file) => `${base}/given/${part(file)}`, again),
      person.given.length > 0 && h("p", { className: "note" }, person.given.join(", ")),
      h("div", { className: "row" }, field(t("people.me"), me), button(t("people.learn_go"), async () => {
        const names = me.value.split(/[,，、]/).map((part_) => part_.trim()).filter(Boolean);
        if (!names.length) throw new Error(t("people.me_first"));
        await begin(`${base}/learn`, { me: names, private: drop.checked ? "drop" : "mask" });
        say(t("started"));
      })), tick(t("people.drop_private"), drop), person.learned && h("p", { className: "good-text" }, t("people.learned"))),
    card(t("people.remember"), dropZone(t("people.documents"), DOCUMENTS, (file) => `${base}/documents/${part(file)}`, again),
      person.documents.length > 0 && h("p", { className: "note" }, person.documents.join(", ")),
      button(t("people.remember_go"), async () => { await begin(`${base}/remember`); say(t("started")); }),
      person.remembers && h("p", { className: "good-text" }, t("people.remembers"))),
    jobList(mine), person.learned || person.remembers ? await talk(name, base, person) : h("p", { className: "note" }, t("people.first")),
    button(t("people.remove", { name }), async () => { if (ask(t("people.sure", { name }))) { await api("DELETE", base); sessionStorage.removeItem("person"); await gone(); } }, "bad"));
  whenDone(element, "learn", (job) => job.params.name === name && again());
  whenDone(element, "remember", (job) => job.params.name === name && again());
  return element;
}

async function talk(name, base, person) {
  const voice = await voiceSelect(sessionStorage.getItem("voice") ?? "base");
  const silent = h("input", { type: "checkbox" });
  const said = h("div", { className: "talk", role: "log", "aria-label": t("people.talk"), tabIndex: 0 },
    person.history.map((one) => h("div", { className: `said ${one.role}` }, one.text)));
  const question = h("input", { type: "text", maxLength: 4000, id: "question", autocomplete: "off" });
  const told = (role, text) => {
    const box = h("div", { className: `said ${role}` }, text);
    said.append(box);
    said.scrollTop = said.scrollHeight;
    return box;
  };
  const send = button(t("people.say"), async () => {
    const text = question.value.trim();
    if (!text) return;
    question.value = "";
    told("user", text);
    const box = told("assistant", "…");
    try {
      const answer = await api("POST", `${base}/ask`, { text });
      let whole = "", rest = "", sources = [];
      const decoder = new TextDecoder(), reader = answer.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop();
        for (const line of lines) {
          const news = JSON.parse(line);
          if (news.piece) box.textContent = whole += news.piece;
          if (news.sources) sources = news.sources;
        }
        if (done) break;
      }
      if (sources.length) box.append(h("div", { className: "note" }, t("people.sources", { sources: sources.join("; ") })));
      if (!silent.checked && whole.trim()) {
        const sound = await api("POST", "/v1/audio/speech", { input: whole.slice(0, 9000), voice: voice.value, response_format: "pcm" });
        await (await playStream(sound)).ended;
        box.dataset.spoken = "yes";
      }
    } catch (error) {
      if (box.textContent === "…") box.remove();
      throw error;
    }
  }, "main", { id: "send" });
  question.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) send.click(); });
  return card(t("people.talk"), h("p", { className: "note" }, t("people.ai", { name })), said,
    h("div", { className: "row" }, field(t("people.question"), question), send),
    h("div", { className: "row middle" }, field(t("voice"), voice), tick(t("people.silent"), silent),
      button(t("people.forget"), async () => { await api("DELETE", `${base}/history`); said.replaceChildren(); })));
}
