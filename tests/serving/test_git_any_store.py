"""Whatever store the administrator names is served, also one of another user, and no program that its config names."""

import os
import stat

import pytest
from git_peers import run_git
from remote_exchanges import MAIN, fetched, pack_of, pushed, tip

from capsulestore.errors import RemoteUnreachable
from capsulestore.sync.remote import Update

pytest_plugins = ["remote_fixtures"]
pytestmark = pytest.mark.parametrize("way", ["served"], indirect=True)

NOBODY = 65534
HOOKS = ("pre-receive", "proc-receive", "update", "reference-transaction", "post-receive", "post-update")


def exchange(peer, history) -> None:
    """A fetch and a push."""
    assert fetched(peer) == pack_of(history.repository, history.second)
    given = pack_of(history.repository, history.other, f"^{history.first}")
    assert pushed(peer, given, Update("refs/tags/other", None, history.other)).refusals == {}
    assert (peer.repository / "refs/tags/other").read_text() == f"{history.other}\n"


@pytest.mark.parametrize("dot_git", ["gitdir: .\n", None], ids=["with .git", "without"])
def test_a_store_of_another_user(filled, history, dot_git):
    if os.geteuid() != 0:
        pytest.skip("only root gives a directory to another user")
    if dot_git:
        (filled.repository / ".git").write_text(dot_git)
    for path in (filled.repository, *filled.repository.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    exchange(filled, history)


def test_a_store_whose_refs_are_packed(filled, history):
    run_git(filled.repository, "pack-refs", "--all")
    exchange(filled, history)
    given = pack_of(history.repository, history.second)
    assert pushed(filled, given, Update(MAIN, history.second, history.second)).refusals == {}
    assert tip(filled.repository) == history.second


def test_a_store_that_cannot_be_written_is_told_as_over_the_other_routes(filled, history):
    """By a file in the way, which stops root too."""
    (filled.repository / "capsulestore").write_bytes(b"")
    with pytest.raises(RemoteUnreachable, match=r"cannot write to the store `\.capsules`: File exists") as raised:
        pushed(filled, b"", Update("refs/tags/first", None, history.first))
    assert "507" in raised.value.message
    assert fetched(filled)


def test_a_store_whose_config_names_programs(filled, history, tmp_path):
    ran, program = tmp_path / "ran", tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >>{ran}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    hooks = tmp_path / "hooks"
    for directory in (hooks, filled.repository / "hooks"):
        directory.mkdir()
        for name in HOOKS:
            (directory / name).symlink_to(program)
    (filled.repository / "objects/info").mkdir(exist_ok=True)
    (filled.repository / "objects/info/alternates").write_text(f"{history.repository}/objects\n")
    settings = {
        "core.alternateRefsCommand": program,
        "core.fsmonitor": program,
        "core.hooksPath": hooks,
        "hook.any.command": program,
        "uploadpack.packObjectsHook": program,
    }
    for name, value in settings.items():
        run_git(filled.repository, "config", name, str(value))
    for name in HOOKS:
        run_git(filled.repository, "config", "--add", "hook.any.event", name)
    exchange(filled, history)
    assert not ran.exists(), ran.read_text()
