"""A cluster that answers for ever, slowly, or not at all leaves the image unknown and says why, in its time."""

import json

import pytest

from capsulestore.capture.container.limits import LIMITS

POD = "2015a4b3-a05b-4e4d-8fa3-699914c33ee8"
DIGEST = f"sha256:{'1' * 64}"
JOB = {"metadata": {"uid": POD}, "status": {"containerStatuses": [{"name": "job", "imageID": f"job@{DIGEST}"}]}}
HURRIED = LIMITS._replace(seconds=0.3)
SMALL = LIMITS._replace(seconds=60.0, answer_bytes=20_000)


def send_for_ever(connection, path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n[")
    while True:
        connection.sendall(b"[]," * 1000)


def check(captured, why: str) -> None:
    assert (captured.state.state, captured.environment, captured.findings) == ("unknown", None, ())
    assert f"`kubernetes` {why}" in captured.state.reason
    assert "hunter2" not in json.dumps(captured.as_json())


def test_i8_a_body_without_end_is_not_read_to_it(in_pod):
    check(in_pod(send_for_ever, limits=SMALL), "answers with more than 20000 bytes")


def test_silence_is_not_waited_for(in_pod):
    check(in_pod(lambda connection, path: connection.recv(1), limits=HURRIED), "did not answer in time")


def test_silence_before_tls_is_not_waited_for(in_pod):
    check(in_pod(lambda connection, path: connection.recv(1), context=None, limits=HURRIED), "did not answer in time")


def test_a_drip_of_bytes_does_not_stretch_the_time(in_pod, http, drip):
    """Each byte comes soon enough, in a record of TLS of its own; all of them, which are a right answer, do not."""
    check(in_pod(lambda connection, path: drip(connection, http(JOB)), limits=HURRIED), "did not answer in time")


@pytest.mark.parametrize(
    ("sent", "why"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS"), (b"", "does not speak TLS")],
    ids=["plain HTTP", "nothing"],
)
def test_a_server_that_does_not_speak_tls_is_told_of(sent, why, in_pod):
    check(in_pod(lambda connection, path: connection.sendall(sent), context=None), why)


def test_a_server_that_hangs_up_is_told_of(in_pod):
    check(in_pod(lambda connection, path: None), "does not answer as a server of HTTP would")
