"""An environment as it was recorded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.model.layers import LayerState
from capsulestore.model.mapping import decode_entry, encode_mapping, tree_keys
from capsulestore.model.objects import Read

__all__ = ["RecordedEnvironment", "rules_of"]


class RecordedEnvironment(NamedTuple):
    """What was recorded, as objects that `read` gives: the environment's tree, and where there is one the context's.

    `states` is how looking at each layer ended, None where that was not recorded. `loaded` are the distributions that
    the analysis imported, where those alone are to count.
    """

    read: Read
    environment: Digest
    context: Digest | None = None
    states: Mapping[str, LayerState] | None = None
    loaded: Collection[str] | None = None

    @classmethod
    def of(
        cls,
        environment: Mapping[str, Json],
        context: Mapping[str, Json] | None = None,
        states: Mapping[str, LayerState] | None = None,
    ) -> RecordedEnvironment:
        """Return what mappings say; raise `InvalidValue` with the path of what has no form."""
        encoded = [encode_mapping(environment), *([encode_mapping(context)] if context else [])]
        objects = {digest: found for one in encoded for digest, found in one.objects.items()}
        return cls(objects.__getitem__, encoded[0].id, encoded[1].id if context else None, states)


def rules_of(read: Read, layers: Mapping[str, Digest]) -> Iterator[tuple[str, int]]:
    """Yield each recorded layer's `rules`, which say how to look at it again: 0, which no layer knows, for none."""
    for name, digest in layers.items():
        entry = tree_keys(read(digest).data).get("rules")
        rules = decode_entry(read(entry.id).data, 1) if entry is not None and not entry.is_tree else 0
        yield name, rules if type(rules) is int else 0
