"""`make benchmark`: measures everything side by side and writes docs/performance.md."""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from . import deep, in_process, moving, serving, whole_process
from .commands import commands
from .environments import CannotInstall, environments
from .machine import described
from .table import by_hand, page

ROOT: Final = Path(__file__).resolve().parents[1]
PLACE: Final = ROOT / ".benchmarks"


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="make benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often each command is run")
    parser.add_argument("--sources", type=Path, default=ROOT, help="the checkout to measure, this one unless given")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/performance.md", help="where to write the page")
    given = parser.parse_args()
    output = given.output.resolve()
    scratch = PLACE / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    made = environments(PLACE, given.sources.resolve())
    figures = whole_process.measure(commands(made, scratch), given.rounds, scratch)
    # Apart, as the other commands should not find the processor's caches full of a gigabyte of files.
    print("Deep verification", flush=True)
    figures |= whole_process.measure(deep.commands(made, scratch), given.rounds, scratch)
    print("Moving stores", flush=True)
    figures |= moving.measure(made, given.rounds, scratch)
    print("Serving", flush=True)
    figures |= serving.measure(made, given.rounds, scratch)
    print("Within a process", flush=True)
    figures |= in_process.measure(made, given.rounds, scratch)
    figures |= in_process.measure_layers(made, given.rounds, scratch)
    text = page(
        figures,
        machine=described(str(made.target / "bin/python")),
        compared=f"an environment of {made.distributions} distributions; {made.versions()}",
        rounds=given.rounds,
        by_hand=by_hand(output.read_text("utf-8")) if output.exists() else "",
    )
    output.write_text(text, "utf-8")
    print(f"\n{text.partition('## To make it again')[0]}Written to {output}")


if __name__ == "__main__":
    try:
        main()
    except CannotInstall:
        sys.exit("\nThe benchmark failed: pip could not install what is needed (see above). It takes a package index.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"\nThe benchmark failed: `{shlex.join(map(str, error.cmd))}` ended with status {error.returncode}.")
