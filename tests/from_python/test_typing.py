"""What is typed for callers (PEP 561): their code passes `mypy --strict`, and their mistakes do not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import capsulestore

pytestmark = pytest.mark.slow

CALLER = """
from collections import OrderedDict
from pathlib import Path
from types import MappingProxyType

from capsulestore import Store, capture_environment, record
from capsulestore.agent import Recording, current
from capsulestore.artifact_registry import children, get_capsule, list_capsules, register_capsule, verify_capsule
from capsulestore.post_process import post_process, summarise_results
from capsulestore.runtime_capture import (
    capture_container_environment,
    capture_python_environment,
    compute_environment_digest,
    verify_environment_match,
)


@record("fit", inputs=["data.csv"], outputs=[Path("fit.csv")], parameters={"alpha": 0.1})
def fit(alpha: float, *, seed: int = 0) -> float:
    running = current()
    if running is not None:
        running.parameters["seed"] = seed
    return alpha


@record("later")
async def later(alpha: float) -> str:
    return str(alpha)


async def main() -> str:
    async with record("block", store=Path("store")) as recording:
        recording.outputs.append("fit.csv")
    return await later(fit(0.1, seed=1))


def everything(store: Store) -> str | None:
    environment = {**capture_python_environment(Path(".venv")), **(capture_container_environment() or {})}
    digest: str = compute_environment_digest(MappingProxyType(environment))
    compute_environment_digest(OrderedDict({"python": {"packages": {}}}))
    match = verify_environment_match(environment, python=".venv", layers=["python"], strict=True)
    if match["match"] is not True:
        print(match["reasons"], digest)
    answer = register_capsule(
        "fit",
        environment_capture=capture_environment(".venv/bin/python"),
        command=["python", "fit.py"],
        entry_point=Path("fit.py"),
        parameters={"alpha": 0.1, "when": object()},
        labels={"team": "blue"},
        inputs=["data.csv"],
        outputs=[Path("fit.csv")],
        parents=["@"],
        status="completed",
        store=store,
    )
    capsule_id = answer["capsule_id"]
    assert isinstance(capsule_id, str)
    for failure in (verify_capsule(capsule_id, record=True, store="."), get_capsule("@"), *list_capsules(limit=2)):
        print(failure["code"] if "code" in failure else failure)
    for child in children(capsule_id, store=Path(".")):
        print(child["title"])
    print(summarise_results(Path("out"))["files"], post_process(["out"], capture_capsule=True)["capsule_id"])
    recording: Recording
    with record("block", strict=True) as recording:
        recording.labels["n"] = 1
    return recording.capsule_id
"""
WRONG = """
from capsulestore.artifact_registry import register_capsule, verify_capsule
from capsulestore.runtime_capture import compute_environment_digest

register_capsule(5)
verify_capsule(capsule_id=None)
compute_environment_digest([])
register_capsule("fit", status=True)
"""


@pytest.mark.slow
def test_a_callers_code_is_type_checked_and_its_mistakes_are_found(tmp_path: Path):
    pytest.importorskip("mypy", reason="mypy is not installed: nothing here checks types")
    (tmp_path / "caller.py").write_text(CALLER)
    (tmp_path / "wrong.py").write_text(WRONG)
    # As installed: of a caller's own code alone is anything told.
    environ = os.environ | {"MYPYPATH": str(Path(capsulestore.__file__).parents[1])}
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file="]
    for name, lines in (("caller.py", []), ("wrong.py", ["5", "6", "7", "8"])):
        done = subprocess.run([*command, name], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
        assert [line.split(":")[1] for line in done.stdout.splitlines() if ": error: " in line] == lines, done.stdout
        assert (done.returncode, done.stderr) == (bool(lines), "")
