"""Tags: names that people give to capsules, `refs/tags/NAME` pointing to the capsule's tree."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from capsulestore.errors import DamagedObject, InvalidValue, MalformedName, TagExists, UnknownName
from capsulestore.model.digest import Digest
from capsulestore.model.names import MAX_NAME_BYTES, escape
from capsulestore.store.refs import TAGS, Refs

__all__ = ["Tags", "check_tag"]

_LIKE_A_DIGEST: Final = re.compile(r"[0-9a-fA-F]{1,64}")
_REFUSED: Final = re.compile(
    r"""[\x00-\x20\x7f~^:?*\[\\] | ^- | ^@$ | ^HEAD$ | @\{ | \.\. | (^|/)\. | \.(/|$) | \.lock(/|$) | //|^/|/$""",
    re.VERBOSE,
)


class Tags:
    """The tags of a store. What a method changes is durable when it returns."""

    def __init__(self, refs: Refs) -> None:
        self._refs = refs

    def all(self) -> dict[str, Digest]:
        """Return what each tag points to, by its name."""
        return self._refs.below(TAGS)

    def set(self, name: str, capsule: Digest, *, force: bool = False) -> None:
        """Give a capsule a name; one that another capsule has is moved only by `force`.

        Raise `MalformedName`, `TagExists`, and what writing raises.
        """
        check_tag(name)
        # Asked before, so that what is refused writes nothing.
        self._check_free(name, capsule, force)
        with self._refs.locked(TAGS + name) as move:
            if self._check_free(name, capsule, force):
                move(capsule)

    def remove(self, name: str) -> Digest:
        """Remove a tag and return what it pointed to; the capsule stays. Raise `UnknownName` where there is none."""
        target = self.all().get(name)
        if target is None:
            raise UnknownName(f"there is no tag `{name}`")
        self._refs.delete(TAGS + name)
        return target

    def _check_free(self, name: str, capsule: Digest, force: bool) -> bool:
        """Return whether the tag has to be moved to the capsule; raise `TagExists`."""
        if in_the_way := self._in_the_way(name):
            raise TagExists(f"there is a tag `{in_the_way}`, and so there can be none `{name}`")
        current = self._target(name)
        if current is not None and current != capsule and not force:
            raise TagExists(
                f"the tag `{name}` is {current.hex[:12]} already",
                hint=f"move it with `capsule tag --force {name} ...`",
            )
        return current != capsule

    def _in_the_way(self, name: str) -> str | None:
        """Return a tag that has this name for a directory, or the other way round.

        Only those that could be are looked at: of all others there may be many.
        """
        parts = name.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        below = (f"{name}/{rest}" for rest in self._refs.below(f"{TAGS}{name}/"))
        return next((tag for tag in above if self._target(tag) is not None), None) or next(below, None)

    def _target(self, name: str) -> Digest | None:
        # One that is damaged counts as none, as in `all`.
        with suppress(DamagedObject):
            return self._refs.read(TAGS + name)
        return None


def check_tag(name: str) -> None:
    """Raise `MalformedName` for what is no tag: what git refuses (git-check-ref-format(1)) or looks like a digest."""
    if _LIKE_A_DIGEST.fullmatch(name):
        raise MalformedName(f"`{name}` could be a digest, and so cannot be a tag")
    try:
        size = len(escape(TAGS + name))
    except InvalidValue:
        size = MAX_NAME_BYTES + 1
    if not name or _REFUSED.search(name) or size > MAX_NAME_BYTES:
        raise MalformedName(
            f"`{name}` cannot be a tag",
            hint="git's rules hold: no space, none of `~^:?*[\\`, no `..`, no `.lock` at the end, nothing too long",
        )
