"""Reading a checkpoint of another program: its tensors by name, and what stands beside them."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from safetensors import SafetensorError, safe_open
from torch import Tensor

from vits.errors import UserError
from vits.formats import unpickle

P = ParamSpec("P")
T = TypeVar("T")

_NAMED = re.compile(r"(?:GLOBAL|Trying to call|Trying to load unsupported GLOBAL) ([\w.]+)")


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by their place in the file, '/' between keys, and the plain values beside them."""

    tensors: Mapping[str, Tensor]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors below a place, without it."""
        return {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}


def names_the_file(read: Callable[P, T]) -> Callable[P, T]:
    """For readers of somebody's configuration, `where`: a value of another kind than it should be
    is the user's to mend, and they are told in which file it is."""
    takes = inspect.signature(read)

    @functools.wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            where = takes.bind(*args, **kwargs).arguments["where"]
            reason = " ".join(str(error).split())
            raise UserError(
                f"{where} holds a value of another kind than its field has "
                f"({type(error).__name__}: {reason}).",
                "Use the configuration that came with the weights, unchanged.",
            ) from error

    return reading


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises UserError that names the file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}.", "Check the path.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{path} cannot be read as JSON ({error}).", "Use the original file."
        ) from error
    if not isinstance(values, dict):
        raise UserError(f"{path} is no JSON object.", "Use the configuration of the checkpoint.")
    return values


def read_safetensors(path: Path) -> Checkpoint:
    """All tensors of a safetensors file."""
    try:
        with safe_open(path, framework="pt") as file:
            return Checkpoint({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, str(error)) from error


@contextlib.contextmanager
def read_pickle(path: Path) -> Iterator[Checkpoint]:
    """A file of torch.save, read by a child process that can run nothing it contains.

    The tensors are mapped from a temporary file: take what is to stay before the block ends.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}.", "Check the path.")
    with tempfile.TemporaryDirectory(prefix="clone-voice-") as folder:
        command = [sys.executable, "-m", unpickle.__name__, str(path.resolve()), folder]
        root = Path(__file__).resolve().parent.parent.parent
        python_path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": python_path.rstrip(os.pathsep)},
        )
        if run.returncode != 0:
            raise _refused(path, run.stderr)
        meta = json.loads(Path(folder, unpickle.META).read_text(encoding="utf-8"))
        with safe_open(Path(folder, unpickle.TENSORS), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        try:
            yield Checkpoint(tensors, meta if isinstance(meta, dict) else {})
        finally:
            tensors.clear()  # Windows deletes no file that is mapped


def _refused(path: Path, printed: str) -> UserError:
    named = _NAMED.search(printed)
    if "weights" in printed.lower() and named:
        return UserError(
            f"{path} asks to run {named[1]} when it is loaded, which weights never need; "
            "nothing was run.",
            "Do not trust this file; get the voice from its author.",
        )
    lines = [line for line in printed.splitlines() if line.strip()]
    reason = re.sub(r"\x1b\[\d*m", "", lines[0])[:120] if lines else "the reader was stopped"
    return _unreadable(path, reason)


def _unreadable(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path} cannot be read as a checkpoint: it is cut short, or no such file ({reason}).",
        "Download it again, and compare its size with the original's.",
    )
