"""An engine that answers anything, for ever, or not at all, leaves the image unknown and says why, in its time."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from capsulestore.capture.container.limits import LIMITS

A = "a" * 64
IMAGE = f"sha256:{'1' * 64}"
LAYER = f"sha256:{'2' * 64}"
SECRET = "hunter2"
FILES = {"proc/self/mountinfo": f"1 2 0:1 /overlay-containers/{A}/userdata/hostname /etc/hostname rw - tmpfs x rw\n"}
CONTAINER = {"Id": A, "Image": IMAGE}
FOUND = {"Id": IMAGE, "RepoTags": ["tool:1"], "RepoDigests": [], "RootFS": {"Layers": [LAYER]}}
HURRIED = LIMITS._replace(seconds=0.3)
SMALL = LIMITS._replace(seconds=60.0, answer_bytes=20_000, layers=3)

NOT_HTTP = "does not answer as a server of HTTP would"
NOT_JSON = "does not answer in JSON"
TOO_MUCH = "answers with more than 20000 bytes"
LATE = "did not answer in time"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def without(value: dict, name: str) -> dict:
    return {key: member for key, member in value.items() if key != name}


def with_layers(layers: object) -> dict:
    return {**FOUND, "RootFS": {"Layers": layers}}


def chunks(value: object, size: int = 7) -> bytes:
    body = json.dumps(value).encode()
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return CHUNKED + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def for_ever(first: bytes, then: bytes) -> Callable[[socket.socket], None]:
    def send(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(then)

    return send


VALUES = {
    "no JSON": (b"<html>" + SECRET.encode(), NOT_JSON),
    "nothing": (b"", NOT_JSON),
    "bytes that are not UTF-8": (b'{"Id": "\xff"}', NOT_JSON),
    "UTF-16": (json.dumps(CONTAINER).encode("utf-16"), NOT_JSON),
    "a name twice": (f'{{"Id": "{A}", "Image": "{IMAGE}", "Image": "{SECRET}"}}'.encode(), NOT_JSON),
    "a name twice, where nobody looks": (json.dumps(CONTAINER)[:-1].encode() + b', "x": {"y": 1, "y": 2}}', NOT_JSON),
    "no number": (json.dumps(CONTAINER)[:-1].encode() + b', "x": NaN}', NOT_JSON),
    "a number of 5000 digits": (json.dumps(CONTAINER)[:-1].encode() + b', "x": ' + b"1" * 5000 + b"}", NOT_JSON),
    "depth": (b"[" * 9_000 + b"]" * 9_000, NOT_JSON),
    "a word": (b'"container"', NOT_JSON),
    "a number like a status": (b"404", NOT_JSON),
    "an array": ([CONTAINER], "answers without a container"),
    "no id": (without(CONTAINER, "Id"), "answers for another container"),
    "no image": (without(CONTAINER, "Image"), "answers without an image"),
    "an image that is a number": ({**CONTAINER, "Image": 1}, "answers without an image"),
    "an image that is a path": ({**CONTAINER, "Image": f"../{SECRET}"}, "knows the container by no image"),
}
IMAGES = {
    "an array": ([], "answers without an image"),
    "no layers": (without(FOUND, "RootFS"), "answers without layers"),
    "layers that are null": (with_layers(None), "answers without layers"),
    "layers that are none": (with_layers([]), "answers without layers"),
    "layers that are one": (with_layers(LAYER), "answers without layers"),
    "too many layers": (with_layers([LAYER] * 4), "answers with more than 3 of layers"),
    "a layer that is null": (with_layers([LAYER, None]), "answers without a layer by its digest"),
    "upper case": (with_layers([LAYER.upper()]), "answers without a layer by its digest"),
    "another algorithm": (with_layers([f"sha512:{'1' * 128}"]), "answers without a layer by its digest"),
    "a digest and more": (with_layers([f"{LAYER}\n"]), "answers without a layer by its digest"),
    "no id": (without(FOUND, "Id"), "answers without the id of the image"),
    "names that are a word": ({**FOUND, "RepoTags": SECRET}, "answers without names"),
}
BYTES = {
    "nothing": (b"", NOT_HTTP),
    "no HTTP": (f"220 {SECRET} ESMTP\r\n".encode(), NOT_HTTP),
    "half a line": (b"HTTP/1.1 20", NOT_HTTP),
    "a status that is none": (b"HTTP/1.1 two OK\r\n\r\n", NOT_HTTP),
    "a refusal": (f"HTTP/1.1 403 {SECRET}\r\n\r\n{SECRET}".encode(), "answers with the status 403"),
    "a failure": (b"HTTP/1.1 500 x\r\n\r\n", "answers with the status 500"),
    "a redirect": (b"HTTP/1.1 301 x\r\nLocation: /elsewhere\r\n\r\n", "answers with the status 301"),
    "another protocol": (b"HTTP/1.1 101 x\r\nUpgrade: tcp\r\n\r\n", "answers with the status 101"),
    "half a body": (OK + b"Content-Length: 100\r\n\r\n{", NOT_JSON),
    "a length of terabytes": (OK + b"Content-Length: 9999999999999\r\n\r\n{}", "answers for another container"),
    "a length below nothing": (OK + b"Content-Length: -5\r\n\r\n{}", "answers for another container"),
    "a chunk of terabytes": (CHUNKED + b"fffffffffff\r\n{}", NOT_HTTP),
    "a chunk below nothing": (CHUNKED + b"-5\r\n{}", NOT_HTTP),
    "a chunk that is none": (CHUNKED + b"x\r\n{}", NOT_HTTP),
    "half the chunks": (chunks(CONTAINER)[:-30], NOT_HTTP),
    "a packed body": (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08", NOT_JSON),
    "a hundred headers": (OK + b"X: y\r\n" * 101 + b"\r\n{}", NOT_HTTP),
}
ENDLESS = {
    "a first line": for_ever(b"HTTP/1.1 200 ", b"x" * 1000),
    "a header": for_ever(OK + b"X: ", b"x" * 1000),
    "headers": for_ever(OK, b"X: y\r\n" * 100),
    "answers to come": for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "a body": for_ever(OK + b"\r\n[", b"[]," * 1000),
    "chunks": for_ever(CHUNKED, b"3\r\n[],\r\n" * 100),
    "headers behind the chunks": for_ever(CHUNKED + b"0\r\n", b"X: y\r\n" * 100),
}


@pytest.fixture
def told(laid_out, unix_server) -> Callable[..., Any]:
    """Return what is captured where the engine's first answer is sent so: bytes, or what sends them."""

    def capture(send: bytes | Callable[[socket.socket], None], limits=SMALL):
        def answer(connection: socket.socket, path: str) -> None:
            connection.sendall(send) if isinstance(send, bytes) else send(connection)

        unix_server(answer)
        return laid_out(FILES, limits=limits)

    return capture


def check(captured, why: str) -> None:
    assert (captured.state.state, captured.environment, captured.findings) == ("unknown", None, ())
    assert f"(`/var/run/docker.sock` {why}; `CAPSULE_IMAGE_DIGEST` gives none)" in captured.state.reason
    assert SECRET not in json.dumps(captured.as_json())


@pytest.mark.parametrize(("value", "why"), VALUES.values(), ids=VALUES.keys())
def test_i8_what_is_said_of_the_container_may_be_anything(value, why, told, http):
    check(told(http(value)), why)


@pytest.mark.parametrize(("value", "why"), IMAGES.values(), ids=IMAGES.keys())
def test_i8_what_is_said_of_the_image_may_be_anything(value, why, laid_out, engine):
    engine({f"/containers/{A}/json": CONTAINER, f"/images/{IMAGE}/json": value})
    check(laid_out(FILES, limits=SMALL), why)


@pytest.mark.parametrize(("sent", "why"), BYTES.values(), ids=BYTES.keys())
def test_i8_what_is_sent_may_be_no_answer(sent, why, told):
    check(told(sent), why)


@pytest.mark.parametrize("send", ENDLESS.values(), ids=ENDLESS.keys())
def test_i8_what_has_no_end_is_not_read_to_it(send, told):
    captured = told(send)
    assert captured.environment is None
    assert TOO_MUCH in captured.state.reason or NOT_HTTP in captured.state.reason


def test_silence_is_not_waited_for(told):
    check(told(lambda connection: connection.recv(1), HURRIED), LATE)


def test_a_drip_of_bytes_does_not_stretch_the_time(laid_out, unix_server, http, drip):
    """Each byte comes soon enough; all of them, which are a right answer, do not."""
    paths = {f"/containers/{A}/json": CONTAINER, f"/images/{IMAGE}/json": FOUND}
    unix_server(lambda connection, path: drip(connection, http(paths[path])))
    check(laid_out(FILES, limits=HURRIED), LATE)


def test_the_silence_of_one_engine_leaves_time_for_the_next(laid_out, unix_server, engine):
    unix_server(lambda connection, path: connection.recv(1))
    engine({f"/containers/{A}/json": CONTAINER, f"/images/{IMAGE}/json": FOUND}, "run/podman/podman.sock")
    captured = laid_out(FILES, limits=LIMITS._replace(seconds=1.6))
    assert captured.environment["image"] == {"rootfs": [LAYER]}
    assert [(finding.subject, finding.message) for finding in captured.findings] == [("/var/run/docker.sock", LATE)]


def test_an_answer_in_chunks_is_put_together(laid_out, unix_server):
    paths = {f"/containers/{A}/json": CONTAINER, f"/images/{IMAGE}/json": FOUND}
    unix_server(lambda connection, path: connection.sendall(chunks(paths[path])))
    assert laid_out(FILES).environment["image"] == {"rootfs": [LAYER]}


NO_SOCKETS = {
    "a file": (lambda path: path.touch(), "is no socket"),
    "a directory": (lambda path: path.mkdir(), "is no socket"),
    "a named pipe": (os.mkfifo, "is no socket"),
    "a link to itself": (lambda path: path.symlink_to(path), "cannot be asked (Too many levels of symbolic links)"),
    "what nobody listens on": (lambda path: bound(path).close(), "cannot be asked (Connection refused)"),
}


def bound(path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(os.fspath(path))
    return made


@pytest.mark.parametrize(("make", "why"), NO_SOCKETS.values(), ids=NO_SOCKETS.keys())
def test_what_lies_in_the_place_of_a_socket_may_be_anything(make, why, place, laid_out):
    path = place / "var" / "run" / "docker.sock"
    path.parent.mkdir(parents=True)
    make(path)
    check(laid_out(FILES), why)


def test_a_socket_that_a_variable_names_and_is_not_there_is_told_of_without_its_name(laid_out):
    reason = laid_out(FILES, DOCKER_HOST=f"unix:///{SECRET}").state.reason
    assert "(`DOCKER_HOST` names a socket that is not there;" in reason
    assert SECRET not in reason


@pytest.mark.parametrize("path", ["a" * 300, "a/" * 60, "a\0b"], ids=["a long name", "a long path", "a NUL"])
def test_a_socket_by_a_name_that_none_can_have_is_told_of(path, laid_out, place):
    (place / path).parent.mkdir(parents=True, exist_ok=True) if "\0" not in path else None
    assert "(`DOCKER_HOST` " in laid_out(FILES, DOCKER_HOST=f"unix:///{path}").state.reason


CAPTURE = """
import sys
from capsulestore.capture.asking import ask
from capsulestore.capture.cache import NOTHING_KEPT
from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.layer import Runtime
print(ContainerLayer(sys.argv[1]).capture(Runtime(ask(sys.executable), {}, NOTHING_KEPT), 1).state.reason)
"""


def test_without_permission_to_ask_the_engine_that_is_said(place, laid_out, as_nobody_special):
    laid_out(FILES)
    path = place / "var" / "run" / "docker.sock"
    path.parent.mkdir(parents=True)
    with bound(path) as listening:
        listening.listen()
        path.chmod(0)
        command = [*as_nobody_special, sys.executable, "-c", CAPTURE, str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "`/var/run/docker.sock` cannot be asked (Permission denied)" in done.stdout
