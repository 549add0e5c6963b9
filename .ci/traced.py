"""Which lines and branches ran, in every Python process of a run: ``.venv/bin/python .ci/traced.py -m pytest …``.

SlipCover places probes into the product's and the tests' own code. On Python 3.11 coverage.py traces
every call of every library: the unit ring took four times as long with it. SlipCover's own command knows one process;
here a ``.pth`` file in the virtual environment starts the probes in each process that has ``TRACED_INTO`` in its
environment, and each leaves there, as it ends, what it saw. ``.ci/coverage`` adds that up.
"""

from __future__ import annotations

import atexit
import os
import sys
import sysconfig
from collections import defaultdict
from fnmatch import fnmatch
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

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
WRITES_NO_FILE = "mouthpiece.audio.decoder"
"""The module that a process runs which may write none: probes would only slow down its start."""
PROBE, SIGNAL = "\0probe", "\0signal"
"""What stands among the constants of kept code for a probe, as ``(PROBE, line or branch)``, and for the function that a
probe is handed to: neither can be kept."""
NEVER = sys.maxsize >> 32
"""Misses after which a probe is taken out: that walks every object of the process, which would stop its event loop."""


class Placeholders:
    """What SlipCover places in the code that is kept, where it would place probes."""

    signal = SIGNAL

    @staticmethod
    def new(recorder: object, file: str, place: object, misses: int) -> object:
        return (PROBE, place)


def with_placeholders(tree: Any, file: str) -> CodeType:
    """Compile a tree that has the marks of branches, and place into the code what :meth:`Probes.put` replaces.

    SlipCover takes as long for it as all else that a service does as it starts, so the outcome is kept.
    """
    code: CodeType = compile(tree, file, "exec", dont_inherit=True)
    if sys.version_info >= (3, 12):  # no probes are placed there: the interpreter reports lines
        return code
    from slipcover import slipcover

    slipcover.probe = Placeholders

    class Placing(slipcover.Slipcover):  # type: ignore[misc]
        """Without its lists of the code's lines and branches: only the report needs those."""

        def instrument(self, co: CodeType, parent: CodeType | None = None) -> CodeType:
            placed: CodeType = super().instrument(co, parent or co)
            return placed

    return Placing(branch=True).instrument(code)


def marked(source: Any) -> Any:
    """The tree of a source, with a mark in each branch."""
    import ast

    from slipcover.branch import preinstrument

    return preinstrument(source if isinstance(source, ast.AST) else ast.parse(source))


class Probes:
    """What was reached in this process, by file."""

    def __init__(self) -> None:
        self.newly_seen: defaultdict[str, set[Any]] = defaultdict(set)
        """The name is SlipCover's: its probes write there."""
        if sys.version_info >= (3, 12):
            import slipcover

            reported = slipcover.Slipcover(branch=True, d_miss_threshold=NEVER)
            self.newly_seen, self.put = reported.newly_seen, reported.instrument
        else:
            self._probe: Any = load_probe()

    def put(self, code: CodeType) -> CodeType:
        """The code with probes in the places of the placeholders."""
        return code.replace(co_consts=tuple([self._constant(each, code.co_filename) for each in code.co_consts]))

    def _constant(self, kept: Any, file: str) -> Any:
        kind = type(kept)
        if kind is tuple and len(kept) == 2 and kept[0] == PROBE:
            return self._probe.new(self, file, kept[1], NEVER)
        if kind is CodeType:
            return self.put(kept)
        return self._probe.signal if kind is str and kept == SIGNAL else kept


def load_probe() -> ModuleType:
    """``slipcover.probe`` without its package, whose imports take longer than all else here."""
    package = PathFinder.find_spec("slipcover")
    assert package is not None
    [folder] = package.submodule_search_locations or []
    [path] = [path for suffix in EXTENSION_SUFFIXES for path in Path(folder).glob(f"probe{suffix}")]
    loader = ExtensionFileLoader("slipcover.probe", str(path))
    module: ModuleType = loader.create_module(ModuleSpec("slipcover.probe", loader, origin=str(path)))
    loader.exec_module(module)
    return module


def is_ours(file: str) -> bool:
    return file.startswith(FOLDERS) and not any(fnmatch(file, each) for each in OMITTED)


class TracedLoader(SourceFileLoader):
    """Keeps code with placeholders in a cache of its own beside Python's, and puts the probes in.

    It reads and writes as Python's own loader does: a module may be imported within an event loop.
    """

    probes: Probes

    def source_to_code(self, data: Any, path: Any, *, _optimization: int = -1) -> CodeType:  # type: ignore[override]
        return with_placeholders(marked(data), path)

    def get_data(self, path: str) -> bytes:
        return super().get_data(path.replace(".pyc", ".probed.pyc"))

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        super().set_data(path.replace(".pyc", ".probed.pyc"), data, _mode=_mode)

    def get_code(self, fullname: str) -> CodeType | None:
        code = super().get_code(fullname)
        return code and self.probes.put(code)


class PytestLoader:
    """Loads what rewrites the asserts of the tests, and has it place the marks and the probes there too."""

    def __init__(self, own: Any, probes: Probes) -> None:
        self._own, self._probes = own, probes

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._own.create_module(spec)
        return created

    def exec_module(self, module: Any) -> None:
        self._own.exec_module(module)
        rewrite = module.rewrite_asserts

        # pytest rewrites plugins too: a mark in the body of another's enum would be a member of it
        def rewrite_with_marks(tree: Any, source: bytes, path: str | None = None, *rest: Any) -> None:
            rewrite(marked(tree) if is_ours(path or "") else tree, source, path, *rest)

        def compile_with_placeholders(tree: Any, file: str, *rest: Any, **more: Any) -> CodeType:
            return with_placeholders(tree, file) if is_ours(file) else compile(tree, file, *rest, **more)

        def run(code: CodeType, names: dict[str, Any]) -> None:
            exec(self._probes.put(code) if is_ours(code.co_filename) else code, names)

        module.rewrite_asserts = rewrite_with_marks
        module.compile = compile_with_placeholders
        module.exec = run
        module.PYC_TAIL = f"-probed{module.PYC_TAIL}"


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
    part = path.with_suffix(".part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError:
        return


def start(into: Path) -> None:
    """Place probes into what this process will import, and write to ``into`` which of them were reached as it ends."""
    probes = Probes()
    sys.meta_path.insert(0, Finder(probes))  # type: ignore[arg-type]
    exit_at_once = os._exit

    def save() -> None:
        import json

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
    wanted = f"{VARIABLE!r} in os.environ and {WRITES_NO_FILE!r} not in sys.orig_argv"
    path.write_text(f"import os, sys; {wanted} and {load}\n")
    os.environ[VARIABLE] = str(into)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])


if __name__ == "__main__":
    main()
elif VARIABLE in os.environ:
    start(Path(os.environ[VARIABLE]))
