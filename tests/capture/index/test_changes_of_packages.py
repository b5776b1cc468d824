"""Whatever is changed of what is installed, a warm index gives what is captured without one."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def rewritten(path: Path, old: str, new: str) -> None:
    """Write in place, as many bytes as before, and set the times back: only the kernel's own time tells."""
    text = path.read_text()
    assert old in text
    assert len(old) == len(new)
    before = path.stat()
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_its_like(directory: Path, name: str, old: str, new: str) -> None:
    """Rename a changed copy onto a directory: all names, sizes and settable times are the same."""
    like = directory.with_name("like")
    shutil.copytree(directory, like, symlinks=True)
    rewritten(like / name, old, new)
    before = directory.stat()
    directory.rename(directory.with_name("~gone"))
    like.rename(directory)
    os.utime(directory, ns=(before.st_atime_ns, before.st_mtime_ns))
    shutil.rmtree(directory.with_name("~gone"))


def site_switched(environment: Any, *, by_link: bool) -> None:
    site, other = environment.site, environment.site.with_name("other")
    shutil.copytree(site, other, symlinks=True)
    rewritten(other / "loose.py", "1", "2")
    site.rename(site.with_name("former"))
    if by_link:
        site.symlink_to(other)
    else:
        other.rename(site)


def made_binary(path: Path) -> None:
    path.write_bytes(b"\x7fELF" + path.read_bytes()[4:])


Change = Callable[[Any], object]

CHANGES: dict[str, Change] = {
    "RECORD": lambda env: rewritten(env.info("alpha") / "RECORD", "sha256=", "sha257="),
    "METADATA": lambda env: rewritten(env.info("alpha") / "METADATA", "1.0", "1.1"),
    "WHEEL": lambda env: rewritten(env.info("alpha") / "WHEEL", "py3-none-any", "py2-none-any"),
    "an entry_points.txt that names a binary": lambda env: (env.info("alpha") / "entry_points.txt").write_text(
        "[console_scripts]\nalpha-binary = alpha:main\n"
    ),
    "a direct_url.json that was not there": lambda env: (env.info("alpha") / "direct_url.json").write_text(
        '{"url": "https://example.org/alpha.git", "vcs_info": {"vcs": "git", "commit_id": "0"}}'
    ),
    "a RECORD that is gone": lambda env: (env.info("alpha") / "RECORD").unlink(),
    "a metadata directory by its like": lambda env: replaced_by_its_like(env.info("alpha"), "METADATA", "1.0", "1.1"),
    "a metadata directory renamed": lambda env: env.info("alpha").rename(env.site / "alpha-9.dist-info"),
    "the metadata of an egg": lambda env: rewritten(env.site / "old-1.0.egg-info/PKG-INFO", "1.0", "1.1"),
    "a file that no list has a hash of": lambda env: rewritten(env.site / "old.py", "1", "2"),
    "an egg that is gone": lambda env: shutil.rmtree(env.site / "old-1.0.egg-info"),
    "a file listed without a hash": lambda env: rewritten(env.site / "beta_data.txt", "unhashed", "UNHASHED"),
    "a file that two distributions list": lambda env: rewritten(env.site / "common/table.py", "x", "y"),
    "a script that becomes a binary": lambda env: made_binary(env.python.with_name("alpha-script")),
    "a listed script that is gone": lambda env: env.python.with_name("delta-tool").unlink(),
    "a loose module": lambda env: rewritten(env.site / "loose.py", "1", "2"),
    "a loose module by its like": lambda env: replaced_by_its_like(env.site / "tree", "__init__.py", "", ""),
    "a file deep in a package that nobody owns": lambda env: rewritten(
        env.site / "tree/deep/deeper/module.py", "1", "2"
    ),
    "a new file there": lambda env: (env.site / "tree/deep/new.py").touch(),
    "a package there by its like": lambda env: replaced_by_its_like(
        env.site / "tree/deep", "deeper/module.py", "1", "2"
    ),
    "a package that becomes a link to another": lambda env: (
        (env.site / "tree").rename(env.site.parent / "tree"),
        (env.site / "tree").symlink_to(env.site.parent / "tree" / "deep"),
    ),
    "where a dangling link leads": lambda env: (env.site.parent / "target.py").write_text("x = 1\n"),
    "a new loose module": lambda env: (env.site / "new.py").touch(),
    "a new directory with nothing in it, then something": lambda env: (env.site / "hollow").mkdir(),
    "what an interrupted pip leaves": lambda env: (env.site / "~lpha").mkdir(),
    "a module that cannot be read, as it is a pipe": lambda env: (
        (env.site / "loose.py").unlink(),
        os.mkfifo(env.site / "loose.py"),
    ),
    "a name that is no text": lambda env: Path(os.fsdecode(os.fsencode(env.site) + b"/\xff.py")).touch(),
    "site-packages wholly, by rename": lambda env: site_switched(env, by_link=False),
    "site-packages wholly, by a link": lambda env: site_switched(env, by_link=True),
}

NO_CHANGE_OF_WHAT_IS_CAPTURED = {"a loose module by its like", "a new directory with nothing in it, then something"}


EVERYDAY = {
    "RECORD",
    "a direct_url.json that was not there",
    "a metadata directory by its like",
    "a file listed without a hash",
    "a script that becomes a binary",
    "a file deep in a package that nobody owns",
    "site-packages wholly, by rename",
}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in EVERYDAY else pytest.mark.slow) for kind in CHANGES]
)
def test_a_change_is_captured_as_it_is_without_an_index(kind, copied):
    before = copied.warm()
    CHANGES[kind](copied.environment)
    after = copied.agree()
    assert (after == before) is (kind in NO_CHANGE_OF_WHAT_IS_CAPTURED)


def test_a_file_that_is_rewritten_at_once_after_each_capture_is_read_each_time(copied):
    seen = set()
    for number in range(1, 9):
        rewritten(copied.environment.site / "loose.py", str(number), str(number + 1))
        seen.add(copied.capture().environment["python"]["unowned"]["loose.py"]["content"])
    assert len(seen) == 8
    copied.agree()


@pytest.mark.slow
def test_what_pip_and_uv_install_upgrade_and_remove_is_seen(indexed, make_venv, make_wheel, pip, uv, tmp_path):
    index = indexed(make_venv(tmp_path / "venv"), layers=None)
    python = index.environment.python
    one, two = (make_wheel("zeta", version, {"zeta.py": "", "zeta_more.py": ""}) for version in ("1.0", "2.0"))
    offline = ("--no-index", "--no-deps")
    versions = []
    for change in (
        lambda: index.environment.install(one),
        lambda: pip(index.environment, "install", *offline, two),
        lambda: uv("pip", "uninstall", "--quiet", "--python", python, "zeta"),
        lambda: pip(index.environment, "install", *offline, "--no-compile", one),
        lambda: index.environment.install(two),
        lambda: pip(index.environment, "uninstall", "--yes", "zeta"),
    ):
        index.warm()
        change()
        versions.append(index.agree().environment["python"]["packages"].get("zeta", {}).get("version"))
    assert versions == ["1.0", "2.0", None, "1.0", "2.0", None]
