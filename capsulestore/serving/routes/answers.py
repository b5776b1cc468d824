"""What is sent and what is taken, as types: the document at `/openapi.json` is made of them.

Answers are written from plain values, and not passed through these: that the two agree is for the tests.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from capsulestore.model.canonical import MAX_INTEGER

__all__ = [
    "Capsule",
    "CapsuleList",
    "Comparison",
    "Digest",
    "Environment",
    "Errors",
    "Health",
    "Recorded",
    "Registration",
    "Surroundings",
    "Verification",
]

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="64 lower-case hex digits.")]
Layers = dict[str, Any]
State = Literal["captured", "none"] | dict[str, str]
Verdict = Literal["identical", "different", "not comparable"]
Checked = Literal["same", "changed", "missing", "unreadable", "unchecked"]


class _Answer(BaseModel):
    """Keys are only ever added."""

    model_config = ConfigDict(extra="allow")


class Capsule(_Answer):
    """A capsule: what was done (`manifest`), in which environment."""

    capsule_id: Digest
    environment_digest: Digest
    layers: dict[str, Digest] = Field(description="The digest of each layer of the environment.")
    manifest: dict[str, Any] = Field(description="As `capsule show --json` has it.")


class Environment(_Answer):
    """An environment: what an analysis could notice of where it ran, by layer."""

    environment_digest: Digest
    layers: dict[str, Digest]
    environment: Layers


class Surroundings(Environment):
    """A capsule's environment, its context, and how looking at each layer ended; as `capsule capture --json` prints."""

    context: Layers
    states: dict[str, State] | None = Field(description="Null where that was not recorded.")


class Listed(_Answer):
    """A capsule in a list, at its earliest registration; as `capsule log --json` has it."""

    capsule_id: Digest
    environment_digest: Digest
    title: str
    author: str = Field(description="`NAME <ADDRESS>`, the address mostly empty.")
    registered_at: str = Field(description="ISO 8601, UTC; whole seconds.")
    parents: list[Digest]


class CapsuleList(_Answer):
    """A page of capsules, newest first."""

    capsules: list[Listed]
    next: str | None = Field(
        description="The `cursor` of the next page, null on the last one. A page may be short, even empty, before it."
    )
    unreadable: list[Digest] = Field(
        description="What is registered and cannot be read now, so that it may be missing among the capsules."
    )


class File(BaseModel):
    """A file that went in or came out. Only its digest is recorded."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, description="Relative to the project's directory where it lies below, with `/`.")
    sha256: Digest
    size: int = Field(ge=0, le=MAX_INTEGER, description="In bytes.")


class Registration(BaseModel):
    """A capsule to be registered: what an analysis was, and in which environment it ran."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=1000, description="What people call it.")
    environment_capture: Layers = Field(
        description="What `capsule capture --json` prints, or a mapping of layers. Its digest is computed here; where "
        "it names another, it is refused."
    )
    description: str | None = None
    command: list[str] | None = Field(None, description="The program and its arguments.")
    entry_point: str | None = None
    parameters: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    inputs: list[File] = []
    outputs: list[File] = []
    parents: list[str] = Field(
        [], max_length=1000, description="Names of capsules on this server that it derives from."
    )
    status: Literal["completed", "failed"] | None = None


class Recorded(_Answer):
    """A capsule that is registered and durable."""

    capsule_id: Digest
    environment_digest: Digest
    registered: bool = Field(description="Whether it is new to the store.")
    redacted: list[str] = Field(description="What held something like a credential, which is not recorded.")


class LayerMatch(_Answer):
    """One layer; `match` is null where the two cannot be compared."""

    layer: str
    captured: Digest | None
    current: Digest | None
    match: bool | None


class Change(_Answer):
    """One entry that differs: `a` and `b` are whole values, null where there is none."""

    layer: str
    collection: str | None
    entry: str | None
    change: Literal["added", "removed", "changed"]
    a: Any
    b: Any
    fields: Any


class Failure(_Answer):
    """One thing that is not as recorded."""

    code: str
    subject: str
    reason: str


class CheckedCode(_Answer):
    """A recorded tree or file of code, and what is there now."""

    role: Literal["work tree", "editable", "path", "file"]
    name: str
    recorded: Any
    current: Any
    state: Checked


class CheckedFile(_Answer):
    """A recorded input or output."""

    path: str
    state: Checked


class Verification(_Answer):
    """Whether the environment, and code and files beside it, are what a capsule recorded; as `capsule verify --json`.

    Of an environment that was sent, code and files are not looked at, and `target` is null. Of the server's own, those
    are that lie in the directory that holds its store, up to a bound on all of them together; the others are
    `unchecked`. Neither that nor `missing` makes the answer differ.
    """

    capsule_id: Digest | None = Field(description="Null where an environment was named.")
    match: bool = Field(description="Whether the verdict is `identical`.")
    verdict: Verdict
    captured_digest: Digest
    current_digest: Digest
    layers: list[LayerMatch]
    changes: list[Change]
    context_changes: list[Change] = Field(description="What differs in the context, beside the verdict.")
    reasons: list[str] = Field(description="The same in words.")
    target: dict[str, Any] | None = Field(description="The interpreter that was looked at.")
    code: list[CheckedCode]
    files: list[CheckedFile]
    failures: list[Failure]


class Comparison(_Answer):
    """What differs from one environment to another; as `capsule diff --json` has it."""

    a: Digest
    b: Digest
    identical: bool
    changes: list[Change]
    unseen: dict[str, str] = Field(description="Layers that one of the two could not see, and why.")


class Health(_Answer):
    """That the server answers, and can read its store."""

    status: Literal["ok"]
    version: str
    git: bool = Field(description="Whether git can clone from and push to `/git`.")


class Error(_Answer):
    """What went wrong."""

    code: str
    message: str
    hint: str | None


class Errors(_Answer):
    """Why there is no other answer."""

    errors: list[Error] = Field(min_length=1)
