"""Real environments that tests tamper with, and a look at what is installed in them."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from capsulestore.capture.asking import ask
from capsulestore.capture.cache import Cache
from capsulestore.capture.integrity import Index, Integrity, check_installed

GRANULARITY_NS = 25_000_000
"""Longer than a tick of any kernel's clock, so that a test need not wait two seconds."""


@pytest.fixture
def check() -> Callable[..., Integrity]:
    """Compare what is installed in an environment: `check(environment, layers=..., index=...)`."""

    asked = {}

    def check(environment: Any, **options: Any) -> Integrity:
        # What it answers has nothing to do with what is installed: once is enough.
        key = str(environment.python), *sorted(environment.environ.items())
        if key not in asked:
            asked[key] = ask(key[0], environ=environment.environ)
        return check_installed(asked[key], **options)

    return check


@pytest.fixture
def found(check) -> Callable[..., set[tuple[str, str | None, str]]]:
    """Return what is not as it was installed: kind, owner and name."""
    return lambda environment, **options: {
        (file.kind, file.owner, file.name) for file in check(environment, **options).altered
    }


@pytest.fixture
def keeping(tmp_path) -> dict[str, Any]:
    """Options for `check`: what is kept, and where."""
    directory = str(tmp_path / "cache")
    return {
        "cache": Cache(directory, granularity_ns=GRANULARITY_NS),
        "index": Index(directory, granularity_ns=GRANULARITY_NS),
    }


@pytest.fixture(scope="session")
def hash_of() -> Callable[..., str]:
    """Return the hash of bytes as a RECORD has it."""

    def hash_of(data: bytes, algorithm: str = "sha256") -> str:
        digest = hashlib.new(algorithm, data).digest()
        return f"{algorithm}={urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    return hash_of


@pytest.fixture(scope="session")
def edit_record() -> Callable[..., None]:
    """Write rows behind those of a distribution's RECORD, in place of those of the same path."""

    def edit_record(info: Path, *rows: str) -> None:
        record = info / "RECORD"
        paths = {row.partition(",")[0] for row in rows}
        kept = [row for row in record.read_text().splitlines() if row.partition(",")[0] not in paths]
        record.write_text("\n".join([*kept, *rows]) + "\n")

    return edit_record
