"""What the target looks for modules in is what is captured, whatever put it there; the working directory is not."""

import sys
import zipfile
from pathlib import Path

import pytest

from capsulestore.capture.search_path import search_path


def roles(environment, **variables: str) -> dict[str, str]:
    directories, _ = search_path(environment.capture(**variables).interpreter)
    return {directory.path: directory.role for directory in directories}


def codes(capture) -> set[str]:
    return {finding.code for finding in capture.findings}


def install_to(directory: Path, uv, wheel: Path) -> None:
    uv("pip", "install", "--quiet", "--offline", "--no-index", "--no-deps", "--target", directory, wheel)


def test_a_venv_has_its_site_directory_and_not_that_of_its_base(small):
    assert roles(small)[str(small.site)] == "site"
    assert list(roles(small).values()).count("site") == 1
    assert sorted(small.packages()) == ["alpha", "beta", "gamma"]
    assert small.unowned() == {}
    assert small.capture(None).findings == ()


def test_the_standard_library_is_no_place_for_packages(small):
    assert set(roles(small).values()) == {"standard library", "site"}


def test_system_site_packages_bring_in_those_of_the_base(tmp_path, make_interpreter, make_venv, make_wheel):
    base = make_interpreter(tmp_path / "base")
    base.install(make_wheel("alpha", "1.0"), make_wheel("beta", "1.0"))
    (base.site / "loose.py").touch()
    venv = make_venv(tmp_path / "venv", "--system-site-packages", python=str(base.python))
    venv.install(make_wheel("alpha", "2.0"))
    packages = venv.packages()
    assert packages["alpha"]["version"] == "2.0"
    assert packages["alpha"]["shadowed"] == [base.packages()["alpha"]]
    assert packages["beta"] == base.packages()["beta"]
    assert list(venv.unowned()) == ["loose.py"]
    assert "shadowed" in codes(venv.capture())


def test_a_user_site_comes_before_the_site_directory(tmp_path, make_interpreter, make_wheel, uv):
    interpreter = make_interpreter(tmp_path / "python")
    interpreter.install(make_wheel("alpha", "1.0"))
    base = {"PYTHONUSERBASE": str(tmp_path / "user")}
    user_site = Path(interpreter.capture(**base).interpreter.user_site)
    install_to(user_site, uv, make_wheel("alpha", "2.0"))
    assert roles(interpreter, **base)[str(user_site)] == "site"
    packages = interpreter.packages(**base)
    assert packages["alpha"]["version"] == "2.0"
    assert [entry["version"] for entry in packages["alpha"]["shadowed"]] == ["1.0"]
    assert codes(interpreter.capture(**base)) == {"shadowed"}


def test_a_user_site_that_is_switched_off_does_not_count(tmp_path, make_interpreter, make_wheel, uv):
    interpreter = make_interpreter(tmp_path / "python")
    base = {"PYTHONUSERBASE": str(tmp_path / "user")}
    install_to(Path(interpreter.capture(**base).interpreter.user_site), uv, make_wheel("alpha"))
    assert list(interpreter.packages(**base)) == ["alpha"]
    assert interpreter.packages(**base, PYTHONNOUSERSITE="1") == {}


def test_distributions_on_pythonpath_count_and_come_first(venv, tmp_path, uv, make_wheel):
    install_to(tmp_path / "target", uv, make_wheel("alpha", "9.0"))
    variables = {"PYTHONPATH": str(tmp_path / "target")}
    assert roles(venv, **variables)[str(tmp_path / "target")] == "added"
    packages = venv.packages(**variables)
    assert packages["alpha"]["version"] == "9.0"
    assert packages["alpha"]["shadowed"] == [venv.packages()["alpha"]]
    assert venv.unowned(**variables) == {}


def test_distributions_in_a_directory_that_a_pth_file_adds_count(venv, tmp_path, uv, make_wheel):
    install_to(tmp_path / "more", uv, make_wheel("delta"))
    (tmp_path / "more" / "code.py").touch()
    (venv.site / "more.pth").write_text(f"{tmp_path / 'more'}\n")
    assert roles(venv)[str(tmp_path / "more")] == "added"
    assert "delta" in venv.packages()
    assert list(venv.unowned()) == ["more.pth"]


def test_a_relative_pythonpath_is_relative_to_the_working_directory(venv, tmp_path, uv, make_wheel, monkeypatch):
    install_to(tmp_path / "work" / "lib", uv, make_wheel("delta"))
    monkeypatch.chdir(tmp_path / "work")
    assert "delta" in venv.packages(PYTHONPATH="lib")
    assert "delta" not in venv.packages(PYTHONPATH="")
    assert roles(venv, PYTHONPATH="lib")[str(tmp_path / "work" / "lib")] == "added"


def test_a_directory_that_is_on_the_path_twice_counts_once(venv, tmp_path, uv, make_wheel):
    install_to(tmp_path / "more", uv, make_wheel("delta"))
    (tmp_path / "link").symlink_to(tmp_path / "more")
    twice = {"PYTHONPATH": f"{tmp_path}/more:{tmp_path}/link:{tmp_path}/more/"}
    assert "shadowed" not in venv.packages(**twice)["delta"]
    assert venv.digest(**twice) == venv.digest(PYTHONPATH=f"{tmp_path}/more")


def test_a_site_directory_that_is_found_first_by_another_name_is_one_still(venv):
    (venv.site / "loose.py").touch()
    by_lib64 = str(venv.site).replace("/lib/", "/lib64/")
    if not Path(by_lib64).exists():
        pytest.skip("venv makes no link from lib64 to lib on this machine")
    assert list(venv.unowned(PYTHONPATH=by_lib64)) == ["loose.py"]
    assert venv.digest(PYTHONPATH=by_lib64) == venv.digest()


def test_the_site_directory_on_pythonpath_too_is_a_site_directory_still(venv):
    (venv.site / "loose.py").touch()
    assert venv.digest(PYTHONPATH=str(venv.site)) == venv.digest()


def test_an_environment_reached_by_a_link_has_the_same_digest(venv, tmp_path):
    (venv.site / "loose.py").touch()
    (tmp_path / "link").symlink_to(venv.python.parents[1])
    linked = type(venv)(tmp_path / "link" / "bin" / "python", venv.site, venv.environ)
    assert linked.digest() == venv.digest()


def test_what_pythonpath_names_and_is_not_there_is_passed_over(venv, tmp_path):
    assert venv.capture(PYTHONPATH=str(tmp_path / "nowhere")).findings == ()
    assert venv.digest(PYTHONPATH=str(tmp_path / "nowhere")) == venv.digest()


@pytest.mark.parametrize("name", ["modules.zip", f"python{sys.version_info[0]}{sys.version_info[1]}.zip"])
def test_an_archive_on_the_path_is_told(name, venv, tmp_path):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("zipped.py", "x = 1\n")
    (finding,) = venv.capture(PYTHONPATH=str(tmp_path / name)).findings
    assert (finding.code, finding.subject) == ("archive-on-path", str(tmp_path / name))


def test_an_archive_in_the_site_directory_of_an_interpreter_that_is_no_venv_is_told(tmp_path, make_interpreter):
    interpreter = make_interpreter(tmp_path / "python")
    with zipfile.ZipFile(interpreter.site / "zipped-1.0.egg", "w") as archive:
        archive.writestr("zipped.py", "x = 1\n")
    (interpreter.site / "easy-install.pth").write_text("./zipped-1.0.egg\n")
    assert str(interpreter.site / "zipped-1.0.egg") in interpreter.capture().interpreter.path
    assert "archive-on-path" in codes(interpreter.capture())


def test_a_directory_that_cannot_be_read_is_told(tmp_path, make_venv, uv, make_wheel, as_nobody_special):
    venv = make_venv(tmp_path / "venv")
    install_to(tmp_path / "secret", uv, make_wheel("delta"))
    (tmp_path / "secret").chmod(0o000)
    try:
        captured = venv.capture_apart(*as_nobody_special, PYTHONPATH=str(tmp_path / "secret"))
    finally:
        (tmp_path / "secret").chmod(0o755)
    assert [(finding["code"], finding["subject"]) for finding in captured["findings"]] == [
        ("directory-unreadable", str(tmp_path / "secret"))
    ]


def test_the_working_directory_is_neither_imported_from_nor_captured(venv, tmp_path, monkeypatch):
    before = venv.digest()
    work = tmp_path / "work"
    work.mkdir()
    for name in ("json", "ast", "site", "sitecustomize", "typing"):
        (work / f"{name}.py").write_text(f"open({str(tmp_path / 'was-run')!r}, 'w')\nraise SystemExit(1)\n")
    (work / "delta-1.0.dist-info").mkdir()
    (work / "delta-1.0.dist-info" / "METADATA").write_text("Name: delta\nVersion: 1.0\n")
    monkeypatch.chdir(work)
    assert venv.digest() == before
    assert str(work) not in roles(venv)
    assert not (tmp_path / "was-run").exists()


def test_the_working_directory_counts_where_pythonpath_names_it(venv, tmp_path, monkeypatch, uv, make_wheel):
    install_to(tmp_path / "work", uv, make_wheel("delta"))
    monkeypatch.chdir(tmp_path / "work")
    assert "delta" in venv.packages(PYTHONPATH=str(tmp_path / "work"))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="-P and PYTHONSAFEPATH came with Python 3.11")
def test_a_safe_path_loses_no_directory(venv, tmp_path, uv, make_wheel):
    install_to(tmp_path / "more", uv, make_wheel("delta"))
    variables = {"PYTHONPATH": str(tmp_path / "more")}
    assert venv.digest(**variables, PYTHONSAFEPATH="1") == venv.digest(**variables)
