"""Numeric libraries are told of as they are set in the process, beside an environment that does not change by it."""

import json
from dataclasses import replace

import pytest

pytestmark = pytest.mark.slow

FIT = """
from capsulestore import record
with record("fit") as run:
    {statements}
print(run.capsule_id)
"""


@pytest.fixture(scope="module")
def numeric(make_environment, tmp_path_factory):
    """The interpreter of an environment with numpy and threadpoolctl."""
    return make_environment(tmp_path_factory.mktemp("numeric") / ".venv", "numpy", "threadpoolctl")


@pytest.fixture
def libraries(project, numeric):
    """Run statements as an analysis, and return the numeric libraries that its capsule tells of."""
    project = replace(project, python=numeric)

    def run(statements):
        name = project.script(FIT.format(statements=statements)).out.strip()
        told = json.loads(project.capsule("show", "--json", name).out)["context"]["host"].get("libraries", {})
        return project, told

    return run


def test_each_library_is_told_with_its_threads(libraries):
    project, told = libraries("import numpy; numpy.ones((2, 2)) @ numpy.ones((2, 2))")
    assert told
    for library in told.values():
        assert library["num_threads"] >= 1
        assert library["user_api"] in {"blas", "openmp"}
    assert project.loaded(project.manifest()) == ["numpy"]


def test_a_limit_of_threads_is_seen_and_the_environment_is_the_same(libraries):
    limited = "import numpy, threadpoolctl; limits = threadpoolctl.threadpool_limits(1)"
    project, told = libraries(limited)
    assert {library["num_threads"] for library in told.values()} == {1}
    project, nothing = libraries("pass")
    assert nothing == {}
    first, second = project.manifests()
    assert (project.loaded(first), project.loaded(second)) == (["numpy"], [])
    assert first["environment_digest"] == second["environment_digest"]


def test_verifying_says_nothing_of_them(libraries):
    project, told = libraries("import numpy")
    assert told
    answer = project.verify()
    assert (answer["verdict"], answer["context_changes"], answer["reasons"]) == ("identical", [], [])
    assert project.verify("--layer", "host", "--layer", "python")["verdict"] == "identical"


def test_numbers_and_arrays_of_numpy_are_parameters(libraries):
    values = {
        "x": "np.float64(0.1)",
        "n": "np.int64(3)",
        "b": "np.bool_(True)",
        "nan": "np.float32('nan')",
        "zero_d": "np.array(2)",
        "a": "np.arange(3)",
        "large": "np.zeros(10**6)",
        "list": "[np.float64(1), np.datetime64('2024-02-29')]",
    }
    told = ", ".join(f"{name!r}: {value}" for name, value in values.items())
    project, _ = libraries(f"import numpy as np; run.parameters |= {{{told}}}")
    parameters = project.manifest()["parameters"]
    plain = {name: parameters.pop(name) for name in ("x", "n", "b", "zero_d")}
    assert plain == {"x": 0.1, "n": 3, "b": True, "zero_d": 2}
    assert parameters.pop("large") == "<ndarray of shape (1000000,)>"
    assert parameters == {"nan": "nan", "a": "<ndarray of shape (3,)>", "list": [1, "2024-02-29"]}
