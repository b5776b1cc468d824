"""Machines and containers laid out as directories."""

from collections.abc import Callable

import pytest

from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.layer import LayerCapture

_DISK = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
"""The root of a machine's file system, as /proc/self/mountinfo has it."""


@pytest.fixture
def laid_out(tmp_path, runtime) -> Callable[..., LayerCapture]:
    """Capture the layer where these files are: `laid_out({path: text}, NAME=value)`; without mounts, a machine's."""

    def capture(files: dict[str, str | bytes], **variables: str) -> LayerCapture:
        for path, content in {"proc/self/mountinfo": _DISK, **files}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content.encode() if isinstance(content, str) else content)
        return ContainerLayer(str(tmp_path)).capture(runtime._replace(environ=variables), 1)

    return capture
