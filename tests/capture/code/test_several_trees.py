"""Which trees of code there are, where editables and added directories lie in and beside a work tree."""

import pytest

from capsulestore.capture.code import LiveSource


@pytest.fixture
def monorepo(repository, git):
    """A repository with two projects in directories of it; only the first has changes."""
    for name in ("one", "two"):
        (repository / "libs" / name).mkdir(parents=True)
        (repository / "libs" / name / f"{name}.py").write_text("x = 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "libs")
    (repository / "libs/one/one.py").write_text("x = 2\n")
    (repository / "libs/one/found.py").write_text("")
    return repository


def editable(name, directory):
    return LiveSource("editable", name, str(directory))


def path(directory):
    return LiveSource("path", "", str(directory))


def names(code):
    return [(tree["role"], tree["name"]) for tree in code.as_json()["trees"]]


@pytest.mark.parametrize("inside", [True, False], ids=["from inside the work tree", "from outside"])
def test_an_editable_in_a_directory_of_a_repository_is_that_directory(monorepo, git, code_in, digest_of, inside):
    live = [editable(name, monorepo / "libs" / name) for name in ("two", "one")]
    code = code_in(monorepo if inside else monorepo.parent, *live, root=monorepo)
    one, two, *_ = code.as_json()["trees"]
    assert one == {
        "role": "editable",
        "name": "one",
        "path": "libs/one",
        "commit": git(monorepo, "rev-parse", "HEAD"),
        "tree": git(monorepo, "rev-parse", "HEAD:libs/one"),
        "on_remote": False,
        "changes": digest_of({"one.py": ("100644", b"x = 2\n"), "found.py": ("100644", b"")}),
    }
    assert (two["tree"], two["changes"]) == (git(monorepo, "rev-parse", "HEAD:libs/two"), None)


def test_an_editable_that_is_the_work_tree_is_listed_as_both(repository, code_in):
    code = code_in(repository, editable("project", repository))
    assert names(code) == [("editable", "project"), ("work tree", ".")]
    first, second = code.as_json()["trees"]
    assert first | {"role": "work tree", "name": "."} == second


def test_each_editable_is_listed_once(repository, code_in):
    code = code_in(repository, editable("a", repository), editable("a", repository / "pkg"))
    assert names(code) == [("editable", "a"), ("work tree", ".")]


def test_an_added_directory_in_a_listed_tree_is_part_of_it(monorepo, code_in, tmp_path):
    (tmp_path / "outside" / "inner").mkdir(parents=True)
    outside = (tmp_path / "outside").resolve()
    live = [path(monorepo), path(monorepo / "libs"), path(outside / "inner"), path(outside)]
    assert names(code_in(monorepo, *live)) == [("path", str(outside)), ("work tree", ".")]


@pytest.mark.parametrize("hidden", [".vendored", "build/lib", "env/lib", "other"])
def test_an_added_directory_that_the_work_tree_does_not_speak_for_is_listed(repository, git, code_in, hidden):
    (repository / hidden).mkdir(parents=True)
    (repository / hidden / "found.py").write_text("")
    (repository / "env").mkdir(exist_ok=True)
    (repository / "env/pyvenv.cfg").write_text("")
    git(repository, "init", "-q", "other")
    assert names(code_in(repository, path(repository / hidden))) == [("path", hidden), ("work tree", ".")]


def test_the_directory_that_a_program_starts_in_is_a_source(code_in, tmp_path):
    here = tmp_path.resolve()
    (here / "scripts").mkdir()
    code = code_in(here, starts_in="scripts")
    assert names(code) == [("path", "scripts")]
    assert code_in(here, path(here / "scripts"), starts_in="scripts") == code
    assert code_in(here, starts_in="none").as_json() == {}


def test_a_start_in_a_work_tree_that_is_listed_adds_nothing_and_in_another_it_is_as_git_knows_it(
    repository, make_repository, git, code_in, tmp_path
):
    assert code_in(repository, starts_in="pkg") == code_in(repository)
    other = make_repository(tmp_path.resolve() / "other")
    tree, _ = code_in(repository, starts_in=str(other / "pkg")).as_json()["trees"]
    assert (tree["role"], tree["name"], tree["path"]) == ("path", str(other / "pkg"), "pkg")
    assert tree["tree"] == git(other, "rev-parse", "HEAD:pkg")


def test_an_editable_that_git_ignores_has_the_digest_of_its_files(repository, code_in):
    (repository / "ignored").mkdir()
    (repository / "ignored/found.py").write_text("")
    first, _ = code_in(repository, editable("a", repository / "ignored")).as_json()["trees"]
    assert set(first) == {"role", "name", "digest"}


def test_scripts_and_modules_are_listed_with_the_hash_of_their_bytes(repository, code_in, codes):
    (repository / "empty.py").write_bytes(b"")
    code = code_in(repository, script="empty.py", modules=[str(repository / "empty.py"), str(repository / "gone.py")])
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert code.as_json()["files"] == [{"path": "empty.py", "sha256": empty}]
    assert "file-unreadable" in codes(code)
