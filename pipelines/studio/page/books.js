// Audiobooks: books in, chapters seen, read aloud, the shelf.

import { api, ask, button, bytes, card, dropZone, field, get, h, languageSelect, lead, part, say, t, tick, voiceSelect } from "/page/tools.js";
import { begin, jobList, whenDone } from "/page/jobs.js";

const ACCEPT = ".txt,.md,.html,.htm,.epub,.pdf,.docx,.fb2";

export async function show(place) {
  const books = h("div"), shelf = h("div"), chosen = new Set();
  const voice = await voiceSelect(sessionStorage.getItem("voice") ?? "base");
  const language = languageSelect(t("language.book"));
  const formats = ["m4b", "mp3", "opus", "epub"].map((form) => [form, h("input", { type: "checkbox", checked: form === "m4b" })]);

  async function list() {
    const found = await get("/api/books");
    for (const name of [...chosen]) if (!found.some((book) => book.name === name)) chosen.delete(name);
    books.replaceChildren(...found.map((book) => {
      const box = h("input", { type: "checkbox", checked: chosen.has(book.name), onchange: () => (box.checked ? chosen.add(book.name) : chosen.delete(book.name)) });
      const chapters = h("div", { className: "scroll" });
      return h("article", { className: "stack", "data-book": book.name }, h("div", { className: "row middle" }, tick(book.name, box), h("span", { className: "note" }, bytes(book.bytes)),
        button(t("books.chapters"), async () => {
          if (chapters.childNodes.length) { chapters.replaceChildren(); return; }
          const told = await get(`/api/books/files/${part(book.name)}/chapters`);
          chapters.replaceChildren(
            h("p", {}, t("books.about", { title: told.title, author: told.author || "–", language: told.language, minutes: told.minutes })),
            ...told.notes.map((note) => h("p", { className: "note" }, note)),
            h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, t("books.chapter")), h("th", {}, t("books.words")), h("th", {}, t("books.read")))),
              h("tbody", {}, told.chapters.map((row) => h("tr", {}, h("td", {}, row.title), h("td", {}, String(row.words)), h("td", {}, row.read ? t("yes") : t("books.left_out")))))));
        }),
        button(t("remove"), async () => {
          if (ask(t("books.sure", { name: book.name }))) { await api("DELETE", `/api/books/files/${part(book.name)}`); await list(); }
        }, "bad")), chapters);
    }));
    if (!found.length) books.append(h("p", { className: "note" }, t("books.none")));
    const made = await get("/api/books/shelf");
    shelf.replaceChildren(...made.filter((book) => book.files.length).map((book) => h("article", { className: "stack" }, h("h3", {}, book.name),
      book.files.map((file) => {
        const href = `/api/books/shelf/${part(book.name)}/${part(file)}`;
        return h("div", {}, file.endsWith(".epub") ? "" : h("audio", { controls: true, preload: "none", src: href, "aria-label": `${book.name}, ${file}` }),
          h("a", { className: "button", href, download: file }, file));
      }))));
    if (!shelf.childNodes.length) shelf.append(h("p", { className: "note" }, t("books.empty_shelf")));
  }

  place.append(...lead("books"),
    card(t("books.give"), dropZone(t("books.drop"), ACCEPT, (name) => `/api/books/files/${part(name)}`, list), books),
    card(t("books.make"), h("div", { className: "row" }, field(t("voice"), voice), field(t("language.text"), language)),
      h("fieldset", { className: "row middle", style: "border:0;padding:0;margin:0" }, h("legend", { className: "note" }, t("story.formats")), formats.map(([form, box]) => tick(form, box))),
      button(t("books.go"), async () => {
        if (!chosen.size) throw new Error(t("books.choose"));
        const format = formats.filter(([, box]) => box.checked).map(([form]) => form);
        await begin("/api/books/make", { books: [...chosen], voice: voice.value, format, language: language.value });
        say(t("started"));
      }, "main", { id: "books-go" }),
      jobList((job) => job.kind === "audiobook", (job) => h("ul", {}, job.result.books.map((row) => h("li", {}, `${row.book}: ${t(`state.${row.state}`)} ${row.error}`))))),
    card(t("books.shelf"), shelf));
  await list();
  whenDone(books, "audiobook", list);
}
