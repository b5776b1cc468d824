"""The remotes of a store: names for addresses, kept as git keeps them, in the store's own `config`.

    [remote "origin"]
        url = ssh://host/path
        fetch = +refs/heads/*:refs/remotes/origin/*

One that `git remote add` made is as good, and git can use those that are made here. Honoured are `url` and, for a push,
`pushurl`, the first of several; not `insteadOf`, and no configuration but the store's own.
"""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from capsulestore.errors import InvalidValue, MalformedName, StoreUnreadable, UnknownName, UsageError
from capsulestore.model.names import MAX_NAME_BYTES, escape
from capsulestore.store import Store
from capsulestore.sync.address import Address
from capsulestore.sync.memory import SENT, Memory
from capsulestore.sync.remotes.config_file import parse, with_section, without_section
from capsulestore.sync.remotes.config_lock import change_config
from capsulestore.sync.wire.ref_names import is_ref_name

__all__ = ["ConfiguredRemote", "add", "find", "listed", "remove"]

_SECTION: Final = "remote"
_TRACKED: Final = "refs/remotes/"


class ConfiguredRemote(NamedTuple):
    """A remote as the configuration has it: `url` and `push_url` as they stand there, empty where none does.

    They may hold what should not be printed: `shown` is for that.
    """

    name: str
    url: str
    push_url: str
    store: str

    @property
    def address(self) -> Address:
        """Where to fetch from; a relative path is one from the store. Raise `UsageError` where it is no address."""
        return self._parsed(self.url)

    @property
    def push_address(self) -> Address:
        """Where to push to; as `address`."""
        return self._parsed(self.push_url)

    @property
    def shown(self) -> str:
        """The url as it may be printed, also where it is no address that can be used."""
        try:
            return self.address.shown
        except UsageError:
            from capsulestore.model.redaction.urls import redact_addresses, redact_urls  # noqa: PLC0415

            return redact_addresses(redact_urls(self.url))

    def _parsed(self, url: str) -> Address:
        again = f"give it another with `capsule remote remove {self.name}` and `capsule remote add {self.name} URL`"
        if not url:
            raise UsageError(f"the remote `{self.name}` has no url", hint=again)
        try:
            return Address.parse(url, base=self.store)
        except UsageError as error:
            raise UsageError(
                f"the url of the remote `{self.name}`: {error.message}", hint=error.hint or again
            ) from None


def listed(store: str) -> tuple[ConfiguredRemote, ...]:
    """Return the remotes of the store at a path, sorted by name; none whose name git would not take.

    Raise `StoreUnreadable` for a damaged `config`.
    """
    path = os.path.join(store, "config")
    try:
        with open(path, "rb") as file:
            return _remotes(file.read(), store)
    except OSError as error:
        raise StoreUnreadable(f"cannot read the store's file `{path}`: {error.strerror}") from None


def find(store: str, name: str) -> ConfiguredRemote:
    """Return the remote of that name; raise `UnknownName` where there is none, and as `listed` does."""
    remotes = listed(store)
    for remote in remotes:
        if remote.name == name:
            return remote
    known = ", ".join(f"`{remote.name}`" for remote in remotes)
    raise UnknownName(
        f"there is no remote `{name}`",
        hint=f"there is {known}" if known else f"make it with `capsule remote add {name} URL`",
    )


def add(store: Store, name: str, url: str, *, base: str = ".") -> ConfiguredRemote:
    """Give an address a name, durably; the rest of `config` stays byte for byte.

    Kept is the address's `text`: a relative path, which is one from the directory `base`, is made absolute, so that it
    means the same from any working directory; the name of a user for HTTP is left out. Raise `MalformedName` for what
    git would not take as a remote's name, `UsageError` for a name that is taken or for what is no address, and what
    `change_config` raises.
    """
    address = Address.parse(url, base=base)
    _check_name(name)
    settings = {"url": address.text, "fetch": f"+refs/heads/*:{_TRACKED}{name}/*"}

    def added(config: bytes) -> bytes:
        _check_free(name, _remotes(config, store.path))
        return with_section(config, _SECTION, name, settings)

    change_config(store.path, added)
    # What is left of one that git removed would tell of another store.
    _forget_memory(store, name)
    return ConfiguredRemote(name, address.text, address.text, store.path)


def remove(store: Store, name: str) -> None:
    """Forget a remote and what is remembered of it; capsules stay. Raise as `find` and `change_config` do."""
    find(store.path, name)
    # The configuration last: killed in between, the remote is still there and only less is known of it.
    _forget_memory(store, name)
    tracked = f"{_TRACKED}{name}/"
    for branch in store.refs.below(tracked):
        store.refs.delete(tracked + branch)
    change_config(store.path, lambda config: without_section(config, _SECTION, name))


def _remotes(config: bytes, store: str) -> tuple[ConfiguredRemote, ...]:
    try:
        sections = parse(config)
    except ValueError as error:
        raise StoreUnreadable(f"the store's file `{store}/config` is damaged: {error}") from None
    urls: dict[str, dict[str, str]] = {}
    for section in sections:
        if section.name == _SECTION and _is_name(section.subsection):
            found = urls.setdefault(section.subsection, {})
            for key, value in section.settings:
                if value:
                    found.setdefault(key, value)
    return tuple(
        ConfiguredRemote(name, found.get("url", ""), found.get("pushurl") or found.get("url", ""), store)
        for name, found in sorted(urls.items())
    )


def _forget_memory(store: Store, name: str) -> None:
    for other in store.refs.below(SENT):
        if _excludes(name, other):
            Memory(store, other).forget()
    Memory(store, name).forget()


def _is_name(name: str) -> bool:
    """Whether git takes the name for a remote's, and it fits into a file's name below `capsulestore/`."""
    try:
        size = len(escape(SENT + name))
    except InvalidValue:
        return False
    return is_ref_name(f"{_TRACKED}{name}/main".encode()) and size <= MAX_NAME_BYTES


def _excludes(name: str, other: str) -> bool:
    """Whether the refs of two remotes would be in each other's way."""
    return name.startswith(f"{other}/") or other.startswith(f"{name}/")


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise MalformedName(
            f"`{name}` cannot be the name of a remote",
            hint="git's rules hold: no space, none of `~^:?*[\\`, no `..`, no `.lock` at the end, nothing too long",
        )


def _check_free(name: str, remotes: tuple[ConfiguredRemote, ...]) -> None:
    for remote in remotes:
        if remote.name == name:
            raise UsageError(
                f"there is a remote `{name}` already: {remote.shown}",
                hint=f"remove it with `capsule remote remove {name}`, or choose another name",
            )
        if _excludes(name, remote.name):
            raise UsageError(f"there is a remote `{remote.name}`, and so there can be none `{name}`")
