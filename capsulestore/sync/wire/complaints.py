"""What git and ssh say when they give up, as one problem with a remote and what to do about it."""

from __future__ import annotations

import re
import shlex
from typing import Final, NamedTuple

from capsulestore.errors import NoCapsuleStore, RemoteProblem, RemoteRefused, RemoteUnreachable
from capsulestore.sync.address import Address

__all__ = ["problem_of"]

_MAX_LINE: Final = 300
_FROM_GIT: Final = re.compile(r"(?:remote: )?(?:fatal|error): ")
_OF_US: Final = "the remote end hung up unexpectedly"
"""What git says there of us, once the connection is gone."""


class _Known(NamedTuple):
    """A complaint: how it is recognised, which problem it is, in which words (None: its own), and a hint.

    In hint and words stand groups of the expression, `{quoted}`, the group `path` for a shell, and `{ssh}`, the command
    that reaches the same place.
    """

    pattern: str
    problem: type[RemoteProblem]
    reason: str | None
    hint: str | None


_KNOWN: Final = (
    _Known(
        r"fatal: (?P<what>detected dubious ownership in repository at) '(?P<path>[^'\n]*)'",
        RemoteRefused,
        "{what} `{path}`: it belongs to another user",
        "if you trust it: `git config --global --add safe.directory {quoted}`, as the user that git runs as there",
    ),
    _Known(
        r"does not appear to be a git repository|not a git repository",
        NoCapsuleStore,
        "there is no repository at that path",
        "name the `.capsules` directory itself, or make a place for capsules there with "
        "`git init --bare --object-format=sha256 DIR`",
    ),
    _Known(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        RemoteUnreachable,
        "its host key is not the one that it had (ssh: Host key verification failed.)",
        "find out why before you trust the new one: it may be another machine that answers",
    ),
    _Known(
        r"Host key verification failed\.",
        RemoteUnreachable,
        "its host key is not known here (ssh: Host key verification failed.)",
        "`{ssh}` shows its fingerprint, and asks whether to trust it",
    ),
    _Known(
        r"Could not resolve hostname [^\n]*",
        RemoteUnreachable,
        None,
        "is the name of the host right, and is there a network?",
    ),
    _Known(
        r"connect to host [^\n]*",
        RemoteUnreachable,
        None,
        "does an ssh server run there, at that port?",
    ),
    _Known(
        r"[^\n]*Permission denied \([^\n]*|Too many authentication failures",
        RemoteRefused,
        None,
        "is your key loaded (`ssh-add -l`), and known to that account? `{ssh}` tells more",
    ),
    _Known(
        r"(?:git-(?:upload|receive)-pack|git)['`\"]?: (?:command )?not found",
        RemoteUnreachable,
        "there is no git on that machine, or not where its shell looks for it",
        "install git there",
    ),
)


def problem_of(said: str, remote: str, address: Address) -> RemoteProblem | None:
    """Return the problem that a program's standard error tells of; None where it says nothing.

    What is not known counts as a refusal where git gave up, else as a connection that ended; its last line says why.
    """
    for known in _KNOWN:
        if found := re.search(known.pattern, said):
            words = {**found.groupdict(), "ssh": _ssh(address)}
            words["quoted"] = shlex.quote(words.get("path", ""))
            reason = known.reason.format(**words) if known.reason else f"ssh: {found[0].removeprefix('ssh: ').strip()}"
            return known.problem(remote, reason, hint=known.hint and known.hint.format(**words))
    lines = [line.strip() for line in said.splitlines() if line.strip() and _OF_US not in line]
    if not lines:
        return None
    line = next((line for line in reversed(lines) if _FROM_GIT.match(line)), lines[-1])
    problem = RemoteRefused if _FROM_GIT.match(line) else RemoteUnreachable
    who = "ssh" if address.kind == "ssh" and problem is RemoteUnreachable else "git"
    return problem(remote, f"{who}: {_FROM_GIT.sub('', line.removeprefix('ssh: '), count=1)[:_MAX_LINE]}")


def _ssh(address: Address) -> str:
    port = ["-p", str(address.port)] if address.port else []
    host = f"{address.user}@{address.host}" if address.user else str(address.host)
    return shlex.join(["ssh", *port, host])
