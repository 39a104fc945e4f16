"""Language models on this machine, by transformers: any causal model in its own chat template.

Weights are read from safetensors only, and no code of a model's folder is run. JSON is made valid
by masking what the grammar of its schema does not allow (llguidance).
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.hub import find_model
from pipelines.llm.adapters import ends_of, put_on, refuse_other_base
from pipelines.llm.chat import ChatOptions, Message, Reply, Schema, Usage
from pipelines.llm.reasoning import answers, opens_reasoning, without_reasoning
from vits.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)

CLOSING_TOKENS = 1024  # beyond max_tokens, for JSON to come to its end
_LOADING = (OSError, ValueError, ImportError, KeyError)  # what a folder that is not whole raises
BITS = {"int8": 8, "int4": 4}
# What to take instead of models that only run with code of their own.
NATIVE = {
    "chatglm": "zai-org/glm-4-9b-chat-hf",
    "baichuan": "Qwen/Qwen3-8B",
    "internlm2": "Qwen/Qwen3-8B",
    "qwen": "Qwen/Qwen3-8B",
    "Yi": "01-ai/Yi-1.5-9B-Chat",
    "aquila": "Qwen/Qwen3-8B",
    "xverse": "Qwen/Qwen3-8B",
    "minicpm": "openbmb/MiniCPM4-8B in its native form, or Qwen/Qwen3-8B",
}


@dataclass
class LocalModel:
    """A causal model of transformers from a folder or a hub. `bits` 8 or 4 loads it smaller.

    `adapter` is what tuning left of this very model; it then answers without reasoning first, as
    it was tuned to.

    It is loaded when first asked. One answer is written at a time. UserError for a folder that is
    no such model, for one that needs its own code, and for a conversation longer than it reads.
    """

    source: str
    device: str = "cpu"
    bits: int | None = None
    adapter: Path | None = None
    usage: Usage = field(default_factory=Usage)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def name(self) -> str:
        """The folder's or the id's last part."""
        return Path(self.source).name if Path(self.source).is_dir() else self.source

    @cached_property
    def folder(self) -> Path:
        """Where the model is, downloaded if need be."""
        folder = find_model(self.source)
        _check_folder(folder, self.source)
        return folder

    def fingerprint(self) -> dict[str, object]:
        """Configuration, tokenizer and weights, these by their sizes and both ends."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.iterdir()):
            if path.suffix in (".json", ".jinja", ".model", ".safetensors") and path.is_file():
                digest.update(f"{path.name} {path.stat().st_size} ".encode())
                digest.update(ends_of(path))
        facts: dict[str, object] = {"model": digest.hexdigest(), "bits": self.bits}
        return facts | ({"adapter": _adapter_digest(self.adapter)} if self.adapter else {})

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's own."""
        from transformers import AutoTokenizer

        try:
            return AutoTokenizer.from_pretrained(self.folder, trust_remote_code=False)
        except _LOADING as error:
            raise _unloadable(self.source, "tokenizer", error) from error

    @cached_property
    def model(self) -> PreTrainedModel:
        """The network, ready to write."""
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM
        from transformers.utils.logging import disable_progress_bar

        from vits.device import pick_device

        disable_progress_bar()  # only the commands draw
        device = pick_device(self.device)
        log.info("loading %s on %s", self.name, device)
        try:
            model = AutoModelForCausalLM.from_pretrained(
                self.folder,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=_dtype(device, self.bits),
                quantization_config=_smaller(self.bits, device),
                device_map=device if self.bits else None,
            )
        except (*_LOADING, RuntimeError, SafetensorError) as error:
            raise _unloadable(self.source, "model", error) from error
        if self.adapter:
            refuse_other_base(self.adapter, self.folder, self.source)
            model = put_on(model, self.adapter)
        return model.eval() if self.bits else model.eval().to(torch.device(device))

    @property
    def context(self) -> int:
        """How many tokens it can read and write in all."""
        config = self.model.config.get_text_config()
        return int(getattr(config, "max_position_embeddings", 0) or 1 << 17)

    def complete(
        self,
        messages: Sequence[Message],
        options: ChatOptions | None = None,
        schema: Schema | None = None,
    ) -> Reply:
        options = options or ChatOptions()
        prompt = self.prompt(messages, think=schema is None and self.adapter is None)
        run = _Run(self, prompt, options, schema)
        text = "".join(run.pieces())
        if schema is not None:
            return Reply(text.strip(), run.cut)
        opening = "<think>" if opens_reasoning(prompt) else ""
        return Reply(without_reasoning(opening + text), run.cut)

    def stream(
        self, messages: Sequence[Message], options: ChatOptions | None = None
    ) -> Iterator[str]:
        prompt = self.prompt(messages, think=self.adapter is None)
        pieces = _Run(self, prompt, options or ChatOptions(), None).pieces()
        try:
            yield from answers(pieces, inside=opens_reasoning(prompt))
        finally:
            pieces.close()  # whoever stops listening stops the model

    def prompt(self, messages: Sequence[Message], *, think: bool) -> str:
        """The conversation in the model's own template, up to where the answer begins."""
        if not self.tokenizer.chat_template:
            return _plain_prompt(messages)
        prompt = self.templated(messages, think)
        return prompt if think or not opens_reasoning(prompt) else f"{prompt}\n</think>\n\n"

    def templated(self, messages: Sequence[Message], think: bool, *, answering: bool = True) -> str:
        """In the model's template; `answering` adds what stands before an answer."""
        from jinja2 import TemplateError

        def render(turns: Sequence[Message]) -> str:
            return str(
                self.tokenizer.apply_chat_template(
                    [{"role": m.role, "content": m.content} for m in turns],
                    tokenize=False,
                    add_generation_prompt=answering,
                    enable_thinking=think,
                )
            )

        try:
            return render(messages)
        except TemplateError:  # some templates know no system turn
            return render(_system_in_user(messages))

    @cached_property
    def guide(self) -> Any:
        """The tokenizer as llguidance sees it. UserError for one it cannot read."""
        import llguidance.hf
        from transformers import PreTrainedTokenizerFast

        if not isinstance(self.tokenizer, PreTrainedTokenizerFast):
            raise UserError(
                f"The tokenizer of {self.name} has no fast form, which JSON needs.",
                "Choose a model with a tokenizer.json.",
            )
        return llguidance.hf.from_tokenizer(self.tokenizer, eos_token=self.stops or None)

    @property
    def stops(self) -> list[int]:
        """The tokens that end an answer."""
        stop = self.model.generation_config.eos_token_id
        if stop is None:
            stop = self.tokenizer.eos_token_id
        return [stop] if isinstance(stop, int) else list(stop or [])


class _Run:
    """One answer being written, in a thread of its own."""

    def __init__(
        self, owner: LocalModel, prompt: str, options: ChatOptions, schema: Schema | None
    ) -> None:
        self.owner, self.options = owner, options
        tokenizer = owner.tokenizer
        self.inputs = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        self.read = int(self.inputs["input_ids"].shape[1])
        room = owner.context - self.read
        if room < min(16, options.max_tokens):
            raise UserError(
                f"The text is too long for {owner.name}: {self.read} tokens of "
                f"{owner.context} that it reads and writes in all.",
                "Give less at once, or choose a model with a longer context.",
            )
        spare = min(CLOSING_TOKENS, room // 4) if schema is not None else 0
        self.most = min(options.max_tokens, room - spare)
        self.limit = self.most + spare
        self.schema = schema
        self.written = 0
        self.cut = False

    def pieces(self) -> Generator[str]:
        """The answer's text as it is written; closing the iterator stops it."""
        from transformers import TextIteratorStreamer

        with self.owner._lock:
            streamer = TextIteratorStreamer(
                self.owner.tokenizer, skip_prompt=True, skip_special_tokens=True
            )
            stop, failed = threading.Event(), list[BaseException]()
            thread = threading.Thread(target=self._write, args=(streamer, stop, failed))
            thread.start()
            try:
                yield from streamer
            finally:
                stop.set()
                thread.join()
                self._count()
            if failed:
                raise failed[0]

    def _write(self, streamer: Any, stop: threading.Event, failed: list[BaseException]) -> None:
        try:
            self._generate(streamer, stop)
        except BaseException as error:  # the thread that listens raises it
            failed.append(error)
            streamer.end()

    def _generate(self, streamer: Any, stop: threading.Event) -> None:
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        from pipelines.llm.masks import Counted, SchemaMask

        model: Any = self.owner.model  # its types know no calls
        options = self.options
        masks = LogitsProcessorList()
        if self.schema is not None:
            masks.append(SchemaMask(self.owner.guide, self.schema, self.read, self.most))
        counted = Counted(stop, self.read)
        with torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(options.seed)
            found = model.generate(
                **self.inputs.to(model.device),
                **_sampling(options),
                max_new_tokens=self.limit,
                streamer=streamer,
                logits_processor=masks,
                stopping_criteria=StoppingCriteriaList([counted]),
                eos_token_id=self.owner.stops or None,
                pad_token_id=self.owner.tokenizer.pad_token_id or (self.owner.stops or [0])[0],
            )
        self.written = counted.written
        self.cut = self.written >= self.limit and int(found[0, -1]) not in self.owner.stops

    def _count(self) -> None:
        usage = self.owner.usage
        usage.requests += 1
        usage.prompt_tokens += self.read
        usage.completion_tokens += self.written


def _sampling(options: ChatOptions) -> dict[str, Any]:
    """In the words of transformers; what a model's own configuration says is set aside."""
    if options.temperature <= 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    chance = {"temperature": options.temperature, "top_p": options.top_p, "top_k": None}
    return {"do_sample": True, **chance}


def _check_folder(folder: Path, source: str) -> None:
    """UserError unless transformers can read the folder with its own code alone."""
    import json

    from transformers import CONFIG_MAPPING

    path = folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
        kind = str(config["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{source} is not a model's folder: it has no config.json with a model_type.",
            "Give the folder that holds config.json, the tokenizer and *.safetensors.",
        ) from error
    if kind not in CONFIG_MAPPING:
        instead = NATIVE.get(kind)
        raise UserError(
            f"The model {source} ('{kind}') needs code of its own, and such code is not run here.",
            f"Take {instead}, which runs without."
            if instead
            else "Take a model that transformers knows by itself, such as Qwen/Qwen3-4B.",
        )
    if not any(folder.glob("*.safetensors")):
        raise UserError(
            f"{source} holds no weights as .safetensors.",
            "Take a version of the model in that format; pickled weights are not loaded.",
        )


def _unloadable(source: str, part: str, error: Exception) -> UserError:
    first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return UserError(
        f"The {part} of {source} cannot be loaded: {first.rstrip('.')}.",
        "Check that the folder is whole, and that 'clone-voice[llm]' is installed.",
    )


def _adapter_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*")):
        if path.suffix in (".json", ".safetensors"):
            digest.update(path.name.encode() + ends_of(path))
    return digest.hexdigest()


def _dtype(device: str, bits: int | None) -> Any:
    import torch

    return torch.float32 if device == "cpu" else "auto" if bits is None else torch.float16


def _smaller(bits: int | None, device: str) -> Any:
    """How bitsandbytes is to shrink the weights; it does so on CPUs too."""
    if bits is None:
        return None
    from transformers import BitsAndBytesConfig

    if bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=_dtype(device, bits),
    )


def _plain_prompt(messages: Sequence[Message]) -> str:
    """For models that were never taught to chat."""
    parts = [m.content if m.role == "system" else f"{m.role}: {m.content}" for m in messages]
    return "\n\n".join([*parts, "assistant:"])


def _system_in_user(messages: Sequence[Message]) -> list[Message]:
    """The system's words at the head of the first user turn."""
    head = "\n\n".join(m.content for m in messages if m.role == "system")
    rest = [m for m in messages if m.role != "system"]
    return [Message(rest[0].role, f"{head}\n\n{rest[0].content}"), *rest[1:]] if rest else rest
