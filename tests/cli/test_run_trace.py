"""`capsule run --trace-imports`: what an analysis really imported is in its capsule, and can be all that is judged."""

import hashlib
import shutil

import pytest

SCRIPT = "import local\nimport six\nprint(six.__version__)\n"
LOCAL = "value = 1\n"
CODE = (("fit.py", SCRIPT), ("local.py", LOCAL))


@pytest.fixture
def analysis(project, store):
    (project / "fit.py").write_text(SCRIPT)
    (project / "local.py").write_text(LOCAL)
    return project


def manifest(capsule):
    return capsule("show", "--json", "@").json["manifest"]


def test_the_capsule_names_the_distributions_and_the_own_modules_that_were_imported(analysis, capsule):
    done = capsule("run", "--trace-imports", ".venv/bin/python", "fit.py")
    assert (done.status, done.out) == (0, "1.16.0\n"), done.err
    recorded = manifest(capsule)
    assert recorded["loaded"] == ["six"]
    files = [{"path": path, "sha256": hashlib.sha256(text.encode()).hexdigest()} for path, text in CODE]
    assert recorded["code"]["files"] == files


def test_a_run_that_is_not_traced_names_none(analysis, capsule):
    assert capsule("run", ".venv/bin/python", "fit.py").status == 0
    assert "loaded" not in manifest(capsule)


def test_of_an_interpreter_that_ignores_us_it_is_said_that_nothing_was_seen(analysis, capsule):
    done = capsule("run", "--trace-imports", ".venv/bin/python", "-I", "-c", "import six")
    assert done.status == 0
    assert "what was imported is not recorded" in done.err
    assert "loaded" not in manifest(capsule)


@pytest.mark.parametrize(
    ("program", "status"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_a_command_keeps_its_status_and_what_it_imported_before_is_recorded(program, status, analysis, capsule):
    done = capsule("run", "--trace-imports", ".venv/bin/python", "-c", f"import idna\n{program}")
    assert (done.status, manifest(capsule)["loaded"]) == (status, ["idna"])


def test_the_environment_recorded_is_the_same_as_without_tracing(analysis, capsule):
    digests = set()
    for options in ((), ("--trace-imports",)):
        assert capsule("run", *options, ".venv/bin/python", "fit.py").status == 0
        digests.add(capsule("show", "--json", "@").json["environment_digest"])
        assert "capsule-imports-" not in str(capsule("show", "--json", "@").json)
    assert len(digests) == 1


def test_a_package_that_was_not_imported_counts_only_where_all_are_judged(analysis, capsule):
    assert capsule("run", "--trace-imports", ".venv/bin/python", "fit.py").status == 0
    (unused,) = (analysis / ".venv").glob("lib/python*/site-packages/idna-*.dist-info")
    shutil.rmtree(unused)
    shutil.rmtree(unused.parent / "idna")
    assert capsule("verify").status == 1
    assert capsule("verify", "--loaded").status == 0
    (used,) = unused.parent.glob("six-*.dist-info")
    shutil.rmtree(used)
    assert capsule("verify", "--loaded").status == 1
