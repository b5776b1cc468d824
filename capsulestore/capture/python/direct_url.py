"""Where a distribution that came from no index came from: `direct_url.json` (PEP 610), without its secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from capsulestore.capture.files import read_up_to
from capsulestore.model.canonical import Json
from capsulestore.model.redaction import redact_url

__all__ = ["Source", "read"]

_MAX_BYTES: Final = 2**20
_KEPT: Final = {
    "vcs_info": ("vcs", "commit_id", "requested_revision"),
    "archive_info": ("hash", "hashes"),
    "dir_info": ("editable",),
}


@dataclass(frozen=True, slots=True)
class Source:
    """What the file said. `value` is fit to be recorded; `problem` says why there is none, where that is so."""

    value: dict[str, Json] | None = None
    editable: bool = False
    redacted: bool = False
    problem: str | None = None


def read(path: str) -> Source:
    """Return what a `direct_url.json` says; an empty source where there is no such file."""
    try:
        data = read_up_to(path, _MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return Source()
    except OSError as error:
        return Source(problem=f"cannot be read ({error.strerror})")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return Source(problem="is not JSON")
    if not isinstance(document, dict) or not isinstance(document.get("url"), str):
        return Source(problem="names no url")
    return _source(document)


def _source(document: dict[str, Any]) -> Source:
    url, redacted = redact_url(document["url"])
    value: dict[str, Json] = {"url": url}
    if isinstance(document.get("subdirectory"), str):
        value["subdirectory"] = document["subdirectory"]
    for info, keys in _KEPT.items():
        given = document.get(info)
        if isinstance(given, dict):
            value[info] = {key: given[key] for key in keys if _is_plain(key, given.get(key))}
    editable = isinstance(value.get("dir_info"), dict) and value["dir_info"].get("editable") is True  # type: ignore[union-attr]
    return Source(value, editable=editable, redacted=redacted)


def _is_plain(key: str, value: object) -> bool:
    if key == "hashes":
        return isinstance(value, dict) and all(isinstance(member, str) for member in value.values())
    return isinstance(value, bool if key == "editable" else str)
