"""Where, when, by whom and with what an environment was installed leaves its digest as it is."""

import compileall
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def record_of(venv, name: str) -> list[str]:
    return (venv.info(name) / "RECORD").read_text().splitlines()


def write_record(venv, name: str, lines: list[str], end: str = "\n") -> None:
    (venv.info(name) / "RECORD").write_bytes("".join(line + end for line in lines).encode())


def every_file(venv) -> list[Path]:
    return [path for path in venv.python.parents[1].rglob("*") if path.is_file() and not path.is_symlink()]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def another_installer(venv) -> None:
    for file in venv.site.glob("*/INSTALLER"):
        file.write_text("conda\n")


def no_installer(venv) -> None:
    for file in [*venv.site.glob("*/INSTALLER"), *venv.site.glob("*/REQUESTED"), *venv.site.glob("*/direct_url.json")]:
        file.unlink()


def another_origin(venv) -> None:
    (venv.info("beta") / "direct_url.json").write_text('{"url": "https://example.org/beta.whl", "archive_info": {}}')


def later_times(venv) -> None:
    for path in every_file(venv):
        os.utime(path, (2_000_000_000, 2_000_000_000))


def compiled(venv) -> None:
    assert compileall.compile_dir(venv.site, quiet=1)
    assert list(venv.site.glob("**/*.pyc"))


def compiled_and_recorded(venv) -> None:
    compiled(venv)
    row = f"__pycache__/{next((venv.site / '__pycache__').glob('beta.*')).name},sha256=abc,1"
    write_record(venv, "beta", [*record_of(venv, "beta"), row])


def crlf_in_metadata(venv) -> None:
    for file in [*venv.site.glob("*/METADATA"), *venv.site.glob("*/WHEEL")]:
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


def another_shebang(venv) -> None:
    scripts = [path for path in (venv.python.parent / "beta", venv.python.parent / "alpha-script") if path.exists()]
    assert len(scripts) == 2
    for script in scripts:
        script.write_text("#!/somewhere/else/python\n" + script.read_text().partition("\n")[2])
    write_record(
        venv, "beta", [line.replace("bin/beta,sha256=", "bin/beta,sha256=x") for line in record_of(venv, "beta")]
    )


def a_windows_launcher(venv) -> None:
    write_record(venv, "beta", [*record_of(venv, "beta"), "../../Scripts/beta.exe,sha256=abc,1"])


def headers_elsewhere(venv) -> None:
    lines = [line for line in record_of(venv, "alpha") if "alpha.h" not in line]
    assert len(lines) < len(record_of(venv, "alpha"))
    write_record(venv, "alpha", lines)


def another_data_directory(venv) -> None:
    edit(venv.info("alpha") / "RECORD", "../../../share/", "../../share/")


def quoted_rows(venv) -> None:
    rows = [line.split(",") for line in record_of(venv, "alpha")]
    write_record(venv, "alpha", [f'"{path}",{digest},{size}' for path, digest, size in rows])


def a_license_and_a_note(venv) -> None:
    (venv.info("beta") / "LICENSE").write_text("free\n")
    write_record(venv, "beta", [*record_of(venv, "beta"), f"{venv.info('beta').name}/LICENSE,sha256=abc,5"])


def what_cannot_be_imported(venv) -> None:
    (venv.site / "README.txt").write_text("no module\n")
    (venv.site / "no-module").mkdir()
    (venv.site / "no-module" / "file.py").touch()
    (venv.site / "empty").mkdir()


NO_CHANGES: dict[str, Callable] = {
    "another INSTALLER": another_installer,
    "no INSTALLER, REQUESTED and direct_url.json": no_installer,
    "another direct_url.json": another_origin,
    "other times of the files": later_times,
    "compiled modules": compiled,
    "compiled modules that RECORD lists": compiled_and_recorded,
    "CRLF in METADATA and WHEEL": crlf_in_metadata,
    "rows of RECORD in another order": lambda venv: write_record(venv, "alpha", record_of(venv, "alpha")[::-1]),
    "rows of RECORD twice": lambda venv: write_record(venv, "alpha", record_of(venv, "alpha") * 2),
    "rows of RECORD with CRLF": lambda venv: write_record(venv, "alpha", record_of(venv, "alpha"), "\r\n"),
    "rows of RECORD in quotes": quoted_rows,
    "an empty line in RECORD": lambda venv: write_record(venv, "alpha", ["", *record_of(venv, "alpha"), ""]),
    "another interpreter in the scripts": another_shebang,
    "a launcher for Windows": a_windows_launcher,
    "headers, which lie in various places": headers_elsewhere,
    "a data directory at another depth": another_data_directory,
    "a license among the metadata": a_license_and_a_note,
    "files that cannot be imported": what_cannot_be_imported,
    "_virtualenv.pth": lambda venv: (venv.site / "_virtualenv.pth").write_text("import _virtualenv"),
    "_virtualenv.py": lambda venv: (venv.site / "_virtualenv.py").write_text('"""Patches distutils."""\n'),
    "bin/ emptied but for python": lambda venv: [
        path.unlink() for path in venv.python.parent.iterdir() if path.name.startswith(("activate", "Activate"))
    ],
}


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES.keys())
def test_how_it_was_installed_does_not_change_the_digest(change, venv, small_digest):
    change(venv)
    assert venv.digest() == small_digest


@pytest.mark.slow
def test_pip_present_upgraded_or_absent_is_context(venv, pip_venv, make_wheel):
    without = venv.digest()
    for path in pip_venv.site.glob("pip*"):
        shutil.copytree(path, venv.site / path.name)
    version = pip_venv.capture().context["python"]["installers"]["pip"]
    assert venv.capture().context["python"]["installers"] == {"pip": version}
    assert venv.digest() == without
    venv.install(make_wheel("pip", "99.0", {"pip/__init__.py": "", "pip/__main__.py": ""}))
    assert venv.capture().context["python"]["installers"] == {"pip": "99.0"}
    assert venv.digest() == without


def test_uv_installed_as_a_distribution_is_context(venv, make_wheel):
    without = venv.digest()
    files = {"uv/__init__.py": "", "uv-9.0.data/scripts/uv": b"\x7fELF"}
    venv.install(make_wheel("uv", "9.0", files))
    assert (venv.python.parent / "uv").exists()
    assert venv.capture().context["python"]["installers"] == {"uv": "9.0"}
    assert venv.digest() == without


def test_uv_and_venv_make_environments_of_one_digest(uv, tmp_path, small_wheels, venv, find_site):
    uv("venv", "--quiet", "--offline", "--python", venv.python.resolve(), tmp_path / "by uv")
    python = tmp_path / "by uv" / "bin" / "python"
    made = type(venv)(python, find_site(python), venv.environ)
    made.install(*small_wheels.values())
    assert made.digest() == venv.digest()


def test_an_absolute_path_in_a_pth_file_may_be_another(venv, tmp_path):
    (venv.site / "own.pth").write_text(f"# mine\n{tmp_path}/one\nimport sys\n")
    before = venv.digest()
    (venv.site / "own.pth").write_text(f"# mine\n/somewhere/else\n{tmp_path}/three\nimport sys\n")
    assert venv.digest() == before


@pytest.mark.slow
def test_an_editables_sources_may_be_edited_and_lie_anywhere(venv, uv, tmp_path, make_project):
    digests = set()
    for place in ("here", "and there"):
        project = make_project(tmp_path / place, "delta")
        uv("pip", "install", "--quiet", "--offline", "--python", venv.python, "--editable", project)
        digests.add(venv.digest())
        (project / "src" / "delta.py").write_text("x = 2\n")
        (project / "src" / "new.py").write_text("x = 3\n")
        digests.add(venv.digest())
    assert venv.packages()["delta"] == {"version": "1.0", "editable": True}
    assert len(digests) == 1


def test_loose_modules_on_pythonpath_are_code(venv, tmp_path, small_digest):
    (tmp_path / "code" / "package").mkdir(parents=True)
    (tmp_path / "code" / "package" / "__init__.py").touch()
    (tmp_path / "code" / "loose.py").touch()
    (tmp_path / "code" / "start.pth").write_text("import sys\n")
    assert venv.digest(PYTHONPATH=str(tmp_path / "code")) == small_digest


def test_capturing_twice_gives_one_digest_and_one_value(venv):
    assert venv.capture(None) == venv.capture(None)
