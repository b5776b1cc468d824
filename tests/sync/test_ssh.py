"""Remotes over ssh: a real sshd, the program that git would take, and what ssh says when it gives up."""

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from git_peers import Peer, Way
from remote_exchanges import fetched, pack_of, pushed, refused

from capsulestore.errors import RemoteRefused, RemoteUnreachable
from capsulestore.sync.address import Address
from capsulestore.sync.remote import Update

pytest_plugins = ["remote_fixtures"]

DIALOGUE = Path(__file__).parents[1] / "terminal_dialogue.py"


@pytest.fixture
def filled(ssh, history, nothing_is_left):
    peer = ssh.peer("ssh an odd 'name'!.git")
    shutil.copytree(history.repository, peer.repository, dirs_exist_ok=True)
    return replace(peer, url=peer.url.replace(" ", "%20"))


def by(peer: Peer, ssh: Way, configuration: str) -> Peer:
    command = f"ssh -F {ssh.directory.parent / configuration}"
    return replace(peer, environ={**peer.environ, "GIT_SSH_COMMAND": command})


def test_a_path_is_quoted_for_the_shell_there(filled):
    assert fetched(filled)


def test_host_and_path_may_be_written_in_short(filled, ssh, history):
    address = Address.parse(filled.url)
    config = ssh.directory.parent / "by_name"
    config.write_text((ssh.directory.parent / "right").read_text() + f"Hostname 127.0.0.1\nPort {address.port}\n")
    known = (ssh.directory.parent / "known_hosts").read_text()
    assert f":{address.port} " in known
    peer = replace(filled, url=f"{address.user}@a-name:{filled.repository}")
    assert fetched(by(peer, ssh, "by_name"))


def test_git_ssh_is_a_program(filled, tmp_path):
    program = tmp_path / "my ssh"
    program.write_text(f'#!/bin/sh\nexec {filled.environ["GIT_SSH_COMMAND"]} "$@"\n')
    program.chmod(0o755)
    environ = {name: value for name, value in filled.environ.items() if name != "GIT_SSH_COMMAND"}
    assert fetched(replace(filled, environ={**environ, "GIT_SSH": str(program)}))


def test_the_first_connection_of_many_keeps_nobody_waiting(filled, tmp_path, history):
    """Ssh may stay for those to come (ControlPersist), with the standard error that it was started with."""
    pack = pack_of(history.repository, history.other, f"^{history.first}")
    assert pushed(filled, pack, Update("refs/heads/other", None, history.other)).refusals == {}


def test_an_unknown_host_is_not_trusted(filled, ssh):
    reasons = refused(by(filled, ssh, "strange_host"), RemoteUnreachable)
    assert all("its host key is not known here" in reason for reason in reasons)


def test_a_host_with_another_key_than_before_is_not_trusted(filled, ssh):
    reasons = refused(by(filled, ssh, "changed_host"), RemoteUnreachable)
    assert all("its host key is not the one that it had" in reason for reason in reasons)


def test_a_key_that_is_not_known_there_is_refused(filled, ssh):
    assert all("Permission denied (publickey)" in reason for reason in refused(by(filled, ssh, "wrong"), RemoteRefused))


def test_who_does_not_answer_is_unreachable(nothing_is_left):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url, reason in (
        (f"ssh://127.0.0.1:{port}/x", "Connection refused"),
        ("nobody@host.invalid:x", "Could not resolve hostname host.invalid"),
    ):
        peer = Peer(url, None, os.environ)
        assert all(reason in said for said in refused(peer, RemoteUnreachable))


def test_without_ssh_one_line_says_so(tmp_path, nothing_is_left):
    peer = Peer("host.invalid:x", tmp_path, {**os.environ, "PATH": str(tmp_path)})
    assert refused(peer, RemoteUnreachable) == ["it is reached by `ssh`, which is not on this machine"] * 2


def test_a_machine_without_git_is_told(filled, tmp_path):
    (tmp_path / "ssh").write_text("echo 'bash: line 1: git-upload-pack: command not found' >&2\nexit 127\n")
    peer = replace(filled, environ={**os.environ, "GIT_SSH_COMMAND": f"sh {tmp_path}/ssh"})
    assert refused(peer, RemoteUnreachable)[0].startswith("there is no git on that machine")


ASKS = """
import os, sys
from capsulestore.sync.address import Address
from capsulestore.sync.connect import connect
from capsulestore.sync.remote import Surroundings

remote = connect("origin", Address.parse(sys.argv[1]), Surroundings(os.environ, interactive=True))
print("tip:", remote.push(lambda _: None).advertised.main)
"""


@pytest.mark.slow
def test_ssh_asks_at_the_terminal_where_somebody_is(filled, ssh, tmp_path, history):
    config = tmp_path / "asking"
    known = tmp_path / "learned"
    kept = [line for line in (ssh.directory.parent / "right").read_text().splitlines() if "Known" not in line]
    config.write_text("\n".join([*kept, f"UserKnownHostsFile {known}", "GlobalKnownHostsFile /dev/null", ""]))
    dialogue = json.dumps([["continue connecting", "yes\n"], ["tip:", ""]])
    command = [sys.executable, DIALOGUE, dialogue, sys.executable, "-c", ASKS, filled.url]
    environ = {**filled.environ, "GIT_SSH_COMMAND": f"ssh -F {config}"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert history.second.hex in done.stdout
    assert known.exists()
