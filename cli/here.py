"""The environment here, as a command line asks for it."""

from __future__ import annotations

import os

from capsulestore.capture.environment import Capture, capture
from capsulestore.capture.target import Target, choose

__all__ = ["captured", "target"]


def target(python: str | None) -> Target:
    """Return the interpreter that `--python` names, else the one that would be used here."""
    return choose(python, environ=os.environ, directory=os.curdir)


def captured(python: str | None, layers: tuple[str, ...]) -> Capture:
    """Capture the environment here: all layers, or those that `--layer` names."""
    return capture(target(python), layers=layers or None)
