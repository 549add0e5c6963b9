"""Fixtures that every ring uses. A blocked event loop fails a test; a warning is an error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[BlockBuster]:
    with blockbuster_ctx(["mouthpiece", "mouthpiece_agents", "mouthpiece_avatar", "mouthpiece_sender"]) as guard:
        yield guard
