"""The remote at an address, by whatever reaches it."""

from __future__ import annotations

from functools import partial

from capsulestore.sync.address import Address
from capsulestore.sync.limits import LIMITS, Limits
from capsulestore.sync.remote import SILENT, Progress, Remote, Surroundings, describe

__all__ = ["connect"]


def connect(
    name: str, address: Address, surroundings: Surroundings, progress: Progress = SILENT, limits: Limits = LIMITS
) -> Remote:
    """Return the remote at an address; nothing is asked of it yet. `name` is what the user calls it.

    Over HTTP the password that one conversation found is used by the next ones with the same value.
    """
    from capsulestore.sync.wire.smart import SmartRemote  # noqa: PLC0415

    remote = describe(name, address.shown)
    if address.kind == "http":
        from capsulestore.sync.http.channel import opener  # noqa: PLC0415

        open_channel = opener(address, surroundings, remote, limits)
    else:
        from capsulestore.sync.wire.programs import open_path, open_ssh  # noqa: PLC0415

        opens = open_path if address.kind == "path" else open_ssh
        open_channel = partial(opens, address, surroundings, remote, limits)
    return SmartRemote(name, address.shown, open_channel, progress, limits)
