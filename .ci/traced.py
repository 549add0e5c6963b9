"""Which lines and branches ran, in every Python process of a run: ``.venv/bin/python .ci/traced.py -m pytest …``.

SlipCover places probes into the product's and the tests' own code. On Python 3.11 coverage.py traces
every call of every library: the unit ring took four times as long with it. SlipCover's own command knows one process;
here a ``.pth`` file in the virtual environment starts the probes in each process that has ``TRACED_INTO`` in its
environment, and each leaves there, as it ends, what it saw. ``.ci/coverage`` adds that up.
"""

from __future__ import annotations

import ast
import atexit
import json
import os
import sys
import sysconfig
import tempfile
from fnmatch import fnmatch
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import slipcover
from slipcover.branch import preinstrument

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [str(ROOT / folder) for folder in ("src", "sender", "agents", "avatar", "tests")]
OMITTED = [
    str(ROOT / path)
    for path in (
        "tests/live/agents/document/*",  # copied from a document
        "agents/2-agent-with-external-audio/*",  # an example, run as it is printed
        "tests/live/compose/*",  # need a Docker engine
        "tests/loopback/client/generated_speaks.py",  # run as a copy beside the package that its test generates
        # run in the decoders' processes alone, which may write no file, so no figures either
        "src/mouthpiece/audio/av_reader.py",
        "src/mouthpiece/audio/confinement.py",
        "src/mouthpiece/audio/decoder.py",
        "src/mouthpiece/audio/formats.py",
        "src/mouthpiece/audio/parts.py",
        "src/mouthpiece/audio/readers.py",
        "src/mouthpiece/audio/splice.py",
        "src/mouthpiece/audio/wav.py",
    )
]
EXCLUDED = ["if TYPE_CHECKING:", r"^\s*\.\.\.$", "raise NotImplementedError"]
"""Added to what SlipCover excludes by itself: ``pragma: no cover``."""
FOLDERS = tuple(f"{folder}/" for folder in SOURCES)
PACKAGES = {"mouthpiece", "mouthpiece_agents", "mouthpiece_avatar", "mouthpiece_sender", "tests"}
VARIABLE = "TRACED_INTO"
REWRITES_ASSERTS = "_pytest.assertion.rewrite"


class Probes(slipcover.Slipcover):
    """Probes stay in place: taking them out walks every object of the process, which would stop its event loop."""

    def __init__(self) -> None:
        super().__init__(branch=True, d_miss_threshold=sys.maxsize >> 32)

    def instrument(self, co: CodeType, parent: CodeType | None = None) -> CodeType:
        """Without its lists of the code's lines and branches: only the report needs those."""
        return super().instrument(co, parent or co)


def is_ours(file: str) -> bool:
    return file.startswith(FOLDERS) and not any(fnmatch(file, each) for each in OMITTED)


class TracedLoader(SourceFileLoader):
    """Compiles with marks for branches, into a cache of their own beside Python's, and places the probes.

    It reads and writes as Python's own loader does: a module may be imported within an event loop.
    """

    probes: Probes

    def source_to_code(self, data: Any, path: Any, *, _optimization: int = -1) -> CodeType:  # type: ignore[override]
        code: CodeType = compile(preinstrument(ast.parse(data)), path, "exec", dont_inherit=True)
        return code

    def get_data(self, path: str) -> bytes:
        return super().get_data(path.replace(".pyc", ".traced.pyc"))

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        super().set_data(path.replace(".pyc", ".traced.pyc"), data, _mode=_mode)

    def get_code(self, fullname: str) -> CodeType | None:
        code = super().get_code(fullname)
        return code and self.probes.instrument(code)


class PytestLoader(Loader):
    """Loads what rewrites the asserts of the tests, and has it place the marks and the probes there too."""

    def __init__(self, own: Any, probes: Probes) -> None:
        self._own, self._probes = own, probes

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._own.create_module(spec)
        return created

    def exec_module(self, module: Any) -> None:
        self._own.exec_module(module)
        rewrite = module.rewrite_asserts

        def rewrite_with_marks(tree: ast.Module, source: bytes, path: str | None = None, *rest: Any) -> None:
            # pytest rewrites plugins too: a mark in the body of another's enum would be a member of it
            rewrite(preinstrument(tree) if is_ours(path or "") else tree, source, path, *rest)

        def run(code: CodeType, names: dict[str, Any]) -> None:
            exec(self._probes.instrument(code) if is_ours(code.co_filename) else code, names)

        module.rewrite_asserts = rewrite_with_marks
        module.exec = run
        module.PYC_TAIL = f"-traced{module.PYC_TAIL}"


class Finder:
    def __init__(self, probes: Probes) -> None:
        self._probes = probes
        TracedLoader.probes = probes

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != REWRITES_ASSERTS and name.partition(".")[0] not in PACKAGES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return spec
        if name == REWRITES_ASSERTS:
            spec.loader = PytestLoader(spec.loader, self._probes)
        elif is_ours(spec.loader.path):
            spec.loader = TracedLoader(name, spec.loader.path)
        return spec


def write(path: Path, data: bytes) -> None:
    """Whole or not at all; a process that may write no file leaves none."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        os.replace(file.name, path)
    except OSError:
        return


def start(into: Path) -> None:
    """Place probes into what this process will import, and write to ``into`` which of them were reached as it ends."""
    probes = Probes()
    sys.meta_path.insert(0, Finder(probes))  # type: ignore[arg-type]
    exit_at_once = os._exit

    def save() -> None:
        seen = {file: list(reached) for file, reached in list(probes.newly_seen.items())}
        if seen:
            write(into / f"{os.getpid()}-{os.urandom(4).hex()}.json", json.dumps(seen).encode())

    def save_and_exit(status: int) -> None:
        save()
        exit_at_once(status)

    os._exit = save_and_exit  # type: ignore[assignment]  # forked children and the command end by it
    atexit.register(save)


def main() -> None:
    into = ROOT / ".cache/coverage"
    into.mkdir(parents=True, exist_ok=True)
    path = Path(sysconfig.get_path("purelib"), "traced.pth")
    name = str(Path(__file__).resolve())
    load = f"exec(compile(open({name!r}).read(), {name!r}, 'exec'), {{'__name__': 'traced', '__file__': {name!r}}})"
    path.write_text(f"import os; {VARIABLE!r} in os.environ and {load}\n")
    os.environ[VARIABLE] = str(into)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])


if __name__ == "__main__":
    main()
elif VARIABLE in os.environ:
    start(Path(os.environ[VARIABLE]))
