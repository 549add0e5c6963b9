"""Build the page (``web/``) with Node.js from PATH or its wheel: ``python -m mouthpiece_sender.demo.page build``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from mouthpiece_sender.demo.toolchain import NODE, Report, ToolchainError, find

INSTALLED = Path("node_modules/.package-lock.json")
"""Written by npm at the end of an installation."""


def run_script(web: Path, script: str, report: Report) -> int:
    """Run ``npm run <script>`` in ``web``, after ``npm ci`` where that is due; return npm's exit code.

    :param report: called with one line before the installation of Node.js or of packages.
    :raises ToolchainError: Node.js is not installed, and its wheel could not be installed.
    """
    node = find(NODE, report)
    npm = npm_command(node)
    environment = os.environ | {
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    }
    if installation_is_due(web):
        report(f"installing the packages of {web} (npm ci)")
        if code := subprocess.run([*npm, "ci", "--no-audit", "--no-fund"], cwd=web, env=environment).returncode:
            return code
    return subprocess.run([*npm, "run", "--silent", script], cwd=web, env=environment).returncode


def npm_command(node: Path) -> list[str]:
    """Return the command of npm for this Node.js: its wheel has npm as a script, not as a command on PATH."""
    script = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(script)] if script.is_file() else ["npm"]


def installation_is_due(web: Path) -> bool:
    """Return whether ``package-lock.json`` is newer than the installed packages."""
    installed = web / INSTALLED
    return not installed.is_file() or installed.stat().st_mtime < (web / "package-lock.json").stat().st_mtime


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a script of web/package.json, after installing what it needs.")
    parser.add_argument("script", choices=["build", "check", "test", "types"], help="the script to run")
    parser.add_argument("--web", type=Path, default=Path("web"), help="the page's folder (default: web)")
    arguments = parser.parse_args()
    if not (arguments.web / "package-lock.json").is_file():
        parser.error(f"{arguments.web} holds no page: run this in a checkout of Mouthpiece")
    try:
        return run_script(arguments.web, arguments.script, lambda line: print(line, file=sys.stderr))
    except ToolchainError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
