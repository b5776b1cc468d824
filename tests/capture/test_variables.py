"""Variables are recorded by a list of names; what they hold is made readable and freed of secrets."""

import os
import subprocess
import sys

import pytest

from capsulestore.capture.variables import MAX_BYTES, PATHS, PROCESS, VariablesLayer

SECRET = "hunter2"

FACTS = """
OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS MKL_CBWR BLIS_NUM_THREADS NUMEXPR_NUM_THREADS OMP_PROC_BIND
OMP_PLACES KMP_AFFINITY CUDA_VISIBLE_DEVICES CUBLAS_WORKSPACE_CONFIG NVIDIA_TF32_OVERRIDE TF_DETERMINISTIC_OPS
OPENBLAS_CORETYPE NPY_DISABLE_CPU_FEATURES PYTHONHASHSEED PYTHONOPTIMIZE PYTHONUTF8 LANG LC_ALL TZ SOURCE_DATE_EPOCH
MALLOC_ARENA_MAX
"""


@pytest.fixture
def recorded(runtime):
    """Capture the layer of an interpreter started with these variables: its context, and the codes of its findings."""

    def capture(**variables: str) -> tuple[dict, list[tuple[str, str]]]:
        captured = VariablesLayer().capture(runtime._replace(environ=variables), 1)
        assert captured.environment is None
        return captured.context, [(finding.code, finding.subject) for finding in captured.findings]

    return capture


def test_what_changes_results_is_recorded_and_what_holds_paths_apart(recorded):
    assert recorded(OMP_NUM_THREADS="4", LC_NUMERIC="de_DE.UTF-8", PYTHONPATH="/a:/b", HOME="/home/x") == (
        {
            "rules": 1,
            "process": {"OMP_NUM_THREADS": "4", "LC_NUMERIC": "de_DE.UTF-8"},
            "paths": {"PYTHONPATH": "/a:/b"},
        },
        [],
    )


def test_a_variable_set_to_nothing_is_not_one_that_is_not_set(recorded):
    assert recorded(CUDA_VISIBLE_DEVICES="")[0]["process"] == {"CUDA_VISIBLE_DEVICES": ""}
    assert recorded() == ({"rules": 1}, [])


def test_those_known_to_change_results_are_on_the_list():
    assert set(FACTS.split()) <= PROCESS
    assert {"PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "XLA_FLAGS"} <= PATHS
    assert not PROCESS & PATHS


@pytest.mark.parametrize(
    "name", ["HOME", "USER", "HOSTNAME", "AWS_SECRET_ACCESS_KEY", "LC_TOKEN", "OMP_", "omp_num_threads"]
)
def test_no_other_variable_is_recorded(name, recorded):
    assert recorded(**{name: SECRET}) == ({"rules": 1}, [])


SECRETS = {
    "a url with a password": (f"https://user:{SECRET}@example.org/x", "https://example.org/x"),
    "a url with a token": (f"https://{SECRET}@example.org/x", "https://example.org/x"),
    "a url with a query": (f"gs://bucket/x?token={SECRET}", "gs://bucket/x"),
    "a url among others": (f"/a:https://user:{SECRET}@example.org/x:/b", "redacted"),
    "a url in a flag": (f"--a=1 --to=https://user:{SECRET}@example.org/x --b", "redacted"),
    "two urls": (f"https://example.org/x https://user:{SECRET}@example.org/x", "redacted"),
    "a password with a space": (f"https://user:a {SECRET}@example.org/x", "redacted"),
    "a password with slashes": (f"https://user:a://{SECRET}@example.org/x", "redacted"),
    "a password on two lines": (f"https://user:a\n{SECRET}@example.org/x", "redacted"),
    "a url without a scheme": (f"user:{SECRET}@example.org/x", "redacted"),
    "a query among others": (f"x y://z?token={SECRET}", "redacted"),
}


@pytest.mark.parametrize(("value", "kept"), SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize(("name", "part"), [("XLA_FLAGS", "paths"), ("TZ", "process")])
def test_i7_a_secret_in_a_value_is_not_recorded(name, part, value, kept, recorded):
    assert recorded(**{name: value}) == ({"rules": 1, part: {name: kept}}, [("redacted", name)])


@pytest.mark.parametrize(
    "value",
    [
        "/opt/homebrew/opt/python@3.11/lib:/usr/local/opt/openssl@3",
        "gs://bucket/dump",
        "--xla_dump_to=gs://bucket/dump --xla_gpu_deterministic_ops=true",
        "/a b/c#d?e",
        "ca_ES.UTF-8@valencia",
        "{0:4},{4:4}",
        "granularity=fine,verbose,compact,1,0",
        ":4096:8",
        "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",
    ],
)
def test_a_value_without_a_secret_is_recorded_as_it_is(value, recorded):
    assert recorded(XLA_FLAGS=value) == ({"rules": 1, "paths": {"XLA_FLAGS": value}}, [])


def test_a_value_that_is_not_utf_8_is_readable(recorded):
    assert recorded(PYTHONPATH="/caf\udce9")[0]["paths"] == {"PYTHONPATH": "/caf\\xe9"}


def test_a_value_that_is_too_long_is_told_and_left_out(recorded):
    assert recorded(PYTHONPATH="ä" * (MAX_BYTES // 2))[1] == []
    context, findings = recorded(PYTHONPATH="ä" * (MAX_BYTES // 2) + "a", TZ="UTC")
    assert context == {"rules": 1, "process": {"TZ": "UTC"}}
    assert findings == [("too-long", "PYTHONPATH")]


def test_a_long_value_is_looked_through_in_no_time(recorded):
    for value in ("a" * MAX_BYTES, ":" * MAX_BYTES, "a:" * (MAX_BYTES // 2), "://" * (MAX_BYTES // 3)):
        assert recorded(XLA_FLAGS=value)[0]["paths"] == {"XLA_FLAGS": value}


@pytest.mark.parametrize(("started_with", "recorded"), [({}, {}), ({"LC_CTYPE": "C.UTF-8"}, {"LC_CTYPE": "C.UTF-8"})])
def test_the_locale_that_python_gives_itself_is_nobodys_variable(started_with, recorded):
    """PEP 538: in the locale C, Python sets LC_CTYPE in its own environment."""
    prints = "import os; from capsulestore.capture.own_environ import own_environ; "
    prints += "print(os.environ['LC_CTYPE'], {n: v for n, v in own_environ().items() if n in ('LC_CTYPE', 'LANG')})"
    done = subprocess.run(
        [sys.executable, "-c", prints],
        env={"LANG": "C", "PATH": os.environ["PATH"], **started_with},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"C.UTF-8 {{'LANG': 'C'{', ' if recorded else ''}{str(recorded)[1:-1]}}}\n"
