"""Who registers a capsule, and under what title: as git says it, and as `git log` prints it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.model.commit import Person
from capsulestore.store import Store


@pytest.fixture
def home() -> Path:
    return Path(os.environ["HOME"])


@pytest.fixture
def author(store, add, git):
    """Add a capsule, and return its author and committer as git prints them."""

    def author() -> str:
        with Store(store.path) as fresh:
            add(fresh)
        who = git(store.path, "log", "-1", "--format=%an <%ae>")
        assert git(store.path, "log", "-1", "--format=%cn <%ce>") == who
        return who

    return author


def identity_of_git(git, store) -> str:
    return git(store.path, "var", "GIT_AUTHOR_IDENT").rsplit(" ", 2)[0]


def config(path: Path, name: str, email: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[user]\n\tname = "{name}"\n' + (f"\temail = {email}\n" if email else ""), encoding="utf-8")


def test_the_user_of_the_global_config(store, git, home, author):
    config(home / ".gitconfig", "Ada Lovelace", "ada@example.org")
    assert author() == identity_of_git(git, store) == "Ada Lovelace <ada@example.org>"


def test_the_user_of_the_config_in_home_where_no_variable_names_one(store, git, home, author, monkeypatch):
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    config(home / ".gitconfig", "Ada Lovelace", "ada@example.org")
    assert author() == identity_of_git(git, store) == "Ada Lovelace <ada@example.org>"


def test_the_user_of_the_config_that_a_variable_names(store, git, home, author, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "elsewhere"))
    config(home / ".gitconfig", "Nobody", "nobody@example.org")
    config(home / "elsewhere", "Ada Lovelace", "ada@example.org")
    assert author() == identity_of_git(git, store) == "Ada Lovelace <ada@example.org>"


def test_the_user_of_the_xdg_config(store, git, home, author, monkeypatch):
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    config(home / "xdg" / "git" / "config", "Ada Lovelace", "ada@example.org")
    assert author() == identity_of_git(git, store) == "Ada Lovelace <ada@example.org>"


def test_the_stores_own_config_comes_before_the_users(store, git, home, author):
    config(home / ".gitconfig", "Ada Lovelace", "ada@example.org")
    git(store.path, "config", "user.name", "The Robot")
    assert author() == identity_of_git(git, store) == "The Robot <ada@example.org>"


def test_an_included_config_counts(store, git, home, author):
    config(home / "included", "Ada Lovelace", "ada@example.org")
    (home / ".gitconfig").write_text("[include]\n\tpath = included\n")
    assert author() == identity_of_git(git, store) == "Ada Lovelace <ada@example.org>"


def test_of_two_values_the_last_counts(store, git, home, author):
    (home / ".gitconfig").write_text("[user]\n name = First\n name = Last\n email = a@example.org\n")
    assert author() == identity_of_git(git, store) == "Last <a@example.org>"


def test_a_name_with_umlauts(store, git, home, author):
    config(home / ".gitconfig", "Jürgen Müller 日本", "j@example.org")
    assert author() == identity_of_git(git, store) == "Jürgen Müller 日本 <j@example.org>"


def test_a_name_that_is_not_utf8_is_readable_all_the_same(store, home, author, sound):
    (home / ".gitconfig").write_bytes(b"[user]\n\tname = J\xfcrgen\n\temail = j@example.org\n")
    assert author() == "J\ufffdrgen <j@example.org>"
    sound(store)


def test_what_would_end_the_field_is_left_out_of_it(store, git, home, author, sound):
    config(home / ".gitconfig", "Ada <the> Countess", "<ada@example.org>")
    assert author() == identity_of_git(git, store) == "Ada the Countess <ada@example.org>"
    sound(store)


def test_the_login_name_and_no_address_where_git_knows_none(author, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ada")
    assert author() == "ada <>"


def test_a_name_without_an_address(home, author):
    config(home / ".gitconfig", "Ada Lovelace")
    assert author() == "Ada Lovelace <>"


def test_an_address_without_a_name(home, author, monkeypatch):
    monkeypatch.setenv("LOGNAME", "ada")
    (home / ".gitconfig").write_text("[user]\n\temail = ada@example.org\n")
    assert author() == "ada <ada@example.org>"


@pytest.mark.parametrize("content", [b"[user\nname = [[[", b"\0", b'[user]\nname = "open', b"[include]\npath = gone\n"])
def test_a_config_that_git_would_not_read_stops_nobody(store, add, home, monkeypatch, content):
    monkeypatch.setenv("LOGNAME", "ada")
    (home / ".gitconfig").write_bytes(content)
    assert add(store).new
    assert str(next(store.commits()).commit.author) == "ada <>"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user without a name")
def test_a_user_without_a_name_can_add_too(tmp_path_factory, git):
    script = """
import os, sys
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store
with Store.init(sys.argv[1]) as store:
    record(store, Surroundings(environment={"python": {}}), Description(title="first"))
    os.setuid(4242424)
    from capsulestore.store.identity import identity
    print(identity(store.path))
"""
    environ = {
        name: value for name, value in os.environ.items() if name not in {"LOGNAME", "USER", "LNAME", "USERNAME"}
    }
    project = tmp_path_factory.mktemp("project")
    done = subprocess.run(
        [sys.executable, "-c", script, str(project)], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "unknown <>\n"


def test_a_given_author_comes_before_the_config(store, home, encoded, git):
    config(home / ".gitconfig", "Ada Lovelace", "ada@example.org")
    store.add(encoded(), "a title", author=Person("The Robot", "robot@example.org"))
    assert git(store.path, "log", "--format=%an <%ae>") == "The Robot <robot@example.org>"


@pytest.mark.parametrize(
    ("title", "printed"),
    [
        ("first fit", "first fit"),
        ("Größe der Äpfel: 日本 🙂", "Größe der Äpfel: 日本 🙂"),
        ("two\nlines", "two lines"),
        ("two\r\n\r\nlines", "two lines"),
        ("a\0nul", "a nul"),
        ("tab\tand\x1bescape", "tab and escape"),
        ("  around  ", "around"),
        ("author A <a> 0 +0000\n\ntree 0", "author A <a> 0 +0000 tree 0"),
        ("", ""),
        ("\n", ""),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_a_title_is_one_line_of_git_log(store, add, git, sound, title, printed):
    digest = add(store, title).capsule
    assert git(store.path, "log", "--format=%B") == printed
    assert git(store.path, "log", "--format=%s") == printed
    assert store.capsule(digest).manifest.title == title
    sound(store)


def test_a_title_that_git_would_not_take_is_a_title_all_the_same(store, add, git, sound):
    add(store, "-m --amend")
    assert git(store.path, "log", "--format=%s") == "-m --amend"
    sound(store)


def test_the_time_is_in_seconds_of_utc(store, add, git):
    add(store)
    registration = next(store.commits())
    assert git(store.path, "log", "--format=%ad", "--date=raw") == f"{registration.commit.time} +0000"
