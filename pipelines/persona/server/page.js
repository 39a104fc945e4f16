"use strict";
// Asks, shows the answer as it is written, and has it spoken sentence by sentence meanwhile.
const $ = (id) => document.getElementById(id);
const labels = document.body.dataset;
const talk = [];
let round = 0, asking = null, playing = null;

function headers() {
  const key = sessionStorage.getItem("key");
  return { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
}

async function post(path, body, signal) {
  const send = () => fetch(path, { method: "POST", headers: headers(), body: JSON.stringify(body), signal });
  let answer = await send();
  if (answer.status === 401) {
    const key = prompt(labels.key);
    if (key) { sessionStorage.setItem("key", key); answer = await send(); }
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.error?.message ?? `${labels.failed} (${answer.status})`);
  }
  return answer;
}

function show(role, text) {
  const turn = document.createElement("div");
  turn.className = `turn ${role}`;
  turn.textContent = text;
  $("talk").append(turn);
  turn.scrollIntoView({ block: "end" });
  return turn;
}

// Events of a stream: each "data: {...}", until "data: [DONE]".
async function* events(answer) {
  let held = "";
  for await (const text of pieces(answer.body.pipeThrough(new TextDecoderStream()))) {
    held += text;
    const lines = held.split("\n");
    held = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && line !== "data: [DONE]") yield JSON.parse(line.slice(6));
    }
  }
}

async function* pieces(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

// The voice: sentences in a queue, each asked for while the one before is heard.
class Voice {
  constructor(signal) { this.signal = signal; this.last = Promise.resolve(); this.text = ""; }
  feed(text) {
    this.text += text;
    let end;
    while ((end = this.text.match(/[.!?…]+["'”’)]*\s|[。！？]+[”’」]*|\n/))) {
      const cut = end.index + end[0].length;
      this.say(this.text.slice(0, cut));
      this.text = this.text.slice(cut);
    }
  }
  finish() { this.say(this.text); this.text = ""; return this.last; }
  say(sentence) {
    if (!/[\p{L}\p{N}]/u.test(sentence) || !$("speak").checked) return;
    const sound = post("v1/audio/speech", { input: sentence.trim(), voice: labels.voice, response_format: "mp3" },
      this.signal).then((answer) => answer.blob());
    sound.catch(() => {});
    this.last = this.last.then(async () => this.signal.aborted || play(await sound, this.signal));
  }
}

function play(blob, signal) {
  const audio = new Audio(URL.createObjectURL(blob));
  playing = audio;
  document.body.dataset.heard = Number(document.body.dataset.heard ?? 0) + 1;
  return new Promise((resolve) => {
    const over = () => { audio.pause(); URL.revokeObjectURL(audio.src); resolve(); };
    audio.onended = audio.onerror = over;
    signal.addEventListener("abort", over);
    audio.play().catch(over);
  });
}

function showSources(turn, sources) {
  if (!sources.length) return;
  const box = document.createElement("details");
  const head = document.createElement("summary");
  head.textContent = `${labels.sources} (${sources.length})`;
  box.append(head);
  for (const source of sources) {
    const line = document.createElement("p");
    line.textContent = `${source.citation}${source.date ? `, ${source.date}` : ""}: ${source.text}`;
    box.append(line);
  }
  turn.append(box);
}

async function ask(question) {
  stop();
  const mine = ++round;
  asking = new AbortController();
  const { signal } = asking;
  $("stop").disabled = false;
  show("user", question);
  talk.push({ role: "user", content: question });
  const turn = show("assistant", "");
  const words = turn.appendChild(document.createElement("span"));
  const voice = new Voice(signal);
  let said = "", sources = [];
  try {
    const answer = await post("v1/chat/completions", { messages: talk.slice(-40), stream: true }, signal);
    for await (const event of events(answer)) {
      if (event.error) throw new Error(event.error.message);
      const piece = event.choices[0].delta.content ?? "";
      said += piece;
      words.textContent = said;
      voice.feed(piece);
      sources = event.sources ?? sources;
    }
    showSources(turn, sources);
    await voice.finish();
  } catch (error) {
    if (error.name !== "AbortError") { turn.classList.add("failed"); words.textContent = said || error.message; }
  }
  if (said) talk.push({ role: "assistant", content: said }); else talk.pop();
  if (mine === round) { $("stop").disabled = true; document.body.dataset.state = "ready"; }
}

function stop() {
  asking?.abort();
  playing?.pause();
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("question").value.trim();
  if (!question) return;
  $("question").value = "";
  document.body.dataset.state = "busy";
  ask(question);
});
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("form").requestSubmit();
  }
});
$("stop").addEventListener("click", stop);

// The microphone, where the browser itself turns speech into text.
const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;
if (Recognition) {
  $("listen").hidden = false;
  $("listen").addEventListener("click", () => {
    stop();
    const heard = new Recognition();
    heard.onresult = (event) => {
      $("question").value = event.results[0][0].transcript;
      $("form").requestSubmit();
    };
    heard.start();
  });
}
