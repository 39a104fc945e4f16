"""Language models behind one interface: chat, streaming, and JSON by schema.

    model = open_model("hf:./Qwen3-4B,int4")           # or openai:MODEL@URL, deepseek:MODEL, ...
    model.complete([user("Name a fox.")]).text
    for piece in model.stream([user("Tell of her.")]): print(piece, end="")
    ask(model, [user("Describe her.")], Fox)            # Fox is a pydantic model

`chat.py` has the interface, `local.py` the models of this machine, `remote.py` those of servers,
`structured.py` what makes sure of JSON, `config.py` what a name means.
"""

from pipelines.llm.chat import ChatOptions, LanguageModel, Message, Reply, Usage, system, user
from pipelines.llm.config import open_model
from pipelines.llm.structured import ask

__all__ = [
    "ChatOptions",
    "LanguageModel",
    "Message",
    "Reply",
    "Usage",
    "ask",
    "open_model",
    "system",
    "user",
]
