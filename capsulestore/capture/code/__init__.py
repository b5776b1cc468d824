"""The code of an analysis: the live sources that took part in it, which are no installed package and hence no layer."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from capsulestore.capture.artifacts import recorded_path
from capsulestore.capture.code.apart import declared_paths
from capsulestore.capture.code.changes import Report
from capsulestore.capture.code.git import GitProblem
from capsulestore.capture.code.live import LiveSource, live_sources
from capsulestore.capture.code.repository import Repositories
from capsulestore.capture.code.trees import Tree, every_source, look_at, without_covered, work_tree
from capsulestore.capture.files import file_sha256, path_text
from capsulestore.capture.finding import Finding
from capsulestore.model.canonical import Json
from capsulestore.model.redaction import redact_url

__all__ = ["Code", "LiveSource", "capture_code", "live_sources"]

_INCOMPLETE = frozenset({"file-unreadable", "not-looked-through", "source-missing", "submodule-changed", "unhashed"})


@dataclass(frozen=True, slots=True)
class Code:
    """What a manifest's `code` says, what of it is kept whole (by path in the capsule's `files/`), and findings."""

    trees: tuple[Mapping[str, Json], ...]
    files: tuple[Mapping[str, Json], ...]
    kept: Mapping[str, bytes]
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Json]:
        """Return the manifest's `code`; a key with nothing under it is left out."""
        listed = {"trees": self.trees, "files": self.files}
        return {key: [dict(item) for item in items] for key, items in listed.items() if items}


def capture_code(  # noqa: PLR0913  (each says another thing of the analysis)
    live: Sequence[LiveSource],
    *,
    directory: str,
    root: str,
    declared: Collection[str] = (),
    script: str | None = None,
    modules: Collection[str] = (),
) -> Code:
    """Return the code of an analysis in a working directory; only reads (I9), and raises for nothing that lies on disk.

    `root` is the directory that holds the store, from which paths are recorded; `declared` are the paths of inputs and
    outputs, files or directories, which are never code. `script` and `modules` are files to be listed one by one.
    """
    findings: dict[Finding, None] = {}
    repositories = Repositories()
    inputs_and_outputs = declared_paths(os.path.join(directory, path) for path in declared)
    around = work_tree(directory, root, repositories)
    looked: list[tuple[Tree, Report]] = []
    trees: list[Mapping[str, Json]] = []
    for source in without_covered([*([around] if around else []), *every_source(live, root)]):
        report = partial(_report, findings, source.text)
        tree = look_at(source, repositories, inputs_and_outputs, report)
        trees.append({"role": source.role, "name": source.name, **_remote(tree, report), **tree.facts()})
        looked.append((tree, report))
    listed = [os.path.join(directory, path) for path in (*([] if script is None else [script]), *modules)]
    files = _files(listed, root, partial(_report, findings))
    kept = _kept(looked)
    return Code(tuple(trees), tuple(files), kept, tuple(findings))


def _report(findings: dict[Finding, None], subject: str, code: str, message: str) -> None:
    findings[Finding("code", code, subject, message, code in _INCOMPLETE)] = None


def _kept(looked: Sequence[tuple[Tree, Report]]) -> dict[str, bytes]:
    if not any(tree.changes and tree.changes.entries for tree, _ in looked):
        return {}
    from capsulestore.capture.code.kept import keep  # noqa: PLC0415  (start-up counts, and most trees are clean)

    return keep(looked)


def _remote(tree: Tree, report: Report) -> dict[str, Json]:
    """Return the remote's url, where there is one, and whether the commit is on any."""
    if tree.position is None or tree.status is None:
        return {}
    try:
        remote = tree.position.repository.remote(tree.status)
    except GitProblem as problem:
        report(problem.code, f"{problem}; whether its commit is on a remote is not known")
        return {}
    if not remote.has_commit:
        report("not-on-a-remote", "its commit is on no remote; nobody else can get it")
    if remote.url is None:
        return {"on_remote": remote.has_commit}
    url, redacted = redact_url(path_text(remote.url))
    if redacted:
        report("redacted", "the url of its remote held credentials or a query string, which are not recorded")
    return {"remote": url, "on_remote": remote.has_commit}


def _files(paths: Iterable[str], root: str, report: Callable[[str, str, str], None]) -> Iterator[dict[str, Json]]:
    """Yield each file by its path with the SHA-256 of its bytes, sorted and each once; what is not readable is not."""
    for recorded, path in sorted({recorded_path(path, root): path for path in paths}.items()):
        try:
            yield {"path": recorded, "sha256": file_sha256(path).hex()}
        except (OSError, ValueError):
            report(f"file `{recorded}`", "file-unreadable", "cannot be read; not listed")
