"""pytest, in which a test that is skipped for want of a component fails.

    python .ci/no_skips.py [ARGUMENT]...

A machine that lacks strace or a distribution's Python skips what needs them, and says so. CI installs all of that
(`debian-packages.txt`), so that there a skipped test is one that nobody runs any more. Only what no installation brings
is let pass: a reason that names hardware or kubernetes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from typing import Final

import pytest

LET_PASS: Final = re.compile(r"\b(hardware|kubernetes)\b", re.IGNORECASE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a test's skip into a failure."""
    report = yield
    # An expected failure is reported as skipped too.
    if not hasattr(report, "wasxfail"):
        _forbid(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into an error."""
    report = yield
    _forbid(report)
    return report


def _forbid(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.outcome != "skipped":
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if LET_PASS.search(reason):
        return
    report.outcome = "failed"
    report.longrepr = f"{reason}\nCI skips no test: install what it needs (.ci/debian-packages.txt)."


if __name__ == "__main__":
    # The folder of this file is on sys.path, also in xdist's workers: no PYTHONPATH, which tests would notice.
    sys.exit(pytest.main(["-p", "no_skips", *sys.argv[1:]]))
