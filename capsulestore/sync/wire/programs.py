"""The programs that carry a conversation: git for a path, ssh for a git elsewhere; started as git starts them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from capsulestore.errors import NoCapsuleStore, RemoteProblem, RemoteRefused, RemoteUnreachable
from capsulestore.store.layout import DIRECTORY
from capsulestore.sync.address import Address
from capsulestore.sync.limits import Limits
from capsulestore.sync.remote import Surroundings
from capsulestore.sync.wire.channel import Channel, Service
from capsulestore.sync.wire.complaints import problem_of
from capsulestore.sync.wire.process_channel import ProcessChannel, Program

__all__ = ["git_environ", "open_path", "open_ssh"]

_OF_ONE_REPOSITORY: Final = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
"""Variables that tell git of one repository, and not of another (`git rev-parse --local-env-vars`)."""

_PROTOCOL: Final = "GIT_PROTOCOL"
"""Would ask for a version of the protocol that is not spoken here."""


@contextmanager
def open_path(
    address: Address, surroundings: Surroundings, remote: str, limits: Limits, service: Service
) -> Iterator[Channel]:
    """Begin a conversation with the git of this machine about a repository at a path.

    A directory that holds `.capsules` stands for that store. Raise `RemoteProblem` where there is none to be reached.
    """
    inside = os.path.join(address.path, DIRECTORY)
    path = inside if os.path.isdir(inside) else address.path
    if not path.startswith("~"):
        _check(path, remote)
    program = Program(["git", service.removeprefix("git-"), path], git_environ(surroundings.environ))
    with _conversation(program, address, remote, limits) as channel:
        yield channel


@contextmanager
def open_ssh(
    address: Address, surroundings: Surroundings, remote: str, limits: Limits, service: Service
) -> Iterator[Channel]:
    """Begin a conversation with a git on another machine, by the ssh program that git would take.

    `GIT_SSH_COMMAND` is a command line for the shell, `GIT_SSH` a program (git(1)), else it is `ssh`. It asks at the
    terminal for what it needs where somebody is there; else it is told not to ask, and has no terminal.
    """
    environ = git_environ(surroundings.environ)
    line, program = environ.get("GIT_SSH_COMMAND", "").strip(), environ.get("GIT_SSH", "")
    start = ["/bin/sh", "-c", f'{line} "$@"', line] if line else [program or "ssh"]
    # Another program need not know this option.
    is_ssh = os.path.basename(line.split()[0] if line else program or "ssh") == "ssh"
    quiet = ["-o", "BatchMode=yes"] if is_ssh and not surroundings.interactive else []
    if not surroundings.interactive:
        environ["SSH_ASKPASS_REQUIRE"] = "never"
    port = ["-p", str(address.port)] if address.port else []
    host = f"{address.user}@{address.host}" if address.user else str(address.host)
    command = [*start, *quiet, *port, host, f"{service} {_quoted(address.path)}"]
    with _conversation(Program(command, environ, surroundings.interactive), address, remote, limits) as channel:
        yield channel


def git_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a git that works on another repository, and speaks the language that is read here."""
    kept = {name: value for name, value in environ.items() if name not in _OF_ONE_REPOSITORY and name != _PROTOCOL}
    return {**kept, "LANGUAGE": "en"}


@contextmanager
def _conversation(program: Program, address: Address, remote: str, limits: Limits) -> Iterator[Channel]:
    try:
        channel = ProcessChannel(program, lambda said: problem_of(said, remote, address), remote, limits)
    except OSError as error:
        raise _not_started(program.command[0], error, remote) from None
    try:
        yield channel
    finally:
        channel.close()


def _not_started(name: str, error: OSError, remote: str) -> RemoteProblem:
    if error.errno == errno.ENOENT:
        return RemoteUnreachable(
            remote,
            f"it is reached by `{name}`, which is not on this machine",
            hint=f"install {name}, or carry a bundle, which needs neither git nor ssh",
        )
    return RemoteUnreachable(remote, f"it is reached by `{name}`, which cannot be started: {error.strerror}")


def _check(path: str, remote: str) -> None:
    """Tell what git does not: whether it is the path that is not there, or a permission."""
    try:
        os.stat(os.path.join(path, "."))
    except PermissionError:
        raise RemoteRefused(
            remote,
            "its directory may not be entered: permission denied",
            hint="whoever owns it can say who may (git-init(1), `--shared`)",
        ) from None
    except NotADirectoryError:
        raise NoCapsuleStore(
            remote, "it is a file, not a directory", hint="a bundle is given by itself: `capsule pull FILE`"
        ) from None
    except FileNotFoundError:
        raise NoCapsuleStore(
            remote,
            "there is no such directory",
            hint="make a place for capsules there with `git init --bare --object-format=sha256 DIR`",
        ) from None
    except OSError as error:
        raise RemoteUnreachable(remote, f"its directory cannot be read: {error.strerror}") from None


def _quoted(path: str) -> str:
    """Return a path quoted for a shell of any kind as git quotes it: csh takes `!` for history within quotes too."""
    return "'" + path.replace("'", r"'\''").replace("!", r"'\!'") + "'"
