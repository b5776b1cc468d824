"""What comes of comparing installed files with what their installers wrote down of them."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from capsulestore.model.canonical import Json

__all__ = ["FAILING", "Altered", "Integrity", "Kind", "Unchecked"]

Kind = Literal["changed", "missing", "unowned", "unreadable"]

FAILING: Final = frozenset({"changed", "missing", "unreadable"})
"""What is not as it was installed, or cannot be told to be. A file that belongs to nobody changes no other."""


class Altered(NamedTuple):
    """A file that is not as it was installed. `path` is absolute, `name` the same from where its owner is installed.

    `changed`: it has other bytes, or is no file any more. `missing`: nothing is there. `unowned`: it lies where a
    distribution has files, and nobody's list has it; `owner` is None. `unreadable`: it, the directory that ends with a
    slash, or the list of the owner's files cannot be read. `layer` names who installed it: `python` (by RECORD) or
    `conda`.
    """

    kind: Kind
    layer: str
    owner: str | None
    path: str
    name: str

    def as_dict(self) -> dict[str, Json]:
        """Return the file as `--json` has it."""
        return {"kind": self.kind, "layer": self.layer, "owner": self.owner, "path": self.path}


class Unchecked(NamedTuple):
    """Files of an owner that cannot be compared with anything, and why; None for `files` where nothing lists them."""

    layer: str
    owner: str
    reason: str
    files: int | None

    def as_dict(self) -> dict[str, Json]:
        """Return it as `--json` has it."""
        return {"layer": self.layer, "owner": self.owner, "reason": self.reason, "files": self.files}


class Integrity(NamedTuple):
    """The answer: `files` were compared, of `bytes` together, `hashed` of them by reading them now.

    The others were read before and have not been touched since. `altered` is sorted by path, `unchecked` by owner.
    """

    files: int
    bytes: int
    hashed: int
    altered: tuple[Altered, ...]
    unchecked: tuple[Unchecked, ...]

    @property
    def same(self) -> bool:
        """Whether every file that could be compared is as it was installed."""
        return not any(file.kind in FAILING for file in self.altered)

    def as_dict(self) -> dict[str, Json]:
        """Return the answer as `--json` has it."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "hashed": self.hashed,
            "altered": [file.as_dict() for file in self.altered],
            "unchecked": [files.as_dict() for files in self.unchecked],
        }
