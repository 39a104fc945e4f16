"""What the name of a language model means: `hf:…`, `openai:MODEL@URL`, `deepseek:MODEL`.

Presets of servers stand in `presets.yaml` beside this file; `llm.yaml` in the user's library adds
to them, changes them, and names the model that is used where none is asked for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.llm.chat import LanguageModel
from vits.errors import UserError
from vits.library import home

FILE_NAME = "llm.yaml"
SHIPPED = Path(__file__).with_name("presets.yaml")
VARIABLE = "CLONE_VOICE_LLM"  # names a model as --llm does
OPENAI_URL = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
FORMS = "hf:FOLDER_OR_ID, openai:MODEL@URL, or a preset such as ollama:MODEL"


class Server(BaseModel):
    """How a server is reached. Prices are for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = OPENAI_URL
    key_env: str | None = None
    model: str = ""
    timeout_s: float = Field(default=120.0, gt=0)
    retries: int = Field(default=4, ge=0, le=20)
    input_price: float = Field(default=0.0, ge=0)
    output_price: float = Field(default=0.0, ge=0)
    currency: str = "USD"


class _File(BaseModel):
    """What a file of presets may hold."""

    model_config = ConfigDict(extra="forbid")

    default: str = ""
    presets: dict[str, dict[str, Any]] = Field(default_factory=dict)


def user_file() -> Path:
    """Where this user's own settings are; the file may not exist."""
    return home() / FILE_NAME


def presets() -> dict[str, Server]:
    """Every preset by its name: those that ship, as the user's file changes them."""
    merged = dict(_read(SHIPPED).presets)
    for name, fields in _read(user_file()).presets.items():
        merged[name] = {**merged.get(name, {}), **fields}
    return {name: _server(name, fields) for name, fields in merged.items()}


def default_model() -> str:
    """The model to use where none is asked for; '' if none is set up."""
    return os.environ.get(VARIABLE, "") or _read(user_file()).default


def open_model(spec: str, *, device: str = "auto") -> LanguageModel:
    """The model that `spec` names, loaded or connected to when it is first asked.

    `hf:NAME` may end in `,int8` or `,int4`. UserError for a name of no known form.
    """
    kind, colon, rest = spec.partition(":")
    if kind == "hf" and rest:
        return _local(rest, device)
    if kind == "openai" and rest:
        model, _, url = rest.partition("@")
        url = url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL
        return _remote(Server(url=url, key_env=OPENAI_KEY, model=model))
    known = presets()
    if colon and kind in known:
        server = known[kind]
        return _remote(server.model_copy(update={"model": rest or server.model}))
    raise UserError(
        f"'{spec}' names no language model.", f"Give {FORMS}. Presets: {', '.join(known)}."
    )


def _local(rest: str, device: str) -> LanguageModel:
    from pipelines.llm.local import BITS, LocalModel

    name, comma, bits = rest.rpartition(",")
    if not comma:
        return LocalModel(rest, device)
    if bits not in BITS:
        raise UserError(
            f"A model cannot be loaded as '{bits}'.", f"Choose among: {', '.join(BITS)}."
        )
    return LocalModel(name, device, BITS[bits])


def _remote(server: Server) -> LanguageModel:
    from pipelines.llm.remote import RemoteModel

    return RemoteModel(server)


def _read(path: Path) -> _File:
    if not path.is_file():
        return _File()
    try:
        return _File.model_validate(yaml.safe_load(path.read_text("utf-8-sig")) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise _wrong(path, error) from error


def _server(name: str, fields: dict[str, Any]) -> Server:
    try:
        return Server.model_validate(fields)
    except ValidationError as error:
        raise _wrong(f"{user_file()}, preset '{name}'", error) from error


def _wrong(where: object, error: Exception) -> UserError:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    else:
        reason = " ".join(str(error).split())[:200]
    return UserError(f"{where} cannot be used ({reason}).", f"{SHIPPED} shows the form.")
