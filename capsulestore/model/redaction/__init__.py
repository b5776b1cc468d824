"""Takes secrets out of what is recorded: content-addressed and pushed means kept for ever.

What capture needs for urls is loaded with the package, the rest when it is first used: start-up counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capsulestore.model.redaction.tokens import REDACTED
from capsulestore.model.redaction.urls import redact_url

if TYPE_CHECKING:
    from capsulestore.model.redaction.values import redact_arguments, redact_text, redact_value

__all__ = ["REDACTED", "redact_arguments", "redact_text", "redact_url", "redact_value"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from capsulestore.model.redaction import values  # noqa: PLC0415

    return getattr(values, name)
