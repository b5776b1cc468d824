"""An agent that asks in which year the Nile's flow changed, and leaves a capsule of every analysis that it runs.

It tries years that lie far apart, then others around the best of them, and so on: which ones, it chooses as it goes.
Each capsule names the one that led to it as its parent. Of an earlier one the agent can go on, even in another
environment: it verifies the capsule first, and where it no longer holds says why, and runs that analysis again.

    capsule init
    python agent.py
    python agent.py --from DIGEST
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

from capsulestore import record
from capsulestore.artifact_registry import get_capsule, verify_capsule

DATA = Path("nile.csv")
"""The annual flow at Aswan in 10^8 m^3, 1871 to 1970 (Cobb 1978, doi:10.1093/biomet/65.2.243)."""

FIRST_STEP = 16


def scatter(flows: list[int]) -> float:
    """Return the sum of squared deviations from the mean."""
    mean = sum(flows) / len(flows)
    return sum((flow - mean) ** 2 for flow in flows)


def analyse(year: int, step: int, parent: str | None) -> tuple[float, str | None]:
    """Measure how far two means, before the year and from it on, are from the flows; return that and the capsule."""
    result = Path("breaks", f"{year}.json")
    with record(
        f"a break in {year}?",
        inputs=[DATA],
        outputs=[result],
        parameters={"year": year, "step": step},
        parents=[parent] if parent else [],
    ) as run:
        with DATA.open() as file:
            flows = {int(row["year"]): int(row["flow"]) for row in csv.DictReader(file)}
        left = scatter([flow for at, flow in flows.items() if at < year])
        right = scatter([flow for at, flow in flows.items() if at >= year])
        result.parent.mkdir(exist_ok=True)
        result.write_text(json.dumps({"scatter": left + right}))
    return left + right, run.capsule_id


def search(year: int, step: int, capsule: str | None, known: dict[int, float]) -> int:
    """Go on from a year, by steps that are half as wide each time; return the year that explains most."""
    while step:
        candidates = [near for near in (year - step, year, year + step) if 1873 <= near <= 1969]
        for near in candidates:
            if near not in known:
                known[near], analysis = analyse(near, step, capsule)
                print(f"  {near}  {known[near]:>12,.0f}  {analysis}")
                if known[near] <= min(known.values()):
                    capsule = analysis
        best = min(candidates, key=known.__getitem__)
        step, year = (step, best) if best != year else (step // 2, year)
    return year


def resume(digest: str) -> int:
    """Go on from an earlier capsule, once it is known to hold, or its analysis has been run again."""
    parameters = get_capsule(digest)["manifest"]["parameters"]
    year, step = parameters["year"], parameters["step"]
    verification = verify_capsule(digest)
    if verification["failures"] or any(file["state"] != "same" for file in verification["files"]):
        print(f"a break in {year}: not as it was, so once more")
        for reason in verification["reasons"]:
            print(f"  {reason}")
        found, capsule = analyse(year, step, digest)
    else:
        print(f"a break in {year}: {verification['verdict']}")
        found, capsule = json.loads(Path("breaks", f"{year}.json").read_text())["scatter"], digest
    return search(year, step, capsule, {year: found})


def main() -> None:
    """Search from the beginning, or from the capsule that is named."""
    parser = argparse.ArgumentParser(description="In which year did the flow of the Nile change?")
    parser.add_argument("--from", dest="digest", help="the capsule to go on from")
    digest = parser.parse_args().digest
    print(f"the flow changed in {resume(digest) if digest else search(1920, FIRST_STEP, None, {})}")


if __name__ == "__main__":
    main()
