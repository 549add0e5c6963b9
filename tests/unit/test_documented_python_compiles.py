"""Every block of Python in the documents is a whole program: what is pasted into a file runs, or fails for its own
reasons."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.product_source import ROOT

BLOCK: Final = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
DOCUMENTS: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCKS: Final = [
    pytest.param(code, id=f"{path.name}-{number}")
    for path in DOCUMENTS
    for number, code in enumerate(BLOCK.findall(path.read_text()), 1)
]


@pytest.mark.parametrize("code", BLOCKS)
def test_a_block_of_python_compiles(code: str) -> None:
    compile(code, "block.py", "exec")


def test_the_blocks_are_found() -> None:
    assert len(BLOCKS) >= 3
    with pytest.raises(SyntaxError, match="outside async function"):
        compile("async with Speaker() as speaker:\n    pass\n", "block.py", "exec")
