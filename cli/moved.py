"""What an exchange with another store moved, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .output import note, safe, style
from .progress import size

if TYPE_CHECKING:
    from capsulestore.model.digest import Digest

__all__ = ["Moved", "tell_kept_tags", "tell_refused_tags"]

_NAMED: Final = 10
"""So many tags are named; of more it is told how many."""


class Moved(NamedTuple):
    """What went over, or would go: the capsules that were new, oldest first, the tags, how many objects and bytes.

    `tip` is where it went to, or would go to: the end of the shelf there.
    """

    capsules: Sequence[Digest]
    tags: Sequence[str]
    objects: int
    bytes: int | None
    tip: Digest | None

    @property
    def counts(self) -> str:
        """How much it was: `3 capsules, 1 tag, 41 objects, 18.2 KB`."""
        numbers = {"capsule": len(self.capsules), "tag": len(self.tags), "object": self.objects}
        counts = [f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in numbers.items() if number]
        return ", ".join([*counts, size(self.bytes)] if self.bytes and self.objects else counts)

    @property
    def tip_shown(self) -> str:
        """The first digits of the tip."""
        return style(self.tip.hex[:12], "yellow") if self.tip else "none"

    def tag_lines(self) -> Iterator[str]:
        """Yield a line that names the tags, where there are any."""
        if self.tags:
            yield f"  tags: {_listed(self.tags)}"

    def document(self, direction: str) -> dict[str, Any]:
        """Return the keys that JSON has for it; `direction` is `sent` or `received`."""
        moved = {"capsules": [str(capsule) for capsule in self.capsules], "objects": self.objects}
        return {
            direction: moved if self.bytes is None else moved | {"bytes": self.bytes},
            "tags": [*self.tags],
            "tip": str(self.tip) if self.tip else None,
        }


def tell_kept_tags(tags: Sequence[str], remote: str, place: str) -> None:
    """Say which tags have two meanings; `place` is where they stay as they are, `here` or `there`."""
    if len(tags) == 1:
        note(f"the tag {_named(tags)} stands for something else at {remote}, and stays as it is {place}")
    elif tags:
        note(f"the tags {_named(tags)} stand for something else at {remote}, and stay as they are {place}")


def tell_refused_tags(tags: Sequence[str], remote: str) -> None:
    """Say which tags of the other side were not taken."""
    if tags:
        note(f"not taken from {remote}, as no tag can have such a name: {_named(tags)}")


def _named(tags: Sequence[str]) -> str:
    return _listed([f"`{tag}`" for tag in tags])


def _listed(tags: Sequence[str]) -> str:
    more = len(tags) - _NAMED
    return ", ".join(map(safe, tags[:_NAMED])) + (f" and {more} more" if more > 0 else "")
