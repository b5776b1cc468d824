"""Remotes are git's own, in the store's config: git reads ours, we read git's, and all else in the file stays."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from capsulestore.errors import MalformedName, StoreUnreadable, UnknownName, UsageError
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.sync.memory import SENT, Memory, Offered
from capsulestore.sync.remotes import named as remotes

SOMETHING = Digest("a1" * 32)
URLS = [
    "/a/path",
    '/a path/with#signs;and\\more"',
    "ssh://user@example.org:22/a/path",
    "user@example.org:a/path",
    "https://example.org/a.git",
]


@pytest.fixture
def config(store) -> Path:
    return Path(store.path, "config")


def test_git_reads_the_same_remote_as_if_it_had_made_it(store, tmp_path, git):
    for number, url in enumerate(URLS):
        remotes.add(store, f"remote-{number}", url)
    with Store.init(str(tmp_path / "other")) as other:
        for number, url in enumerate(URLS):
            git(other.path, "remote", "add", f"remote-{number}", url)
        assert Path(store.path, "config").read_bytes() == Path(other.path, "config").read_bytes()
    assert git(store.path, "remote", "get-url", "remote-1") == URLS[1]


def test_a_remote_that_git_made_is_listed(store, git):
    git(store.path, "remote", "add", "second", "https://example.org/a.git")
    git(store.path, "remote", "add", "first", URLS[1])
    git(store.path, "remote", "set-url", "--push", "first", "ssh://example.org/b")
    first, second = remotes.listed(store.path)
    assert (first.name, first.url, first.address.path) == ("first", URLS[1], URLS[1])
    assert (first.push_address.host, second.push_address.text) == ("example.org", "https://example.org/a.git")


def test_of_several_urls_the_first_counts(store, git):
    git(store.path, "remote", "add", "origin", "/first")
    git(store.path, "remote", "set-url", "--add", "origin", "/second")
    assert remotes.find(store.path, "origin").push_address.path == "/first"


def test_a_relative_path_means_the_same_from_any_working_directory(store, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert remotes.add(store, "origin", "other/.capsules").url == str(tmp_path / "here" / "other" / ".capsules")
    assert remotes.add(store, "above", "../x").address.path == f"{tmp_path}/here/../x"


def test_a_relative_path_that_git_wrote_is_one_from_the_store(store, git):
    git(store.path, "remote", "add", "origin", "../../other")
    assert remotes.find(store.path, "origin").address.path == f"{store.path}/../../other"


def test_all_else_in_the_file_stays_byte_for_byte(store, config):
    kept = (
        config.read_bytes() + b'# of mine\r\n[user]\n\tname = "A; B" # "\n[remote "kept"] url = /k ; why\n\n  [a "b"]'
    )
    config.write_bytes(kept)
    remotes.add(store, "origin", "/a")
    assert config.read_bytes().startswith(kept + b"\n[remote")
    remotes.remove(store, "origin")
    assert config.read_bytes() == kept + b"\n"


def test_a_comment_behind_a_remote_that_goes_stays(store, config, git):
    made = config.read_bytes()
    config.write_bytes(
        made + b'[remote "origin"] ; ours\n\turl = /a # why\n\tproxy = \\\n  x\n# of mine\n[user]\n\tname = A\n'
    )
    remotes.remove(store, "origin")
    assert config.read_bytes() == made + b"# of mine\n[user]\n\tname = A\n"


def test_a_remote_in_several_places_goes_from_all(store, config, git):
    config.write_bytes(
        config.read_bytes() + b'[remote "a"]\n\turl = /a\n[lab]\n\tname = A\n[REMOTE "a"]\n\tpushurl = /b\n'
    )
    assert remotes.find(store.path, "a").push_url == "/b"
    remotes.remove(store, "a")
    assert (remotes.listed(store.path), git(store.path, "remote"), git(store.path, "config", "lab.name")) == (
        (),
        "",
        "A",
    )


def test_the_file_keeps_its_permissions(store, config):
    config.chmod(0o640)
    remotes.add(store, "origin", "/a")
    assert config.stat().st_mode & 0o777 == 0o640


def test_a_name_that_is_taken_is_refused_with_what_has_it(store, config):
    remotes.add(store, "origin", "/a")
    before = config.read_bytes()
    with pytest.raises(UsageError, match="there is a remote `origin` already: /a") as caught:
        remotes.add(store, "origin", "/b")
    assert ("capsule remote remove origin" in caught.value.hint, config.read_bytes()) == (True, before)


@pytest.mark.parametrize("name", ["origin/a", "team"])
def test_a_name_whose_refs_would_be_in_the_way_of_another_s_is_refused(store, name):
    remotes.add(store, "origin", "/a")
    remotes.add(store, "team/lab", "/b")
    with pytest.raises(UsageError, match="there can be none"):
        remotes.add(store, name, "/c")


@pytest.mark.parametrize(
    "name", ["", "a b", "a..b", "a.lock", ".a", "a/", "/a", "a~1", "a:b", "../..", "a\nb", "a\\b", "x" * 300]
)
def test_a_name_that_git_refuses_is_refused(store, config, name):
    before = config.read_bytes()
    with pytest.raises(MalformedName):
        remotes.add(store, name, "/a")
    assert config.read_bytes() == before
    done = subprocess.run(["git", "-C", store.path, "remote", "add", name, "/a"], capture_output=True, check=False)
    # The files of so long a name do not fit, which git says when it fetches.
    assert done.returncode != 0 or len(name) > 250


@pytest.mark.parametrize("name", ["origin", "a-b_c.d", "-a", "@", "é", 'we"ird', "a]b", "lab/one", "a#b"])
def test_a_name_that_git_takes_is_taken(store, git, name):
    remotes.add(store, name, "/a")
    assert [remote.name for remote in remotes.listed(store.path)] == [name]
    assert git(store.path, "remote", "get-url", "--", name) == "/a"
    remotes.remove(store, name)
    assert git(store.path, "remote") == ""


def test_a_name_in_the_file_that_leads_out_of_the_refs_is_passed_over(store, config):
    config.write_bytes(config.read_bytes() + b'[remote "../../../HEAD"]\n\turl = /a\n')
    assert remotes.listed(store.path) == ()


def test_a_remote_that_is_not_there_is_unknown_and_the_others_are_named(store):
    with pytest.raises(UnknownName, match="there is no remote `origin`") as caught:
        remotes.remove(store, "origin")
    assert caught.value.hint == "make it with `capsule remote add origin URL`"
    remotes.add(store, "lab", "/a")
    with pytest.raises(UnknownName) as caught:
        remotes.find(store.path, "origin")
    assert caught.value.hint == "there is `lab`"


def remember(store, name) -> Memory:
    memory = Memory(store, name)
    memory.has(SOMETHING)
    memory.offer(Offered(SOMETHING, SOMETHING))
    memory.choose([SOMETHING])
    return memory


def remembered(memory) -> tuple:
    return memory.sent, memory.offered, memory.chosen


def test_removing_drops_what_is_known_of_it_and_nothing_else(store):
    remotes.add(store, "origin", "/a")
    memory, other = remember(store, "origin"), remember(store, "other")
    for name in ("origin/main", "origin/lab/main", "original/main"):
        store.refs.put(f"refs/remotes/{name}", SOMETHING)
    remotes.remove(store, "origin")
    assert remembered(memory) == (None, None, frozenset())
    assert remembered(other) == (SOMETHING, Offered(SOMETHING, SOMETHING), {SOMETHING})
    assert set(store.refs.below("refs/")) == {"capsules/sent/other", "remotes/original/main"}


@pytest.mark.parametrize("name", ["origin", "origin/new"])
def test_a_new_remote_knows_nothing_of_one_that_git_removed(store, git, name):
    remotes.add(store, "origin", "/a")
    memory = remember(store, "origin")
    git(store.path, "remote", "remove", "origin")
    remotes.add(store, name, "/b")
    assert remembered(memory) == (None, None, frozenset())
    assert store.refs.below(SENT) == {}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@example.org/a.git", "https://example.org/a.git"),
        ("https://example.org/a.git?token=secret", "https://example.org/a.git"),
        ("ext::sh -c secret", "ext::sh -c secret"),
        ("ftp://user:secret@example.org/a", "ftp://example.org/a"),
    ],
)
def test_what_git_keeps_and_we_do_not_use_is_listed_without_its_credentials(store, git, url, shown):
    git(store.path, "remote", "add", "origin", url)
    remote = remotes.find(store.path, "origin")
    assert remote.shown == shown
    with pytest.raises(UsageError, match=r"^the url of the remote `origin`: ") as caught:
        _ = remote.address
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_a_password_is_never_written(store, config):
    before = config.read_bytes()
    with pytest.raises(UsageError, match="password"):
        remotes.add(store, "origin", "https://user:secret@example.org/a.git")
    assert config.read_bytes() == before
    remotes.add(store, "origin", "https://token@example.org/a.git")
    assert b"token" not in config.read_bytes()


def test_a_remote_without_a_url_is_listed_and_cannot_be_used(store, git):
    git(store.path, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    remote = remotes.find(store.path, "origin")
    assert remote.shown == ""
    with pytest.raises(UsageError, match="has no url"):
        _ = remote.push_address


def test_a_damaged_config_is_said_to_be_damaged(store, config):
    config.write_bytes(config.read_bytes() + b'[remote "origin\n')
    with pytest.raises(StoreUnreadable, match="damaged: bad line 15"):
        remotes.listed(store.path)
