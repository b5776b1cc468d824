"""What a capsule says of the end of a script with a parser of argparse, which ends as it does without the flag."""

import sys

import pytest

from .conftest import FIT

pytestmark = pytest.mark.slow

CAUGHT = """
    try: sys.exit(3)
    except SystemExit: print("caught")
"""
IN_A_THREAD = """
    thread = threading.Thread(target=sys.exit, args=(3,))
    thread.start()
    thread.join()
"""
RAISED_AGAIN = """
    try: sys.exit(3)
    except SystemExit as end:
        print(type(end).__name__, end.code, pickle.loads(pickle.dumps(end)).code)
        raise
    finally: print("left")
"""
RAISED_AS_ANOTHER = """
    try: sys.exit(3)
    except SystemExit as end:
        end.code = 4
        raise
"""


@pytest.mark.parametrize(
    ("end", "status", "recorded", "exception"),
    [
        ("sys.exit()", 0, "completed", None),
        ("sys.exit(3)", 3, "failed", "SystemExit"),
        ("sys.exit('no')", 1, "failed", "SystemExit"),
        ("exit(0)", 0, "completed", None),
        ("quit()", 0, "completed", None),
        ("exit(code=3)", 3, "failed", "SystemExit"),
        ("parser.error('no')", 2, "failed", "SystemExit"),
        ("raise ValueError('no')", 1, "failed", "ValueError"),
        ("raise KeyboardInterrupt", -2, "failed", "KeyboardInterrupt"),
        (CAUGHT, 0, "completed", None),
        (RAISED_AGAIN, 3, "failed", "SystemExit"),
        (RAISED_AS_ANOTHER, 4, "failed", "SystemExit"),
        (CAUGHT + "    raise ValueError('no')", 1, "failed", "ValueError"),
        (IN_A_THREAD, 0, "completed", None),
        ("os.fork() or sys.exit(3); os.wait()", 0, "completed", None),
        ("if not os.fork(): raise SystemExit(3)\n    os.wait()", 0, "completed", None),
        ("sys.last_value = ValueError('told by a debugger')", 0, "completed", None),
    ],
)
def test_the_program_ends_as_ever_and_the_capsule_says_how(end, status, recorded, exception, fit, told):
    without = fit(end)()
    done = fit(end)("--capture-capsule")
    assert (done.returncode, without.returncode) == (status, status)
    assert done.stdout == without.stdout.replace("False", "True")
    manifest = told(done)
    assert (manifest["status"], manifest["run"].get("exception")) == (recorded, exception)


@pytest.mark.parametrize(("status", "recorded"), [(0, "completed"), (3, "failed")])
def test_exit_is_seen_where_the_script_has_imported_it_before(status, recorded, script, told):
    text = FIT.replace("import argparse, ", "from sys import exit\nimport argparse, ")
    done = script(text.replace("{end}", f"exit({status})"))("--capture-capsule")
    assert done.returncode == status
    assert told(done)["status"] == recorded


@pytest.mark.parametrize(("before", "status"), [("", 0), ("", 3), (CAUGHT, 0), (CAUGHT, 3)])
def test_a_status_that_is_raised_is_seen_or_else_told_and_no_failure(before, status, fit, manifests):
    done = fit(f"{before}\n    raise SystemExit({status})")("--capture-capsule")
    assert done.returncode == status
    is_seen = sys.version_info >= (3, 12)
    assert ("fit.py: how it ended is not recorded" in done.stderr) is not is_seen
    (manifest,) = manifests()
    assert manifest.get("status") == (("failed" if status else "completed") if is_seen else None)
