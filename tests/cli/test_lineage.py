"""Where a capsule comes from and what came of it: `capsule show` and `capsule log --graph`."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from capsulestore.model.digest import Digest
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store

pytestmark = pytest.mark.slow

ELSEWHERE = Digest("e" * 64)

Derive = Callable[..., Digest]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with nothing in it: what is listed here was captured elsewhere."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def derive(store: Path) -> Derive:
    """Record a capsule that derives from others: `derive(title, *parents)`."""

    def derive(title: str, *parents: Digest) -> Digest:
        with Store(str(store)) as opened:
            surroundings = Surroundings(environment={"python": {"rules": 1}})
            return record(opened, surroundings, Description(title=title, parents=parents)).capsule

    return derive


@pytest.fixture
def study(derive: Derive) -> dict[str, Digest]:
    """Two samples, cleaned, and fitted together by a model that is known elsewhere; and something else."""
    made = {title: derive(title) for title in ("raw a", "raw b")}
    made |= {f"clean {sample}": derive(f"clean {sample}", made[f"raw {sample}"]) for sample in "ab"}
    made["fit"] = derive("fit", made["clean a"], made["clean b"], ELSEWHERE)
    made["other"] = derive("other")
    made["plot"] = derive("plot", made["fit"], made["raw a"])
    return made


def rows(out: str, key: str) -> list[str]:
    """Return what `capsule show` says of a key."""
    return [line.removeprefix(key).strip() for line in out.splitlines() if line.startswith(f"{key} ")]


def drawing(out: str) -> list[str]:
    """Return the lines of a log, of what is beside the graph only the title and what follows it."""
    return [re.sub(r"[0-9a-f]{12}  (.* {2})?", "", line) for line in out.splitlines()]


def test_parents_and_children_are_shown_with_their_titles_where_they_are_known(capsule, study):
    short = {title: str(digest)[:12] for title, digest in study.items()}
    fit = capsule("show", str(study["fit"])).out
    assert rows(fit, "parents") == [f"{short[title]}  {title}" for title in ("clean a", "clean b")] + ["eeeeeeeeeeee"]
    assert rows(fit, "children") == [f"{short['plot']}  plot"]
    raw = capsule("show", str(study["raw a"])).out
    assert rows(raw, "parents") == []
    assert rows(raw, "children") == [f"{short[title]}  {title}" for title in ("clean a", "plot")]


def test_as_json_children_are_listed_by_their_digests(capsule, study):
    shown = capsule("show", str(study["raw a"]), "--json").json
    assert shown["children"] == [str(study["clean a"]), str(study["plot"])]
    assert capsule("show", str(study["plot"]), "--json").json["children"] == []


def test_one_that_is_on_no_shelf_shows_its_parents_as_it_names_them(capsule, store, derive):
    first = derive("first")
    fit = derive("fit", first)
    subprocess.run(["git", "-C", store, "update-ref", "refs/heads/main", "main~1"], check=True)
    assert rows(capsule("show", str(fit)).out, "parents") == [str(first)[:12]]
    assert capsule("show", str(first), "--json").json["children"] == []


def test_the_log_as_json_tells_the_parents_of_each(capsule, study):
    answer = {found["title"]: found["parents"] for found in capsule("log", "--json").json}
    assert answer["plot"] == [str(study["fit"]), str(study["raw a"])]
    assert answer["fit"] == [str(study["clean a"]), str(study["clean b"]), str(ELSEWHERE)]
    assert answer["raw a"] == answer["other"] == []


GRAPH = r"""
*   plot (@)
|\
|  \
*-. |   fit
|\ \ \
| | o | not in this store
| |  /
| * | clean b
| * | raw b
|  /
* | clean a
|/
* raw a

* other
"""


def test_the_graph_has_children_above_their_parents_and_a_mark_for_those_elsewhere(capsule, study):
    done = capsule("log", "--graph")
    assert (done.status, done.err) == (0, "")
    assert drawing(done.out) == GRAPH.splitlines()[1:]


def test_beside_the_graph_stands_what_the_log_says_of_each_capsule(capsule, study):
    capsule("tag", "paper", str(study["clean b"]))
    lines = [re.sub(r"^[^0-9a-f]*", "", line) for line in capsule("log", "--graph").out.splitlines()]
    listed = [line for line in lines if line and "not in this store" not in line]
    assert sorted(listed) == sorted(capsule("log").out.splitlines())


@pytest.mark.parametrize("number", range(9))
def test_so_many_capsules_are_drawn_as_are_asked_for(capsule, study, number):
    whole = capsule("log", "--graph").out.splitlines()
    some = capsule("log", "--graph", "-n", str(number)).out.splitlines()
    assert whole[: len(some)] == some
    assert sum("*" in line for line in some) == min(number, len(study))


def test_as_json_the_capsules_come_in_the_order_of_the_graph(capsule, study):
    for options in (["-n", "3"], []):
        drawn = re.findall(r"^.*\*.*?([0-9a-f]{12})", capsule("log", "--graph", *options).out, re.MULTILINE)
        answer = capsule("log", "--graph", "--json", *options).json
        assert [found["capsule_id"][:12] for found in answer] == drawn
    assert sorted(found["capsule_id"] for found in answer) == sorted(map(str, study.values()))


def test_capsules_that_have_nothing_to_do_with_each_other_stand_apart(capsule, derive):
    for title in ("first", "second", "third"):
        derive(title)
    assert drawing(capsule("log", "--graph").out) == ["* third (@)", "", "* second", "", "* first"]


def test_what_could_harm_a_terminal_is_escaped_beside_a_graph_too(capsule, derive, store):
    git = ["git", "-C", store, "-c", "user.name=A", "-c", "user.email=a@example.org"]
    digest = derive("fit", derive("raw"))
    command = [*git, "commit-tree", str(digest), "-p", "main~1", "-m", "red \x1b[31m"]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([*git, "update-ref", "refs/heads/main", name], check=True)
    lines = capsule("log", "--graph").out.splitlines()
    assert lines[0].endswith(r"  red \x1b[31m (@)")
    (shown,) = rows(capsule("show", capsule("log", "--json").json[1]["capsule_id"]).out, "children")
    assert shown == f"{str(digest)[:12]}  red \\x1b[31m"


def test_colours_are_those_of_the_log(capsule, study):
    assert "\x1b" not in capsule("log", "--graph").out
    colored = capsule("log", "--graph", "--color", "always").out
    assert f"\x1b[33m{str(ELSEWHERE)[:12]}\x1b[0m  not in this store" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == capsule("log", "--graph").out


def test_a_parent_that_cannot_be_read_is_told_of(capsule, derive, store):
    first = derive("first")
    derive("fit", first)
    (store / "objects" / str(first)[:2] / str(first)[2:]).unlink()
    (store / "capsulestore" / "index.sqlite").unlink(missing_ok=True)
    done = capsule("log", "--graph")
    assert done.status == 4
    assert drawing(done.out) == ["* fit (@)", "o cannot be read"]
    assert str(first) in done.err


def test_an_empty_store_has_nothing_to_draw(capsule, store):
    done = capsule("log", "--graph")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert capsule("log", "--graph", "--json").json == []
