"""Which distributions are conda's, and which pip or uv put into a prefix of conda's: in one with a real Python."""

import pytest

from capsulestore.capture.asking import ask
from capsulestore.capture.cache import NOTHING_KEPT, Cache
from capsulestore.capture.conda import CondaLayer
from capsulestore.capture.layer import Runtime
from capsulestore.capture.python import PythonLayer

pytestmark = pytest.mark.slow


@pytest.fixture
def look():
    """Capture both layers of an interpreter: `look(environment)`; `python=` another that runs from the same prefix."""

    def look(environment, python=None, cache=NOTHING_KEPT):
        interpreter = ask(str(python or environment.python), environ=environment.environ)
        runtime = Runtime(interpreter, environment.environ, cache)
        return CondaLayer().capture(runtime, 1), PythonLayer().capture(runtime, 1)

    return look


def test_what_conda_installed_is_known_by_the_package_that_brought_it(installed_python, look, run_command):
    conda, python = look(installed_python)
    assert run_command(installed_python.python.parent / "every-where").strip() == "everywhere"
    assert sorted(conda.environment["packages"]) == ["every-where", "py-single", "python"]
    assert conda.context["distributions"] == {"every-where": "every-where", "single": "py-single"}
    assert sorted(python.environment["packages"]) == ["every-where", "single"]
    assert conda.findings == python.findings == ()


def test_where_a_package_was_built_is_no_source_of_its_distribution(installed_python, look):
    assert (installed_python.info("single") / "direct_url.json").read_text().count("feedstock_root") == 1
    _, python = look(installed_python)
    assert "sources" not in python.context


def test_what_uv_installs_beside_it_is_uvs(conda_python, make_wheel, look):
    before, _ = look(conda_python)
    conda_python.install(make_wheel("added"))
    conda, python = look(conda_python)
    assert conda.environment == before.environment
    assert conda.context["distributions"] == before.context["distributions"]
    assert sorted(python.environment["packages"]) == ["added", "every-where", "single"]
    assert sorted(python.context["sources"]) == ["added"]


def test_what_pip_installs_beside_it_is_pips(conda_python, make_wheel, pip, look):
    pip(conda_python, "install", "--no-index", "--no-deps", make_wheel("added"))
    conda, python = look(conda_python)
    assert sorted(conda.context["distributions"]) == ["every-where", "single"]
    assert sorted(python.context["sources"]) == ["added"]


@pytest.mark.parametrize("version", ["1.0", "2.0"], ids=["of the same version", "of another version"])
def test_what_pip_put_in_its_place_is_pips_and_told(version, conda_python, make_wheel, pip, look):
    wheel = make_wheel("single", version, {"single.py": "answer = 42\n"})
    pip(conda_python, "install", "--no-index", "--no-deps", "--force-reinstall", wheel)
    conda, python = look(conda_python)
    assert conda.context["distributions"] == {"every-where": "every-where"}
    assert [(finding.code, finding.subject) for finding in conda.findings] == [("distribution-replaced", "py-single")]
    assert python.environment["packages"]["single"]["version"] == version
    assert sorted(python.context["sources"]) == ["single"]


def test_what_uv_removed_is_told(conda_python, uv, look):
    uv("pip", "uninstall", "--quiet", "--python", conda_python.python, "single")
    conda, python = look(conda_python)
    assert [(finding.code, finding.subject) for finding in conda.findings] == [("distribution-replaced", "py-single")]
    assert sorted(conda.environment["packages"]) == ["every-where", "py-single", "python"]
    assert sorted(python.environment["packages"]) == ["every-where"]


def test_a_virtual_environment_runs_from_the_prefix_that_it_was_made_of(conda_python, make_venv, tmp_path, look):
    alone = make_venv(tmp_path / "alone", python=str(conda_python.python))
    seeing = make_venv(tmp_path / "seeing", "--system-site-packages", python=str(conda_python.python))
    of_prefix, _ = look(conda_python)
    for venv, packages in ((alone, []), (seeing, ["every-where", "single"])):
        conda, python = look(venv)
        assert conda == of_prefix
        assert sorted(python.environment["packages"]) == packages
        assert "sources" not in python.context


def test_a_prefix_that_is_reached_by_a_link_is_the_same(conda_python, tmp_path, look):
    link = tmp_path / "link"
    link.symlink_to(conda_python.python.parents[1])
    conda, python = look(conda_python, python=link / "bin" / "python")
    assert sorted(conda.context["distributions"]) == ["every-where", "single"]
    assert "sources" not in python.context


def test_what_is_kept_of_python_is_right_when_conda_owns_something_else(conda_python, make_wheel, tmp_path, look):
    cache = Cache(str(tmp_path / "cache"), granularity_ns=0)
    assert look(conda_python, cache=cache) == look(conda_python, cache=cache) == look(conda_python)
    (record,) = (conda_python.python.parents[1] / "conda-meta").glob("py-single-*.json")
    record.rename(tmp_path / "record")
    assert "single" in look(conda_python, cache=cache)[1].context["sources"], "nobody owns it any more"
    (tmp_path / "record").rename(record)
    assert "sources" not in look(conda_python, cache=cache)[1].context
