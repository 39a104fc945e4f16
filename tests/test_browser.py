"""The browser that the other tests use."""

from __future__ import annotations

import os

from browser import browser, chromium
from conftest import require


def test_it_starts_whatever_numbers_its_pipes_have() -> None:
    require(chromium(), "Chromium is not installed")
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(30)]
    try:
        with browser() as tab:
            assert tab.evaluate("6 * 7") == 42
    finally:
        for number in opened:
            os.close(number)
