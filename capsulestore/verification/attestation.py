"""A verification as a statement in the store, so that those of many machines and occasions add up.

It is a test result (in-toto's predicate `test-result/v0.1`), whose tests are the layers, the recorded files and, where
they were looked at, all installed files together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Literal

from capsulestore import __version__
from capsulestore.errors import UsageError
from capsulestore.model.digest import Digest
from capsulestore.model.statement import STATEMENT_TYPE, Statement
from capsulestore.store import Store
from capsulestore.verification.capsule import Verification

__all__ = ["TEST_RESULT", "attest", "statement_of"]

TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"

_VERIFIER: Final = "pkg:pypi/capsulestore"

_NOT_TESTED: Final = frozenset({"missing", "unchecked"})

Result = Literal["PASSED", "WARNED", "FAILED"]


def attest(store: Store, verification: Verification) -> Digest:
    """Register a verification of a capsule as a statement about it, made now, and return the statement's digest.

    Raise `UsageError` where it was an environment that was verified: statements are about capsules.
    """
    if verification.capsule is None:
        raise UsageError("only the verification of a capsule can be recorded", hint="name a capsule")
    title = store.capsule(verification.capsule).manifest.title
    statement = statement_of(verification, title, datetime.now(UTC))
    return store.state(statement, f"{_in_a_word(verification)}: {title}")


def statement_of(verification: Verification, title: str, time: datetime) -> Statement:
    """Return a verification as a statement: PASSED, WARNED where only the context differs or was not seen, else FAILED.

    Installed files that belong to nobody, or of which no hash is recorded, are a warning too. An environment that could
    not be compared has not passed: it is FAILED too, and `verdict` tells the two apart.
    """
    tests = dict(_tests(verification))
    here = verification.here
    rules = {
        name: layer["rules"]
        for part in (here.context, here.environment)
        for name, layer in part.items()
        if isinstance(layer, dict)
    }
    return Statement.parse(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": title, "digest": {"gitTree": str(verification.capsule)}}],
            "predicateType": TEST_RESULT,
            "predicate": {
                "result": _result(verification),
                "configuration": [
                    {
                        "name": "environment",
                        "digest": {"gitTree": str(verification.match.current)},
                        "annotations": {"rules": rules},
                    }
                ],
                "passedTests": sorted(name for name, result in tests.items() if result == "PASSED"),
                "warnedTests": sorted(name for name, result in tests.items() if result == "WARNED"),
                "failedTests": sorted(name for name, result in tests.items() if result == "FAILED"),
                "verdict": verification.verdict,
                "reasons": list(verification.reasons_in_short),
                "timeVerified": time.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "verifier": {"id": _VERIFIER, "version": {"capsulestore": __version__}},
            },
        }
    )


def _in_a_word(verification: Verification) -> str:
    """Return the verdict; where all else is identical and something is not as it was, that is said too."""
    if verification.verdict == "identical" and not verification.same:
        return "identical, but not all code and files"
    return verification.verdict


def _result(verification: Verification) -> Result:
    if not verification.same:
        return "FAILED"
    told = verification.match.context_in_words or verification.match.outcome.reasons
    return "WARNED" if told or _of_installed(verification) == "WARNED" else "PASSED"


def _of_installed(verification: Verification) -> Result:
    """Return how the installed files stand; what belongs to nobody, or cannot be checked, is a warning."""
    deep = verification.deep
    if deep is None or not (deep.altered or deep.unchecked):
        return "PASSED"
    return "WARNED" if deep.same else "FAILED"


def _tests(verification: Verification) -> Iterator[tuple[str, Result]]:
    """Yield each layer and each recorded file by name, and how it stands; what was not looked at was not tested."""
    changed = {change.layer for change in verification.match.context_changes}
    for layer in verification.match.compared_context:
        yield f"context/{layer}", "WARNED" if layer in changed else "PASSED"
    for match in verification.match.layers:
        yield f"layer/{match.layer}", "PASSED" if match.match else "FAILED"
    for code in verification.code:
        if code.state not in _NOT_TESTED:
            yield f"code/{code.role}/{code.name}", "PASSED" if code.state == "same" else "FAILED"
    for file in verification.files:
        if file.state not in _NOT_TESTED:
            yield f"file/{file.path}", "PASSED" if file.state == "same" else "FAILED"
    if verification.deep is not None:
        yield "installed-files", _of_installed(verification)
