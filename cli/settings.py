"""What is said of the whole command line, before or after the command's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from capsulestore.store import Store

__all__ = ["Settings", "settings"]


@dataclass(slots=True)
class Settings:
    """What is said of the whole command line, before or after the command's name."""

    store: str | None = None
    json: bool = False
    color: Literal["auto", "always", "never"] = "auto"

    def open_store(self) -> Store:
        """Open the store that was named, else the one that is found from here."""
        from capsulestore.store import Store

        return Store(self.store) if self.store else Store.discover()


def settings() -> Settings:
    """Return the settings of the command line that is being run."""
    return click.get_current_context().ensure_object(Settings)
