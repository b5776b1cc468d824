"""The program that git's `receive-pack` asks before it believes what was pushed: its `proc-receive` hook (githooks(5)).

    python -P -m capsulestore.serving.git.received_hook STORE DIRECTORY

Git has unpacked, checked and connected what was pushed, in `capsulestore.serving.git.pushed_objects` at that directory.
This program does the rest in git's place: it checks what arrived as capsules, takes the pack into the store, moves the
refs as every writer of the store does (`docs/decisions/0004`), and tells git how each ref fared.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

from capsulestore.errors import CapsuleError
from capsulestore.model.digest import Digest
from capsulestore.serving.git.pushed_objects import PushedObjects
from capsulestore.serving.git.pushed_refs import Update, receive, refused_for_others
from capsulestore.store import Store
from capsulestore.sync.limits import LIMITS
from capsulestore.sync.wire.packet import FLUSH, PacketReader, encode

__all__ = ["main"]

_NONE: Final = "0" * 64
_MAX_REASON: Final = 500


def main(store: str, directory: str, given: BinaryIO, answers: BinaryIO) -> None:
    """Speak with git, in packets: the version, then the updates, then `ok REF` or `ng REF REASON` for each."""
    reader = PacketReader(given.read, LIMITS, "git")
    list(_section(reader))
    answers.write(encode(b"version=1\n") + FLUSH)
    answers.flush()
    updates = [_update(line) for line in _section(reader)]
    place = PushedObjects(directory)
    with open(place.asked, "rb") as asked:
        lacking = sum(1 for _ in asked) != len(updates)
    if lacking:
        refusals = refused_for_others(updates)
    else:
        with Store(store) as opened:
            refusals = receive(opened, updates, place.objects, LIMITS)
    answers.writelines(encode(_answer(update.ref, refusals.get(update.ref))) for update in updates)
    answers.write(FLUSH)
    answers.flush()


def _section(reader: PacketReader) -> Iterator[bytes]:
    """Yield the packets up to the next flush."""
    while (packet := reader.packet()) is not None:
        yield packet


def _update(line: bytes) -> Update:
    old, new, ref = os.fsdecode(line.rstrip(b"\n")).split(" ", 2)
    return Update(ref, *(None if name == _NONE else Digest(name) for name in (old, new)))


def _answer(ref: str, reason: str | None) -> bytes:
    if reason is None:
        return os.fsencode(f"ok {ref}\n")
    # One line, and nothing in it that a terminal takes for an order.
    shown = "".join(letter if letter.isprintable() else " " for letter in reason)
    return os.fsencode(f"ng {ref} ") + shown.encode("utf-8", "replace")[:_MAX_REASON] + b"\n"


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], sys.stdin.buffer, sys.stdout.buffer)
    except CapsuleError as problem:
        sys.exit(problem.message.replace(sys.argv[1], ".capsules"))
