// Story: a text or an idea, edited line by line, told, and only what changed made again.

import { api, ask, button, card, fail, field, get, h, languageSelect, lead, part, say, select, span, t, tick, voiceSelect } from "/page/tools.js";
import { begin, jobList, whenDone } from "/page/jobs.js";

export async function show(place) {
  const list = h("div"), editor = h("div");
  const name = h("input", { type: "text", maxLength: 60, id: "story-name" });
  const text = h("textarea", { rows: 8, id: "story-text", placeholder: t("story.placeholder") });
  const idea = h("input", { type: "checkbox" });
  const language = languageSelect(t("language.find"));
  const form = select(["story", "novel", "douyin", "xiaohongshu", "ad"].map((value) => [value, t(`form.${value}`)]), "story");
  const scenes = h("input", { type: "number", min: 1, max: 60 });
  const tone = h("input", { type: "text", maxLength: 500 }), style = h("input", { type: "text", maxLength: 500 });
  const wishes = h("div", { className: "row", hidden: true }, field(t("story.form"), form), field(t("story.scenes"), scenes), field(t("story.tone"), tone), field(t("story.style"), style));
  idea.addEventListener("change", () => { wishes.hidden = !idea.checked; });

  async function refreshList() {
    const found = await get("/api/stories");
    list.replaceChildren(...found.map((story) => h("div", { className: "row middle" },
      button(story.name, () => open(story.name), "", { "data-story": story.name }), h("span", { className: "note" }, story.files.join(", ")),
      button(t("remove"), async () => {
        if (ask(t("story.sure", { name: story.name }))) { await api("DELETE", `/api/stories/${part(story.name)}`); editor.replaceChildren(); await refreshList(); }
      }, "bad"))));
    if (!found.length) list.append(h("p", { className: "note" }, t("story.none")));
  }

  async function open(story) {
    sessionStorage.setItem("story", story);
    editor.replaceChildren(await edit(story));
  }

  place.append(...lead("story"),
    card(t("story.new"), field(t("story.name"), name), field(t("story.text"), text), tick(t("story.idea"), idea), wishes,
      h("div", { className: "row" }, field(t("language.text"), language), button(t("story.write"), async () => {
        const wish = { name: name.value.trim(), text: text.value, is_idea: idea.checked, language: language.value, form: form.value, scenes: Number(scenes.value) || null, tone: tone.value, style: style.value };
        await begin("/api/stories", wish);
        say(t("started"));
      }, "main", { id: "story-write" }))),
    jobList((job) => job.kind === "write"), card(t("story.all"), list), editor);
  await refreshList();
  whenDone(list, "write", async (job) => { await refreshList(); await open(job.params.name); });
  const last = sessionStorage.getItem("story");
  if (last) await open(last).catch(() => sessionStorage.removeItem("story"));
}

async function edit(name) {
  const told = await get(`/api/stories/${part(name)}`);
  const story = told.story, redo = new Set();
  const speakers = ["narrator", ...Object.keys(story.cast).filter((who) => who !== "narrator")];
  const title = h("input", { type: "text", value: story.title, oninput: () => { story.title = title.value; } });
  const style = h("input", { type: "text", value: story.style, oninput: () => { story.style = style.value; } });

  const cast = await Promise.all(speakers.map(async (who) => {
    const role = (story.cast[who] ??= {});
    const voice = await voiceSelect(role.voice ?? "");
    voice.prepend(h("option", { value: "", selected: !role.voice }, t("story.voice_any")));
    voice.addEventListener("change", () => { role.voice = voice.value || null; });
    return field(who === "narrator" ? t("story.narrator") : who, voice);
  }));

  const scene = (one, index) => {
    const file = told.pictures[one.id];
    const picture = h("textarea", { rows: 3, value: one.picture, placeholder: t("story.picture_hint"), oninput: () => { one.picture = picture.value; } });
    const again = h("input", { type: "checkbox", onchange: () => (again.checked ? redo.add(`scene:${one.id}.picture`) : redo.delete(`scene:${one.id}.picture`)) });
    const heading = h("input", { type: "text", value: one.title, oninput: () => { one.title = heading.value; } });
    const lines = h("div");
    const draw = () => lines.replaceChildren(...one.lines.map((line, at) => {
      const who = select(speakers.map((value) => [value, value === "narrator" ? t("story.narrator") : value]), line.speaker);
      who.ariaLabel = t("story.who");
      who.addEventListener("change", () => { line.speaker = who.value; });
      const words = h("textarea", { rows: 2, value: line.text, ariaLabel: t("story.line", { n: at + 1 }), oninput: () => { line.text = words.value; } });
      return h("div", { className: "line" }, who, words, h("span", { className: "row" },
        button("+", () => { one.lines.splice(at + 1, 0, { speaker: line.speaker, text: "…" }); draw(); }, "", { ariaLabel: t("story.add_line") }),
        one.lines.length > 1 && button("−", () => { one.lines.splice(at, 1); draw(); }, "", { ariaLabel: t("story.drop_line") })));
    }));
    draw();
    return h("section", { className: "card scene" },
      h("div", { className: "stack" }, file ? h("img", { src: `/api/stories/${part(name)}/pictures/${part(file)}`, alt: one.picture || one.title || t("story.picture") }) : h("p", { className: "note" }, t("story.no_picture")),
        field(t("story.picture"), picture), tick(t("story.redo"), again)),
      h("div", { className: "stack" }, h("h3", {}, t("story.scene", { n: index + 1 })), field(t("story.scene_title"), heading), lines));
  };

  const keep = async () => {
    for (const who of Object.keys(story.cast)) {
      const role = story.cast[who];
      if (!Object.values(role).some((value) => value && value !== 1)) delete story.cast[who];
    }
    const needed = new Set(story.scenes.flatMap((one) => one.lines.map((line) => line.speaker)));
    for (const who of needed) if (who !== "narrator") story.cast[who] ??= {};
    await api("PUT", `/api/stories/${part(name)}`, story);
  };
  const voice = await voiceSelect(sessionStorage.getItem("voice") ?? "base");
  const formats = ["mp4", "epub", "html", "pdf", "m4b", "mp3", "srt"].map((form) => [form, h("input", { type: "checkbox", checked: ["mp4", "epub"].includes(form) })]);
  const aspect = select(["16:9", "9:16", "1:1"].map((value) => [value, value]), story.aspect ?? "16:9");
  const captions = select([["soft", t("story.captions_soft")], ["burnt", t("story.captions_burnt")], ["none", t("story.captions_none")]], "soft");
  const out = h("div");
  const shown = (files) => out.replaceChildren(...files.map((file) => {
    const href = `/api/stories/${part(name)}/out/${part(file)}`;
    return h("div", { className: "stack" }, file.endsWith(".mp4") && h("video", { controls: true, preload: "metadata", src: href, style: "max-width:100%;border-radius:8px", ariaLabel: story.title }),
      h("a", { className: "button", href, [file.endsWith(".html") ? "target" : "download"]: file.endsWith(".html") ? "_blank" : file }, file));
  }));
  shown(told.files);

  const element = h("div", { id: "editor" }, h("h2", {}, t("story.edit", { name })),
    card("", h("div", { className: "row" }, field(t("story.title_field"), title), field(t("story.style"), style)), h("h3", {}, t("story.cast")), h("div", { className: "row" }, cast)),
    story.scenes.map(scene),
    card(t("story.tell"), h("div", { className: "row" }, field(t("story.voice"), voice), field(t("story.aspect"), aspect), field(t("story.captions"), captions)),
      h("fieldset", { className: "row middle", style: "border:0;padding:0;margin:0" }, h("legend", { className: "note" }, t("story.formats")), formats.map(([form, box]) => tick(form, box))),
      h("div", { className: "row" },
        button(t("story.keep"), async () => { await keep(); say(t("kept")); }, "", { id: "story-keep" }),
        button(t("story.tell_go"), async () => {
          await keep();
          const chosen = formats.filter(([, box]) => box.checked).map(([form]) => form);
          await begin(`/api/stories/${part(name)}/tell`, { voice: voice.value, formats: chosen, aspect: aspect.value, captions: captions.value, redo: [...redo] });
          redo.clear();
          say(t("started"));
        }, "main", { id: "story-tell" })),
      jobList((job) => job.kind === "render" && job.params.name === name, (job) =>
        h("p", { className: "told" }, t("story.result", { made: job.result.made, reused: job.result.reused, span: span(job.result.duration_s) }))), out));
  whenDone(element, "render", async (job) => {
    if (job.params.name !== name) return;
    const parent = element.parentElement;
    if (parent) parent.replaceChildren(await edit(name));
  });
  return element;
}
