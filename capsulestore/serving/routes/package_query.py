"""Which package an environment should have: `numpy<2` of Python's, `conda:openssl=3.0.*` of conda's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from capsulestore.errors import UsageError

__all__ = ["PackageQuery"]

_MOST_CHARACTERS: Final = 300
_CONDA: Final = "conda:"
_OF_CONDA: Final = re.compile(r"(?P<name>[A-Za-z0-9_.\-]+)(?:==?(?P<glob>[A-Za-z0-9_.!+*\-]+))?")


@dataclass(frozen=True, slots=True)
class PackageQuery:
    """The layer and the name of a package, as an environment has them, and which versions are good."""

    layer: str
    name: str
    _is_good: Callable[[str], bool] | None = None

    @classmethod
    def parse(cls, text: str) -> PackageQuery:
        """Return what a text asks for; raise `UsageError` for what names no package.

        Of Python it is a name, which is normalised (PEP 503), and version specifiers (PEP 440): pre-releases and local
        versions are versions like any other. Of conda it is `conda:NAME`, with `=` and a version in which `*` is any
        text. A name alone is any version.
        """
        if len(text) > _MOST_CHARACTERS:
            raise UsageError(f"a package is asked for in {_MOST_CHARACTERS} characters at most")
        if text.startswith(_CONDA):
            return cls._of_conda(text.removeprefix(_CONDA))
        try:
            asked = Requirement(text)
        except (InvalidRequirement, ValueError, RecursionError):
            raise UsageError(
                f"`{text}` names no package", hint="as `numpy`, `numpy<2` or `conda:openssl=3.0.*`"
            ) from None
        if asked.extras or asked.url or asked.marker:
            raise UsageError(f"`{text}` asks for more than a name and versions", hint="as `numpy>=1.26,<2`")
        # An empty set of specifiers would take no version that is none by PEP 440.
        is_good = _among(asked.specifier) if len(asked.specifier) else None
        return cls("python", canonicalize_name(asked.name), is_good)

    @classmethod
    def _of_conda(cls, text: str) -> PackageQuery:
        found = _OF_CONDA.fullmatch(text)
        if found is None:
            raise UsageError(f"`{_CONDA}{text}` names no package", hint="as `conda:openssl` or `conda:openssl=3.0.*`")
        glob = found["glob"]
        good = re.compile(translate(glob)).fullmatch if glob else None
        return cls("conda", found["name"].lower(), (lambda version: bool(good(version))) if good else None)

    def takes(self, version: str | None) -> bool:
        """Whether a package of that version will do; None is one that has no version."""
        return self._is_good is None or (version is not None and self._is_good(version))


def _among(specifiers: SpecifierSet) -> Callable[[str], bool]:
    # Many environments have the same version.
    @lru_cache
    def is_good(version: str) -> bool:
        try:
            return specifiers.contains(version, prereleases=True)
        except ValueError:
            # It is none, or has a number of more digits than Python reads.
            return False

    return is_good
