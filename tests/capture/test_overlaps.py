"""A path to which two distributions give different bytes is recorded as it is on disk; nobody's RECORD is believed."""

import hashlib

import pytest


def overlaps(environment) -> dict:
    return environment.capture().environment["python"].get("overlaps", {})


def sha256(data: str) -> str:
    return f"sha256:{hashlib.sha256(data.encode()).hexdigest()}"


@pytest.fixture
def empty(make_venv, tmp_path):
    return make_venv(tmp_path / "empty")


def test_a_path_installed_twice_with_different_bytes_is_hashed_on_disk(empty, make_wheel):
    empty.install(make_wheel("one", files={"shared.py": "x = 1\n"}))
    empty.install(make_wheel("two", files={"shared.py": "x = 2\n"}))
    captured = empty.capture()
    assert overlaps(empty) == {"shared.py": {"content": sha256("x = 2\n"), "distributions": ["one", "two"]}}
    (finding,) = captured.findings
    assert (finding.code, finding.subject) == ("overlap", "shared.py")
    assert "one" in finding.message
    assert "two" in finding.message


def test_who_was_installed_last_changes_the_digest(empty, make_wheel):
    one, two = make_wheel("one", files={"shared.py": "x = 1\n"}), make_wheel("two", files={"shared.py": "x = 2\n"})
    empty.install(one)
    empty.install(two)
    before = empty.digest()
    empty.alone().install(one)
    assert (empty.site / "shared.py").read_text() == "x = 1\n"
    assert empty.digest() != before


def test_the_same_bytes_are_no_overlap(empty, make_wheel):
    empty.install(
        make_wheel("one", files={"shared/__init__.py": ""}), make_wheel("two", files={"shared/__init__.py": ""})
    )
    assert overlaps(empty) == {}
    assert empty.capture().findings == ()


def test_two_distributions_in_one_namespace_are_no_overlap(empty, make_wheel):
    empty.install(
        make_wheel("one", files={"space/one.py": "x = 1"}), make_wheel("two", files={"space/two.py": "x = 2"})
    )
    assert overlaps(empty) == {}
    assert empty.unowned() == {}


def test_only_what_differs_in_a_namespace_is_an_overlap(empty, make_wheel):
    empty.install(make_wheel("one", files={"space/__init__.py": "x = 1", "space/one.py": "", "space/same.py": ""}))
    empty.install(make_wheel("two", files={"space/__init__.py": "x = 2", "space/two.py": "", "space/same.py": ""}))
    assert list(overlaps(empty)) == ["space/__init__.py"]


def test_a_file_outside_the_site_directory_can_overlap(empty, make_wheel):
    for name, text in (("one", "1\n"), ("two", "2\n")):
        empty.install(make_wheel(name, files={f"{name}-1.0.data/data/share/table.txt": text}))
    assert overlaps(empty) == {"share/table.txt": {"content": sha256("2\n"), "distributions": ["one", "two"]}}


def test_scripts_that_differ_only_in_who_wrote_them_are_no_overlap(empty, make_wheel):
    for name in ("one", "two"):
        empty.install(make_wheel(name, entry_points=f"[console_scripts]\nshared = {name}:main\n"))
    assert overlaps(empty) == {}


def test_three_distributions_are_all_named(empty, make_wheel):
    for name in ("one", "two", "three"):
        empty.install(make_wheel(name, files={"shared.py": f"x = '{name}'\n"}))
    assert overlaps(empty)["shared.py"]["distributions"] == ["one", "three", "two"]


def test_an_overlap_whose_file_is_gone_says_so(empty, make_wheel):
    for name in ("one", "two"):
        empty.install(make_wheel(name, files={"shared.py": f"x = '{name}'\n"}))
    (empty.site / "shared.py").unlink()
    assert overlaps(empty)["shared.py"]["content"] is None


def test_distributions_in_two_directories_do_not_overlap(empty, make_wheel, tmp_path):
    empty.install(make_wheel("one", files={"shared.py": "x = 1\n"}))
    empty.install(make_wheel("two", files={"shared.py": "x = 2\n"}), options=("--target", tmp_path / "more"))
    assert "overlaps" not in empty.capture(PYTHONPATH=str(tmp_path / "more")).environment["python"]


def test_an_installer_is_no_part_of_an_overlap(empty, make_wheel):
    empty.install(make_wheel("one", files={"shared.py": "x = 1\n"}), make_wheel("uv", files={"shared.py": "x = 1 \n"}))
    assert overlaps(empty) == {}
