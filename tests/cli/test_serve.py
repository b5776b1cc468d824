"""`capsule serve`: it says where it listens, keeps others out, and ends in order when it is asked to."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from asgi_servers import PATIENCE, Client, head
from shared_stores import ENVIRONMENT, register

import capsulestore
import capsulestore_cli
from capsulestore.serving.access.tokens import Tokens
from capsulestore.store import Store
from capsulestore.store.queue import queue

SERVE = [sys.executable, "-m", "capsulestore_cli", "serve", "--port", "0", "--python", sys.executable]
CAPSULE = json.dumps({"title": "over HTTP", "environment_capture": ENVIRONMENT}).encode()


@pytest.fixture
def project(tmp_path):
    """A directory with a store in it, and nothing else."""
    (tmp_path / "project").mkdir()
    register(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def tokens(project):
    return Tokens(str(project / ".capsules"))


class Serving:
    """A server in a process of its own."""

    def __init__(self, process, url):
        self.process = process
        self.url = url
        self.port = int(url.rpartition(":")[2])

    def ask(self, method, path, **headers):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read())
        connection.close()
        return found

    def begin_post(self, token):
        """Begin to register a capsule; return a client whose body is awaited."""
        client = Client(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE))
        headers = (f"Authorization: Bearer {token}", f"Content-Length: {len(CAPSULE)}", "Expect: 100-continue")
        client.send(head("POST /api/capsules", "Content-Type: application/json", *headers))
        assert client.connection.recv(2**16).startswith(b"HTTP/1.1 100 ")
        return client

    def end(self, number):
        """Ask it to end; return its status and what else it says on stderr."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, err


@contextmanager
def serving(project, *arguments, before=()):
    """Run `capsule serve` until the end of the block at the latest; what it says first on stderr is read."""
    command = [*before, *SERVE, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=project, text=True, **pipes) as process:
        try:
            said = process.stderr.readline()
            assert said.startswith("note: serving the store"), said
            if "--json" in arguments:
                url = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["url"]
            else:
                url = process.stdout.readline().rstrip("\n")
            yield Serving(process, url)
        finally:
            process.kill()


@pytest.mark.slow
def test_it_prints_its_url_answers_and_ends_when_it_is_interrupted(project, tokens):
    text = tokens.create("ada", "write")
    with serving(project, "--allow-host", "capsules.example.org") as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.ask("GET", "/api/health")[1]["status"] == "ok"
        assert server.ask("GET", "/api/capsules", Host="capsules.example.org")[0] == 200
        assert server.ask("GET", "/api/capsules", Host="evil.example")[0] == 421
        assert server.ask("POST", "/api/capsules")[0] == 401
        assert server.ask("POST", f"/{text}", Authorization=f"Bearer {text}")[0] in {404, 405}
        tokens.revoke("ada")
        assert server.ask("GET", "/api/capsules", Authorization=f"Bearer {text}")[0] == 401
        shown = Path(f"/proc/{server.process.pid}/cmdline").read_text()
        status, err = server.end(signal.SIGINT)
    assert (status, len(err.splitlines()), text in err + shown, "Traceback" in err) == (0, 6, False, False)


@pytest.mark.slow
def test_a_capsule_that_is_being_registered_is_registered_before_it_ends(project, tokens):
    text = tokens.create("ada", "write")
    with serving(project) as server, server.begin_post(text) as client:
        with queue(str(project / ".capsules" / "capsulestore" / "lock")):
            client.send(CAPSULE)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.stderr.readline().startswith("finishing what was begun (1)")
        status, answer = client.answer()
        assert (status, answer["registered"]) == (201, True)
        server.process.communicate(timeout=PATIENCE)
        assert server.process.returncode == 0
    with Store(str(project / ".capsules")) as store:
        assert store.resolve_capsule(answer["capsule_id"])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(project, tokens, number):
    with serving(project) as server, server.begin_post(tokens.create("ada", "write")):
        server.process.send_signal(number)
        assert server.process.stderr.readline().startswith("finishing what was begun (1)")
        assert server.end(number) == (-number, "")


@pytest.mark.slow
def test_who_stops_reading_its_log_holds_up_no_client_nor_its_end(project):
    with serving(project) as server:
        for _ in range(100):
            assert server.ask("GET", "/" + "x" * 2000)[0] == 404
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0


@pytest.mark.slow
def test_it_takes_as_many_descriptors_as_it_may_and_tells_in_a_line_when_there_are_no_more(project):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with serving(project, before=("sh", "-c", 'ulimit -S -n 256; exec "$@"', "sh")) as server:
        pid = server.process.pid
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (most, most)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, most))
        with socket.create_connection(("127.0.0.1", server.port)):
            assert server.process.stderr.readline().startswith("no connection can be taken now: Too many open files")
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
            assert server.ask("GET", "/api/health")[0] == 200
        assert "Traceback" not in server.end(signal.SIGTERM)[1]


@pytest.mark.slow
def test_where_others_reach_it_there_must_be_a_token_and_everything_needs_it(capsule, project, tokens):
    done = capsule("serve", "--port", "0", "--host", "0.0.0.0")
    assert (done.status, done.out) == (2, "")
    assert "hint: make one with `capsule token create NAME`" in done.err
    text = tokens.create("ada", "read")
    with serving(project, "--host", "0.0.0.0", "--no-git", "--json") as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert "`capsule` sends a token over https only" in server.process.stderr.readline()
        assert server.ask("GET", "/api/health")[1]["git"] is False
        assert server.ask("GET", "/api/capsules")[0] == 401
        assert server.ask("GET", "/api/capsules", Authorization=f"Bearer {text}")[0] == 200


@pytest.mark.slow
def test_behind_a_proxy_reading_may_need_a_token_too(capsule, project, tokens):
    done = capsule("serve", "--port", "0", "--require-token")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error: with `--require-token` there is no token by which to let anybody in\nhint: ")
    text = tokens.create("ada", "read")
    with serving(project, "--require-token") as server:
        assert server.ask("GET", "/api/health")[0] == 200
        assert server.ask("GET", "/api/capsules")[0] == 401
        assert server.ask("GET", "/api/capsules", Authorization=f"Bearer {text}")[0] == 200


@pytest.mark.slow
def test_what_cannot_be_served_is_told_in_a_line(capsule, project, tmp_path, bound_by_permissions):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = {
            ("--port", str(taken.getsockname()[1])): (6, "Address already in use"),
            ("--host", "nowhere.invalid"): (6, "cannot listen on `nowhere.invalid`"),
            ("--port", "65536"): (2, "65536"),
            ("--allow-host", "http://capsules.example.org"): (2, "no host name"),
            ("--store", str(tmp_path / "nothing")): (3, "no store at"),
            ("--store", str(tmp_path)): (4, "is not a store"),
            ("--python", "nothing"): (6, "no interpreter at `nothing`"),
        }
        for words, (status, said) in refused.items():
            done = capsule("serve", "--port", "0", *words)
            assert (done.status, done.out, "Traceback" in done.err) == (status, "", False), words
            assert said in done.err
    command = [*bound_by_permissions, *SERVE, "--port", "80"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip() != "0":
        assert (done.returncode, "Permission denied" in done.stderr) == (6, True)


def test_tokens_that_cannot_be_read_are_told_at_the_start(capsule, project):
    (project / ".capsules" / "capsulestore" / "tokens.json").write_text("{")
    done = capsule("serve", "--port", "0", "--python", "nothing")
    assert done.status == 6
    assert done.err.startswith("note: cannot read the tokens of the store")


def test_without_its_extra_it_says_how_to_get_it(project, tmp_path):
    hidden = {"fastapi", "h11", "uvicorn"}
    (installed,) = (Path(path) for path in sys.path if Path(path, "fastapi").is_dir())
    site = tmp_path / "site"
    site.mkdir()
    for entry in installed.iterdir():
        if entry.name.partition("-")[0] not in hidden:
            (site / entry.name).symlink_to(entry)
    (site / "capsulestore").symlink_to(Path(capsulestore.__file__).parent)
    (site / "capsulestore_cli").symlink_to(Path(capsulestore_cli.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "capsulestore_cli", "serve"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: `capsule serve` needs packages that are not installed: fastapi, h11, uvicorn",
        "hint: pip install 'capsulestore[server]'",
    ]
