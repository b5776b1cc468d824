"""The code of an analysis: the live sources that took part in it, which are no installed package and hence no layer."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from capsulestore.capture.artifacts import recorded_path
from capsulestore.capture.code.declared import Declared, recorded_declared
from capsulestore.capture.code.git import GitProblem
from capsulestore.capture.code.repository import Repositories
from capsulestore.capture.code.trees import Tree, every_source, look_at, without_covered, work_tree
from capsulestore.capture.files import file_sha256, path_text
from capsulestore.capture.finding import Finding, Report
from capsulestore.capture.live_source import LiveSource
from capsulestore.model.canonical import Json
from capsulestore.model.redaction import redact_url

__all__ = ["Code", "LiveSource", "capture_code"]

_INCOMPLETE = frozenset({"file-unreadable", "not-looked-through", "source-missing", "unhashed"})


@dataclass(frozen=True, slots=True)
class Code:
    """What a manifest's `code` says, what of it is kept whole (by path in the capsule's `files/`), and findings.

    `declared` are the inputs and outputs that are left out of it, files, directories and patterns, as recorded.
    """

    trees: tuple[Mapping[str, Json], ...]
    files: tuple[Mapping[str, Json], ...]
    kept: Mapping[str, bytes]
    findings: tuple[Finding, ...]
    declared: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """Return the manifest's `code`; a key with nothing under it is left out."""
        listed = {"trees": self.trees, "files": self.files}
        code: dict[str, Json] = {key: [dict(item) for item in items] for key, items in listed.items() if items}
        return code | {"declared": [*self.declared]} if self.declared else code

    def with_files(self, paths: Collection[str], *, root: str) -> Code:
        """Return the code with these files listed too, as they are now; `root` as for `capture_code`."""
        findings: dict[Finding, None] = {}
        known = {file["path"] for file in self.files}
        more = [file for file in _files(paths, root, partial(_report, findings)) if file["path"] not in known]
        return replace(self, files=(*self.files, *more), findings=(*self.findings, *findings))


def capture_code(  # noqa: PLR0913  (each says another thing of the analysis)
    live: Sequence[LiveSource],
    *,
    directory: str,
    root: str,
    declared: Collection[str] = (),
    script: str | None = None,
    starts_in: str | None = None,
    modules: Collection[str] = (),
) -> Code:
    """Return the code of an analysis in a working directory; only reads (I9), and raises for nothing that lies on disk.

    `root` is the directory that holds the store, from which paths are recorded; `declared` are inputs and outputs as
    typed, which are never code: files, directories, or patterns (glob, with `**`). `script` and `modules` are files to
    be listed one by one. `starts_in` is the directory that is on the search path because the program starts there:
    the script's, or the working directory.
    """
    findings: dict[Finding, None] = {}
    repositories = Repositories()
    # A url names no file here, and may hold a credential.
    declared = [one for one in declared if "://" not in one]
    inputs_and_outputs = Declared.of(declared, directory)
    around = work_tree(directory, root, repositories)
    looked: list[tuple[Tree, Report]] = []
    trees: list[Mapping[str, Json]] = []
    for source in without_covered(
        [*([around] if around else []), *every_source([*live, *_start(starts_in, directory)], root)]
    ):
        report = partial(_report, findings, source.text)
        tree = look_at(source, repositories, inputs_and_outputs, report)
        trees.append({"role": source.role, "name": source.name, **_remote(tree, report), **tree.facts()})
        looked.append((tree, report))
    listed = [os.path.join(directory, path) for path in (*([] if script is None else [script]), *modules)]
    files = _files(listed, root, partial(_report, findings))
    kept = _kept(looked)
    recorded = recorded_declared(declared, directory, root)
    return Code(tuple(trees), tuple(files), kept, tuple(findings), tuple(recorded))


def _start(starts_in: str | None, directory: str) -> Iterator[LiveSource]:
    """Yield the directory that a program starts in, where there is one."""
    if starts_in is not None and os.path.isdir(path := os.path.realpath(os.path.join(directory, starts_in))):
        yield LiveSource("path", "", path)


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
