"""What was seen of an analysis, as a manifest says it, and what a reader should know of what was not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from capsulestore.capture.artifacts import recorded_path
from capsulestore.capture.code import Code
from capsulestore.capture.files import path_text
from capsulestore.errors import CapsuleError
from capsulestore.model.canonical import Json
from capsulestore.model.redaction import redact_text

__all__ = ["NO_CODE", "Remarks", "observed"]

NO_CODE = Code((), (), {}, ())


class Remarks:
    """Sentences for a reader, each once and without secrets: words of a command line may be among them."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts: dict[str, None] = {}
        for text in texts:
            self.add(text)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def add(self, text: str) -> None:
        """Say one thing more."""
        self._texts[redact_text(text)[0]] = None

    def instead(self, what: str) -> _Instead:
        """Return a block that goes on where it fails, and says that `what` is not recorded."""
        return _Instead(self, what)


class _Instead:
    """No analysis is lost for a part of it that cannot be seen."""

    def __init__(self, remarks: Remarks, what: str) -> None:
        self._remarks = remarks
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        # What the locale's encoding cannot say is a ValueError.
        if not isinstance(error, CapsuleError | OSError | ValueError):
            return False
        said = error.message if isinstance(error, CapsuleError) else getattr(error, "strerror", None) or error
        self._remarks.add(f"{self._what} is not recorded: {said}")
        return True


def observed(  # noqa: PLR0913  (each is another key of the manifest)
    *,
    command: Sequence[str],
    directory: str,
    root: str,
    run: dict[str, Json],
    status: str | None,
    script: str | None,
    loaded: Sequence[str] | None,
    code: Code,
) -> dict[str, Json]:
    """Return the manifest's keys of an analysis that was seen; what is None has none. Paths are from `root`."""
    told: dict[str, Json] = {
        "command": [path_text(word) for word in command],
        "working_directory": recorded_path(directory, root),
        "run": run,
    }
    if status:
        told["status"] = status
    if script:
        told["entry_point"] = recorded_path(script, root)
    if loaded is not None:
        told["loaded"] = [*loaded]
    return told | ({"code": said} if (said := code.as_json()) else {})
