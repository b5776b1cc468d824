"""Many at once: whatever is pushed and pulled at the same time arrives, and nobody fails for it."""

from pathlib import Path

import pytest
from exchangers import Ended, Job, run
from exchanges import add, clone_from, left_over, pull_from, push_to, refs, registered, sound

from capsulestore.store import Store

pytest_plugins = ["exchange_fixtures"]

WELL = Ended(0, "")


def titles(client: int, count: int, every: int) -> list[str]:
    """Those of one client's capsules; after each that ends with `!` it pushes."""
    return [f"{client}.{number}{'' if number % every else '!'}" for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("clients", "count", "every"), [(3, 2, 1), pytest.param(12, 6, 3, marks=pytest.mark.slow)], ids=["a few", "many"]
)
def test_all_that_many_push_to_one_remote_at_once_arrives(hub, tmp_path, clients, count, every):
    jobs = [
        Job("add and push", str(tmp_path / f"{client}"), str(hub), titles(client, count, every))
        for client in range(clients)
    ]
    assert run(jobs, at_once=True) == [WELL] * clients
    expected = set()
    for client in range(clients):
        expected |= registered(tmp_path / f"{client}" / ".capsules")
    assert len(expected) == clients * count
    assert registered(hub) == expected
    sound(hub)


@pytest.mark.slow
def test_what_many_push_into_a_store_arrives_while_that_registers_its_own(ours, tmp_path):
    jobs = [Job("add and push", str(tmp_path / f"{number}"), ours.path, titles(number, 2, 1)) for number in range(3)]
    jobs.append(Job("add", ours.path, titles=[f"own {number}" for number in range(5)]))
    assert run(jobs, at_once=True) == [WELL] * 4
    assert len(registered(ours.path)) == 3 * 2 + 5
    assert len(ours.index.capsules()) == 3 * 2 + 5
    sound(ours.path)


@pytest.mark.slow
def test_several_may_pull_into_one_store_at_once(hub, ours, theirs):
    for number in range(3):
        add(ours, f"{number}", environment=f"{number}")
    ours.tags.set("paper", add(ours, "tagged"))
    push_to(hub, ours)
    add(theirs, "theirs")
    assert run([Job("pull", theirs.path, str(hub))] * 4, at_once=True) == [WELL] * 4
    assert len(registered(theirs.path)) == 5
    assert str(theirs.tags.all()["paper"]) == refs(hub)["refs/tags/paper"]
    sound(theirs.path)


@pytest.mark.slow
def test_what_is_registered_while_a_push_is_under_way_goes_with_the_next(hub, ours):
    add(ours, "before")
    adds = Job("add", ours.path, titles=[f"{number}" for number in range(6)])
    assert run([adds, *[Job("push", ours.path, str(hub))] * 3], at_once=True) == [WELL] * 4
    assert registered(hub) <= registered(ours.path)
    push_to(hub, ours)
    assert registered(hub) == registered(ours.path)
    assert refs(hub)["refs/heads/main"] == str(ours.tip)
    sound(hub, ours.path)


@pytest.mark.slow
def test_of_two_tags_of_one_name_one_arrives_and_all_capsules_do(hub, ours, tmp_path):
    add(ours, "first")
    push_to(hub, ours)
    paths = [clone_from(hub, tmp_path / name) for name in ("a", "b")]
    for path in paths:
        with Store(str(path)) as store:
            add(store, f"of {path}")
    jobs = [Job("tag and push", str(path), str(hub), ["paper"]) for path in paths]
    assert run(jobs, at_once=True) == [WELL] * 2
    meant = [refs(path)["refs/tags/paper"] for path in paths]
    assert refs(hub)["refs/tags/paper"] in meant
    assert meant[0] != meant[1]
    assert len(registered(hub)) == 3
    for path in paths:
        with Store(str(path)) as store:
            pull_from(hub, store)
    assert [refs(path)["refs/tags/paper"] for path in paths] == meant
    sound(hub, *paths)


@pytest.mark.slow
def test_of_many_that_clone_to_one_place_one_wins_and_nothing_else_is_left(hub, ours, tmp_path):
    add(ours, "a capsule")
    push_to(hub, ours)
    ended = run([Job("clone", str(tmp_path / "clone"), str(hub))] * 4, at_once=True)
    assert WELL in ended
    assert {one.error.partition(":")[0] for one in ended if one != WELL} <= {"StoreUnwritable", "UsageError"}
    assert sorted(path.name for path in Path(tmp_path / "clone").iterdir()) == [".capsules", ".gitignore"]
    assert registered(tmp_path / "clone" / ".capsules") == registered(hub)
    assert left_over(hub) == []
