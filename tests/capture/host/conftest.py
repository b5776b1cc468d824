"""Machines laid out as directories."""

from collections.abc import Callable
from typing import Any

import pytest

from capsulestore.capture.host import HostLayer


@pytest.fixture
def machine(tmp_path, runtime) -> Callable[..., dict[str, Any]]:
    """Capture a machine that has these files: `machine({path: content}, architecture)`."""

    def capture(files: dict[str, str | bytes], architecture: str = "x86_64") -> dict[str, Any]:
        for path, content in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content.encode() if isinstance(content, str) else content)
        interpreter = runtime.interpreter._replace(machine=architecture)
        captured = HostLayer(str(tmp_path)).capture(runtime._replace(interpreter=interpreter), 1)
        assert captured.findings == ()
        return dict(captured.context)

    return capture
