"""The text form of a manifest: a few lines for each of its keys. Manifests come from outside: any shape is shown."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from .output import cell, safe
from .text import local_time

__all__ = ["manifest_rows", "relative"]

_LEFT_OUT: Final = frozenset({"schema", "title", "environment_digest"})
_DIGITS_SHOWN: Final = 12
_LOADED_NAMED: Final = 8


def manifest_rows(manifest: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield key and text for what a manifest says, but for what heads every capsule.

    `titles` are those of other capsules by their digests, as far as they are known.
    """
    for key, value in manifest.items():
        if key in _LEFT_OUT:
            continue
        if key == "layers":
            yield from (("not known", line) for line in _unknown_layers(value))
            continue
        special = _SPECIAL.get(key)
        lines = list(special(value)) if special else []
        if key == "parents" and isinstance(value, list):
            lines = [relative(parent, titles) for parent in value]
        yield from ((safe(key), line) for line in (lines or _general(value)))


def relative(capsule: object, titles: Mapping[str, str]) -> str:
    """Return the first digits of a capsule's digest, and its title where that is known."""
    shown = cell(capsule)[:_DIGITS_SHOWN]
    return f"{shown}  {safe(titles[capsule])}" if isinstance(capsule, str) and capsule in titles else shown


def _general(value: Any) -> Iterator[str]:
    """Yield a line for each member of a mapping or list, files with size and first digits."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield f"{safe(name)} = {cell(member)}"
    elif isinstance(value, list):
        for member in value:
            if isinstance(member, dict) and {"path", "sha256", "size"} <= member.keys():
                yield f"{cell(member['path'])}  {cell(member['sha256'])[:_DIGITS_SHOWN]}  {cell(member['size'])} bytes"
            else:
                yield cell(member)
    else:
        yield cell(value)


def _unknown_layers(value: Any) -> Iterator[str]:
    """Yield the layers that could not be seen, with the reason; those that were are shown themselves."""
    for layer, state in value.items() if isinstance(value, dict) else ():
        if isinstance(state, dict) and "unknown" in state:
            yield f"{safe(layer)}: {cell(state['unknown'])}"


def _command(value: Any) -> Iterator[str]:
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        yield safe(shlex.join(value))


def _run(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    started, finished = value.get("started_at"), value.get("finished_at")
    if not isinstance(started, str) or not isinstance(finished, str):
        return
    try:
        took = f", {(datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds():.1f} s"
    except (ValueError, TypeError):
        took = ""
    yield f"{local_time(started)}{took}{_ended(value)}"
    if value.get("environment_changed"):
        yield "the environment changed meanwhile"


def _ended(run: Mapping[str, Any]) -> str:
    """Return how a run ended: a command has an exit status, an analysis within a process may have raised."""
    if "exit_code" in run:
        return f", exit status {cell(run['exit_code'])}"
    return f", raised {cell(run['exception'])}" if "exception" in run else ""


def _code(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    trees, files = value.get("trees"), value.get("files")
    for tree in trees if isinstance(trees, list) else []:
        if isinstance(tree, dict):
            yield " ".join(filter(None, (cell(tree.get("role")), cell(tree.get("name")), _state_of(tree))))
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict):
            yield f"{cell(file.get('path'))}  {cell(file.get('sha256'))[:_DIGITS_SHOWN]}"


def _state_of(tree: Mapping[str, Any]) -> str:
    """Return what says most of a source tree: its commit and whether that is all, else its digest."""
    if "commit" in tree:
        words = [f"at {cell(tree['commit'])[:_DIGITS_SHOWN]}"]
        if tree.get("changes"):
            words.append("with changes")
        if tree.get("on_remote") is False:
            words.append("(on no remote)")
        return " ".join(words)
    if "digest" in tree:
        return cell(tree["digest"])[:_DIGITS_SHOWN]
    return f"not hashed: {cell(tree['unhashed'])}" if "unhashed" in tree else ""


def _loaded(value: Any) -> Iterator[str]:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        more = f" and {len(value) - _LOADED_NAMED} more" if len(value) > _LOADED_NAMED else ""
        yield safe(", ".join(value[:_LOADED_NAMED])) + more if value else "nothing but the standard library"


def _target(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value.keys() == {"python", "chosen_by"}:
        yield f"{cell(value['python'])} ({cell(value['chosen_by'])})"


_SPECIAL: Final[dict[str, Callable[[Any], Iterator[str]]]] = {
    "code": _code,
    "command": _command,
    "loaded": _loaded,
    "run": _run,
    "target": _target,
}
