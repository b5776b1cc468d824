"""Verifications of different times add up in a store; the same one is the same statement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from capsulestore.capture.environment import capture
from capsulestore.capture.target import running
from capsulestore.errors import UsageError
from capsulestore.recording.capsule import Description, Surroundings, record
from capsulestore.store import Store
from capsulestore.verification.attestation import attest, statement_of
from capsulestore.verification.capsule import verify

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path):
    """A store with a capsule of the running interpreter, of one layer."""
    with Store.init(str(tmp_path)) as store:
        record(store, Surroundings.of(capture(running(), layers=["python"])), Description(title="a capsule"))
        yield store


def test_verifications_of_different_times_are_different_statements(store):
    answer = verify(store, "@", running())
    statements = [statement_of(answer, "a capsule", NOON + timedelta(days=number)) for number in (0, 1, 1)]
    digests = [store.state(statement, "a verdict") for statement in statements]
    assert digests[0] != digests[1] == digests[2]
    assert [found.digest for found in store.index.statements(answer.capsule)] == digests[:2]
    assert [store.statement(digest).predicate["timeVerified"] for digest in digests[:2]] == [
        "2024-02-29T12:00:00Z",
        "2024-03-01T12:00:00Z",
    ]


def test_a_time_of_another_zone_is_told_as_utc_or_with_its_offset(store):
    answer = verify(store, "@", running())
    told = statement_of(answer, "a capsule", datetime.fromisoformat("2024-02-29T13:00:00+01:00"))
    assert datetime.fromisoformat(told.predicate["timeVerified"]) == NOON


def test_what_is_registered_can_be_read_back_and_moves_no_name(store):
    answer = verify(store, "@", running())
    before = datetime.now(UTC).replace(microsecond=0)
    digest = attest(store, answer)
    statement = store.statement(digest)
    assert statement.subject == answer.capsule == store.resolve("@").digest
    assert before <= datetime.fromisoformat(statement.predicate["timeVerified"]) <= datetime.now(UTC)
    (found,) = store.index.statements(answer.capsule)
    assert (found.digest, found.title) == (digest, "identical: a capsule")


def test_a_verification_of_an_environment_is_refused_and_registers_nothing(store):
    environment = str(verify(store, "@", running()).match.captured)
    answer = verify(store, environment, running(), layers=["python"])
    tip = next(store.commits()).id
    with pytest.raises(UsageError) as caught:
        attest(store, answer)
    assert caught.value.exit_code == 2
    assert next(store.commits()).id == tip
