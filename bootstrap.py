"""Set up and run everything from a fresh checkout, with Python alone: no make, no shell.

    python bootstrap.py setup             the environment in .venv, made once
    python bootstrap.py story             clone the example voice, render the example story
    python bootstrap.py test  [pytest arguments]
    python bootstrap.py bench [benchmarks]
    python bootstrap.py lint  [--fix]
    python bootstrap.py messages [--write]    what lacks a translation

The environment is made again only when pyproject.toml, constraints.txt, the Python or the place
of the checkout changed. What pip was told about indexes and folders of wheels (pip.conf and PIP_*
variables) uv is told too. Standard library only, since it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
LINT_PATHS = (
    "vits", "data", "pipelines", "commands", "bench", "recipes", "tests", "cli.py",
    "bootstrap.py",
)  # fmt: skip
INSTALL = ("-c", "constraints.txt", "-e", ".[dev]")
INTERRUPTED = 130  # exit code: 128 + SIGINT
# Packages that carry a library of the system: a wheel "for any platform" installs without it.
NATIVE = ("av", "pocketsphinx", "soundfile", "soxr")
MOST_WORKERS = 8  # each test process loads torch, about 0.5 GB


class StepFailed(Exception):
    """A step that did not succeed: one line for the user, and the exit code."""

    def __init__(self, line: str, code: int = 1) -> None:
        super().__init__(line)
        self.code = code


def say(line: str) -> None:
    print(line, flush=True)


def run(
    what: str,
    command: Sequence[str | Path],
    *,
    root: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run one step in `root`, its output shown as it comes. Raises StepFailed, naming `what`."""
    words = [str(word) for word in command]
    try:
        code = subprocess.run(words, cwd=root, env=environment, check=False).returncode
    except OSError as error:
        raise StepFailed(f"{what} could not start: {error}.") from error
    if code < 0:  # ended by a signal: as a shell would say it
        code = 128 - code
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise StepFailed(f"{what} failed (exit code {code}); see the lines above.", code)


# --- the environment


def environment_python(root: Path) -> Path:
    """The interpreter of the checkout's environment, on this kind of system."""
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return root / ".venv" / folder / name


def program(root: Path, name: str) -> Path:
    """A command that is installed in the checkout's environment."""
    suffix = ".exe" if os.name == "nt" else ""
    return environment_python(root).with_name(name + suffix)


def fingerprint(root: Path) -> str:
    """Everything that decides what .venv holds; moving the checkout breaks it, so its path too."""
    digest = hashlib.sha256()
    for part in (sys.version, sys.platform, str(root.resolve())):
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((root / name).read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def is_ready(root: Path) -> bool:
    stamp = root / ".venv" / "made-from.txt"
    return (
        stamp.is_file()
        and environment_python(root).exists()
        and stamp.read_text("utf-8").strip() == fingerprint(root)
    )


def pip_settings(config_lines: str) -> dict[str, str]:
    """The settings in `pip config list`, by option name; an environment variable leads.

    pip prints global.x, install.x and :env:.x lines, each `section.option='value'`.
    """
    rank = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in config_lines.splitlines():
        match = re.fullmatch(r"(global|install|:env:)\.([\w-]+)=(['\"])(.*)\3", line.strip())
        if match is None:
            continue
        section, option, value = match[1], match[2].replace("_", "-"), match[4]
        value = value.replace("\\n", " ").replace("\\\\", "\\").strip()
        if option not in found or rank[section] >= found[option][0]:
            found[option] = (rank[section], value)
    return {option: value for option, (_, value) in found.items()}


def uv_environment(base: Mapping[str, str], pip: Mapping[str, str]) -> dict[str, str]:
    """`base` plus uv's names for what pip was told; uv's own variables win where they are set.

    pip separates folders and indexes by spaces; uv separates folders by commas.
    """
    folders = " ".join([pip.get("find-links", ""), base.get("PIP_FIND_LINKS", "")]).split()
    told = {
        "UV_FIND_LINKS": ",".join(dict.fromkeys(folders)),
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": pip.get("extra-index-url", ""),
        # As pip does it: the best version, whichever index has it.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if pip.get("extra-index-url") else "",
    }
    return {key: value for key, value in told.items() if value} | dict(base)


def is_usable(python: Path) -> bool:
    """Whether an environment's interpreter runs, has pip and is the same Python as this one."""
    question = [str(python), "-c", "import pip, sys; sys.stdout.write(sys.version)"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout == sys.version


def make_environment(root: Path) -> None:
    """Make .venv and install the project and its tools into it, by uv, or else by pip."""
    if not is_usable(environment_python(root)):
        say("Making the environment in .venv ...")
        run(
            "Making .venv (on Debian and Ubuntu it needs the package python3-venv)",
            [sys.executable, "-m", "venv", "--clear", root / ".venv"],
            root=root,
        )
    say("Installing packages; the first time this downloads them ...")
    try:
        install_by_uv(root)
    except StepFailed as failure:
        say(f"{failure} Trying pip, which takes longer.")
        install_by_pip(root)
    stamp = root / ".venv" / "made-from.txt"
    stamp.write_text(fingerprint(root) + "\n", "utf-8")


def install_by_uv(root: Path) -> None:
    python = environment_python(root)
    run(
        "Installing uv",
        [python, "-m", "pip", "install", "--quiet", "-c", "constraints.txt", "uv"],
        root=root,
    )
    settings = subprocess.run(
        [str(python), "-m", "pip", "config", "list"], capture_output=True, text=True, cwd=root
    ).stdout
    run(
        "Installing by uv",
        [python, "-m", "uv", "pip", "install", "--python", python, *INSTALL],
        root=root,
        environment=uv_environment(os.environ, pip_settings(settings)),
    )
    if broken := broken_packages(python):
        again: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--force-reinstall"]
        again += ["--no-deps", "-c", "constraints.txt", *broken]
        run(f"Installing {', '.join(broken)} again", again, root=root)


def broken_packages(python: Path) -> list[str]:
    """Packages of `NATIVE` that were installed and cannot be imported.

    Where several indexes have the same version, uv takes the first index's file, pip the file that
    fits this system best.
    """
    trial = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: importlib.import_module(name)\n"
        "    except (ImportError, OSError): print(name)"
    )
    answer = subprocess.run(
        [str(python), "-c", trial, *NATIVE], capture_output=True, text=True, check=False
    )
    return answer.stdout.split()


def install_by_pip(root: Path) -> None:
    """The same without uv's overrides: what they leave out is installed bare, by name."""
    python = environment_python(root)
    pip: list[str | Path] = [python, "-m", "pip", "install", "-c", "constraints.txt"]
    wanted, bare = pip_requirements((root / "pyproject.toml").read_text("utf-8"))
    run("Installing by pip", [*pip, *wanted], root=root)
    run("Installing by pip", [*pip, "--no-deps", *bare, "-e", "."], root=root)


def pip_requirements(pyproject: str) -> tuple[list[str], list[str]]:
    """What pip must install with its dependencies, and what without.

    pip knows no overrides, and Resemblyzer's own requirements need a compiler.
    """
    import tomllib  # from Python 3.11 on, which is checked before

    project = tomllib.loads(pyproject)["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    rows = project["dependencies"] + [row for rows in extras.values() for row in rows]
    rows = [row for row in rows if not row.startswith(project["name"])]
    bare = [row for row in rows if row.startswith("resemblyzer")]
    return [row for row in rows if row not in bare], bare


def setup(root: Path = ROOT) -> None:
    """The environment in .venv; at once if it is made already. Raises StepFailed."""
    if is_ready(root):
        return
    started = time.monotonic()
    make_environment(root)
    say(f"Ready: {root / '.venv'}, made in {time.monotonic() - started:.0f} s.")


# --- the commands


def lint_steps(root: Path, fix: bool = False) -> list[tuple[str, list[str | Path]]]:
    """Name and command line of each check that needs no running."""
    ruff, paths = program(root, "ruff"), [path for path in LINT_PATHS if (root / path).exists()]
    mending: list[str | Path] = ["--fix"] if fix else []
    layout: list[str | Path] = [] if fix else ["--check"]
    return [
        ("ruff check", [ruff, "check", "--quiet", *mending, *paths]),
        ("ruff format", [ruff, "format", "--quiet", *layout, *paths]),
        ("types (mypy)", [program(root, "mypy"), "--no-error-summary"]),
        ("import arrows", [program(root, "lint-imports"), "--no-logo"]),
    ]


def run_steps(
    steps: Sequence[tuple[str, Sequence[str | Path]]],
    root: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run named steps in turn, a line for each as it begins and ends. Raises StepFailed."""
    for number, (name, command) in enumerate(steps, start=1):
        say(f"[{number}/{len(steps)}] {name} ...")
        started = time.monotonic()
        run(name, command, root=root, environment=environment)
        say(f"[{number}/{len(steps)}] {name}: passed in {time.monotonic() - started:.0f} s")


def usable_cores() -> int:
    """Cores that this process may use, which a container can make fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def test(root: Path, arguments: Sequence[str]) -> None:
    """Every check. With arguments, pytest alone, given them."""
    workers = min(usable_cores(), MOST_WORKERS)
    pytest: list[str | Path] = [environment_python(root), "-m", "pytest"]
    every = [*pytest, "-n", str(workers), "--dist", "worksteal", "--durations", "10"]
    steps = [("pytest", [*pytest, *arguments])] if arguments else lint_steps(root)
    if not arguments:
        steps.append((f"tests (pytest, {workers} at a time)", every))
    # A process for each core, so one thread for each process.
    run_steps(steps, root, {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"} | os.environ)


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Run one command; returns the exit code. Every failure is one clear line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a GBK console cannot show every file name
            stream.reconfigure(errors="replace")
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        oldest, newest = (".".join(map(str, v)) for v in (OLDEST_PYTHON, NEWEST_PYTHON))
        say(f"Error: this is Python {sys.version.split()[0]}. Use Python {oldest} to {newest}.")
        return 2
    command, rest = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if command not in ("setup", "story", "test", "bench", "lint", "messages"):
        say((__doc__ or "").strip())
        return 0 if command in ("-h", "--help") else 2
    try:
        setup(root)
        run_command(command, rest, root)
    except StepFailed as failure:
        print(f"Error: {failure}", file=sys.stderr, flush=True)
        return failure.code
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr, flush=True)
        return INTERRUPTED
    return 0


def run_command(command: str, arguments: Sequence[str], root: Path) -> None:
    """The part of a command that comes after set-up. Raises StepFailed."""
    if command == "setup":
        say(f"The environment is ready. Commands: {program(root, 'clone-voice').parent}")
    elif command == "story":
        run("The story", [program(root, "story"), "demo", *arguments], root=root)
    elif command == "test":
        test(root, arguments)
    elif command == "bench":
        run("The benchmark", [environment_python(root), "-m", "bench", *arguments], root=root)
    elif command == "messages":
        run("Messages", [environment_python(root), "-m", "recipes.messages", *arguments], root=root)
    else:
        run_steps(lint_steps(root, fix="--fix" in arguments), root)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
