"""I1: an environment has one digest, with pip and with uv, in every directory, at every time, in every locale."""

import compileall
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capsulestore.model.mapping import encode_mapping

pytestmark = pytest.mark.slow

HUNDRED = Path(__file__).with_name("data") / "hundred.txt"


def wheels_of_every_kind(make_wheel) -> list[Path]:
    files = {"delta/__init__.py": "", "delta/data.txt": "1\r\n2\r\n", "delta/lib.so": b"\x7fELF"}
    namespace = {"nspace/eps/module.py": "x = 1\n", "Eps_ilon-1!2.0.data/data/etc/eps.cfg": ""}
    return [make_wheel("delta", "1.0", files), make_wheel("Eps_ilon", "1!2.0", namespace)]


@pytest.fixture(scope="session")
def installed(tmp_path_factory, make_venv, make_wheel, small_wheels, uv, pip, pip_venv) -> dict[str, object]:
    """The same distributions, installed by whoever can install: an environment by what made it."""
    root = tmp_path_factory.mktemp("installed")
    what = ("--no-deps", "--no-index", *small_wheels.values(), *wheels_of_every_kind(make_wheel))
    made = {
        "the environment's own pip": pip_venv.copy(root / "with pip"),
        "pip from outside": make_venv(root / "without pip"),
        "uv": make_venv(root / "by uv"),
    }
    pip(made["the environment's own pip"], "install", *what, by_its_own=True)
    pip(made["pip from outside"], "install", *what)
    uv("pip", "install", "--quiet", "--offline", "--link-mode=copy", "--python", made["uv"].python, *what)
    return made


def only(name: str, requirements: Path, path: Path) -> Path:
    """Write the requirement of one distribution to a file of its own."""
    (line,) = [line for line in requirements.read_text().splitlines() if line.startswith(f"{name}==")]
    path.write_text(line)
    return path


def assert_that_all_are_one(environments, at_least: int) -> str:
    """Return the digest that they have, each captured once."""
    first, *others = (environment.capture().environment for environment in environments)
    assert len(first["python"]["packages"]) >= at_least
    for other in others:
        assert other["python"]["packages"] == first["python"]["packages"]
    (digest,) = {encode_mapping(captured).id for captured in (first, *others)}
    return str(digest)


def test_i1_pip_and_uv_make_environments_of_one_digest(installed):
    assert_that_all_are_one(installed.values(), at_least=5)


def test_i1_pip_and_uv_make_one_digest_of_a_hundred_real_distributions(package_index, tmp_path, make_venv, uv, pip):
    if sys.version_info[:2] not in {(3, 11), (3, 12), (3, 13)} or sys.platform != "linux":
        pytest.skip("the lock file is for CPython 3.11 to 3.13 on Linux")
    what = ("--no-deps", "--only-binary", ":all:", "--requirement", HUNDRED)
    by_pip, by_uv = make_venv(tmp_path / "by pip"), make_venv(tmp_path / "by uv")
    pip(by_pip, "install", "--no-compile", *what)
    # What pip compiles stands in RECORD too. All hundred would take most of a minute.
    pip(by_pip, "install", "--force-reinstall", *what[:-1], only("numpy", HUNDRED, tmp_path / "compiled.txt"))
    uv("pip", "install", "--quiet", "--link-mode=copy", "--python", by_uv.python, *what)
    assert next(by_pip.site.glob("numpy/__pycache__/*"), None)
    digest = assert_that_all_are_one([by_pip, by_uv], at_least=100)
    # Not copied: that would be another gigabyte.
    place = by_pip.python.parents[1].rename(tmp_path / "ein Ort, mit 'Ümläuten'")
    moved = replace(by_pip, python=place / "bin" / "python", site=place / by_pip.site.relative_to(tmp_path / "by pip"))
    touched(moved)
    stripped_of_compiled_modules(moved)
    assert moved.digest() == moved.capture_apart(**ASCII_ALONE)["digest"] == digest
    for environment in (by_uv, moved):  # gigabytes, which pytest would keep
        shutil.rmtree(environment.python.parents[1])


@pytest.fixture(scope="session")
def moved(installed, tmp_path_factory):
    """The environment that uv made, copied to a path that shells and locales stumble over."""
    return installed["uv"].copy(tmp_path_factory.mktemp("elsewhere") / "ein Ort, mit 'Ümläuten'")


def touched(environment) -> None:
    for path in environment.site.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)


def compiled(environment) -> None:
    compileall.compile_dir(environment.site, quiet=2)
    assert next(environment.site.rglob("*.pyc"), None)


def stripped_of_compiled_modules(environment) -> None:
    for directory in list(environment.site.rglob("__pycache__")):
        shutil.rmtree(directory)


WHAT_HAPPENS: dict[str, Callable[[object], object]] = {
    "copied to another path": lambda environment: environment,
    "with other times": touched,
    "with compiled modules": compiled,
    "without compiled modules": stripped_of_compiled_modules,
}


@pytest.mark.parametrize("happens", WHAT_HAPPENS.values(), ids=WHAT_HAPPENS.keys())
def test_i1_the_digest_stays_with_the_environment(happens, installed, moved):
    happens(moved)
    assert moved.capture().interpreter.executable == str(moved.python)
    assert moved.digest() == installed["uv"].digest()


ASCII_ALONE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

SURROUNDINGS: dict[str, dict[str, str]] = {
    "the C locale": {"LC_ALL": "C"},
    "the C locale, in which Python decodes nothing but ASCII": ASCII_ALONE,
    "a German locale": {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8"},
    "a Turkish locale": {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
    "no locale": {"LANG": ""},
    "another time zone": {"TZ": "Pacific/Kiritimati"},
    "another seed for hashes": {"PYTHONHASHSEED": "1"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
}


@pytest.mark.parametrize("variables", SURROUNDINGS.values(), ids=SURROUNDINGS.keys())
def test_i1_the_digest_is_the_same_in_other_surroundings(variables, installed, moved):
    assert moved.capture_apart(**variables)["digest"] == installed["uv"].digest()
