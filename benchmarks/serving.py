"""Measures `capsule serve` by wrk on the loopback, and beside it a bare FastAPI route that returns the same bytes.

One server at a time is asked, over connections that are kept, for the next path as soon as an answer has come. The
requests of a round go through all paths in an order of chance, which is the same in each round.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.request import urlopen

from .commands import variables
from .environments import Environments
from .figures import Figure, Figures
from .known_stores import store_of

__all__ = ["CAPSULES", "measure"]

CAPSULES: Final = 10_000

_HERE: Final = Path(__file__).parent
_SECONDS: Final = 3
_CONNECTIONS: Final = 4
_MOST_ROUNDS: Final = 5
_SEED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a server is asked for, by paths, and what that is in words."""

    name: str
    label: str
    url: str
    paths: Sequence[str]


def measure(made: Environments, rounds: int, scratch: Path) -> Figures:
    """Return the figures, each name with `serving-` before it; a time is that of a request, of those in one second."""
    place = scratch / "serving"
    place.mkdir()
    environ = variables(made, scratch)
    wrk = shutil.which("wrk")
    if wrk is None:
        return {name: Figure(label=label, missing="there is no `wrk`") for name, label in _LABELS.items()}
    store = store_of(CAPSULES, made, environ)
    with _served(made, store, environ) as url, _bare(made, _answers(url), place, environ) as bare:
        asked = list(_all(url, bare))
        turns = [[_ask(wrk, one, place, environ) for one in asked] for _ in range(min(rounds, _MOST_ROUNDS) + 1)]
    # The first round warms up.
    told = zip(*turns[1:], strict=True)
    return {one.name: _figure(one.label, results) for one, results in zip(asked, told, strict=True)}


_LABELS: Final = {
    "serving-capsule": "`GET /api/capsules/{id}`, each of them in turn",
    "serving-bare": "a bare FastAPI route, the same bytes",
    "serving-page": "`GET /api/capsules`, pages of 50",
    "serving-title": "the same with `title=`, which a tenth of the capsules have",
    "serving-package": "the same with `package=`, which half of the capsules have",
}


def _all(url: str, bare: str) -> Iterator[_Asked]:
    ids = [f"/api/capsules/{digest}" for digest in _ids(url)]
    pages = {
        "serving-page": "limit=50",
        "serving-title": "limit=50&title=7",
        "serving-package": "limit=50&package=package-3%3C1.500",
    }
    asked = {"serving-capsule": (url, ids), "serving-bare": (bare, ids)}
    asked |= {name: (url, list(_pages(url, query))) for name, query in pages.items()}
    for name, (server, paths) in asked.items():
        yield _Asked(name=name, label=_LABELS[name], url=server, paths=random.Random(_SEED).sample(paths, len(paths)))


class _Told(NamedTuple):
    """What wrk says: a number of requests, how many of them failed; and in microseconds."""

    requests: int
    failed: int
    duration: int
    percentile_99: int


def _figure(label: str, results: Sequence[_Told]) -> Figure:
    if failed := sum(result.failed for result in results):
        return Figure(label=label, missing=f"{failed} requests failed")
    return Figure(
        label=label,
        times=tuple(result.duration / result.requests / 1e3 for result in results),
        percentile_99=max(result.percentile_99 for result in results) / 1e3,
    )


def _ask(wrk: str, asked: _Asked, place: Path, environ: Mapping[str, str]) -> _Told:
    paths = place / f"{asked.name}.paths"
    paths.write_text("".join(f"{path}\n" for path in asked.paths), "ascii")
    command = [wrk, "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", "-s", _HERE / "requests.lua", asked.url]
    variables = {**environ, "PATHS_FILE": str(paths)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return _Told(*map(int, done.stderr.split()))


@contextmanager
def _served(made: Environments, store: Path, environ: Mapping[str, str]) -> Iterator[str]:
    capsule = str(made.capsule / "bin/capsule")
    with _running([capsule, "--store", str(store), "serve", "--port", "0"], environ) as url:
        yield url


@contextmanager
def _bare(made: Environments, answers: Mapping[str, str], place: Path, environ: Mapping[str, str]) -> Iterator[str]:
    file = place / "answers.json"
    file.write_text(json.dumps(answers), "utf-8")
    with _running([str(made.capsule / "bin/python"), "-I", str(_HERE / "bare_server.py"), str(file)], environ) as url:
        yield url


@contextmanager
def _running(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    """Start a server, which prints its url once it listens, and end it with the block."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environ, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip().rstrip("/")
        finally:
            server.terminate()


def _answers(url: str) -> dict[str, str]:
    return {digest: _got(f"{url}/api/capsules/{digest}").decode() for digest in _ids(url)}


def _ids(url: str) -> list[str]:
    pages = (_listed(f"{url}{path}") for path in _pages(url, "limit=500"))
    return [capsule["capsule_id"] for page in pages for capsule in page["capsules"]]


def _pages(url: str, query: str) -> Iterator[str]:
    """Yield the paths of all pages of a list."""
    cursor = ""
    while True:
        path = f"/api/capsules?{query}{cursor}"
        yield path
        following = _listed(f"{url}{path}")["next"]
        if following is None:
            return
        cursor = f"&cursor={following}"


def _listed(url: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_got(url))
    return found


def _got(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:
        body: bytes = answer.read()
        return body
