"""The `container` layer: whether the target runs in a container, and which image that is of, where this is told.

An image's digest cannot be seen from inside. Where nobody tells it, the layer is `unknown`, and no verdict rests on it.
"""

from __future__ import annotations

from typing import Final

from capsulestore.capture.finding import Finding
from capsulestore.capture.layer import LayerCapture, Runtime
from capsulestore.model.layers import LayerState

__all__ = ["VARIABLE", "ContainerLayer"]

VARIABLE: Final = "CAPSULE_IMAGE_DIGEST"
"""The variable in which whoever starts a container says of which image: the digest of its manifest."""


class ContainerLayer:
    """The container that the target runs in, as files under `root` and the target's variables tell."""

    name = "container"
    rules = frozenset({1})
    in_environment = True

    def __init__(self, root: str = "/") -> None:
        self._root = root

    def capture(self, runtime: Runtime, rules: int) -> LayerCapture:
        """Capture the layer: `none` outside of a container, `unknown` where it, or the image, cannot be told.

        Nothing is kept in a cache: a container is started with other variables from one time to the next.
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
        from capsulestore.capture.container.image import find_image  # noqa: PLC0415

        found = find_image(runtime)
        kind = "" if conclusion.runtime == "unknown" else f"{conclusion.runtime} "
        reason = f"nothing tells the image of this {kind}container; set `{VARIABLE}` when it is started"
        return LayerCapture(
            state=LayerState("captured") if found.image else LayerState("unknown", reason),
            environment={"rules": rules, "image": found.image} if found.image else None,
            context={"rules": rules, "runtime": conclusion.runtime},
            findings=found.findings,
        )
