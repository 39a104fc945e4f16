"""A pickled checkpoint -> safetensors and JSON, in a process of its own: `python -m` this.

Only tensors and plain values are read (`weights_only`). A few classes that training programs leave
in their files, paths above all, are allowed by name, and what is made for them is inert. Anything
else in the pickle is refused before it could run. Optimizer states are never touched.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# What is left out of the weights: the states of optimizers, of schedulers and of loops.
_PRIVATE = ("optim", "scheduler", "callbacks", "loops", "scaler", "lr_schedulers")
TENSORS, META, REFUSED = "tensors.safetensors", "meta.json", 3


class Inert(dict[str, Any]):
    """Stands for an object of a training program; holds what it was given and does nothing."""

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(**values)
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.update(state if isinstance(state, Mapping) else {})


def path(*parts: object) -> str:
    """Stands for pathlib's classes."""
    return "/".join(str(part) for part in parts)


def scalar(dtype: object, data: object = None) -> None:
    """Stands for a number of numpy's, such as a loss that was kept."""


NAMES: Mapping[str, Callable[..., Any]] = {
    **{
        f"{module}.{name}": path
        for module in ("pathlib", "pathlib._local")
        for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath", "Path")
    },
    **{f"numpy.{core}.multiarray.scalar": scalar for core in ("core", "_core")},
    "numpy.dtype": Inert,
    "numpy.dtypes.Float64DType": Inert,
    "numpy.dtypes.Float32DType": Inert,
    "_codecs.encode": scalar,
    "argparse.Namespace": Inert,
    "collections.defaultdict": Inert,
    "builtins.dict": Inert,
    "TTS.utils.radam.RAdam": Inert,
    "utils.HParams": Inert,
}


def convert(source: Path, folder: Path) -> None:
    """Write the tensors of `source` and its plain values into `folder`."""
    import torch
    from safetensors.torch import save_file

    allowed: Any = [(stand_in, name) for name, stand_in in NAMES.items()]
    with torch.serialization.safe_globals(allowed):
        try:
            loaded = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap" not in str(error):  # files from before PyTorch 1.6 cannot be mapped
                raise
            loaded = torch.load(source, map_location="cpu", weights_only=True)
    tensors: dict[str, Any] = {}
    meta = _plain(loaded, "", tensors)
    unique: dict[int, str] = {}
    for name, tensor in list(tensors.items()):  # shared storage is written twice, not refused
        held = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.clone() if held in unique else tensor.contiguous()
        unique[held] = name
    save_file(tensors, folder / TENSORS)
    (folder / META).write_text(json.dumps(meta), encoding="utf-8")


def _plain(value: Any, place: str, tensors: dict[str, Any]) -> Any:
    """The JSON of a value; its tensors go into `tensors` by their place, '/' between keys."""
    import torch

    if isinstance(value, torch.Tensor):
        tensors[place] = value.detach()
        return None
    if isinstance(value, Mapping):
        return {
            str(key): _plain(inner, f"{place}/{key}" if place else str(key), tensors)
            for key, inner in value.items()
            if not (not place and str(key).startswith(_PRIVATE))
        }
    if isinstance(value, list | tuple):
        return [_plain(inner, f"{place}/{i}", tensors) for i, inner in enumerate(value)]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


if __name__ == "__main__":
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except Exception as error:  # whatever is wrong with somebody's file, one line says it
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(REFUSED) from None
