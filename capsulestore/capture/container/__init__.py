"""The `container` layer: whether the target runs in a container, and which image that is of, where this is told.

An image's digest cannot be seen from inside: the engine is asked, else it is what whoever started the container says,
else what the cluster does. Where nobody tells it, the layer is `unknown`, and no verdict rests on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsulestore.capture.finding import Finding
from capsulestore.capture.layer import LayerCapture, Runtime
from capsulestore.model.layers import LayerState

if TYPE_CHECKING:
    from capsulestore.capture.container.image import Image
    from capsulestore.capture.container.limits import Limits

__all__ = ["VARIABLE", "ContainerLayer"]

VARIABLE: Final = "CAPSULE_IMAGE_DIGEST"
"""The variable in which whoever starts a container says of which image: the digest of its manifest."""


class ContainerLayer:
    """The container that the target runs in, as files under `root` and the target's variables tell."""

    name = "container"
    rules = frozenset({1})
    in_environment = True

    def __init__(self, root: str = "/", *, limits: Limits | None = None) -> None:
        self._root = root
        self._limits = limits

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer: `none` outside of a container, `unknown` where it, or the image, cannot be told.

        What an engine or a cluster says is kept in the cache, what variables say is not: they are others from one start
        of an interpreter to the next.
        """
        # Most of what imports the layers captures nothing.
        from capsulestore.capture.container.evidence import conclude  # noqa: PLC0415
        from capsulestore.capture.container.traces import look  # noqa: PLC0415

        conclusion = conclude(*look(self._root, runtime.environ, runtime.interpreter.platform))
        if not conclusion.contained:
            state = LayerState("none") if conclusion.contained is False else LayerState("unknown", conclusion.reason)
            if VARIABLE not in runtime.environ:
                return LayerCapture(state)
            message = "is set, and this is not known to be a container: it is not recorded"
            return LayerCapture(state, findings=(Finding("container", "image-digest-unused", VARIABLE, message),))
        image = self._image(runtime, conclusion.runtime or "unknown")
        kind = "" if conclusion.runtime == "unknown" else f"{conclusion.runtime} "
        reason = (
            f"nothing tells the image of this {kind}container ({'; '.join(image.why)}); "
            f"set `{VARIABLE}` when it is started"
        )
        context = {"rules": rules, "runtime": conclusion.runtime}
        return LayerCapture(
            state=LayerState("captured") if image.image else LayerState("unknown", reason),
            environment={"rules": rules, "image": image.image} if image.image else None,
            context={**context, "image": image.context} if image.context else context,
            findings=image.findings,
        )

    def _image(self, runtime: Runtime, engine: str) -> Image:
        from capsulestore.capture.container.deadline import Deadline  # noqa: PLC0415
        from capsulestore.capture.container.identity import identify  # noqa: PLC0415
        from capsulestore.capture.container.image import find_image  # noqa: PLC0415
        from capsulestore.capture.container.limits import LIMITS  # noqa: PLC0415
        from capsulestore.capture.container.source import Asked  # noqa: PLC0415
        from capsulestore.capture.container.traces import mounts  # noqa: PLC0415

        limits = self._limits or LIMITS
        identity = identify(mounts(self._root) or "")
        return find_image(Asked(self._root, runtime, engine, identity, Deadline(limits.seconds), limits))
