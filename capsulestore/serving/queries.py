"""What may be asked after the `?` of a url. What is not known is refused: a filter that is passed over lies."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Comparing", "Listing", "Verifying"]

_Repeated = Annotated[list[str], Field(max_length=100)]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Verifying(_Query):
    """Of `environment-verify`."""

    layer: _Repeated = Field([], description="Look at this layer, and no others (repeatable).")
    strict: bool = Field(default=False, description="Count the context's layers `system` and `variables` too.")


class Comparing(_Query):
    """Of `compare`."""

    layer: _Repeated = Field([], description="Compare this layer, and no others (repeatable).")


class Listing(_Query):
    """Of the list of capsules: all of these have to be true of a capsule."""

    package: _Repeated = Field(
        [],
        description="Its environment has this package: a name, also with versions (`numpy<2`, PEP 508 and 440), or "
        "`conda:NAME` (`conda:openssl=3.0.*`).",
        examples=[["numpy<2"]],
    )
    title: str = Field(
        "",
        max_length=1000,
        description="Its title holds this text; upper and lower case are the same.",
        examples=["fit"],
    )
    label: _Repeated = Field(
        [], description="It has this label, `K=V`, or one of this key, `K`.", examples=[["project=tides"]]
    )
    environment: str = Field("", description="Its environment is this one: a name, of a capsule too.")
    since: str = Field("", description="Registered at or after this time (ISO 8601; UTC where it has no offset).")
    until: str = Field("", description="Registered before this time.", examples=["2026-07-01"])
    limit: int | None = Field(None, ge=1, description="At most so many on a page.")
    cursor: str = Field("", description="Where a page begins: the `next` of the one before, asked for alike.")
