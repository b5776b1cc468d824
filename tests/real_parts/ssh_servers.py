"""A real sshd on the loopback, with keys of its own: no file of the user's takes part, nor any agent."""

import getpass
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from git_peers import Way

__all__ = ["by_ssh"]

_SERVER: Final = """\
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
SetEnv HOME={directory} GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
"""
_CLIENT: Final = """\
IdentityFile {directory}/{key}
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile {directory}/{known}
GlobalKnownHostsFile /dev/null
PreferredAuthentications publickey
"""
_SHARED: Final = """\
ControlMaster auto
ControlPath {directory}/%C
ControlPersist 20
"""
"""One connection for all that follow, as many a user has it: to set one up takes longer than all that is tested."""


@contextmanager
def by_ssh(directory: Path) -> Iterator[Way]:
    """Reach the repositories in `directory/repositories` over ssh; `wrong` has a key that the server does not know.

    There are more configurations of ssh in the directory: `right`, for a connection of its own; `strange_host`, to
    which the host's key is not known; `changed_host`, to which it was another. Skips where no sshd runs.
    """
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not sshd or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        pytest.skip("there is no OpenSSH server, or no client, on this machine")
    (directory / "repositories").mkdir()
    for name in ("host_key", "user_key", "other_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True)
    shutil.copy(directory / "user_key.pub", directory / "authorized_keys")
    (directory / "sshd_config").write_text(_SERVER.format(directory=directory))
    if os.geteuid() == 0:
        # What it confines itself to as root; its package leaves that to systemd.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    command = [sshd, "-i", "-f", str(directory / "sshd_config"), "-E", str(directory / "sshd.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    if checked.returncode:
        pytest.skip(f"sshd does not run here: {checked.stderr.strip()}{(directory / 'sshd.log').read_text()}")
    with _served(command) as port:
        for name, key, known in (
            ("right", "user_key", "known_hosts"),
            ("wrong", "other_key", "known_hosts"),
            ("strange_host", "user_key", "no_known_hosts"),
            ("changed_host", "user_key", "changed_known_hosts"),
        ):
            (directory / name).write_text(_CLIENT.format(directory=directory, key=key, known=known))
        for known, key in (("known_hosts", "host_key"), ("changed_known_hosts", "other_key")):
            kind, value, *_ = (directory / f"{key}.pub").read_text().split()
            (directory / known).write_text(f"[127.0.0.1]:{port} {kind} {value}\n")
        shared = (directory / "right").read_text() + _SHARED.format(directory=directory)
        (directory / "shared").write_text(shared)
        prefix = f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
        try:
            yield Way(
                "ssh",
                directory / "repositories",
                lambda path: f"{prefix}{path}",
                {"GIT_SSH_COMMAND": f"ssh -F {directory}/shared"},
                wrong={"GIT_SSH_COMMAND": f"ssh -F {directory}/wrong"},
            )
        finally:
            ending = [
                "ssh",
                "-F",
                directory / "shared",
                "-O",
                "exit",
                "-p",
                str(port),
                f"{getpass.getuser()}@127.0.0.1",
            ]
            subprocess.run(ending, capture_output=True, check=False)


@contextmanager
def _served(command: list[str]) -> Iterator[int]:
    """Start the server for each connection, as inetd(8) does: so its port is there before, and no daemon is left."""
    started: list[subprocess.Popen[bytes]] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                started.append(
                    subprocess.Popen(command, stdin=connection, stdout=connection, stderr=subprocess.DEVNULL)
                )

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        listening.close()
        for process in started:
            process.terminate()
            process.wait()
