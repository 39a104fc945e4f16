"""List what the catalogues lack; with --write, put it into them, to be translated there."""

from __future__ import annotations

import sys

from recipes.messages import messages
from recipes.messages.catalogues import LOCALE, compare, write


def main(arguments: list[str]) -> int:
    said = messages()
    languages = sorted(path.stem for path in LOCALE.glob("*.po"))
    lines = [line for language in languages for line in compare(language, said).lines]
    for line in lines:
        print(line)
    if "--write" in arguments:
        for language in languages:
            write(language, said)
        print(f"Written: {', '.join(f'{LOCALE / language}.po' for language in languages)}")
    print(f"{len(said)} messages; {len(lines)} things to mend.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
