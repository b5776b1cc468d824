"""Who registers a capsule: as git would say it of a commit."""

from __future__ import annotations

import os

from capsulestore.model.commit import Person

__all__ = ["identity"]


def identity(store: str) -> Person:
    """Return git's `user.name` and `user.email`, the store's own config first; else the login name, and no address.

    A host name is never part of it.
    """
    from dulwich.config import ConfigFile, StackedConfig  # noqa: PLC0415

    try:
        config = StackedConfig([ConfigFile.from_path(os.path.join(store, "config")), *StackedConfig.default_backends()])
    except (OSError, ValueError):
        return Person(_login_name())
    values = {}
    for key in ("name", "email"):
        try:
            values[key] = config.get((b"user",), key.encode()).decode("utf-8", "replace")
        except KeyError:
            values[key] = ""
    return Person(values["name"] or _login_name(), values["email"])


def _login_name() -> str:
    import getpass  # noqa: PLC0415

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
