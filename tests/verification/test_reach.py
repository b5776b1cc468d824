"""What a verification looks at on behalf of others: what lies below a directory, and so much of it."""

from hashlib import sha256
from pathlib import Path

import pytest

from capsulestore.capture.code import LiveSource
from capsulestore.model.manifest import Manifest
from capsulestore.verification.code import check_code, said_of_code
from capsulestore.verification.files import check_files, said_of
from capsulestore.verification.reach import Reach

MUCH = 2**30
TREE_BYTES = 32 * 2**20


def listing(*paths: str, text: str = "x") -> Manifest:
    """A manifest with inputs that all had the same text."""
    files = [{"path": path, "sha256": sha256(text.encode()).hexdigest(), "size": len(text)} for path in paths]
    return Manifest.parse({"schema": 1, "title": "t", "environment_digest": "0" * 64, "inputs": files})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with a file and links, and beside it a secret."""
    project = tmp_path.resolve() / "project"
    project.mkdir()
    (project / "data.csv").write_text("x")
    (project.parent / "secret").write_text("x")
    (project.parent / "project-too").write_text("x")
    (project / "link").symlink_to("data.csv")
    (project / "out").symlink_to("../secret")
    (project / "up").symlink_to("..")
    return project


def test_files_elsewhere_are_not_looked_at_however_they_are_named(project):
    elsewhere = ["../secret", str(project.parent / "secret"), "out", "up/secret", "../project-too", "/etc/nothing"]
    elsewhere += ["up/project/../secret", str(project.parent / "nothing" / ".." / "project" / "data.csv")]
    checks = list(check_files(listing(*elsewhere), str(project), Reach(str(project), MUCH)))
    assert {check.state for check in checks} == {"unchecked"}
    told = list(said_of(checks))
    assert told[0] == "../secret: not looked at: it does not lie in the directory that holds the store"
    assert len(told) == len(elsewhere)


def test_files_here_are_looked_at_and_links_among_them_are_followed(project):
    here = ["data.csv", str(project / "data.csv"), "link", "up/project/data.csv", "gone.csv"]
    checks = check_files(listing(*here), str(project), Reach(str(project), MUCH))
    assert [check.state for check in checks] == ["same"] * 4 + ["missing"]


def test_so_many_bytes_are_looked_at_and_no_more(project):
    for name in ("a", "b", "c"):
        (project / name).write_bytes(b"x" * 10_000)
    (project / "d").write_bytes(b"")
    checks = list(
        check_files(listing("a", "b", "c", "d", text="x" * 10_000), str(project), Reach(str(project), 25_000))
    )
    assert [check.state for check in checks] == ["same", "same", "unchecked", "changed"]
    assert next(said_of(checks)).startswith("c: not looked at: together that would be more")


def test_without_a_reach_everything_is_looked_at(project):
    checks = check_files(listing("../secret", "out", "data.csv"), str(project))
    assert [check.state for check in checks] == ["same"] * 3


def test_code_elsewhere_is_not_looked_at_nor_told_whether_it_is_there(project, record, manifest_of):
    here, beside = project.parent / "here", project.parent / "lib"
    for directory in (here, beside):
        directory.mkdir()
        (directory / "one.py").write_text("x = 1\n")
    live = (LiveSource("editable", "a", str(beside)), LiveSource("path", "", str(here)))
    manifest = record(here, *live, script="one.py")
    reach = Reach(str(here), MUCH)
    checks = check_code(manifest, live, directory=str(here), root=str(here), reach=reach)
    assert {(one.role, one.state) for one in checks} == {
        ("editable", "unchecked"),
        ("path", "same"),
        ("file", "same"),
    }
    named = [
        {"role": role, "name": str(project.parent / name), "digest": "0" * 64}
        for role in ("path", "work tree")
        for name in ("lib", "nothing")
    ]
    files = [{"path": str(project.parent / name), "sha256": "0" * 64} for name in ("secret", "nothing")]
    probing = manifest_of({"trees": named, "files": files})
    checks = list(check_code(probing, (), directory=str(here), root=str(here), reach=Reach(str(here), MUCH)))
    assert [one.state for one in checks] == ["unchecked"] * 6
    assert all("does not lie in the directory" in said for said in said_of_code(checks))


def test_so_many_directories_of_code_are_looked_at_and_no_more(project, manifest_of):
    for name in ("a", "b", "c"):
        (project / name).mkdir()
    trees = [{"role": "path", "name": name, "digest": "0" * 64} for name in ("a", "b", "c")]
    reach = Reach(str(project), 2 * TREE_BYTES)
    checks = check_code(manifest_of({"trees": trees}), (), directory=str(project), root=str(project), reach=reach)
    assert [one.state for one in checks] == ["changed", "changed", "unchecked"]
