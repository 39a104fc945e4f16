"""Where vectors are kept and found again: one seam, FAISS behind it.

A store holds vectors of length 1 under numbers; the nearest are those with the largest product.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipelines.persona.knowledge.embed import Vectors
from vits.errors import UserError
from vits.files import atomic_file


class VectorStore(Protocol):
    """What knowledge needs of a store."""

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None: ...

    def remove(self, numbers: Sequence[int]) -> None: ...

    def search(self, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """(number, cosine) of the nearest, nearest first."""
        ...

    def save(self) -> None: ...


class FaissStore:
    """An exact index in one file (Douze et al., "The Faiss library", arXiv:2401.08281)."""

    FILE = "vectors.faiss"

    def __init__(self, folder: Path) -> None:
        self.path = folder / self.FILE
        self._index: Any = None
        if self.path.exists():
            import faiss

            try:
                data = np.frombuffer(self.path.read_bytes(), np.uint8)
                self._index = faiss.deserialize_index(data)
            except RuntimeError as error:
                raise UserError(
                    f"{self.path} is damaged, or of another version of FAISS.",
                    "Delete it and remember the documents again.",
                ) from error

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        import faiss

        if self._index is None:
            self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        if self._index.d != vectors.shape[1]:
            raise UserError(
                f"{self.path} was made by another model for meanings.",
                "Name the --embedder that it was made with, or remember into another folder.",
            )
        self._index.add_with_ids(vectors, np.asarray(numbers, np.int64))

    def remove(self, numbers: Sequence[int]) -> None:
        if self._index is not None and numbers:
            self._index.remove_ids(np.asarray(numbers, np.int64))

    def search(self, vector: Vectors, count: int) -> list[tuple[int, float]]:
        if self._index is None or not self._index.ntotal:
            return []
        scores, numbers = self._index.search(vector.reshape(1, -1), count)
        pairs = zip(numbers[0], scores[0], strict=True)
        return [(int(number), float(score)) for number, score in pairs if number >= 0]

    def save(self) -> None:
        import faiss

        if self._index is not None:
            with atomic_file(self.path) as file:
                file.write(faiss.serialize_index(self._index).tobytes())


STORES = {"faiss": FaissStore}
