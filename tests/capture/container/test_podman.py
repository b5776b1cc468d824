"""A real container of a real image, by podman: captured from within, by the interpreter of these tests.

Its /usr and the interpreter are the host's, mounted read-only; the image is what lies below.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from podman_containers import Podman, base_system, host_mounts, podman_in

pytestmark = pytest.mark.slow

SOCKET = "/var/run/docker.sock"
ELSEWHERE = "/var/run/elsewhere.sock"
FOREIGN = {"DOCKER_HOST": f"unix://{ELSEWHERE}"}
OTHER = f"sha256:{'9' * 64}"
SECRET = "hunter2"

INSIDE = """
import json, os, socket, sys
from capsulestore.capture.asking import ask
from capsulestore.capture.cache import Cache
from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.container.limits import LIMITS
from capsulestore.capture.layer import Runtime
from capsulestore.runtime_capture import capture_container_environment
layer = ContainerLayer(limits=LIMITS._replace(seconds=60.0))
interpreter = ask(sys.executable)
captured = {}
for name, (variables, directory) in json.loads(sys.argv[1]).items():
    runtime = Runtime(interpreter, {**os.environ, **variables}, Cache(directory, granularity_ns=0))
    captured[name] = layer.capture(runtime, 1).as_json()
print(json.dumps([captured, capture_container_environment(), socket.gethostname()]))
"""


@dataclass(frozen=True)
class Seen:
    """What was captured within one container, by name, and what the container is called."""

    captured: Mapping[str, Any]
    environment: Any
    host: str

    def __getitem__(self, name: str) -> dict[str, Any]:
        names = ("state", "environment", "context", "findings", "live")
        return dict(zip(names, self.captured[name], strict=True))


def look(podman: Podman, image: str, ways: Mapping[str, tuple[Mapping[str, str], str | None]], **options: Any) -> Seen:
    """Capture within a new container of an image in several ways: each with these variables, and a cache or none."""
    mounts = {**host_mounts(), **options.pop("sockets", {})}
    printed = podman.run(image, sys.executable, "-c", INSIDE, json.dumps(ways), mounts=mounts, **options)
    return Seen(*json.loads(printed))


@dataclass(frozen=True)
class Engine:
    """Podman with an image under two names and another image, and the socket that it answers on."""

    podman: Podman
    socket: Path
    diff_id: str
    other_diff_id: str
    archive: Path

    def manifest(self, name: str) -> str:
        return self.podman("image", "inspect", "--format", "{{.Digest}}", name).strip()


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[Engine]:
    root, other = (base_system(tmp_path_factory.mktemp("root") / name) for name in ("one", "other"))
    (other / "etc" / "other").write_text("another file\n")
    with podman_in(tmp_path_factory.mktemp("p")) as podman:
        first = podman.make_image(root, "localhost/lab/tool:1")
        podman("tag", "localhost/lab/tool:1", "localhost/renamed:2")
        second = podman.make_image(other, "localhost/lab/other:1")
        archive = tmp_path_factory.mktemp("saved") / "tool.tar"
        podman("save", "--quiet", "--output", archive, "localhost/lab/tool:1")
        with podman.service() as socket:
            yield Engine(podman, socket, first, second, archive)


@pytest.fixture(scope="module")
def elsewhere(engine, tmp_path_factory) -> Iterator[Engine]:
    """The same image, made once more from the same files, in storage of its own."""
    root = base_system(tmp_path_factory.mktemp("again") / "one")
    with podman_in(tmp_path_factory.mktemp("q")) as podman:
        again = podman.make_image(root, "localhost/made-again:1")
        podman("load", "--quiet", "--input", engine.archive)
        with podman.service() as socket:
            yield Engine(podman, socket, again, "", engine.archive)


@pytest.fixture(scope="module")
def seen(engine) -> Seen:
    """The container in several ways, with the socket mounted."""
    ways = {
        "first": ({}, "/tmp/cache"),
        "again, and the engine has gone": (FOREIGN, "/tmp/cache"),
        "without the socket": (FOREIGN, None),
        "by the right digest": ({"CAPSULE_IMAGE_DIGEST": engine.manifest("localhost/lab/tool:1")}, None),
        "by another digest": ({"CAPSULE_IMAGE_DIGEST": OTHER}, None),
    }
    secrets = ("--label", f"password={SECRET}", "--name", "jolly", "--env", f"PASSWORD={SECRET}")
    return look(engine.podman, "localhost/lab/tool:1", ways, sockets={engine.socket: SOCKET}, options=secrets)


def test_the_image_is_its_layers_and_the_rest_is_context(seen, engine):
    first = seen["first"]
    assert (first["state"], first["findings"]) == ("captured", [])
    assert first["environment"] == {"rules": 1, "image": {"rootfs": [engine.diff_id]}}
    image = first["context"]["image"]
    assert first["context"] == {"rules": 1, "runtime": "podman", "image": image}
    assert image["names"] == ["localhost/lab/tool:1", "localhost/renamed:2"]
    manifest = engine.manifest("localhost/lab/tool:1")
    assert image["repo_digests"] == [f"localhost/lab/tool@{manifest}", f"localhost/renamed@{manifest}"]
    told = engine.podman("image", "inspect", "--format", "{{.Id}}", "localhost/lab/tool:1").strip()
    assert image["config_digest"] == f"sha256:{told}"
    assert sorted(image) == ["config_digest", "names", "repo_digests"]


def test_the_function_of_the_package_gives_the_same(seen):
    assert seen.environment == {"container": seen["first"]["environment"]}


def test_what_the_engine_said_once_stays_known(seen):
    assert seen["again, and the engine has gone"] == seen["first"]


def test_i7_no_secret_and_no_name_of_the_container_is_recorded(seen):
    everything = json.dumps(seen.captured)
    assert [word for word in (SECRET, "jolly", seen.host) if word in everything] == []


def test_the_digest_that_is_given_is_held_to_what_the_engine_knows(seen, engine):
    right, other = seen["by the right digest"], seen["by another digest"]
    assert right["environment"] == other["environment"] == seen["first"]["environment"]
    assert (right["findings"], [finding[1] for finding in other["findings"]]) == ([], ["image-digest-contradicted"])
    given = [captured["context"]["image"]["given_digest"] for captured in (right, other)]
    assert given == [engine.manifest("localhost/lab/tool:1"), OTHER]


def test_without_the_socket_it_is_unknown_and_with_a_digest_that(engine):
    ways = {"untold": ({}, None), "told": ({"CAPSULE_IMAGE_DIGEST": f"tool@{OTHER}"}, None)}
    without = look(engine.podman, "localhost/lab/tool:1", ways)
    reason = "nothing tells the image of this podman container (no socket of an engine is there; "
    assert without["untold"]["state"]["unknown"].startswith(reason)
    assert (without["untold"]["environment"], without["told"]["state"]) == (None, "captured")
    assert without["told"]["environment"] == {"rules": 1, "image": {"manifest": OTHER}}
    assert without.environment == {}


def test_another_container_under_another_name_of_the_image_is_the_same_environment(seen, engine):
    again = look(engine.podman, "localhost/renamed:2", {"first": ({}, None)}, sockets={engine.socket: SOCKET})
    assert again.host != seen.host
    assert again["first"]["environment"] == seen["first"]["environment"]


def test_another_image_is_another_environment(seen, engine):
    other = look(engine.podman, "localhost/lab/other:1", {"first": ({}, None)}, sockets={engine.socket: SOCKET})
    assert other["first"]["environment"]["image"] == {"rootfs": [engine.other_diff_id]}
    assert engine.other_diff_id != engine.diff_id


def test_the_image_loaded_or_made_again_elsewhere_is_the_same_environment(seen, engine, elsewhere):
    """And the engine that runs the container is the one that is believed."""
    assert elsewhere.diff_id == engine.diff_id
    sockets = {engine.socket: ELSEWHERE, elsewhere.socket: SOCKET}
    ways = {"first": ({}, None), "by the wrong engine": (FOREIGN, None)}
    for name in ("localhost/lab/tool:1", "localhost/made-again:1"):
        again = look(elsewhere.podman, name, ways, sockets=sockets)
        assert again["first"]["environment"] == seen["first"]["environment"]
        assert "(`DOCKER_HOST` does not know this container;" in again["by the wrong engine"]["state"]["unknown"]


def test_nothing_is_left_of_an_engine(tmp_path):
    """Neither processes nor mounts, also where what runs in it has not ended: all end with their namespace's first."""
    with podman_in(tmp_path / "gone") as podman:
        podman.make_image(base_system(tmp_path / "root"), "one")
        podman.run("one", "sleep", "1000", mounts=host_mounts(), options=("--detach",))
        first = podman.namespaces[1].removeprefix("--target=")
        assert Path("/proc", first).exists()
    assert not Path("/proc", first).exists()
    assert str(tmp_path / "gone") not in Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    assert not (tmp_path / "gone").exists()
