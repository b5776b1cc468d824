"""What a stranger tries: each gets one clear line, a next step, the right status, and everything stays as it was."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

STRANGE = "größe two\n" + os.fsdecode(b"\xff")
"""A name with a letter beyond ASCII, a space, a newline, and a byte that is no UTF-8."""

TWINS = "1844"
"""What the digests of the two capsules in the store `twins` begin with."""

TWO_TO_64 = "18446744073709551616"

# What is tried, by what is wrong with it: the arguments, the status, what is said (a regular expression), and where,
# if not in the project.
WRONG = {
    # the command line
    "no such command": (["bogus"], 2, "bogus"),
    "a misspelt command": (["verfy"], 2, "no command `verfy` hint: did you mean `verify`?"),
    "no such option": (["add", "--frobnicate"], 2, "--frobnicate"),
    "a file given to add": (["add", "fit.csv"], 2, "--output fit.csv"),
    "a second file after an option": (["add", "--output", "a.csv", "b.csv"], 2, "repeat them: `--output b.csv`"),
    "a part of a verdict to be recorded": (["verify", "--record", "--layer", "python"], 2, "a verdict on the whole"),
    "context alone to be recorded": (["add", "--layer", "system"], 2, "nothing would be recorded"),
    "a parameter without a value": (["add", "--param", "alpha"], 2, "`--param alpha` is no KEY=VALUE"),
    "a parameter without a key": (["add", "--param", "=1"], 2, "KEY=VALUE"),
    "a parameter of strange bytes without a value": (["add", "--param", STRANGE], 2, "KEY=VALUE"),
    "a parameter that is no JSON": (["add", "--param-json", "alpha={"], 2, "--param-json alpha={"),
    "a parameter that JSON cannot hold exactly": (["add", "--param-json", "n=12345678901234567890"], 2, r"2\^53"),
    "a parameter too large for a double": (["add", "--param-json", f"n={TWO_TO_64}"], 2, r"2\^53"),
    "a parameter given twice over": (["add", "--param", "a=1", "--param-json", "a=1"], 2, "`a`"),
    "a parameter given twice": (["add", "--param", "a=1", "--param", "a=2"], 2, "twice"),
    "a layer for a diff that there is none of": (["diff", "@", "@", "--layer", "pyhton"], 2, "pyhton"),
    "a layer that there is none of": (["capture", "--layer", "julia"], 2, "julia"),
    "an interpreter for two stored ones": (["diff", "@", "@", "--python", "python3"], 2, "--python"),
    "an environment file and an interpreter": (["add", "--environment", "e.json", "--python", "x"], 2, "--environment"),
    "too many names": (["verify", "@", "@"], 2, "@"),
    "a count of capsules that is no number": (["log", "-n", "x"], 2, "`x` is not a valid"),
    # names
    "an unknown tag": (["show", "nobody"], 3, "nobody"),
    "an unknown prefix": (["verify", "0000"], 3, "0000"),
    "an unknown digest": (["show", "0" * 64], 3, "0" * 64),
    "an ambiguous prefix": (["--store", "twins", "show", TWINS], 3, "hint: give more digits"),
    "a prefix that is too short": (["show", "abc"], 3, "too short"),
    "a digest with a digit too many": (["show", "0" * 65], 3, "0" * 65),
    "a name with a space": (["show", "a b"], 3, "a b"),
    "a name with control characters": (["show", "a\x1b]0;b"], 3, r"a\\x1b]0;b"),
    "a name of bytes that are no text": (["show", os.fsdecode(b"\xff")], 3, "nothing is called"),
    "an empty name": (["show", ""], 3, "``"),
    "a path to nothing": (["show", "@:python/pakages"], 3, "hint: did you mean `packages`?"),
    "a layer where a capsule is needed": (["verify", "@:python"], 3, "neither a capsule nor an environment"),
    "an environment as a parent": (["add", "--parent", "@:"], 3, "no capsule"),
    "a tag that looks like a prefix": (["tag", "abcd"], 3, "`abcd` could be a digest"),
    "a tag that is `@`": (["tag", "@"], 3, "`@` cannot be a tag"),
    "a tag with two dots": (["tag", "a..b"], 3, "cannot be a tag.*hint: git's rules"),
    "a tag that ends as git's locks do": (["tag", "x.lock"], 3, "cannot be a tag.*hint: git's rules"),
    "a tag that looks like an option": (["tag", "--", "-x"], 3, "cannot be a tag.*hint: git's rules"),
    "a tag of bytes that are no text": (["tag", STRANGE], 3, "cannot be a tag.*hint: git's rules"),
    "a tag that is another's": (["tag", "in-a-pack"], 6, "`in-a-pack`.*hint: .*--force"),
    "a tag to remove that is not there": (["tag", "--delete", "nobody"], 3, "no tag `nobody`"),
    "a tag for a capsule that is not there": (["tag", "paper", "nobody"], 3, "nothing is called `nobody`"),
    # stores
    "no store here or above": (["verify"], 3, "no `.capsules` in .*hint: .*`capsule init`", ".."),
    "no such store": (["--store", "nowhere", "show"], 3, "no store at .*nowhere`.*hint: .*capsule init"),
    "no such store, of a strange name": (["--store", STRANGE, "show"], 3, r"no store at .*größe two\\n\\udcff`"),
    "a store that is a file": (["--store", "fit.csv", "show"], 4, "not a store"),
    "a store that is another directory": (["--store", ".venv", "add"], 4, "not a store.*--store DIR"),
    "a store with nothing in it": (["--store", "empty", "verify"], 3, "hint: add one with `capsule add`"),
    "a git repository of SHA-1": (["--store", "sha1", "add"], 4, "not a store of capsules.*hint: "),
    "a git repository of SHA-256": (["--store", "sha256", "add"], 4, "not a store of capsules.*hint: "),
    "a directory whose `.capsules` is a git repository": (["init", "taken"], 4, "not a store of capsules.*hint: "),
    "a store of a newer schema, to read": (["--store", "newer store", "show"], 4, "schema 99.*hint: upgrade"),
    "a store of a newer schema, to add to": (["--store", "newer store", "add"], 4, "schema 99.*hint: upgrade"),
    "a store of a newer schema, to make": (["init", "newer store"], 4, "schema 99.*hint: upgrade"),
    "a capsule of a newer schema": (["--store", "newer capsule", "show", "newer"], 4, "schema 99"),
    "a store whose ref is garbage": (["--store", "garbage ref", "add"], 4, "refs/heads/main` holds no digest.*hint: "),
    "a store whose ref is garbage, to list": (["--store", "garbage ref", "log"], 4, "holds no digest.*hint: "),
    "a store whose `@` is garbage": (["--store", "garbage last", "show"], 4, "last` holds no digest.*hint: "),
    "a store whose config is garbage": (["--store", "garbage config", "show"], 4, "config` is damaged"),
    "a damaged object of its own file": (
        ["--store", "damaged file", "show"],
        4,
        r"object (\w{2})(\w{62}) is damaged .*/objects/\1/\2`.*hint: adding the same capsule again",
    ),
    "a damaged object in a pack": (
        ["--store", "damaged pack", "show"],
        4,
        r"object \w{64} is damaged .*/objects/pack`.*hint: .*fsck` names the damaged pack; copy it",
    ),
    "an object that is not there": (["--store", "missing", "show"], 4, r"object \w{64} is not in the store.*hint: "),
    # interpreters
    "no such interpreter": (
        ["verify", "--python", "nowhere/python"],
        6,
        "no interpreter at `nowhere/python`.*hint: name a path",
    ),
    "no such interpreter, of a strange name": (["capture", "--python", STRANGE], 6, r"größe two\\n\\udcff"),
    "an interpreter that is no Python": (["capture", "--python", "/bin/ls"], 6, "/bin/ls` does not answer.*hint: "),
    "an interpreter that is no program": (["capture", "--python", "fit.csv"], 6, "cannot start .*fit.csv.*hint: "),
    "an interpreter that is Python 2": (["add", "--python", "python2"], 6, "is Python 2.7.18; Python 3 is needed"),
    "an interpreter that segfaults": (["add", "--python", "segfaults"], 6, "does not answer as a Python would"),
    "an interpreter that aborts": (["add", "--python", "aborts"], 6, "does not answer as a Python would: Fatal"),
    "an interpreter that exits with 3": (["add", "--python", "exits"], 6, "does not answer as a Python would"),
    "an interpreter that prints garbage": (["verify", "--python", "garbage"], 6, "does not answer as a Python would"),
    "an interpreter that never answers": (["add", "--python", "hangs"], 6, "did not answer within 30 seconds.*hint: "),
    # files
    "an output that is not there": (["add", "--output", "nowhere.csv"], 6, "nowhere.csv"),
    "an output of a strange name that is not there": (["add", "--output", STRANGE], 6, r"größe two\\n\\udcff"),
    "an output below a file": (["add", "--output", "fit.csv/fit.csv"], 6, "fit.csv/fit.csv"),
    "an output that is a pipe": (["add", "--output", "pipe"], 6, "pipe"),
    "an environment file that is not there": (["add", "--environment", "nowhere.json"], 6, "nowhere.json"),
    "an environment file that is no JSON": (["add", "--environment", "fit.csv"], 6, "fit.csv"),
    "an environment file cut short": (["add", "--environment", "cut.json"], 6, "cut.json"),
    # permissions and space
    "an output in a directory that may not be read": (["add", "--output", "locked/fit.csv"], 6, "Permission denied"),
    "a store that may not be read": (["--store", "locked", "show"], 4, "Permission denied"),
    "a store that may not be written": (["--store", "read-only", "add"], 6, "cannot write to the store .*Permission"),
    "a directory that may not be written": (["init", "read-only/fit"], 6, "cannot make the store .*Permission"),
    "a full disk": (["--store", "full disk/.capsules", "add"], 6, "cannot write to the store .*No space left"),
    "a full disk for a new store": (["init", "full disk/fit"], 6, "cannot make the store .*No space left"),
}

ODD_SURROUNDINGS = Path(__file__).with_name("odd_surroundings.py")


@pytest.fixture(scope="module")
def place(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project, in a directory of a strange name, with all that may be wrong around a command."""
    place = tmp_path_factory.mktemp("bad input") / STRANGE
    shutil.copytree(prepared, place, symlinks=True)
    environ = os.environ | {"HOME": str(place.parent), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run([sys.executable, ODD_SURROUNDINGS, place], env=environ, check=True)
    disk = place / "full disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        shutil.copytree(place / ".capsules", disk / ".capsules")
        with open(disk / "everything else", "wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
    yield place
    if mounted.returncode == 0:
        subprocess.run(["umount", disk], check=True)
    # So that whoever is not root can remove it all.
    subprocess.run(["chmod", "-R", "u+rwX", place], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG)
def test_it_is_told_in_one_line_with_the_right_status_and_changes_nothing(case, forked_bound, place, unchanged):
    arguments, status, said, *where = WRONG[case]
    if "full disk" in case and not os.path.ismount(place / "full disk"):
        pytest.skip("a small disk to fill takes root, and the right to mount one")
    before = unchanged(place)
    cwd = place.joinpath(*where)
    done = forked_bound(arguments, cwd, os.environ)
    print(f"{done.status}  capsule {shlex.join(arguments)!a}  → {done.err}", end="")
    error, *hint = done.err.splitlines()
    assert (done.status, done.out) == (status, "")
    assert error.startswith("error: ")
    assert [line[:6] for line in hint] in ([], ["hint: "])
    assert re.search(said, " ".join([error, *hint]))
    assert "Traceback" not in done.err
    assert [character for character in error + "".join(hint) if not character.isprintable()] == []
    if case != "an interpreter that never answers":
        done = forked_bound(["--json", *arguments], cwd, os.environ)
        answer = json.loads(done.err)["error"]
        assert (done.status, done.out) == (status, "")
        assert {"code", "message", "hint"} <= set(answer)
        assert bool(answer["hint"]) == bool(hint)
    assert unchanged(place) == before
