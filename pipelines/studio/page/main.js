// The frame: language, parts of the page, the list of work.

import { fail, h, loadWords, t } from "/page/tools.js";
import { current, jobList, onJobs, refresh } from "/page/jobs.js";

const PARTS = ["recordings", "train", "speak", "voices", "story", "books", "people"];
const main = document.getElementById("main"), nav = document.getElementById("nav");
const chosen = () => (PARTS.includes(location.hash.slice(1)) ? location.hash.slice(1) : PARTS[0]);

async function show(focus) {
  const name = chosen();
  for (const link of nav.children) {
    if (link.hash.slice(1) === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${t(`${name}.title`)} · clone-voice`;
  const place = h("div");
  main.replaceChildren(place);
  try {
    const module = await import(`/page/${name}.js`);
    await module.show(place);
  } catch (error) {
    fail(error);
  }
  if (focus) main.focus({ preventScroll: true });
  document.documentElement.dataset.ready = name;
}

async function speakIn(language) {
  await loadWords(language);
  document.documentElement.lang = language;
  document.getElementById("skip").textContent = t("skip");
  document.getElementById("language-label").textContent = t("language");
  document.getElementById("work-title").textContent = t("work.title");
  nav.setAttribute("aria-label", t("nav"));
  nav.replaceChildren(...PARTS.map((name) => h("a", { href: `#${name}` }, t(`${name}.title`))));
  document.getElementById("jobs").replaceChildren(
    jobList(() => true), h("p", { className: "note", id: "no-work" }, t("work.none")));
}

const button = document.getElementById("work-button"), work = document.getElementById("work");
button.addEventListener("click", () => {
  work.hidden = !work.hidden;
  button.setAttribute("aria-expanded", String(!work.hidden));
});

function count() {
  const active = current().filter((job) => ["waiting", "running", "stopping"].includes(job.state));
  button.textContent = active.length ? t("work.some", { n: active.length }) : t("work.title");
  const none = document.getElementById("no-work");
  if (none) none.hidden = current().length > 0;
}

const language = document.getElementById("language");
language.value = localStorage.getItem("language") ?? document.documentElement.lang;
language.addEventListener("change", async () => {
  localStorage.setItem("language", language.value);
  await speakIn(language.value);
  count();
  await show(false);
});
window.addEventListener("hashchange", () => show(true));
await speakIn(language.value);
await refresh();
onJobs(button, count);
await show(false);
