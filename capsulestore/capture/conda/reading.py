"""Reads the `conda` layer of a prefix from disk: its packages, where they came from, which distributions are theirs."""

from __future__ import annotations

from typing import NamedTuple

from capsulestore.capture.conda.content import content, has_unhashed
from capsulestore.capture.conda.ownership import CondaDistribution, distributions_of, is_in_place
from capsulestore.capture.conda.record import UNREADABLE, CondaRecord, read_records
from capsulestore.capture.finding import Finding
from capsulestore.capture.layer import LayerCapture, state_of
from capsulestore.capture.python.keys import entry_key
from capsulestore.model.canonical import Json
from capsulestore.model.layers import LayerState
from capsulestore.model.redaction.urls import redact_channel

__all__ = ["CondaPrefix", "read_prefix"]


class CondaPrefix(NamedTuple):
    """What a prefix holds: the layer, and the paths from the prefix of the Python metadata that conda owns."""

    layer: LayerCapture
    metadata: list[str]


def read_prefix(prefix: str, rules: int) -> CondaPrefix:
    """Return what is in a prefix now; raise `OSError` where its `conda-meta` cannot be listed."""
    packages: dict[str, Json] = {}
    archives: dict[str, Json] = {}
    owners: dict[str, Json] = {}
    metadata: list[str] = []
    findings: list[Finding] = []
    # A record at a time: together they would take some hundred megabytes.
    for record in read_records(prefix):
        if isinstance(record, Finding):
            findings.append(record)
            continue
        key = entry_key(record.name)
        if key in packages:
            # An update was interrupted: files of both may be there.
            message = "is recorded twice in `conda-meta`; the first by file name counts, the other is not recorded"
            findings.append(Finding("conda", "twice", record.name, message, incomplete=True))
            continue
        packages[key] = _entry(record)
        if has_unhashed(record):
            message = "lists files without their hashes: of these only the paths count"
            findings.append(Finding("conda", "unhashed", record.name, message))
        archive, archive_findings = _archive(record)
        if archive:
            archives[key] = archive
        distributions, distribution_findings = _in_place(prefix, record)
        # One without a name is none to the layer `python` either.
        owners = {entry_key(one.key): record.name for one in distributions if one.key} | owners
        metadata += [one.metadata for one in distributions]
        findings += [*archive_findings, *distribution_findings]
    if not packages and not findings:
        return CondaPrefix(LayerCapture(LayerState("none")), [])
    context: dict[str, Json] = {"rules": rules}
    collections = {"archives": archives, "distributions": owners}
    # Without packages whose records cannot be read it would be taken for the environment of a prefix without them.
    state = state_of(finding for finding in findings if finding.code == UNREADABLE)
    layer = LayerCapture(
        state=state,
        environment={"rules": rules, "packages": packages} if state.state == "captured" else None,
        context=context | {name: found for name, found in collections.items() if found},
        findings=tuple(findings),
    )
    return CondaPrefix(layer, metadata)


def _entry(record: CondaRecord) -> dict[str, Json]:
    """Return what an environment holds of a package."""
    entry: dict[str, Json] = {"version": record.version, "build": record.build, "content": content(record)}
    if record.subdir:
        entry["subdir"] = record.subdir
    return entry


def _archive(record: CondaRecord) -> tuple[dict[str, Json], list[Finding]]:
    """Return where a package came from, without credentials (I7)."""
    url, url_redacted = redact_channel(record.url)
    channel, channel_redacted = redact_channel(record.channel)
    told = {"url": url, "channel": channel, "sha256": record.sha256, "md5": record.md5}
    archive: dict[str, Json] = {key: value for key, value in told.items() if value}
    if not url_redacted and not channel_redacted:
        return archive, []
    message = "its url or channel held credentials, a token or a query string, which are not recorded"
    return archive, [Finding("conda", "redacted", record.name, message)]


def _in_place(prefix: str, record: CondaRecord) -> tuple[list[CondaDistribution], list[Finding]]:
    """Return those Python distributions of a package that are as conda installed them, and findings of the others."""
    brought = list(distributions_of(record))
    in_place = [distribution for distribution in brought if is_in_place(prefix, distribution)]
    if len(in_place) == len(brought):
        return in_place, []
    message = (
        "brought a Python distribution that is not as conda installed it: another installer replaced or removed it"
    )
    return in_place, [Finding("conda", "distribution-replaced", record.name, message)]
