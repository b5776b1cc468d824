"""A capsule from beginning to end: recorded, verified, different, the same again, and in another store: `make demo`.

Everything happens in `.demo/`, which is removed first. Each step is said, run and held to what it should give: the
first that gives something else ends the demo with status 1. Needs `capsule` beside the interpreter that runs this.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
SCRATCH = HERE.parent / ".demo"
PACKAGE, LOCKED, NEWER = "tzdata", "2026.5", "2026.6"
NOT_SOURCES = shutil.ignore_patterns(".*", "__pycache__", "results.csv")
FOREIGN = ("CAPSULE_STORE", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
"""Variables that would have the demo look at another store or environment than its own."""


class Demo:
    """Says what comes, runs it where the analysis lies, and checks what it gave."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.steps = 0
        self.environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        self.environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self.environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        self.environment["NO_COLOR"] = "1"
        self.environment["PYTHONIOENCODING"] = "utf-8"

    def say(self, sentence: str) -> None:
        """Announce a step."""
        self.steps += 1
        print(f"\n{self.steps}. {sentence}\n", flush=True)

    def run(self, line: str, *, status: int = 0, gives: str = "") -> str:
        """Show a command line and its output; end the demo if its status or stdout is not what it should be."""
        print(f"$ {line}", flush=True)
        output = ""
        for text in self._output_of(line, status):
            print(text, end="", flush=True)
            output += text
        if status:
            print(f"(exit status {status})", flush=True)
        if gives not in output:
            fail(f"`{line}` should have said `{gives}`")
        return output.strip()

    def answer(self, command: str) -> dict[str, Any]:
        """Return what a command answers with --json, which is not shown; its status is not looked at."""
        done = subprocess.run(
            ["/bin/sh", "-c", f"{command} --json"],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def _output_of(self, line: str, status: int) -> Iterator[str]:
        with subprocess.Popen(
            ["/bin/sh", "-c", line],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            assert process.stdout is not None  # noqa: S101  (so that a type checker knows it)
            yield from process.stdout
        if process.returncode != status:
            fail(f"`{line}` ended with status {process.returncode}; it should have been {status}")


def fail(reason: str) -> NoReturn:
    """End the demo."""
    sys.exit(f"\nThe demo failed: {reason}.")


def main() -> None:
    """Run the demo."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    if not (Path(sys.executable).parent / "capsule").exists():
        fail(f"capsulestore is not installed for {sys.executable}; `make demo` installs it")
    if SCRATCH.exists():
        shutil.rmtree(SCRATCH)
    shutil.copytree(HERE / "penguins", SCRATCH, ignore=NOT_SOURCES)
    demo = Demo(SCRATCH)
    print(f"What follows happens in {SCRATCH}.")

    demo.say("An analysis gets an environment of its own, from its locked requirements (some 30 MB of wheels).")
    demo.run("python3 -m venv .venv")
    demo.run(".venv/bin/pip install --quiet -r requirements.txt")

    demo.say("A store is made, for whatever is recorded of this project.")
    demo.run("capsule init", gives=".capsules")

    demo.say(
        "The analysis is run, and recorded with its code and the environment it ran in: a capsule.\n"
        "   How much heavier is a penguin whose flippers are a millimetre longer?"
    )
    demo.run(
        'capsule run -m "penguins: first fit" --output results.csv --digest-file digest.txt '
        ".venv/bin/python analysis.py",
        gives="all as one    342 49.69",
    )
    result = (SCRATCH / "results.csv").read_bytes()
    capsule = (SCRATCH / "digest.txt").read_text(encoding="ascii").strip()
    if len(capsule) != 64:
        fail("`capsule run --digest-file` should have written a digest of 64 digits and nothing else")

    demo.say("This is what it holds.")
    demo.run("capsule show", gives=capsule)

    demo.say("Is the environment here still the one that was recorded?")
    demo.run("capsule verify", gives="identical")

    demo.say("Months later, something upgrades one of the packages.")
    demo.run(f".venv/bin/pip install --quiet --no-deps {PACKAGE}=={NEWER}")

    demo.say("The environment is another one now. Verifying says so, names what has changed, and ends with status 1.")
    demo.run("capsule verify", status=1, gives="different")
    changed = [
        (change["entry"], change["a"]["version"], change["b"]["version"])
        for change in demo.answer("capsule verify")["changes"]
    ]
    if changed != [(PACKAGE, LOCKED, NEWER)]:
        fail(f"exactly one change should have been named, {PACKAGE} from {LOCKED} to {NEWER}; it was {changed}")

    demo.say("So does comparing the capsule, which is called @ as the last one added, with the environment here.")
    demo.run("capsule diff @", status=1, gives=f"{PACKAGE}  {LOCKED} → {NEWER}")

    demo.say("The locked requirements bring the environment back, to the same digest.")
    demo.run(".venv/bin/pip install --quiet -r requirements.txt")
    demo.run("capsule verify", gives="identical")

    demo.say("And the analysis gives what it gave.")
    demo.run(
        "capsule run --output results.csv --parent @ .venv/bin/python analysis.py", gives="all as one    342 49.69"
    )
    if (SCRATCH / "results.csv").read_bytes() != result:
        fail("results.csv should have been the same, byte for byte")
    demo.run("capsule verify", gives="identical")

    demo.say("A colleague has the sources too, and a store. What is pushed there is all that it takes to verify there.")
    shutil.copytree(HERE / "penguins", SCRATCH / "colleague", ignore=NOT_SOURCES)
    demo.run("capsule init colleague", gives="colleague/.capsules")
    demo.run("capsule remote add origin colleague")
    demo.run("capsule push", gives="2 capsules, ")
    demo.run(f"cd colleague && capsule verify --python ../.venv/bin/python {capsule}", gives="identical")
    demo.run("capsule push", gives="everything is there already")

    print("\nThe demo passed. All of it is left in .demo/ to look at.")


if __name__ == "__main__":
    main()
