"""Asks C git, which then writes nothing, fetches nothing, asks nobody and runs no hook.

What it does run are the clean filters that the user configured (gitattributes(5), "filter"): without them it could not
tell whether a file differs from its commit.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from capsulestore.capture.own_environ import own_environ

if TYPE_CHECKING:
    import subprocess

__all__ = ["GitProblem", "git"]

_SECONDS: Final = 30.0
_MAX_BYTES: Final = 64 * 2**20
_MAX_SAID: Final = 200

_OPTIONS: Final = (
    "--no-pager",
    "--no-optional-locks",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.quotePath=false"),
    # What differs must not depend on what a user, or a repository, told git to overlook.
    *("-c", "core.excludesFile=/dev/null"),
    *("-c", "core.trustctime=true"),
    *("-c", "core.checkStat=default"),
    *("-c", "core.ignoreStat=false"),
    # `git diff` would else write an index whose times are stale.
    *("-c", "diff.autoRefreshIndex=false"),
)
_VARIABLES: Final = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # A partial clone would else fetch what it lacks.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
_PASSED_ON: Final = ("GIT_CONFIG_", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")


class GitProblem(Exception):
    """Git did not answer. `code` is a finding's; the text says why; `printed` is what it answered before that."""

    def __init__(self, code: str, said: str, printed: bytes = b"") -> None:
        super().__init__(said)
        self.code = code
        self.printed = printed


def git(directory: str, *arguments: str, limit: int = _MAX_BYTES, may_fail: bool = False) -> bytes:
    """Return what git prints when it is started in a directory; at most `limit` bytes, within 30 seconds.

    The directory alone says which repository: `GIT_DIR` and its like are not passed on. Raise `GitProblem` where git is
    not installed, ends in an error (with `may_fail`: in one that it prints no reason for), or exceeds a limit.
    """
    import subprocess  # noqa: PLC0415  (start-up counts, and nothing may lie in a repository)

    try:
        process = subprocess.Popen(
            ["git", *_OPTIONS, "-C", directory, *arguments],  # noqa: S607  (whichever git the user has)
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environ(),
        )
    except (OSError, ValueError):
        raise GitProblem("git-missing", "git cannot be started") from None
    with process:
        try:
            answer, said = _read(process, limit)
        except BaseException:
            process.kill()
            raise
    if process.returncode and not (may_fail and not said):
        raise GitProblem("git-failed", _first_line(said) or f"git ended with {process.returncode}", answer)
    return answer


def _environ() -> dict[str, str]:
    passed_on = {
        name: value
        for name, value in own_environ().items()
        if not name.startswith("GIT_") or (name.startswith(_PASSED_ON) and name != "GIT_CONFIG_PARAMETERS")
    }
    return passed_on | _VARIABLES


def _read(process: subprocess.Popen[bytes], limit: int) -> tuple[bytes, bytes]:
    """Return what a process prints and what it complains of, of the latter only the beginning."""
    import selectors  # noqa: PLC0415
    import time  # noqa: PLC0415

    deadline = time.monotonic() + _SECONDS
    answer, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, received in ((process.stdout, answer), (process.stderr, said)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, received)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise GitProblem("git-slow", f"git did not answer within {_SECONDS:.0f} seconds")
            for key, _ in ready:
                part = os.read(key.fd, 2**16)
                if not part:
                    selector.unregister(key.fileobj)
                elif key.data is answer or len(said) < _MAX_SAID:
                    key.data.extend(part)
            if len(answer) > limit:
                raise GitProblem("git-too-much", f"git prints more than {limit} bytes")
    return bytes(answer), bytes(said)


def _first_line(said: bytes) -> str:
    lines = said.decode("utf-8", "backslashreplace").strip().splitlines()
    return lines[0].removeprefix("fatal: ")[:_MAX_SAID] if lines else ""
