"""Is the environment here, and are code and files, what a capsule recorded?"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from capsulestore.capture.cache import NOTHING_KEPT, Cache
from capsulestore.capture.environment import Capture
from capsulestore.capture.target import Target
from capsulestore.compare.verdict import Verdict
from capsulestore.compare.words import sentence
from capsulestore.errors import InvalidValue, StoreUnreadable, UnknownName, UsageError
from capsulestore.model.canonical import Json
from capsulestore.model.digest import Digest
from capsulestore.store import Store
from capsulestore.verification.files import FileCheck, check_files, said_of
from capsulestore.verification.matching import EnvironmentMatch, match_environment, match_given
from capsulestore.verification.recorded import RecordedEnvironment

if TYPE_CHECKING:
    from capsulestore.capture.integrity import Integrity
    from capsulestore.capture.interpreter import Interpreter
    from capsulestore.model.capsule import Capsule
    from capsulestore.model.document import Document
    from capsulestore.store.names import Named
    from capsulestore.verification.code import CodeCheck
    from capsulestore.verification.reach import Reach

    DeepCheck = Callable[[Interpreter], Integrity]

__all__ = ["Failure", "Verification", "verify", "verify_given"]

_NO_OTHER: Final = frozenset({"same", "missing", "unchecked"})


class Failure(NamedTuple):
    """One thing that is not as recorded, for programs: a code, what it is about, and the reason in words.

    The codes: `environment_changed` (the subject is an entry of a layer, `python/packages/numpy`), `not_comparable` (a
    layer), `code_changed`, `code_unreadable` (a tree or file of code), `file_changed`, `file_unreadable` (a path),
    `installed_file_changed`, `installed_file_missing`, `installed_file_unreadable` (an absolute path).
    """

    code: str
    subject: str
    reason: str

    def as_dict(self) -> dict[str, Json]:
        """Return the failure as `--json` has it."""
        return {"code": self.code, "subject": self.subject, "reason": self.reason}


class Verification(NamedTuple):
    """The answer: how the environment matches, and beside it the code and the files.

    `capsule` is None where an environment was verified by its own digest. `recorded_target` is the interpreter that was
    captured, as a path here, and what it was chosen by. `deep` is how the files stand that are installed here, where
    those were asked for. `not_looked_at` is what the capsule recorded beside the environment, where that was captured
    elsewhere.
    """

    capsule: Digest | None
    match: EnvironmentMatch
    code: tuple[CodeCheck, ...] = ()
    files: tuple[FileCheck, ...] = ()
    recorded_target: tuple[str, str] | None = None
    deep: Integrity | None = None
    not_looked_at: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The word for the environment alone."""
        return self.match.verdict

    @property
    def here(self) -> Capture:
        """The environment here; raise `UsageError` where it was another's, which was sent."""
        if not isinstance(self.match.here, Capture):
            raise UsageError("the environment was captured elsewhere, and not here")
        return self.match.here

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the answer is as it is: a sentence for each change, those of `remarks`, one for each installed file.

        And what the context says.
        """
        return self._reasons(each=True)

    @property
    def reasons_in_short(self) -> tuple[str, ...]:
        """The same, but of many installed files the first few, and how many more there are."""
        return self._reasons(each=False)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What cannot be compared, what the verdict leaves out, which code and files are not as they were: in words."""
        return (*self.match.remarks, *self._said_of_code(), *said_of(self.files), *self._said_of_elsewhere())

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What keeps it from being `same`, one by one."""
        return tuple(self._failures())

    @property
    def same(self) -> bool:
        """Whether all is as recorded: an identical environment, and no code or file that is another or unreadable.

        And, where that was asked for, whether what is installed is as it was installed.
        """
        code = all(tree.state in _NO_OTHER for tree in self.code)
        files = all(file.state in _NO_OTHER for file in self.files)
        return self.verdict == "identical" and code and files and (self.deep is None or self.deep.same)

    def as_dict(self) -> dict[str, Json]:
        """Return the answer as `capsule verify --json` has it."""
        return {
            "capsule_id": str(self.capsule) if self.capsule else None,
            **self.match.as_dict(),
            "code": [code.as_dict() for code in self.code],
            "files": [file.as_dict() for file in self.files],
            "reasons": list(self.reasons),
            "failures": [failure.as_dict() for failure in self.failures],
            **({} if self.deep is None else {"deep": self.deep.as_dict()}),
        }

    def _reasons(self, *, each: bool) -> tuple[str, ...]:
        installed: Iterable[str] = ()
        if self.deep is not None:
            from capsulestore.verification.installed import said_of_each, said_of_installed  # noqa: PLC0415

            installed = said_of_each(self.deep) if each else said_of_installed(self.deep)
        return (*map(sentence, self.match.changes), *self.remarks, *installed, *self.match.said_of_context())

    def _said_of_code(self) -> Iterator[str]:
        if self.code:
            from capsulestore.verification.code import said_of_code  # noqa: PLC0415

            yield from said_of_code(self.code)

    def _said_of_elsewhere(self) -> Iterator[str]:
        if self.not_looked_at:
            yield f"{', '.join(self.not_looked_at)}: not looked at, as the environment was captured elsewhere"

    def _failures(self) -> Iterator[Failure]:
        if self.verdict != "identical":
            for change in self.match.changes:
                place = "/".join(filter(None, (change.layer, change.collection, change.entry)))
                yield Failure("environment_changed", place, sentence(change))
            for layer in self.match.layers:
                if layer.match is None:
                    yield Failure("not_comparable", layer.layer, f"{layer.layer}: {layer.reason}")
            if not self.match.layers:
                yield Failure("not_comparable", "", "there is no layer to compare")
        for tree in self.code:
            if tree.state not in _NO_OTHER:
                from capsulestore.verification.code import said_of_code  # noqa: PLC0415

                yield Failure(f"code_{tree.state}", f"{tree.role} {tree.name}", *said_of_code([tree]))
        for file in self.files:
            if file.state not in _NO_OTHER:
                yield Failure(f"file_{file.state}", file.path, *said_of([file]))
        if self.deep is not None:
            from capsulestore.verification.installed import failing  # noqa: PLC0415

            yield from (Failure(*failure) for failure in failing(self.deep))


def verify(  # noqa: PLR0913  (each says another thing of what is asked)
    store: Store,
    name: str,
    target: Target,
    *,
    layers: Collection[str] | None = None,
    strict: bool = False,
    loaded: bool = False,
    deep: DeepCheck | None = None,
    environ: Mapping[str, str] | None = None,
    cache: Cache = NOTHING_KEPT,
    reach: Reach | None = None,
) -> Verification:
    """Compare what a capsule (or an environment, by its digest) recorded with what the target has now.

    `layers`, `strict` and `environ` are those of `match_environment`; with `loaded`, of the distributions only those
    count that the analysis imported. `deep` compares what is installed for the target with what its installers wrote
    down of it (`check_installed`). Code and files that are out of `reach` are `unchecked`; without it nothing is. Raise
    what `Store.resolve`, `capture` and `deep` raise, `UsageError` where what was imported was not recorded, and
    `StoreUnreadable` for an environment that this release cannot read.
    """
    named, capsule = _named(store, name)
    recorded = _recorded(store, named.digest, capsule)
    if loaded:
        recorded = recorded._replace(loaded=_imported(capsule, name))
    with _readable(recorded):
        match = match_environment(recorded, target, layers=layers, strict=strict, environ=environ, cache=cache)
    answer = Verification(named.capsule, match)
    if deep:
        answer = answer._replace(deep=deep(answer.here.interpreter))
    if capsule is None:
        return answer
    return answer._replace(
        code=tuple(_code(capsule, answer.here, store.root, reach)),
        files=tuple(check_files(capsule.manifest, store.root, reach)),
        recorded_target=_recorded_target(capsule, store.root),
    )


def verify_given(
    store: Store,
    name: str,
    given: Document,
    *,
    layers: Collection[str] | None = None,
    strict: bool = False,
) -> Verification:
    """Compare what a capsule (or an environment, by its digest) recorded with an environment captured elsewhere.

    Its code and files, which lie there too, are not looked at. Raise what `Store.resolve` raises, `UsageError`, and
    `StoreUnreadable` for an environment that this release cannot read.
    """
    named, capsule = _named(store, name)
    recorded = _recorded(store, named.digest, capsule)
    with _readable(recorded):
        match = match_given(recorded, given, layers=layers, strict=strict)
    there = tuple(key for key in ("code", "inputs", "outputs") if capsule and capsule.manifest.value.get(key))
    return Verification(named.capsule, match, not_looked_at=there)


def _named(store: Store, name: str) -> tuple[Named, Capsule | None]:
    named = store.resolve(name)
    if named.kind not in {"capsule", "environment"}:
        raise UnknownName(f"`{name}` is neither a capsule nor an environment")
    return named, store.capsule(named.digest) if named.kind == "capsule" else None


def _recorded(store: Store, digest: Digest, capsule: Capsule | None) -> RecordedEnvironment:
    if capsule is None:
        return RecordedEnvironment(store.read, digest)
    return RecordedEnvironment(store.read, capsule.environment, capsule.context, capsule.manifest.layers)


@contextmanager
def _readable(recorded: RecordedEnvironment) -> Iterator[None]:
    try:
        yield
    except InvalidValue as error:
        raise StoreUnreadable(
            f"{recorded.environment} is no environment that this release can read: {error}"
        ) from error


def _imported(capsule: Capsule | None, name: str) -> Collection[str]:
    """Return what the capsule says was imported."""
    imported = capsule.manifest.loaded if capsule else None
    if imported is None:
        raise UsageError(
            f"`{name}` does not say what was imported", hint="`capsule run --trace-imports` records it with a run"
        )
    return imported


def _code(capsule: Capsule, here: Capture, root: str, reach: Reach | None) -> Iterator[CodeCheck]:
    # Which sources are live is known with the layer alone.
    if capsule.manifest.value.get("code") and "python" in here.layers:
        from capsulestore.verification.code import check_code  # noqa: PLC0415

        yield from check_code(capsule.manifest, here.live, directory=os.getcwd(), root=root, reach=reach)


def _recorded_target(capsule: Capsule, root: str) -> tuple[str, str] | None:
    target = capsule.manifest.value.get("target")
    if not isinstance(target, dict):
        return None
    python, chosen_by = target.get("python"), target.get("chosen_by")
    if not isinstance(python, str) or not isinstance(chosen_by, str) or "\0" in python:
        return None
    return os.path.join(root, python), chosen_by
