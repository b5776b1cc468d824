"""What may be asked after the `?` of a url. All else is refused: a filter that is passed over lies."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from capsulestore.errors import UsageError
from capsulestore.serving.limits import LIMITS

__all__ = ["Comparing", "Listing", "Verifying", "check_query", "refuse_query"]

_HINT: Final = "`/openapi.json` tells what is taken"
_Text = Annotated[str, Field(min_length=1)]
_Repeated = Annotated[list[_Text], Field(max_length=100)]


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
    title: _Text = Field(
        "",
        max_length=1000,
        description="Its title holds this text; upper and lower case are the same.",
        examples=["fit"],
    )
    label: _Repeated = Field(
        [], description="It has this label, `K=V`, or one of this key, `K`.", examples=[["project=tides"]]
    )
    environment: _Text = Field("", description="Its environment is this one: a name, of a capsule too.")
    since: _Text = Field(
        "",
        description="Registered at or after this time: ISO 8601, UTC where it has no offset; a date alone is its first "
        "moment.",
    )
    until: _Text = Field("", description="Registered before this time.", examples=["2026-07-01"])
    limit: int | None = Field(
        None,
        ge=1,
        description=f"At most so many on a page: {LIMITS.page_default} unless it says another number, up to "
        f"{LIMITS.page_most}.",
    )
    cursor: _Text = Field("", description="Where a page begins: the `next` of the one before, asked for alike.")


_REPEATABLE: Final = frozenset({"label", "layer", "package"})


async def check_query(request: Request) -> None:
    """Raise `UsageError` for a parameter without a value, or with two where there is room for one.

    A script whose variable is not set would take all there is for what it asked for.
    """
    seen = set()
    for name, value in request.query_params.multi_items():
        if not value:
            raise UsageError(f"`{name}` has no value", hint="leave it out, or say what it is")
        if name in seen and name not in _REPEATABLE:
            raise UsageError(f"`{name}` is there more than once", hint="say it once")
        seen.add(name)


def refuse_query(request: Request) -> None:
    """Raise `UsageError` for any parameter: there is nothing to be asked for."""
    for name in request.query_params:
        raise UsageError(f"`{name}` is nothing that is taken here", hint=_HINT)
