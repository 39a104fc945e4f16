"""That it is an AI: understood when it is asked, said, and not taken back in what follows.

What is asked is seen in English, Chinese and Japanese. Whatever a model writes is looked through,
sentence by sentence, for claims to be human, to be the person, or to be no AI.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_MACHINE = (
    r"(?:ai|a\.i\.|bot|chat ?bot|robot|machine|program|computer|llm|language model|software|"
    r"algorithm|automaton|assistant|recording|simulation)"
)
_BEING = r"(?:human(?: being)?|person|someone|somebody|man|woman|flesh and blood|alive|real)"
_LATIN_AI = r"(?<![A-Za-z])(?:AI|ＡＩ)(?![A-Za-z])"
_HAN_MACHINE = rf"(?:{_LATIN_AI}|人工智能|机器人|程序|机器|电脑|模型)"
_AI = rf"(?:an? )?(?:real |actual |living )?(?:{_MACHINE}|{_BEING})"
_ASKS = re.compile(
    rf"\b(?:are|r) (?:you|u|we)\b.{{0,40}}\b{_AI}\b|\b(?:are|r) (?:you|u) (?:for )?real\b"
    rf"|\b(?:is|was) (?:this|that|it|he|she|there)\b.{{0,30}}\b{_AI}\b"
    rf"|\b(?:talk|speak|chatt|writ|text)ing (?:to|with)\b.{{0,30}}\b{_AI}\b"
    rf"|\b(?:talk|speak|chat|write) (?:to|with)\b.{{0,20}}\b(?:human|{_MACHINE})\b"
    rf"|\byou(?:'re| are)\b.{{0,30}}\b{_AI}\b.{{0,20}}\?"
    rf"|\b(?:human|person) or (?:an? )?{_MACHINE}|\b{_MACHINE} or (?:an? )?(?:human|person)"
    r"|\bwhat are you\b(?! (?!made|really|exactly)\w)|\bdo you (?:breathe|have a (?:body|heart))\b"
    r"|\b(?:were|was) you (?:born|programmed|made)\b|\bwere you (?:born|programmed|built)\b"
    rf"|\b(?:who|what) (?:wrote|writes|is writing|answers|am i).{{0,30}}\b{_MACHINE}\b"
    rf"|(?:你|您|这|对面|那边).{{0,8}}(?:{_HAN_MACHINE}|真人|活人|人类)"
    rf"|(?:是|跟|和).{{0,6}}(?:真人|{_HAN_MACHINE}).{{0,8}}(?:吗|[?？]|说话|聊天)"
    rf"|(?:你|您)是人(?:吗|么|类|[?？])|(?:真人|{_HAN_MACHINE})还是|还是(?:真人|{_HAN_MACHINE})"
    rf"|(?:{_LATIN_AI}|人工知能|ロボット|ボット|機械|人間|本物の人)(?:なの|なん)?"
    r"(?:です|でしょう)?(?:か|よね|ね|の|[?？])",
    re.I,
)
_ENDS = re.compile(r"(?:[.!?…]+[\"'”’)]*(?=\s)|[。！？!?]+[”’」]*|\n)\s*")
_HAN, _KANA = re.compile("[\u3400-\u9fff]"), re.compile("[\u3040-\u30ff]")
# From here on a sentence may be a claim about oneself, and is held until it is whole.
_HINT = re.compile(r"\b(?:i|im|i['’]m|not|no|yes|human|real)\b|[我本不真是]|私|僕|俺", re.I)
_OWN = r"\b(?:i\s+am|i['’]m|im|i\s+was|i\s+remain)\b"
_NOT = re.compile(r"\b(?:not|no|never|neither|nothing)\b|n['’]t\b", re.I)
_APART = re.compile(r"\b(?:with|for|to|at|by|about|than|from|like|if|near|of|in|on)\b", re.I)
_HUMAN_WORDS = r"(?:humans?|person|flesh and blood|real|living being|man|woman|alive)"
_BARE = re.compile(
    rf"^\W*(?:no,?\s+)?(?:definitely\s+|certainly\s+)?not\s+an?\s+{_MACHINE}\b", re.I
)
_HAN_CLAIM = re.compile(
    r"(?:我|本人)[^不没非，。！？]{0,6}(?:是|就是)[^不没非，。！？]{0,6}(?:真人|活人|人类|人(?!工|家|们|民))"
    rf"|(?:(?:我|本人)[^，。！？]{{0,4}}|^\W*)(?:不是|并非|绝非)[^，。！？]{{0,6}}{_HAN_MACHINE}"
    r"|(?:私|僕|俺)は[^。]{0,8}人間(?:です|だ)|(?:AI|人工知能|ロボット)では(?:ない|ありません)",
    re.I,
)


def asks_about_ai(question: str) -> bool:
    """Whether somebody wants to know if a human is speaking."""
    return _ASKS.search(question) is not None


def rest_of(question: str) -> str:
    """What a question asks beside whether it is an AI: its other sentences."""
    kept = [sentence for sentence in _sentences(question) if not asks_about_ai(sentence)]
    rest = "".join(kept).strip()
    return rest if any(char.isalnum() for char in rest) and len(rest) > 3 else ""


def disclosure(name: str, question: str) -> str:
    """What is said then, in the question's language."""
    if _KANA.search(question):
        return f"私はAIです。{name}さんが書いたものをもとに話しており、本人でも人間でもありません。"
    if _HAN.search(question):
        return f"我是人工智能，按{name}留下的文字来说话，不是{name}本人。"
    return f"I am an AI that speaks from what {name} wrote; I am not {name} and not a human."


def claims_human(sentence: str, name: str = "") -> bool:
    """Whether somebody says in it to be human, to be the person, or to be no AI."""
    if _BARE.search(sentence) or _HAN_CLAIM.search(sentence):
        return True
    if name and re.search(rf"我(?:就)?是(?:.{{0,4}}){re.escape(name)}(?!留)", sentence):
        return True
    names = "|".join(re.escape(part) for part in {name, *name.split()[:1]} if part)
    humans = rf"(?:{_HUMAN_WORDS}|{names})" if names else _HUMAN_WORDS
    for words, denied in ((humans, False), (_MACHINE, True)):
        for found in re.finditer(rf"{_OWN}([^.!?]{{0,50}}?)\b{words}\b", sentence, re.I):
            if bool(_NOT.search(found[1])) == denied and not _APART.search(found[1]):
                return True
    return False


def truthful(pieces: Iterable[str], name: str, question: str, *, told: bool) -> Iterator[str]:
    """What a model writes, without claims to be human: the first becomes what it is.

    `told`: it was said already, so that such claims only fall away. Sentences without a word on
    oneself pass as they come.
    """
    held = ""
    for piece in pieces:
        held += piece
        *whole, held = _cut(held)
        for sentence in whole:
            said, told = _judged(sentence, name, question, told)
            yield from said
        ready = _sayable(held)
        if ready:
            yield held[:ready]
            held = held[ready:]
    if held:
        yield from _judged(held, name, question, told)[0]


def _judged(sentence: str, name: str, question: str, told: bool) -> tuple[list[str], bool]:
    if not claims_human(sentence, name):
        return [sentence], told
    return ([] if told else [disclosure(name, question) + " "]), True


def _sayable(held: str) -> int:
    """How much of an unfinished sentence cannot be part of a claim."""
    hint = _HINT.search(held)
    if hint:
        return hint.start()
    last = re.search(r"[A-Za-z'’]+$|\s+$", held)
    return last.start() if last else len(held)


def _cut(text: str) -> list[str]:
    """Whole sentences, and what is left."""
    parts, at = [], 0
    for end in _ENDS.finditer(text):
        if end.end() == len(text) and text[-1] in ".!?…":
            break
        parts.append(text[at : end.end()])
        at = end.end()
    return [*parts, text[at:]]


def _sentences(text: str) -> list[str]:
    return [part for part in _cut(f"{text}\n") if part]
