"""Machines and containers laid out as directories, and servers that answer as engines and clusters do, or not."""

import json
import os
import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from capsulestore.capture.cache import NOTHING_KEPT, Cache
from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.container.limits import LIMITS, Limits
from capsulestore.capture.layer import LayerCapture

_DISK = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
"""The root of a machine's file system, as /proc/self/mountinfo has it."""

UNHURRIED = LIMITS._replace(seconds=60.0)
"""For what has to be answered: this machine may be busy."""

POD = "2015a4b3-a05b-4e4d-8fa3-699914c33ee8"
POD_PATH = "/api/v1/namespaces/lab/pods/job-x7k2p"
POD_MOUNTS = (
    f"4443 1 259:1 /var/lib/kubelet/pods/{POD}/etc-hosts /etc/hosts rw - xfs /dev/x rw\n"
    f"4444 1 259:1 /var/lib/kubelet/pods/{POD}/containers/job/d52b /dev/termination-log rw - xfs /dev/x rw\n"
)
TOKEN = "eyJhbGciOiJSUzI1NiJ9.hunter2"

Answer = Callable[[socket.socket, str], None]
"""Does whatever it likes with a connection on which a request, whose path it is given, has come in."""


@pytest.fixture
def place(tmp_path_factory) -> Path:
    """Where a container is laid out: a short path, since that of a socket may have 107 bytes."""
    return tmp_path_factory.mktemp("c")


@pytest.fixture
def laid_out(place, runtime) -> Callable[..., LayerCapture]:
    """Capture the layer where these files are: `laid_out({path: text}, NAME=value)`; without mounts, a machine's."""

    def capture(
        files: Mapping[str, str | bytes],
        *,
        limits: Limits = UNHURRIED,
        cache: Cache = NOTHING_KEPT,
        **variables: str,
    ) -> LayerCapture:
        for path, content in {"proc/self/mountinfo": _DISK, **files}.items():
            data = content.encode() if isinstance(content, str) else content
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            # What is as it should be stays unchanged: what is kept of it is right.
            if not (place / path).is_file() or (place / path).read_bytes() != data:
                (place / path).write_bytes(data)
        return ContainerLayer(str(place), limits=limits).capture(runtime._replace(environ=variables, cache=cache), 1)

    return capture


@pytest.fixture
def unix_server(place) -> Iterator[Callable[..., None]]:
    """Listen on a socket of the container's: `unix_server(answer, "run/podman/podman.sock")`."""
    with _Servers() as servers:

        def serve(answer: Answer, path: str = "var/run/docker.sock") -> None:
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(os.fspath(place / path))
            servers.start(listening, answer)

        yield serve


@pytest.fixture
def tls_server() -> Iterator[Callable[..., int]]:
    """Listen on loopback, by TLS with `context`, and return the port: `tls_server(answer, context)`."""
    with _Servers() as servers:

        def serve(answer: Answer, context: ssl.SSLContext | None) -> int:
            listening = socket.create_server(("127.0.0.1", 0))
            port = listening.getsockname()[1]
            servers.start(listening, answer, context)
            return port

        yield serve


@pytest.fixture(scope="session")
def http() -> Callable[..., bytes]:
    """Return an answer in HTTP, the body in JSON: `http({}, "404 Not Found")`."""

    def answer(value: Any, status: str = "200 OK", headers: str = "") -> bytes:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body

    return answer


@pytest.fixture(scope="session")
def drip() -> Callable[[socket.socket, bytes], None]:
    """Send bytes one by one, a hundred in two seconds, until all are sent or the other side has gone."""

    def send(connection: socket.socket, data: bytes) -> None:
        for byte in data:
            if select.select([connection], [], [], 0.02)[0]:
                return
            connection.sendall(bytes([byte]))

    return send


@pytest.fixture
def engine(unix_server, http) -> Callable[..., list[str]]:
    """Answer as an engine does: `engine({path: value})`, all else is not found; return the paths that are asked for."""

    def serve(answers: Mapping[str, Any], path: str = "var/run/docker.sock") -> list[str]:
        asked: list[str] = []

        def answer(connection: socket.socket, requested: str) -> None:
            asked.append(requested)
            known = requested in answers
            found = answers.get(requested, {"message": "no such container"})
            connection.sendall(http(found, "200 OK" if known else "404 Not Found"))

        unix_server(answer, path)
        return asked

    return serve


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Callable[[str], tuple[str, ssl.SSLContext]]:
    """Make an authority and a server with its certificate for an address: its certificate, and the server's context."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("there is no openssl on this machine to make certificates with")

    def make(address: str = "127.0.0.1") -> tuple[str, ssl.SSLContext]:
        at = tmp_path_factory.mktemp("authority")
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        self_signed = ["-keyout", at / "ca.key", "-out", at / "ca.crt", "-subj", "/CN=authority"]
        signed = ["-CA", at / "ca.crt", "-CAkey", at / "ca.key", "-addext", f"subjectAltName=IP:{address}"]
        server = ["-keyout", at / "key", "-out", at / "crt", "-subj", "/CN=server", *signed]
        for arguments in (self_signed, server):
            subprocess.run([openssl, "req", "-x509", *key, *arguments], capture_output=True, check=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(at / "crt", at / "key")
        return (at / "ca.crt").read_text(), context

    return make


@pytest.fixture(scope="session")
def trusted(authority) -> tuple[str, ssl.SSLContext]:
    return authority()


@pytest.fixture
def in_pod(laid_out, trusted, tls_server) -> Callable[..., Any]:
    """Capture in a pod whose cluster answers so: `in_pod(answer, files={...}, context=..., NAME=value)`."""

    def capture(answer, *, files: dict | None = None, context: ssl.SSLContext | None = trusted[1], **options: Any):
        port = tls_server(answer, context)
        account = {"token": f"{TOKEN}\n", "ca.crt": trusted[0], "namespace": "lab"}
        mounted = {f"var/run/secrets/kubernetes.io/serviceaccount/{name}": text for name, text in account.items()}
        variables = {
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT_HTTPS": str(port),
            "HOSTNAME": "job-x7k2p",
        }
        return laid_out({"proc/self/mountinfo": POD_MOUNTS, **mounted, **(files or {})}, **{**variables, **options})

    return capture


@pytest.fixture
def answering(http) -> Callable[..., Callable[[socket.socket, str], None]]:
    """Return what answers so, and not found for any other path."""

    def make(value: Any, line: str = "200 OK", headers: str = ""):
        def answer(connection: socket.socket, path: str) -> None:
            connection.sendall(http(value, line, headers) if path == POD_PATH else http({}, "404 Not Found"))

        return answer

    return make


class _Servers:
    """Servers that run until the block ends, however their answers end."""

    def __enter__(self) -> "_Servers":
        self._listening: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        return self

    def __exit__(self, *_: object) -> None:
        for listening in self._listening:
            # Wakes the thread that waits for the next connection; closing alone does not.
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for thread in self._threads:
            thread.join()

    def start(self, listening: socket.socket, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        listening.listen()
        thread = threading.Thread(target=_serve, args=(listening, answer, context))
        self._listening.append(listening)
        self._threads.append(thread)
        thread.start()


def _serve(listening: socket.socket, answer: Answer, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(connection, server_side=True) if context else connection as line:
                request = line.recv(2**16).decode("latin-1")
                answer(line, request.split(" ")[1] if " " in request else "")
        except OSError:
            # Whoever asked has had enough.
            connection.close()
