"""The text form of the layers of a context: each in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from capsulestore.compare.closures import name_and_hash
from capsulestore.compare.words import in_short

from .output import safe

__all__ = ["context_summary"]

Layer = Mapping[str, Any]


def context_summary(name: str, layer: Layer) -> str:
    """Return what says most of a layer of a context; empty where it says nothing."""
    return safe(", ".join(filter(None, _SUMMARIES.get(name, _anything)(layer))))


def _system(layer: Layer) -> Iterator[str]:
    yield _words(layer, "os", "name", "version_id")
    yield _words(layer, "libc", "family", "version")
    yield _words(layer, "runtime", "openssl")
    for manager, packages in _entries(layer, "packages"):
        yield f"{len(packages) if isinstance(packages, Mapping) else '?'} {manager} packages"


def _variables(layer: Layer) -> Iterator[str]:
    for collection in ("process", "paths"):
        yield from (f"{variable}={_word(value)}" for variable, value in _entries(layer, collection))


def _host(layer: Layer) -> Iterator[str]:
    yield _words(layer, "kernel", "name", "release")
    processors = dict(_entries(layer, "cpu")).get("logical")
    model = " ".join(filter(None, (_words(layer, "cpu", "model"), _words(layer, "cpu", "level"))))
    yield f"{model}{f', {_word(processors)} processors' if processors else ''}"
    if memory := _words(layer, "memory", "gib"):
        yield f"{memory} GiB"
    allowed = (("cpus", "{} CPUs"), ("cpuset", "a cpuset of {}"), ("memory_mib", "{} MiB"))
    limits = dict(_entries(layer, "limits"))
    if limited := [words.format(_word(limits[entry])) for entry, words in allowed if entry in limits]:
        yield f"limited to {' and '.join(limited)}"
    yield from _gpus(layer)


def _gpus(layer: Layer) -> Iterator[str]:
    gpus = dict(_entries(layer, "gpu"))
    told = gpus.get("models")
    models = list(map(_word, told)) if isinstance(told, list) else []
    for model in dict.fromkeys(models):
        yield f"{models.count(model)} {model}" if models.count(model) > 1 else model
    if driver := gpus.get("driver"):
        yield f"GPU driver {_word(driver)}"
    if cuda := gpus.get("cuda"):
        yield f"CUDA {_word(cuda)}"


def _python(layer: Layer) -> Iterator[str]:
    if installers := [f"{name} {_word(version)}" for name, version in _entries(layer, "installers")]:
        yield f"installers {', '.join(installers)}"
    if sources := [name for name, _ in _entries(layer, "sources")]:
        yield f"not from an index: {', '.join(sources)}"


def _container(layer: Layer) -> Iterator[str]:
    if runtime := layer.get("runtime"):
        yield f"run by {'an unknown runtime' if runtime == 'unknown' else _word(runtime)}"
    names = dict(_entries(layer, "image")).get("names")
    if isinstance(names, list):
        yield f"image {' '.join(map(_word, names))}"


def _conda(layer: Layer) -> Iterator[str]:
    told = (archive.get("channel") for _, archive in _entries(layer, "archives") if isinstance(archive, dict))
    channels = Counter(map(_word, filter(None, told)))
    for channel, count in sorted(channels.items()):
        yield f"{count} package{'s' if count > 1 else ''} from {channel}"
    if distributions := len(dict(_entries(layer, "distributions"))):
        yield f"{distributions} of the Python packages {'are' if distributions > 1 else 'is'} conda's"


def _nix(layer: Layer) -> Iterator[str]:
    roots = layer.get("roots")
    for root in roots if isinstance(roots, list) else []:
        name, _ = name_and_hash(str(root)) or (str(root), "")
        yield f"runs from {name}"


def _anything(layer: Layer) -> Iterator[str]:
    for collection in layer:
        yield from (f"{name} {_word(value)}" for name, value in _entries(layer, collection))


_SUMMARIES: Final[Mapping[str, Callable[[Layer], Iterator[str]]]] = {
    "system": _system,
    "variables": _variables,
    "host": _host,
    "conda": _conda,
    "nix": _nix,
    "python": _python,
    "container": _container,
}


def _entries(layer: Layer, collection: str) -> Iterator[tuple[str, Any]]:
    found = layer.get(collection)
    return iter(found.items() if isinstance(found, Mapping) else ())


def _words(layer: Layer, collection: str, *entries: str) -> str:
    found = dict(_entries(layer, collection))
    return " ".join(_word(found[entry]) for entry in entries if entry in found)


def _word(value: Any) -> str:
    return in_short(value)
