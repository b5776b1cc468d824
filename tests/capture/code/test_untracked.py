"""Which files that git does not track are code: those that an import would find, ignored or not."""

import os

import pytest

COUNT = {
    "a module": "found.py",
    "a module in a package": "pkg/found.py",
    "a module in a new package": "new/deep/found.py",
    "a script's directory may be on the search path": "my-scripts/found.py",
    "an ignored module": "ignored.py",
    "a module in an ignored directory": "ignored/found.py",
    "an extension module": "pkg/_fast.cpython-311-x86_64-linux-gnu.so",
    "an extension module of any Python": "pkg/_fast.abi3.so",
    "an extension module without a tag": "new/_fast.so",
    "a name in another script": "größe.py",
    "a directory called build that git does not ignore": "tools/dist/found.py",
}
DO_NOT = {
    "no Python": "notes.txt",
    "no name for a module": "fit-model.py",
    "a dot in the name": "found.old.py",
    "compiled": "pkg/__pycache__/core.cpython-311.pyc",
    "in a cache": "pkg/__pycache__/found.py",
    "hidden": ".found.py",
    "in a hidden directory": ".tox/found.py",
    "in a store": ".capsules/found.py",
    "of another tool": "node_modules/found.py",
    "what a build left": "build/lib/found.py",
    "what a build left in a directory below": "pkg/build/found.py",
}


def put(top, path):
    (top / path).parent.mkdir(parents=True, exist_ok=True)
    (top / path).write_bytes(b"x = 1\n")


def changed(code):
    return code.as_json()["trees"][0]["changes"]


@pytest.mark.parametrize("path", COUNT.values(), ids=COUNT.keys())
def test_counts(repository, code_in, digest_of, path):
    put(repository, path)
    assert changed(code_in(repository)) == digest_of({path: ("100644", b"x = 1\n")})


@pytest.mark.parametrize("path", DO_NOT.values(), ids=DO_NOT.keys())
def test_does_not_count(repository, code_in, path):
    put(repository, path)
    code = code_in(repository)
    assert changed(code) is None
    assert not code.kept


@pytest.mark.parametrize("ignored", ["", "*\n"], ids=["listed", "ignored by itself"])
@pytest.mark.parametrize("mark", ["pyvenv.cfg", "conda-meta/history"])
def test_an_environment_in_the_work_tree_does_not_count(repository, code_in, mark, ignored):
    put(repository, f"env/{mark}")
    put(repository, "env/lib/python3/site-packages/found.py")
    if ignored:
        (repository / "env/.gitignore").write_text(ignored)
    assert changed(code_in(repository)) is None


def test_a_program_counts_as_one(repository, code_in, digest_of):
    put(repository, "found.py")
    (repository / "found.py").chmod(0o755)
    assert changed(code_in(repository)) == digest_of({"found.py": ("100755", b"x = 1\n")})


def test_a_setting_of_the_users_that_hides_untracked_files_makes_no_difference(repository, git, code_in, digest_of):
    git(repository, "config", "status.showUntrackedFiles", "no")
    put(repository, "found.py")
    assert changed(code_in(repository)) == digest_of({"found.py": ("100644", b"x = 1\n")})


def test_a_pipe_is_passed_over(repository, code_in):
    os.mkfifo(repository / "found.py")
    assert changed(code_in(repository)) is None


@pytest.mark.slow
def test_a_directory_of_too_many_files_does_not_count_and_is_told(make_repository, tmp_path, code_in, codes):
    repository = make_repository(tmp_path.resolve() / "project")
    (repository / "ignored").mkdir()
    for number in range(20_001):
        (repository / "ignored" / f"m{number}.py").touch()
    put(repository, "found.py")
    code = code_in(repository)
    assert codes(code) == ["not-looked-through", "not-on-a-remote"]
    assert list(code.kept) == ["code/work tree/untracked/found.py"]
