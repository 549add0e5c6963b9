"""What a part says where its extra is not installed, and the names that a package exports."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from mouthpiece.extras import imports, needs
from tests.product_source import all_modules

EXPORTING = [name for name, module in all_modules().items() if "__all__" in module.path.read_text()]
BARE = """
import builtins, runpy, sys
real = builtins.__import__
def bare(name, globals=None, locals=None, fromlist=(), level=0):
    if name.partition(".")[0] in {absent}:
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = bare
sys.argv = [{module!r}, *{arguments}]
runpy.run_module({module!r}, run_name="__main__")
"""


def test_the_sentence_names_the_extra_and_how_to_install_it() -> None:
    assert needs("The worker", "agents") == (
        "The worker needs the extra “agents”: pip install 'mouthpiece-livekit[agents]', or `make extras` in a checkout."
    )
    assert "extras “agents” and “avatar”: pip install 'mouthpiece-livekit[agents,avatar]'" in needs(
        "x", "agents", "avatar"
    )


def test_an_import_that_fails_for_want_of_an_extra_ends_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, imports("The worker", "agents"):
        importlib.import_module("no_such_distribution.part")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("The worker needs the extra “agents”")


def test_a_module_of_ours_that_is_missing_is_an_error_of_ours() -> None:
    with pytest.raises(ModuleNotFoundError), imports("The worker", "agents"):
        importlib.import_module("mouthpiece_agents.nothing")


@pytest.mark.parametrize(
    ("module", "arguments", "absent", "extra"),
    [
        ("mouthpiece_sender", ["--help"], {"dotenv", "typer"}, "sender"),
        ("mouthpiece_sender", ["serve"], {"fastapi", "uvicorn"}, "sender"),
        ("mouthpiece_agents", ["start"], {"livekit"}, "agents"),
        ("mouthpiece_avatar", [], {"fastapi", "uvicorn"}, "avatar"),
    ],
)
def test_a_program_without_its_extra_says_so_without_a_traceback(
    module: str, arguments: list[str], absent: set[str], extra: str, tmp_path: Path
) -> None:
    code = BARE.format(module=module, arguments=arguments, absent=absent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"pip install 'mouthpiece-livekit[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", EXPORTING)
def test_a_package_exports_what_it_says(name: str) -> None:
    """``__all__`` names what is there, each name once, and every public name that the package imports from within."""
    module = importlib.import_module(name)
    exported: list[str] = list(module.__all__)
    assert len(exported) == len(set(exported))
    assert [one for one in exported if not hasattr(module, one)] == []
    found = all_modules()[name]
    if found.path.name == "__init__.py":
        shown = {
            alias.asname or alias.name
            for node in ast.parse(found.path.read_text()).body
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == found.package
            for alias in node.names
        }
        assert sorted(shown - set(exported)) == []
