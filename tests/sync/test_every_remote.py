"""What every remote that git answers for does, whatever leads there; real git looks at both sides after each test."""

import pytest
from git_peers import commit, run_git, sound
from remote_exchanges import MAIN, NO_OBJECT, Heard, fetched, pack_of, pushed, remote_of, tip

from capsulestore.model.digest import Digest
from capsulestore.sync.remote import Push, Update

pytest_plugins = ["remote_fixtures"]


def test_everything_is_fetched(filled, history, here):
    run_git(here, "index-pack", "--stdin", "--strict", given=fetched(filled))
    run_git(here, "update-ref", MAIN, history.second.hex)
    assert run_git(here, "rev-list", MAIN).split() == [history.second.hex, history.first.hex]
    sound(here)
    sound(filled.repository)


def test_only_what_is_new_is_fetched(filled, history, here):
    run_git(here, "index-pack", "--stdin", given=pack_of(history.repository, history.first))
    pack = fetched(filled, history.first)
    assert int.from_bytes(pack[8:12], "big") == 3
    run_git(here, "index-pack", "--stdin", "--strict", given=pack)
    run_git(here, "update-ref", MAIN, history.second.hex)
    sound(here)


def test_a_commit_that_only_one_side_has_does_no_harm(filled, history):
    pack = fetched(filled, Digest("1" * 64), history.first)
    assert int.from_bytes(pack[8:12], "big") == 3


def test_where_nothing_is_wanted_nothing_comes(filled, history):
    with remote_of(filled).fetch(lambda _advertised: [], []) as answer:
        assert answer.advertised.refs == {MAIN: history.second}
        assert answer.pack is None


def test_a_fetch_may_be_left_before_its_end(filled):
    with remote_of(filled).fetch(lambda advertised: [advertised.main], []) as answer:
        assert next(answer.pack)
    sound(filled.repository)


def test_what_the_caller_raises_comes_through(filled):
    def raises(_advertised):
        raise KeyError("mine")

    with pytest.raises(KeyError), remote_of(filled).fetch(raises, []):
        pass
    with pytest.raises(KeyError):
        remote_of(filled).push(raises)
    with pytest.raises(KeyError):
        remote_of(filled).push(lambda _: Push([Update("refs/heads/new", None, NO_OBJECT)], map(raises, [1])))
    sound(filled.repository)


def test_bytes_are_counted(filled):
    heard = Heard()
    with remote_of(filled, heard).fetch(lambda advertised: [advertised.main], []) as answer:
        pack = b"".join(answer.pack)
    assert heard.count > len(pack)


def test_a_new_ref_is_pushed(empty, history):
    pack = pack_of(history.repository, history.second)
    assert pushed(empty, pack, Update(MAIN, None, history.second)).refusals == {}
    assert tip(empty.repository) == history.second
    sound(empty.repository)


def test_an_update_is_pushed(filled, history):
    third = Digest(commit(history.repository, "third", history.second.hex))
    pack = pack_of(history.repository, third, f"^{history.second}")
    assert pushed(filled, pack, Update(MAIN, history.second, third)).refusals == {}
    assert tip(filled.repository) == third
    sound(filled.repository)


def test_what_is_not_to_be_pushed_is_not(filled, history):
    assert remote_of(filled).push(lambda _: None).advertised.main == history.second
    assert pushed(filled, b"").refusals == {}
    assert tip(filled.repository) == history.second
