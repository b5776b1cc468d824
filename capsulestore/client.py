"""Speaks with a server (`capsule serve`): registers capsules there, finds them, and tells whether they still hold.

    client = Client("https://capsules.example.org", token=token)
    recorded = client.register("first fit", outputs=["fit.csv"], parameters={"alpha": 0.1})
    client.verify(recorded["capsule_id"])["verdict"]

Needs no store here and nothing that a server needs. Where a method takes a `capsule_id`, any name will do that means
something there: a prefix, a tag, `@`. Every answer is JSON, with the keys that `docs/api.md` shows.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from capsulestore.errors import MalformedName, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from capsulestore.capture.environment import Capture

__all__ = ["Client"]

_LOGGER: Final = logging.getLogger("capsulestore")

_Path = str | os.PathLike[str]
_CAPSULES: Final = "/api/capsules"


class Client:
    """A server at a url; one that lies behind a proxy may have a path. Nothing is asked of it yet.

    `token` is sent to `https://` and to this machine only, and is in nothing that is printed. `timeout` is for how many
    seconds nothing may come. Proxies and certificates are those of git's variables. A client can be used by several
    threads; within a block (`with`) it keeps its connection, and is for one.

    Methods raise the error that the server names by its code, as `UnknownName`, and a `RemoteProblem` where none of its
    answers came. What has arrived there is registered, also where the answer was lost: the same again is the same
    capsule. Raise `UsageError` for what is no address.
    """

    def __init__(self, url: str, *, token: str | None = None, timeout: float | None = None) -> None:
        from dataclasses import replace  # noqa: PLC0415

        from capsulestore.sync.http.api import HttpApi  # noqa: PLC0415
        from capsulestore.sync.limits import LIMITS  # noqa: PLC0415

        limits = LIMITS
        if timeout is not None:
            if not timeout > 0:
                raise UsageError(f"`timeout` is a number of seconds, not `{timeout!r}`")
            limits = replace(LIMITS, idle_seconds=timeout, connect_seconds=min(timeout, LIMITS.connect_seconds))
        self._api = HttpApi(url, token, os.environ, limits, given_as="`token=`")

    def __repr__(self) -> str:
        return f"Client({self._api.place.shown!r})"

    def __enter__(self) -> Self:
        self._api.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._api.__exit__(kind, error, traceback)

    def register(  # noqa: PLR0913  (each is another key of the manifest)
        self,
        title: str,
        *,
        environment_capture: Capture | Mapping[str, Any] | None = None,
        description: str | None = None,
        command: Sequence[str] | None = None,
        entry_point: _Path | None = None,
        parameters: Mapping[str, Any] | None = None,
        labels: Mapping[str, Any] | None = None,
        inputs: Sequence[_Path] = (),
        outputs: Sequence[_Path] = (),
        parents: Sequence[str] = (),
        status: str | None = None,
        python: _Path | None = None,
        layers: Collection[str] | None = None,
    ) -> dict[str, Any]:
        """Register a capsule of an analysis that has ended here, as `register_capsule` does in a store.

        Inputs and outputs are read here, and only their digests are sent; paths are from the working directory.
        `parents` are names there. The answer has that function's keys, and so has what is raised.
        """
        from capsulestore.capture.artifacts import digest_inputs  # noqa: PLC0415
        from capsulestore.recording import arguments  # noqa: PLC0415
        from capsulestore.recording.capsule import Description  # noqa: PLC0415
        from capsulestore.recording.given import surroundings  # noqa: PLC0415
        from capsulestore.recording.posting import Posting  # noqa: PLC0415
        from capsulestore.recording.redacted import said_of_redaction  # noqa: PLC0415

        root = os.path.realpath(os.curdir)
        told = Description(
            title=arguments.title(title),
            observed=arguments.observed(description, command, entry_point, status),
            inputs=digest_inputs(arguments.paths("inputs", inputs), root=root),
            outputs=digest_inputs(arguments.paths("outputs", outputs), root=root),
            parameters=arguments.mapping("parameters", parameters),
            labels=arguments.mapping("labels", labels),
        )
        names = arguments.texts("parents", parents)
        posting = Posting.of(surroundings(environment_capture, python, layers), told, names)
        recorded = posting.register(self._api)
        if said := said_of_redaction(recorded):
            _LOGGER.warning("%s", said)
        return recorded.as_dict()

    def verify(
        self,
        capsule_id: str,
        environment_capture: Capture | Mapping[str, Any] | None = None,
        *,
        layers: Collection[str] | None = None,
        strict: bool = False,
    ) -> dict[str, Any]:
        """Tell whether the server's own environment, or one that is given, is what a capsule recorded.

        The answer has the keys of `artifact_registry.verify_capsule`. Without `environment_capture` it is what that
        answers there, code and files included; with it (as `register` takes it), it is of that environment alone.
        """
        from capsulestore.recording.arguments import texts  # noqa: PLC0415

        query = [("layer", layer) for layer in texts("layers", layers or ())] + [("strict", "true")] * bool(strict)
        tail = _path(_CAPSULES, capsule_id, "environment-verify", query=query)
        if environment_capture is None:
            return self._api.get(tail)
        from capsulestore.recording.given import surroundings  # noqa: PLC0415
        from capsulestore.recording.posting import environment_document  # noqa: PLC0415

        document = environment_document(surroundings(environment_capture, None, None))[1]
        return self._api.post(tail, document, writes=False)

    def capsule(self, capsule_id: str) -> dict[str, Any]:
        """Return a capsule: `capsule_id`, `environment_digest`, `layers` with their digests, and the `manifest`."""
        return self._api.get(_path(_CAPSULES, capsule_id))

    def environment(self, capsule_id: str) -> dict[str, Any]:
        """Return a capsule's environment and context, as `environment_capture` and `add --environment` take them."""
        return self._api.get(_path(_CAPSULES, capsule_id, "environment"))

    def capsules(  # noqa: PLR0913  (each is another filter)
        self,
        *,
        packages: Sequence[str] = (),
        title: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        environment: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the capsules that are all that is said, newest first and each once, page by page as they are taken.

        `packages` are such as `numpy<2` or `conda:openssl=3.0.*`; `title` is a part of it; of `labels` each has that
        value, or any for None; `environment` is a digest, or a capsule's name; `since` and `until` are when they were
        registered (ISO 8601). Each has the keys of `capsule log --json`. `limit` is how many at most.
        """
        from capsulestore.recording.arguments import several, text  # noqa: PLC0415

        if limit is not None and (type(limit) is not int or limit < 0):
            raise UsageError(f"`limit` is a number of capsules, not `{limit!r}`")
        if not isinstance(labels, Mapping | None):
            raise UsageError(f"`labels` is a mapping, not `{type(labels).__name__}`")
        said = {"title": title, "environment": environment, "since": _time(since), "until": _time(until)}
        query = [("package", package) for package in several("packages", packages)]
        query += [("label", key if value is None else f"{key}={value}") for key, value in (labels or {}).items()]
        query += [(key, text(key, value)) for key, value in said.items() if value is not None]
        return self._pages(query, limit)

    def compare(self, a: str, b: str) -> dict[str, Any]:
        """Return what differs between the environments of two capsules, as `capsule diff --json` has it."""
        return self._api.get(_path("/api/compare", f"{_name(a)}...{_name(b)}"))

    def health(self) -> dict[str, Any]:
        """Return `status` (`ok`), the server's `version`, and whether it serves `git`; needs no token."""
        return self._api.get("/api/health")

    def _pages(self, query: list[tuple[str, str]], limit: int | None) -> Iterator[dict[str, Any]]:
        cursor: list[tuple[str, str]] = []
        left = sys.maxsize if limit is None else limit
        while left:
            size = [] if limit is None else [("limit", str(min(left, _PAGE)))]
            answer = self._api.get(_path(_CAPSULES, query=[*query, *size, *cursor]))
            page, following = answer.get("capsules"), answer.get("next")
            last, cursor = cursor, [("cursor", str(following))]
            # A list that leads back to itself would have no end.
            if not isinstance(page, list) or last == cursor:
                raise self._api.misbehaved("it does not answer with a page of capsules")
            yield from page[:left]
            if following is None:
                return
            left -= min(left, len(page))


_PAGE: Final = 100
"""Capsules that are asked for at a time where no more than so many are wanted."""


def _path(*parts: str, query: Sequence[tuple[str, str]] = ()) -> str:
    """Return the path of what a name means, fit for a request."""
    from urllib.parse import quote, urlencode  # noqa: PLC0415

    path = "/".join([parts[0], *(quote(_name(part), safe="/@") for part in parts[1:])])
    return f"{path}?{urlencode(query, quote_via=quote)}" if query else path


def _name(given: object) -> str:
    """Return what can be a name in a path; one with a part that every path has would lead elsewhere."""
    if not isinstance(given, str):
        raise MalformedName(f"`{given!r}` is no text, and so no name", hint="a capsule's digest is its `capsule_id`")
    if {"", ".", ".."}.intersection(given.split("/")):
        raise MalformedName(
            f"`{given}` cannot be a name", hint="a name is a digest, four or more of its digits, a tag, or @"
        )
    return given


def _time(given: datetime | str | None) -> str | None:
    from datetime import date  # noqa: PLC0415

    return given.isoformat() if isinstance(given, date) else given
