"""The shape of the project: which way imports run, what --help loads, what the wheel holds."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Each room and the rooms that it may import from.
ARROWS = {
    "vits": set(),
    "data": {"vits"},
    "pipelines": {"data", "vits"},
    "commands": {"pipelines", "data", "vits"},
    "cli": {"commands"},
}


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py")) if room != "cli" else [ROOT / "cli.py"]


def imported_rooms(path: Path) -> set[str]:
    """Our rooms that a module imports, at its top or inside its functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return {name.split(".")[0] for name in names} & set(ARROWS)


@pytest.mark.parametrize("room", ARROWS)
def test_imports_run_along_the_arrows(room: str) -> None:
    backward = {
        str(path.relative_to(ROOT)): rooms
        for path in modules(room)
        if (rooms := imported_rooms(path) - ARROWS[room] - {room})
    }
    assert not backward


def test_import_linter_sees_an_arrow_that_runs_back(tmp_path: Path) -> None:
    """The contracts in pyproject.toml are not empty words."""
    for room in ("vits", "data", "pipelines", "commands"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    linter = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}

    def lint() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            linter, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert lint().returncode == 0, lint().stdout
    (tmp_path / "vits" / "__init__.py").write_text("import pipelines\nimport cli\n")
    broken = lint()
    assert broken.returncode != 0
    assert "vits is not allowed to import pipelines" in broken.stdout
    assert "vits is not allowed to import cli" in broken.stdout


def loaded_by(program: str, arguments: list[str]) -> set[str]:
    """Top-level modules that a command has loaded when it ends."""
    code = (
        "import sys, cli\n"
        f"try:\n    cli.{program}.main({arguments!r})\n"
        "except SystemExit: pass\n"
        "print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    return set(output.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("clone_voice", ["--help"]),
        ("clone_voice", ["--version"]),
        ("clone_voice", ["train", "--help"]),
        ("clone_voice", ["say", "--help"]),
        ("clone_voice", ["serve", "--help"]),
        ("clone_voice", ["studio", "--help"]),
        ("story", ["--help"]),
        ("story", ["render", "--help"]),
        ("story", ["chapters", "--help"]),
        ("story", ["audiobook", "--help"]),
        ("story", ["batch", "--help"]),
        ("digital_human", ["--help"]),
        ("digital_human", ["learn", "--help"]),
        ("digital_human", ["remember", "--help"]),
        ("digital_human", ["chat", "--help"]),
        ("digital_human", ["say", "--help"]),
    ],
)
def test_help_loads_nothing_heavy(program: str, arguments: list[str]) -> None:
    heavy = {"torch", "numpy", "numba", "librosa", "av", "PIL", "pydantic", "rich", "yaml"}
    assert not loaded_by(program, arguments) & heavy


def test_help_answers_at_once() -> None:
    """Under 0.4 s of work; what a busy machine adds to that is not ours."""
    program = Path(sys.executable).with_name("clone-voice")
    seconds = []
    for _ in range(3):
        before = os.times()
        subprocess.run([program, "--help"], check=True, capture_output=True, cwd=ROOT)
        after = os.times()
        user = after.children_user - before.children_user
        seconds.append(user + after.children_system - before.children_system)
    assert min(seconds) < 0.4


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in the wheel, built as pip would."""
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("wheel")
    built = next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_wheel_holds_every_module_and_what_they_read(wheel: set[str]) -> None:
    wanted = {
        path.relative_to(ROOT).as_posix()
        for room in ("vits", "data", "pipelines", "commands")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "vits/py.typed" in wanted
    assert {*wanted, "cli.py"} <= wheel


def test_wheel_holds_nothing_else(wheel: set[str]) -> None:
    rooms = {name.split("/")[0] for name in wheel if ".dist-info" not in name}
    assert rooms == {"vits", "data", "pipelines", "commands", "cli.py"}
    assert not any("__pycache__" in name for name in wheel)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)


def test_every_room_is_typed_and_says_what_it_is() -> None:
    for room in ("vits", "data", "pipelines", "commands"):
        assert (ROOT / room / "py.typed").exists()
    for path in [path for room in ARROWS for path in modules(room)]:
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), f"{path} says nothing"


def test_console_scripts_exist() -> None:
    import cli

    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    for target in scripts.values():
        module, function = target.split(":")
        assert module == "cli"
        assert callable(getattr(cli, function))
