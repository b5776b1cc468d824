"""Whatever is changed of what start-up reads or looks for, a warm index gives what is captured without one."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Step = Callable[[SimpleNamespace], object]


def nothing(_: SimpleNamespace) -> None:
    pass


def code_on_path(here: SimpleNamespace) -> None:
    (here.tmp / "code").mkdir(exist_ok=True)
    here.change(PYTHONPATH=str(here.tmp / "code"))


def one_of_two_on_path(here: SimpleNamespace) -> None:
    for name in ("one", "two"):
        here.put.distribution(here.tmp / name, name)
    (here.tmp / "code").symlink_to("one")
    here.change(PYTHONPATH=str(here.tmp / "code"))


def linked_to(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


def archive_on_path(here: SimpleNamespace) -> None:
    here.put.distribution(here.far)
    here.put.archive(here.tmp / "code.zip", "other.py")
    here.change(PYTHONPATH=str(here.tmp / "code.zip"))


def customized_by_a_variable(here: SimpleNamespace) -> None:
    here.put.distribution(here.far)
    (here.site / "sitecustomize.py").write_text("import os, sys\nsys.path.append(os.environ.get('FAR', '/'))\n")


def can_do_without(here: SimpleNamespace) -> None:
    line = "import contextlib; exec('with contextlib.suppress(ImportError): import maybe')\n"
    (here.site / "maybe.pth").write_text(line)


CHANGES: dict[str, tuple[Step, Step]] = {
    "PYTHONPATH names a directory": (
        lambda here: here.put.distribution(here.far),
        lambda here: here.change(PYTHONPATH=str(here.far)),
    ),
    "a directory that PYTHONPATH names appears": (
        lambda here: here.change(PYTHONPATH=str(here.far)),
        lambda here: here.put.distribution(here.far),
    ),
    "a distribution appears in a directory that PYTHONPATH names": (
        code_on_path,
        lambda here: here.put.distribution(here.tmp / "code"),
    ),
    "a directory that PYTHONPATH names is another by a link": (
        one_of_two_on_path,
        lambda here: linked_to(here.tmp / "code", "two"),
    ),
    "a sitecustomize appears in site-packages": (
        nothing,
        lambda here: here.put.module(here.site / "sitecustomize.py", here.far),
    ),
    "a sitecustomize appears on PYTHONPATH": (
        code_on_path,
        lambda here: here.put.module(here.tmp / "code/sitecustomize.py", here.far),
    ),
    "a sitecustomize that is a package is edited": (
        lambda here: here.put.module(here.site / "sitecustomize/__init__.py", here.far),
        lambda here: here.put.edit(here.site / "sitecustomize/__init__.py", "far", "fur"),
    ),
    "a sitecustomize appears in an archive": (
        archive_on_path,
        lambda here: here.put.archive(here.tmp / "code.zip", "other.py", "sitecustomize.py"),
    ),
    "a variable that a sitecustomize looks at": (
        customized_by_a_variable,
        lambda here: here.change(FAR=str(here.far)),
    ),
    "a new .pth": (
        lambda here: here.put.distribution(here.far),
        lambda here: (here.site / "far.pth").write_text(str(here.far)),
    ),
    "an edited .pth": (
        lambda here: here.put.distribution(here.far),
        lambda here: here.put.edit(here.site / "start.pth", "/no/such/directory", str(here.far)),
    ),
    "a directory that a .pth names appears": (
        lambda here: (here.site / "far.pth").write_text(str(here.far)),
        lambda here: here.put.distribution(here.far),
    ),
    "a module that a .pth imports is edited": (
        nothing,
        lambda here: here.put.module(here.site / "_virtualenv.py", here.far),
    ),
    "a module that a .pth imports is found elsewhere first": (
        code_on_path,
        lambda here: here.put.module(here.tmp / "code/_virtualenv/__init__.py", here.far),
    ),
    "a module that start-up can do without appears": (
        can_do_without,
        lambda here: here.put.module(here.site / "maybe.py", here.far),
    ),
}


@pytest.fixture
def here(copied, put, tmp_path) -> SimpleNamespace:
    """The environment, and directories beside it."""
    site = copied.environment.site
    return SimpleNamespace(put=put, tmp=tmp_path, far=tmp_path / "far", site=site, change=copied.change)


EVERYDAY = {
    "a directory that PYTHONPATH names appears",
    "a distribution appears in a directory that PYTHONPATH names",
    "a sitecustomize appears on PYTHONPATH",
    "a sitecustomize appears in an archive",
    "a directory that a .pth names appears",
    "a module that a .pth imports is edited",
}

NEVER_KEPT = {"a variable that a sitecustomize looks at", "a module that start-up can do without appears"}
"""Code that may rest on any file: the interpreter is asked each time."""


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in EVERYDAY else pytest.mark.slow) for kind in CHANGES]
)
def test_a_change_is_captured_as_it_is_without_an_index(kind, here, copied):
    prepare, change = CHANGES[kind]
    prepare(here)
    before = copied.agree() if kind in NEVER_KEPT else copied.warm()
    change(here)
    assert copied.agree() != before


def test_start_up_that_fails_is_looked_at_each_time(here, copied):
    here.put.module(here.tmp / "broken/away.py", here.far)
    here.put.edit(here.tmp / "broken/away.py", "sys.", "import nothing; sys.")
    (here.site / "away.pth").write_text(f"import sys; sys.path.append({str(here.tmp / 'broken')!r}); import away\n")
    before = copied.agree()
    assert copied.read()
    here.put.edit(here.tmp / "broken/away.py", "import nothing; ", "")
    assert copied.agree() != before
    assert copied.read(), "since what that line does may rest on any file"


def test_a_module_from_an_archive_is_looked_at_each_time(here, copied):
    archive_on_path(here)
    here.put.archive(here.tmp / "code.zip", "sitecustomize.py")
    before = copied.agree()
    assert copied.read()
    here.put.archive(here.tmp / "code.zip", "other.py")
    assert copied.agree() != before
    copied.warm()
