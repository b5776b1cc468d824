"""I7: no secret enters a store that an image's variables, an engine, a cluster or their files hold.

The containers are namespaces of their own, in which the kernel shows what it shows in those of engines.
"""

import json
import os
import shlex
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ID = "66826257e096f3c9d04f17577dab7ef5d84078c88f18f646fd37050ec5b6b4f6"
POD = "2015a4b3-74a5-4a5c-8c9f-6f2a8d3f1c11"
LAYER, CONFIG = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"

OF_AN_IMAGE = {
    "POSTGRES_PASSWORD": "{S}",
    "DATABASE_URL": "postgresql://ann:{S}@db.example.org/x",
    "NGC_API_KEY": "nvapi-{S}",
    "DOCKER_AUTH_CONFIG": '{"auths": {"registry.example.org": {"auth": "{S}"}}}',
    "APPTAINER_DOCKER_PASSWORD": "{S}",
    "GPG_KEY": "{S}",
    "LD_LIBRARY_PATH": "/opt/lib:https://ann:{S}@example.org/x",
    "NVIDIA_VISIBLE_DEVICES": "{S}",
    "ARCHSPEC_TOKEN": "{S}",
}
"""Variables that images set, and those who start containers."""

OF_A_LAUNCHER = {
    "container": "{S}",
    "CAPSULE_IMAGE_DIGEST": f"https://ann:{{S}}@registry.example.org/x@{CONFIG}",
    "APPTAINER_CONTAINER": "/images/{S}.sif",
    "DOCKER_HOST": "tcp://ann:{S}@example.org:2375",
    "CONTAINER_HOST": "unix:///run/{S}.sock",
    "KUBERNETES_SERVICE_HOST": "{S}",
}
"""Variables that the layer looks at."""

FILES = {
    ".containerenv": 'engine="podman-4.3.1"\nname="{S}"\nimage="https://ann:{S}@registry.example.org/x"\n',
    "systemd/container": "{S}\n",
    "host/container-manager": "{S}\n",
}
"""What engines leave in /run."""

CONTAINER = {
    "Id": ID,
    "Image": CONFIG,
    "Name": "/{S}",
    "Args": ["--password", "{S}"],
    "Config": {"Env": ["PASSWORD={S}"], "Labels": {"token": "{S}"}, "Image": "https://ann:{S}@registry.example.org/x"},
    "HostConfig": {"NetworkMode": "default", "Binds": ["/{S}:/x"], "LogConfig": {"Config": {"splunk-token": "{S}"}}},
    "GraphDriver": {"Name": "{S}", "Data": {"WorkDir": "/{S}"}},
}
IMAGE = {
    "Id": CONFIG,
    "RepoTags": ["registry.example.org/x:1", "ann:{S}@registry.example.org/x:1", "{S}"],
    "RepoDigests": [f"https://ann:{{S}}@registry.example.org/x@{CONFIG}", f"ann:{{S}}@x@{CONFIG}"],
    "Config": {"Env": ["API_KEY={S}"], "Cmd": ["login", "-p", "{S}"], "Labels": {"x": "{S}"}},
    "Comment": "{S}",
    "Author": "ann:{S}",
    "RootFS": {"Type": "layers", "Layers": [LAYER]},
    "GraphDriver": {"Data": {"UpperDir": "/{S}"}},
}
OTHERS = [{"Id": "3" * 64, "Names": ["/{S}"], "HostConfig": {"NetworkMode": "container:" + "4" * 64}, "x": "{S}"}]


@pytest.fixture
def contained(tmp_path) -> Callable[..., tuple[str, ...]]:
    """Return what starts a command where /run has these files, and a mount this source: `contained(files, *lines)`."""
    namespace = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may make no namespace of mounts")

    def start(files: dict[str, str], source: str, *lines: str) -> tuple[str, ...]:
        script = [f"mount -t tmpfs {shlex.quote(source)} /run"]
        for number, (path, text) in enumerate(files.items()):
            (tmp_path / str(number)).write_text(text)
            script += [f"mkdir -p $(dirname /run/{path})", f"cp {tmp_path}/{number} /run/{path}"]
        return (*namespace, "sh", "-ec", "\n".join([*script, *lines, 'exec "$@"']), "sh")

    return start


@pytest.fixture
def engine(tmp_path) -> Iterator[Callable[[dict[str, Any]], str]]:
    """An engine that answers each path with a document: `engine({path: document})`, its address."""
    servers = []

    def serve(documents: dict[str, Any]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(documents.get(self.path, {})).encode()
                self.send_response(200 if self.path in documents else 404)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Registry-Auth", documents["header"])
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

            def address_string(self) -> str:
                return "here"

        server = socketserver.ThreadingUnixStreamServer(str(tmp_path / "engine.sock"), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"unix://{tmp_path}/engine.sock"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def planted_in(workshop, place: str, document: Any) -> Any:
    """Return a JSON document with a new secret in each text of it that has room for one."""
    if isinstance(document, dict):
        return {key: planted_in(workshop, f"{place} {key}", value) for key, value in document.items()}
    if isinstance(document, list):
        return [planted_in(workshop, f"{place} {number}", value) for number, value in enumerate(document)]
    return workshop.plant(place, document) if isinstance(document, str) and "{S}" in document else document


def state(workshop) -> Any:
    (capsule,) = json.loads(workshop.run("log", "--json"))
    return json.loads(workshop.run("show", "--json", capsule["capsule_id"]))["manifest"]["layers"]["container"]


def test_i7_no_secret_of_an_image_or_its_launcher_enters_a_store(workshop, contained):
    variables = {name: workshop.plant(name, value) for name, value in (OF_AN_IMAGE | OF_A_LAUNCHER).items()}
    files = {path: workshop.plant(path, text) for path, text in FILES.items()}
    start = contained(files, workshop.plant("a mount", "https://ann:{S}@example.org/x"))
    workshop.run("capture", "--json", env=variables, start=start)
    workshop.run("add", env=variables, start=start)
    assert "unknown" in state(workshop)
    assert workshop.found() == {}


def test_i7_no_secret_that_an_engine_tells_enters_a_store(workshop, contained, engine):
    documents = {
        f"/containers/{ID}/json": CONTAINER,
        f"/images/{CONFIG}/json": IMAGE,
        "/containers/json": OTHERS,
        "header": "{S}",
    }
    address = engine(planted_in(workshop, "engine", documents))
    hosts = workshop.home / "containers" / ID / "hosts"
    hosts.parent.mkdir(parents=True)
    hosts.write_text("127.0.0.1 localhost\n")
    start = contained({}, "tmpfs", f"mount --bind {shlex.quote(str(hosts))} /etc/hosts")
    variables = {"DOCKER_HOST": address}
    captured = json.loads(workshop.run("capture", "--json", env=variables, start=start))
    assert captured["environment"]["container"]["image"] == {"rootfs": [LAYER]}
    workshop.run("add", env=variables, start=start)
    assert state(workshop) == "captured"
    assert workshop.found() == {}


def test_i7_no_secret_of_a_service_account_enters_a_store(workshop, contained):
    account = workshop.home / "pods" / POD / "containers" / "main" / "0a1b2c3d"
    account.mkdir(parents=True)
    for name, text in {"namespace": "default", "token": "ey{S}", "ca.crt": "{S}"}.items():
        (account / name).write_text(workshop.plant(name, text) if "{S}" in text else text)
    point = "/run/secrets/kubernetes.io/serviceaccount"
    start = contained({}, "tmpfs", f"mkdir -p {point}", f"mount --bind {shlex.quote(str(account))} {point}")
    variables = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1", "HOSTNAME": "pod-0"}
    workshop.run("capture", "--json", env=variables, start=start)
    workshop.run("add", env=variables, start=start)
    assert "kubernetes" in state(workshop)["unknown"]
    assert workshop.found() == {}
