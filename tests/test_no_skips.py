"""In CI a test that is skipped for want of a component fails (.ci/no_skips.py), alone and in xdist's workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

NO_SKIPS = Path(__file__).resolve().parents[1] / ".ci" / "no_skips.py"
ALONE, IN_WORKERS = ("-p", "no:xdist"), ("-p", "xdist", "-n", "1")
everywhere = pytest.mark.parametrize("how", [ALONE, IN_WORKERS], ids=["alone", "in workers"])


@pytest.fixture
def run(tmp_path):
    def run(test: str, how: tuple[str, ...] = ALONE) -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text(f"import pytest\n\n{test}")
        done = subprocess.run(
            # With a directory of its own for what is temporary it does not clear away that of others.
            [sys.executable, NO_SKIPS, "-p", "no:cacheprovider", "--basetemp=temporary", *how, "test_it.py"],
            cwd=tmp_path,
            # No other plugin than is named: to import all that are installed takes most of the time.
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
        *_, summary = done.stdout.splitlines()
        return done.returncode, summary

    return run


@everywhere
def test_a_skipped_test_fails(run, how):
    status, summary = run('def test_it():\n    pytest.skip("no strace here")\n', how)

    assert status == 1
    assert "1 failed" in summary


def test_a_test_that_its_mark_skips_is_an_error(run):
    status, summary = run('@pytest.mark.skipif(True, reason="no strace here")\ndef test_it():\n    pass\n')

    assert status == 1
    assert "1 error" in summary


@everywhere
def test_a_skipped_module_is_an_error(run, how):
    status, summary = run('pytest.importorskip("no_such_module")\n\ndef test_it():\n    pass\n', how)

    assert status != 0
    assert "1 error" in summary


def test_a_skip_for_want_of_hardware_is_let_pass(run):
    status, summary = run('def test_it():\n    pytest.skip("hardware: no GPU here")\n')

    assert status == 0
    assert "1 skipped" in summary


def test_an_expected_failure_is_let_pass(run):
    status, summary = run("@pytest.mark.xfail\ndef test_it():\n    assert False\n")

    assert status == 0
    assert "1 xfailed" in summary
