"""Audiobooks: books that were dropped, their chapters, and the shelf that is made of them."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from pipelines.serving.engine import known_voice
from pipelines.studio.places import area, listed, names_in, one_of
from pipelines.studio.runner import Runner
from pipelines.studio.uploads import receive

MADE = ("*.m4b", "*.mp3", "*.opus", "*.epub")


class BooksWish(BaseModel):
    """What `story batch` is asked for."""

    books: list[str] = Field(min_length=1, max_length=500)
    voice: str = "base"
    format: list[Literal["m4b", "mp3", "opus", "epub"]] = Field(default=["m4b"], min_length=1)
    language: str = Field("", max_length=20)
    speed: float = Field(1.0, ge=0.5, le=2.0)


def book_routes(runner: Runner) -> APIRouter:
    router = APIRouter(prefix="/api/books", tags=["studio"])

    @router.get("")
    def books() -> list[dict[str, Any]]:
        found = listed(area("books"), "*.*")
        return [
            {"name": name, "bytes": path.stat().st_size}
            for name, path in found.items()
            if not name.startswith(".")
        ]

    @router.put("/files/{file}")
    async def upload(file: str, request: Request) -> dict[str, str]:
        return {"name": (await receive(request, area("books"), file, "books")).name}

    @router.delete("/files/{file}")
    def remove(file: str) -> dict[str, bool]:
        one_of(area("books"), "*.*", file).unlink()
        return {"removed": True}

    @router.get("/files/{file}/chapters")
    def chapters(file: str) -> dict[str, Any]:
        from pipelines.books.book import WORDS_PER_MINUTE
        from pipelines.books.reading import read_book

        book = read_book(one_of(area("books"), "*.*", file))
        rows = [
            {"title": c.title, "read": c.read, "words": round(book.words(c, ()))}
            for c in book.chapters
        ]
        meta = book.meta
        minutes = sum(book.words(c, ()) for c in book.chapters if c.read) / WORDS_PER_MINUTE
        about = {"title": meta.title, "author": meta.author, "language": meta.language}
        return about | {"chapters": rows, "minutes": round(minutes, 1), "notes": list(book.notes)}

    @router.post("/make")
    def make(wish: BooksWish) -> dict[str, Any]:
        for name in wish.books:
            one_of(area("books"), "*.*", name)
        known_voice(wish.voice)
        title = ", ".join(wish.books)[:200]
        return runner.store.told(runner.start("audiobook", "shelf", title, wish.model_dump()))

    @router.get("/shelf")
    def shelf() -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "files": [f for kind in MADE for f in listed(area("shelf") / name, kind)],
            }
            for name in names_in("shelf")
        ]

    @router.get("/shelf/{name}/{file}")
    def made(name: str, file: str) -> FileResponse:
        # a folder of the shelf is named by its book, not by somebody who asks
        folder = {n: area("shelf") / n for n in names_in("shelf")}.get(name, area("shelf") / ".no")
        path = one_of(folder, "*.*", file)
        return FileResponse(path, filename=path.name, content_disposition_type="inline")

    return router
