// Long work: asked for every second while any is going on, shown wherever it matters.

import { api, button, fail, get, h, has, span, t } from "/page/tools.js";

let jobs = [], timer;
const listeners = new Set();

export const current = () => jobs;

// `hear` is called whenever jobs changed, until the element that it is for leaves the page.
export function onJobs(element, hear) {
  listeners.add({ element, hear });
  hear(jobs);
}

export async function refresh() {
  clearTimeout(timer);
  let pause = 4000;
  try {
    const found = await get("/api/jobs");
    const before = JSON.stringify(jobs);
    jobs = found;
    if (JSON.stringify(jobs) !== before) for (const listener of listeners) {
      if (listener.element.isConnected) listener.hear(jobs);
      else listeners.delete(listener);
    }
    if (jobs.some((job) => ["waiting", "running", "stopping"].includes(job.state))) pause = 1000;
  } catch { /* the program may be restarting: it is asked again */ }
  timer = setTimeout(refresh, pause);
}

// Start work; resolves when it is on the list.
export async function begin(path, body) {
  const job = await (await api("POST", path, body)).json();
  await refresh();
  return job;
}

export function words(job) {
  const p = job.progress;
  if (!p || job.state !== "running") return "";
  const stage = has(`stage.${p.stage}`) ? t(`stage.${p.stage}`) : p.stage;
  const total = p.total == null ? "" : `/${Math.round(p.total)}`;
  const unit = has(`unit.${p.unit}`) ? t(`unit.${p.unit}`) : p.unit;
  const parts = [`${stage}: ${Math.round(p.done)}${total} ${unit}`.trim()];
  if (p.eta_s != null && p.done !== p.total) parts.push(t("job.left", { span: span(p.eta_s) }));
  if (p.note) parts.push(p.note);
  return parts.join(" · ");
}

// One job as a card that changes in place, so that a focused button stays focused.
export function jobCard(job, extra = () => []) {
  const state = h("strong"), note = h("p", { className: "note" }), result = h("div");
  const bar = h("progress", { max: 1, "aria-label": t("job.progress") });
  const stop = button(t("job.stop"), async () => { await api("POST", `/api/jobs/${job.id}/stop`); await refresh(); });
  const again = button(t("job.again"), async () => { await api("POST", `/api/jobs/${job.id}/again`); await refresh(); });
  const forget = button(t("job.forget"), async () => { await api("DELETE", `/api/jobs/${job.id}`); await refresh(); });
  const element = h("article", { className: "job" },
    h("div", { className: "row" }, h("h3", {}, `${t(`kind.${job.kind}`)}: ${job.title}`),
      h("span", { className: "row middle" }, state, stop, again, forget)), bar, note, result);
  element.update = (now) => {
    element.className = `job ${now.state}`;
    state.textContent = t(`state.${now.state}`);
    const active = ["waiting", "running", "stopping"].includes(now.state);
    stop.hidden = !active || now.state === "stopping";
    again.hidden = !["stopped", "failed"].includes(now.state);
    again.textContent = now.state === "stopped" ? t("job.resume") : t("job.again");
    forget.hidden = active;
    bar.hidden = !active;
    const p = now.progress;
    if (p?.total && now.state === "running") bar.value = Math.min(1, p.done / p.total);
    else bar.removeAttribute("value");
    note.textContent = now.error ? `${now.error.cause} ${now.error.remedy}` : words(now);
    note.classList.toggle("bad-text", Boolean(now.error));
    if (now.state === "done" && !result.childNodes.length) result.append(...[extra(now)].flat());
  };
  element.update(job);
  return element;
}

// A list of those jobs that `which` chooses, kept up to date.
export function jobList(which, extra) {
  const element = h("div"), cards = new Map();
  onJobs(element, (all) => {
    const mine = all.filter(which);
    for (const [id, old] of cards) if (!mine.some((job) => job.id === id)) { old.remove(); cards.delete(id); }
    for (const job of mine) {
      if (!cards.has(job.id)) cards.set(job.id, jobCard(job, extra));
      const shown = cards.get(job.id);
      shown.update(job);
    }
    mine.forEach((job, index) => {
      const shown = cards.get(job.id);
      if (element.children[index] !== shown) element.insertBefore(shown, element.children[index] ?? null);
    });
  });
  return element;
}

// Call `then` once when a job of a kind has newly come to its end.
export function whenDone(element, kind, then) {
  const seen = new Map(jobs.map((job) => [job.id, job.state]));
  onJobs(element, (all) => {
    for (const job of all) {
      if (job.kind === kind && job.state === "done" && seen.get(job.id) !== "done") Promise.resolve(then(job)).catch(fail);
      seen.set(job.id, job.state);
    }
  });
}
