"""Where a distribution came from that came from no index is context, as PEP 610 has it."""

import hashlib
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def sources(environment) -> dict:
    return environment.capture().context["python"].get("sources", {})


@pytest.fixture
def empty(make_venv, tmp_path):
    return make_venv(tmp_path / "venv")


@pytest.fixture
def project(make_project, tmp_path) -> Path:
    return make_project(tmp_path / "delta", "delta")


@pytest.fixture
def repository(project, run_command) -> tuple[str, str]:
    """The project as a git repository with the tag `v1`: its url and its commit."""
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "one"), ("tag", "v1")):
        run_command("git", *command, cwd=project)
    return f"file://{project}", run_command("git", "rev-parse", "HEAD", cwd=project).strip()


@pytest.fixture(params=["pip", "uv"])
def install(request, empty, pip, uv):
    """Install into the empty environment from no index, with pip and with uv."""
    if request.param == "pip":
        return lambda *what: pip(empty, "install", "--no-index", "--no-deps", *what)
    options = ("--quiet", "--offline", "--no-index", "--no-deps", "--python", empty.python)
    return lambda *what: uv("pip", "install", *options, *what)


def test_from_a_version_control_system_the_commit_is_known(install, empty, repository):
    url, commit = repository
    install(f"git+{url}@v1")
    assert sources(empty) == {
        "delta": {"url": url, "vcs_info": {"vcs": "git", "commit_id": commit, "requested_revision": "v1"}}
    }
    assert set(empty.packages()["delta"]) == {"version", "tags", "content"}


def test_from_an_archive_the_url_is_known(install, empty, make_wheel):
    wheel = make_wheel("delta")
    install(wheel)
    source = sources(empty)["delta"]
    assert source["url"] == f"file://{wheel}"
    assert set(source) == {"url", "archive_info"}


def test_pip_says_the_hash_of_the_archive_too(pip, empty, make_wheel):
    wheel = make_wheel("delta")
    pip(empty, "install", "--no-index", wheel)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert sources(empty)["delta"]["archive_info"] == {"hash": f"sha256={digest}", "hashes": {"sha256": digest}}


def test_from_a_directory_the_url_is_known(install, empty, project):
    install(project)
    source = sources(empty)["delta"]
    assert source["url"] == f"file://{project}"
    assert set(source) == {"url", "dir_info"}
    assert source["dir_info"].get("editable", False) is False
    assert empty.capture().findings == ()


def test_an_editable_is_told_as_such_in_environment_and_context(install, empty, project):
    install("--editable", project)
    assert sources(empty) == {"delta": {"url": f"file://{project}", "dir_info": {"editable": True}}}
    captured = empty.capture()
    assert captured.environment["python"]["packages"] == {"delta": {"version": "1.0", "editable": True}}
    assert "unowned" not in captured.environment["python"]
    assert captured.findings == ()


def test_where_it_came_from_is_none_of_the_environment(empty, uv, make_project, make_venv, make_wheel, tmp_path):
    other = make_venv(tmp_path / "other")
    for place, environment in (("here", empty), ("there", other)):
        project = make_project(tmp_path / place, "delta")
        uv("pip", "install", "--quiet", "--offline", "--python", environment.python, project)
    assert sources(other) != sources(empty)
    assert other.digest() == empty.digest()


def test_what_came_from_an_index_has_no_source(uv, empty, make_wheel):
    index = make_wheel("delta").parent
    options = ("--quiet", "--offline", "--no-index", "--find-links", index, "--python", empty.python)
    uv("pip", "install", *options, "delta")
    assert sources(empty) == {}
    assert "delta" in empty.packages()


def test_a_shadowed_distribution_has_no_source(empty, uv, make_wheel, tmp_path, project):
    empty.install(make_wheel("delta", "0.9"))
    index = make_wheel("delta", "2.0").parent
    options = ("--quiet", "--offline", "--no-index", "--find-links", index, "--target", tmp_path / "first")
    uv("pip", "install", *options, "delta")
    assert "sources" not in empty.capture(PYTHONPATH=str(tmp_path / "first")).context["python"]


def test_metadata_that_a_build_leaves_among_an_editables_sources_is_code_too(empty, uv, project):
    """As setuptools leaves it beside the package, in the directory that its `.pth` file adds."""
    uv("pip", "install", "--quiet", "--offline", "--python", empty.python, "--editable", project)
    before = empty.digest()
    left = project / "src" / "delta.egg-info"
    left.mkdir()
    (left / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: delta\nVersion: 0.9\n")
    (left / "SOURCES.txt").write_text("src/delta.py\n")
    assert empty.packages() == {"delta": {"version": "1.0", "editable": True}}
    assert empty.digest() == before


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_an_editable_by_setuptools_is_one_whatever_hooks_it_leaves(mode, pip, empty, project, package_index):
    build = '[build-system]\nrequires = ["setuptools>=64"]\nbuild-backend = "setuptools.build_meta"\n'
    (project / "pyproject.toml").write_text(f'{build}[project]\nname = "delta"\nversion = "1.0"\n')
    (project / "backend.py").unlink()
    (project / "src" / "package").mkdir()
    (project / "src" / "package" / "__init__.py").touch()
    pip(empty, "install", "--editable", project, f"--config-settings=editable_mode={mode}")
    captured = empty.capture()
    assert captured.environment["python"]["packages"] == {"delta": {"version": "1.0", "editable": True}}
    assert "unowned" not in captured.environment["python"]
