"""An analysis that fails is registered as failed, and fails as it would have failed without us."""

import asyncio
import signal
import traceback
from contextlib import suppress

import pytest

from capsulestore import record

pytestmark = pytest.mark.slow


class Odd(Exception):
    """An exception that cannot be looked at."""

    def __str__(self):
        raise RuntimeError("no text")

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None


class OfAnOddName(Exception):
    pass


OfAnOddName.__qualname__ = "Größe\ud800"

FAILURES = {
    "an exception": ValueError("hunter2"),
    "an exception that cannot be looked at": Odd(),
    "an exit with a status": SystemExit(3),
    "an exit with a text": SystemExit("it did not work"),
    "an exit with a list": SystemExit([1]),
    "an interrupt": KeyboardInterrupt(),
    "a cancellation": asyncio.CancelledError(),
    "a group": ExceptionGroup("several", [ValueError("one"), TypeError("two")]),
    "a group of any": BaseExceptionGroup("several", [KeyboardInterrupt()]),
    "an end of iteration": StopIteration(1),
    "an odd name": OfAnOddName(),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("strict", [False, True])
def test_any_exception_is_registered_and_goes_on_unchanged(failure, strict, store, quickly, recorded):
    @record("fit", strict=strict, **quickly)
    def fit():
        raise failure

    failure.__traceback__ = failure.__context__ = None
    with pytest.raises(type(failure)) as caught:
        fit()
    assert caught.value is failure
    assert (failure.__cause__, failure.__context__) == (None, None)
    assert traceback.extract_tb(failure.__traceback__)[-1].line == "raise failure"
    (manifest,) = recorded()
    assert manifest["status"] == "failed"
    name = type(failure).__qualname__.encode("utf-8", "backslashreplace").decode()
    assert manifest["run"]["exception"] == name
    assert "hunter2" not in str(manifest)


@pytest.mark.parametrize("code", [None, 0, False])
def test_an_exit_without_a_failure_is_none(code, store, quickly, recorded):
    with pytest.raises(SystemExit), record("fit", **quickly):
        raise SystemExit(code)
    (manifest,) = recorded()
    assert manifest["status"] == "completed"
    assert "exception" not in manifest["run"]


ENDS = {
    "sys.exit()": (0, "completed", None),
    "sys.exit(3)": (3, "failed", "SystemExit"),
    "sys.exit('no')": (1, "failed", "SystemExit"),
    "1 / 0": (1, "failed", "ZeroDivisionError"),
    "os.kill(os.getpid(), signal.SIGINT); time.sleep(60)": (-signal.SIGINT, "failed", "KeyboardInterrupt"),
}


@pytest.mark.parametrize(("statement", "ends"), ENDS.items(), ids=ENDS)
def test_a_program_ends_as_it_would_have_ended(statement, ends, project):
    status, word, exception = ends
    lines = ["import os, signal, sys, time", "def fit():", f"    {statement}", "fit()"]
    plain = project.run(project.write("plain.py", "\n".join(lines)), status=status)
    lines[1:1] = ["from capsulestore import record", "@record('fit')"]
    done = project.script("\n".join(lines), status=status)
    assert done.err.splitlines()[-1:] == plain.err.splitlines()[-1:]
    manifest = project.manifest()
    assert (manifest["status"], manifest["run"].get("exception")) == (word, exception)


def test_an_exception_that_the_analysis_handles_is_no_failure(store, quickly, recorded):
    with record("fit", **quickly), suppress(ValueError):
        raise ValueError
    assert [one["status"] for one in recorded()] == ["completed"]


def test_what_fails_within_fails_around_it_too(store, quickly, recorded):
    with pytest.raises(ValueError, match="inner"), record("outer", **quickly), record("inner", **quickly):
        raise ValueError("inner")
    assert [(one["title"], one["status"]) for one in recorded()] == [("inner", "failed"), ("outer", "failed")]
