"""What the sender says of a segment when its avatar does something wrong, against what a viewer recorded.

::

    python bench/faults.py [--presented stock avaluma mouthpiece] [--fault NAME …] [--markdown FILE]

Each row is a livekit room, a scripted receiver (docs/conformance.md) that has one fault, a gateway, and a viewer who
records. A segment of 2.6 s is said, which the fault hits, and then one of 1 s. The sound is a tone in syllables,
another one in each segment, so the recording says how much of which was heard. The table is printed as markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.services import server  # noqa: E402

from tests.live.sender.fault_trials import HEARD, LENGTH, Trial, trial  # noqa: E402

LASTING: Final = ("deaf-after:0", "bound-elsewhere", "rejects", "dies")
PASSING: Final = (
    "receipt-missing@1",
    "receipt-early@1",
    "receipt-late@1",
    "receipt-doubled@1",
    "receipt-short@1",
    "receipt-other-segment@1",
    "receipt-other-participant@1",
    "silent@1",
    "slow-rpc",
    "slow-rpc:3",
    "lost-trailer@1",
    "stalls@1",
    "joins-late",
    "noise",
    "other-speech",
)
HEADINGS: Final = ("Fault", "State", "Receipt", "Position, s", "Error", "It took, s", "A viewer heard", "Next segment")


def row(done: Trial) -> list[str]:
    successor = ", by another receiver" if done.successor else ""
    following = "heard" if done.next_heard >= HEARD else f"{done.next_heard:.0%} heard"
    claimed = done.state.value == "finished" and done.heard < HEARD
    return [
        f"`{done.fault}`",
        f"`{done.state.value}`" + (" (not heard)" if claimed else ""),
        f"`{done.receipt.value}`",
        f"{done.position:.1f}",
        f"`{done.error}`" if done.error else "–",
        f"{done.took:.1f}",
        f"{min(done.heard, 1.0):.0%}",
        f"`{done.next_state.value}`, {following}{successor}",
    ]


def table(presented: str, trials: Sequence[Trial]) -> str:
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(row(each) for each in trials)]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"### Presented as `{presented}`: a segment of {LENGTH:g} s\n\n{body}\n"


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presented", nargs="+", default=["stock", "mouthpiece"], help="(stock mouthpiece)")
    parser.add_argument("--fault", nargs="+", default=[*PASSING, *LASTING], help="by name; all")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file too")
    options = parser.parse_args()
    tables = []
    async with server() as livekit:
        for presented in options.presented:
            trials = []
            for number, fault in enumerate(options.fault):
                print(f"{presented}: {fault}", file=sys.stderr, flush=True)
                trials.append(await trial(livekit, f"{presented}-{number}", fault, presented))
            tables.append(table(presented, trials))
            print(tables[-1], flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(tables))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
