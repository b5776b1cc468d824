"""What tells of a container, how much each piece of it says, and what all of it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

__all__ = ["RUNTIMES", "Conclusion", "Evidence", "conclude"]

RUNTIMES: Final = ("apptainer", "kubernetes", "podman", "docker", "lxc", "systemd-nspawn")
"""The runtimes that are known by name. Where several are named, the first counts.

Apptainer is run within the others. Kubernetes runs containers by engines that leave traces of their own: CRI-O those of
podman. Containers of lxc and systemd-nspawn are machines in which the others run.
"""

Weight = Literal["proof", "hint", "nothing"]


class Evidence(NamedTuple):
    """One trace: in words where it is, how much it says, and which of `RUNTIMES` it names, if any.

    A `proof` is in containers alone. A `hint` is in containers, and wherever somebody sets it or passes it on.
    `nothing` is also where no container is, and only names the runtime where a proof does not.
    """

    place: str
    weight: Weight
    runtime: str | None = None


class Conclusion(NamedTuple):
    """Whether this is a container. Where it is, `runtime` is one of `RUNTIMES` or `unknown`.

    `contained` is None where it cannot be told, and `reason` says why.
    """

    contained: bool | None
    runtime: str | None = None
    reason: str | None = None


def conclude(evidence: Sequence[Evidence], unseen: str | None) -> Conclusion:
    """Conclude from what was found: one proof is enough, and hints alone leave it open.

    `unseen` says in words what could not be looked at that a container would show in.
    """
    proofs = [piece for piece in evidence if piece.weight == "proof"]
    if proofs:
        return Conclusion(contained=True, runtime=_named(proofs) or _named(evidence) or "unknown")
    for piece in evidence:
        if piece.weight == "hint":
            return Conclusion(None, reason=f"{piece.place} says that this is a container, and nothing else does")
    if unseen:
        return Conclusion(None, reason=f"whether this is a container cannot be told: {unseen}")
    return Conclusion(contained=False)


def _named(evidence: Iterable[Evidence]) -> str | None:
    named = {piece.runtime for piece in evidence}
    return next((runtime for runtime in RUNTIMES if runtime in named), None)
