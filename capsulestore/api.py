"""The HTTP application of a store, for any ASGI server: `create_app`; `capsule serve` runs it.

    app = create_app("/srv/analyses/.capsules")

It needs the extra `server`.
"""

from __future__ import annotations

import os
import shutil
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from capsulestore.capture.target import Target, of_caller
from capsulestore.serving.limits import LIMITS, Limits
from capsulestore.store import Store

try:
    from starlette.responses import PlainTextResponse

    from capsulestore.serving.access.guard import Guard
    from capsulestore.serving.access.rules import Access
    from capsulestore.serving.application import application
    from capsulestore.serving.git.transport import GitTransport
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"anyio", "fastapi", "packaging", "pydantic", "starlette"}:
        raise
    raise ImportError("the server is not installed: `pip install 'capsulestore[server]'`") from error

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["create_app"]

_NO_GIT: Final = "git is switched off on this server (--no-git)\n"


def create_app(
    store_path: str | os.PathLike[str],
    *,
    python: str | os.PathLike[str] | Target | None = None,
    access: Access | None = None,
    limits: Limits = LIMITS,
    git: bool = True,
) -> FastAPI:
    """Return the application that serves the store at a path, its routes under `/api` and git's transport at `/git`.

    `python` is the interpreter whose environment is the server's own, which `environment-verify` looks at: the running
    one where none is named. `access` says who may do what; without it, whoever reaches the server may read, and
    who has a token of scope `write` may register. So it is for a server on the loopback.

    Raise `NoStore`, `StoreUnreadable` and `InterpreterProblem`.
    """
    with Store(os.fsdecode(store_path)) as store:
        path = store.path
    target = python if isinstance(python, Target) else of_caller(python)
    with_git = git and shutil.which("git") is not None
    app = application(path, target, limits, git=with_git)
    app.mount("/git", GitTransport(path, limits) if git else PlainTextResponse(_NO_GIT, HTTPStatus.NOT_FOUND))
    app.add_middleware(Guard, access=access or Access.on_loopback(path), store=path)
    return app
