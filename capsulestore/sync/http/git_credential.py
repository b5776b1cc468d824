"""Asks git's credential helpers, by `git credential` (git-credential(1))."""

from __future__ import annotations

import subprocess
from typing import Final, Literal

from capsulestore.sync.remote import Surroundings

__all__ = ["ask"]

_SECONDS: Final = 60.0
"""How long helpers may take which have nobody to ask."""


def ask(what: Literal["fill", "approve", "reject"], description: bytes, surroundings: Surroundings) -> bytes:
    """Return what git says to a description, lines `KEY=VALUE`; nothing where it knows nothing, or there is no git.

    Where nobody is there to be asked git does not ask: it has no terminal then, nor a window (`SSH_ASKPASS`); what
    `GIT_ASKPASS` names is asked all the same.
    """
    # All of them: what configures git by variables may name the helper.
    environ = {**surroundings.environ}
    alone = not surroundings.interactive
    if alone:
        environ |= {"GIT_TERMINAL_PROMPT": "0"}
        environ.pop("SSH_ASKPASS", None)
    try:
        done = subprocess.run(
            ["git", "credential", what],  # noqa: S607  (whichever git the user has)
            input=description,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS if alone else None,
            start_new_session=alone,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return b"" if done.returncode else done.stdout
