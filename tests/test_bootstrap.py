"""bootstrap.py: the environment is made once, mends itself, and every failure is one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap

REPOSITORY = Path(bootstrap.__file__).parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh checkout whose path has spaces and no ASCII, as home folders have."""
    root = tmp_path / "My Documents 声音"
    root.mkdir()
    for name in ("bootstrap.py", "pyproject.toml", "constraints.txt"):
        shutil.copy(REPOSITORY / name, root / name)
    return root


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been run, a line for each step; nothing is installed."""
    taken: list[str] = []

    def note(what: str, command: list[object], *, root: Path, environment: object = None) -> None:
        taken.append(" ".join(str(word) for word in command))
        if "venv" in [str(word) for word in command]:
            make_interpreter(root)

    monkeypatch.setattr(bootstrap, "run", note)
    return taken


def make_interpreter(root: Path) -> None:
    """An environment's interpreter: a link to this one."""
    python = bootstrap.environment_python(root)
    python.parent.mkdir(parents=True, exist_ok=True)
    python.symlink_to(sys.executable)


def test_environment_is_made_once_and_in_order(checkout: Path, steps: list[str]) -> None:
    bootstrap.setup(checkout)
    made = list(steps)
    bootstrap.setup(checkout)
    assert steps == made
    assert "-m venv" in made[0]
    assert made[1].endswith("-c constraints.txt uv")
    assert made[2].endswith("-c constraints.txt -e .[dev]")
    assert "-m uv pip install" in made[2]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_environment_is_made_again_when_its_sources_change(
    name: str, checkout: Path, steps: list[str]
) -> None:
    bootstrap.setup(checkout)
    before = len(steps)
    with (checkout / name).open("a", encoding="utf-8") as file:
        file.write("\n# one more line\n")
    bootstrap.setup(checkout)
    again = steps[before:]
    assert again, "a changed file must install again"
    assert not any("-m venv" in step for step in again), "a usable environment is kept"


def test_line_endings_of_another_system_change_nothing(checkout: Path) -> None:
    before = bootstrap.fingerprint(checkout)
    path = checkout / "constraints.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert bootstrap.fingerprint(checkout) == before


def test_moved_checkout_is_set_up_again(checkout: Path, steps: list[str]) -> None:
    bootstrap.setup(checkout)
    moved = checkout.rename(checkout.with_name("elsewhere"))
    assert not bootstrap.is_ready(moved)


def test_failing_uv_falls_back_to_pip_without_a_compiler(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(root: Path) -> None:
        raise bootstrap.StepFailed("Installing uv failed (exit code 1).")

    monkeypatch.setattr(bootstrap, "install_by_uv", fail)
    bootstrap.setup(checkout)
    with_dependencies, bare = steps[-2:]
    assert "resemblyzer" not in with_dependencies
    assert "torch>=" in with_dependencies
    assert "pytest>=" in with_dependencies
    assert "clone-voice[" not in with_dependencies
    assert "--no-deps resemblyzer" in bare
    assert bare.endswith("-e .")


def test_package_without_its_library_is_installed_again_by_pip(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "NATIVE", ("json", "no_such_library"))
    bootstrap.setup(checkout)
    assert steps[-1].endswith("--no-deps -c constraints.txt no_such_library")
    assert "-m pip install" in steps[-1]


def test_interrupted_installation_is_taken_up_again(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(root: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bootstrap, "install_by_uv", stop)
        with pytest.raises(KeyboardInterrupt):
            bootstrap.setup(checkout)
    assert not bootstrap.is_ready(checkout)
    bootstrap.setup(checkout)
    assert bootstrap.is_ready(checkout)


def test_second_start_takes_no_time(checkout: Path, steps: list[str]) -> None:
    bootstrap.setup(checkout)
    command = [sys.executable, str(checkout / "bootstrap.py"), "setup"]
    seconds = []
    for _ in range(3):  # of work: what a busy machine adds is not ours
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        user = after.children_user - before.children_user
        seconds.append(user + after.children_system - before.children_system)
    assert min(seconds) < 0.3


def test_uv_is_told_what_pip_was_told() -> None:
    settings = bootstrap.pip_settings(
        "global.index-url='https://mirror.example/simple'\n"
        "global.timeout='60'\n"
        "install.find-links='/wheels'\n"
        ":env:.extra-index-url='https://one.example https://two.example'\n"
    )
    environment = bootstrap.uv_environment({"PIP_FIND_LINKS": "/more /wheels"}, settings)
    assert environment["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert environment["UV_FIND_LINKS"] == "/wheels,/more"
    assert environment["UV_INDEX"] == "https://one.example https://two.example"
    assert environment["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_uv_settings_of_the_user_lead() -> None:
    environment = bootstrap.uv_environment(
        {"UV_DEFAULT_INDEX": "https://mine.example"}, {"index-url": "https://pip.example"}
    )
    assert environment["UV_DEFAULT_INDEX"] == "https://mine.example"


def test_environment_variable_of_pip_leads_its_file() -> None:
    lines = ":env:.index-url='https://env.example'\nglobal.index-url='https://file.example'\n"
    assert bootstrap.pip_settings(lines) == {"index-url": "https://env.example"}


def bootstrap_process(
    arguments: list[str], root: Path, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, str(root / "bootstrap.py"), *arguments],
        capture_output=True,
        check=False,
        env=os.environ | environment,
    )


def test_failed_step_is_one_line_and_an_exit_code(
    checkout: Path, steps: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    bootstrap.setup(checkout)
    assert bootstrap.main(["story"], checkout) == 0
    bootstrap.program(checkout, "story").unlink(missing_ok=True)
    result = bootstrap_process(["story"], checkout)
    assert result.returncode == 1
    lines = result.stderr.decode().strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Error: The story could not start")


def test_gbk_console_shows_any_path(checkout: Path, steps: list[str]) -> None:
    named = checkout.rename(checkout.with_name("été ☕ 声音"))
    bootstrap.setup(named)
    result = bootstrap_process(["setup"], named, PYTHONIOENCODING="gbk")
    assert result.returncode == 0, result.stderr.decode("gbk", "replace")
    assert "声音" in result.stdout.decode("gbk")


def test_unknown_command_prints_the_commands(checkout: Path) -> None:
    result = bootstrap_process(["shine"], checkout)
    assert result.returncode == 2
    assert b"python bootstrap.py story" in result.stdout


def test_old_python_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert bootstrap.main(["setup"]) == 2
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize("system", ["nt", "posix"])
def test_programs_are_where_this_system_puts_them(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path("checkout")
    monkeypatch.setattr(bootstrap.os, "name", system)
    folder = "Scripts" if system == "nt" else "bin"
    name = "story.exe" if system == "nt" else "story"
    assert bootstrap.program(root, "story").parts[-3:] == (".venv", folder, name)


def test_steps_stop_at_the_first_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    marker = tmp_path / "ran"
    steps = [
        ("first", [sys.executable, "-c", "raise SystemExit(7)"]),
        ("second", [sys.executable, "-c", f"open({str(marker)!r}, 'w')"]),
    ]
    with pytest.raises(bootstrap.StepFailed) as failure:
        bootstrap.run_steps(steps, tmp_path)
    assert failure.value.code == 7
    assert not marker.exists()


def test_make_only_calls_bootstrap() -> None:
    lines = (REPOSITORY / "Makefile").read_text("utf-8").splitlines()
    recipes = [line.strip() for line in lines if line.startswith("\t")]
    assert recipes == ["@$(PYTHON) bootstrap.py $@ $(ARGS)"]


def test_constraints_are_exact_and_name_what_the_project_needs() -> None:
    rows = (REPOSITORY / "constraints.txt").read_text("utf-8").splitlines()
    rows = [row for row in rows if row and not row.startswith("#")]
    assert all("==" in row for row in rows)
    pinned = {row.split("==")[0].lower() for row in rows}
    wanted, bare = bootstrap.pip_requirements((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    names = {row.split("[")[0].split(">")[0].split("=")[0].lower() for row in wanted + bare}
    assert names <= pinned
    assert not any(name in pinned for name in ("webrtcvad", "typing")), "overridden in tool.uv"
    assert not any("+" in row for row in rows), "a local build is each machine's own choice"
