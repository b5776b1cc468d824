"""How much is taken from an engine or a cluster: what they answer comes from outside (I8)."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["LIMITS", "Limits"]


class Limits(NamedTuple):
    """The most that is taken; `seconds` is for all that is asked in one capture together.

    `answer_bytes` holds for one answer, its headers included, and `credential_bytes` for each file of a service
    account. Engines make images of up to 127 layers, and the object of a pod has at most 1.5 MiB.
    """

    seconds: float = 1.0
    answer_bytes: int = 2 * 2**20
    credential_bytes: int = 2**18
    layers: int = 512
    names: int = 64
    name_characters: int = 512


LIMITS: Final = Limits()
