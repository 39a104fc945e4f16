"""Reviewing a data set in the browser: hear, correct, accept, reject, cut; saved at once."""

from pipelines.review.server import ReviewServer, serve

__all__ = ["ReviewServer", "serve"]
