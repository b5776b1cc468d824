"""What cannot change is asked once; what nobody answered is asked again; outside of a container nobody is asked."""

import json
import subprocess
import sys

import pytest

from capsulestore.capture.cache import Cache

A, B = "a" * 64, "b" * 64
IMAGE, LAYER, OTHER = (f"sha256:{digit * 64}" for digit in "123")
MOUNTS = f"1 2 0:1 /overlay-containers/{A}/userdata/hostname /etc/hostname rw - tmpfs x rw\n"
DISK = "473 1 0:143 / / rw - overlay overlay rw,lowerdir=/l,upperdir={}\n"
CONTAINER = {"Id": A, "Image": IMAGE}
FOUND = {"Id": IMAGE, "RepoTags": ["tool:1"], "RepoDigests": [], "RootFS": {"Layers": [LAYER]}}
ANSWERS = {f"/containers/{A}/json": CONTAINER, f"/images/{IMAGE}/json": FOUND}
HERE = {"proc/self/mountinfo": MOUNTS + DISK.format("/here")}
ROOTFS = {"rootfs": [LAYER]}
POD = "2015a4b3-a05b-4e4d-8fa3-699914c33ee8"

IMPORTED = """
import sys
from capsulestore.capture.asking import ask
from capsulestore.capture.cache import NOTHING_KEPT
from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.layer import Runtime
runtime = Runtime(ask(sys.executable), {}, NOTHING_KEPT)
before = set(sys.modules)
state = ContainerLayer(sys.argv[1]).capture(runtime, 1).state.state
after = sorted(set(sys.modules) - before)
import json
print(json.dumps([state, after]))
"""


@pytest.fixture
def cache(tmp_path) -> Cache:
    return Cache(str(tmp_path / "cache"), granularity_ns=0)


def test_an_engine_is_asked_once_of_a_container(laid_out, engine, cache):
    asked = engine(ANSWERS)
    first, second = laid_out(HERE, cache=cache), laid_out(HERE, cache=cache)
    assert first == second == laid_out(HERE)
    assert asked == [*ANSWERS] * 2


def test_what_the_variable_says_is_looked_at_each_time(laid_out, engine, cache):
    engine(ANSWERS)
    laid_out(HERE, cache=cache)
    assert laid_out(HERE, cache=cache, CAPSULE_IMAGE_DIGEST=OTHER).context["image"]["given_digest"] == OTHER


def test_an_engine_that_comes_later_is_asked_then(laid_out, engine, cache):
    assert laid_out(HERE, cache=cache).environment is None
    engine({})
    assert laid_out(HERE, cache=cache).environment is None
    engine(ANSWERS, "run/podman/podman.sock")
    assert laid_out(HERE, cache=cache).environment["image"] == ROOTFS


def test_a_container_that_shares_the_network_and_the_home_of_another_has_an_image_of_its_own(laid_out, engine, cache):
    """Its mounts have the other's id; only the disk tells the two apart."""
    engine({**ANSWERS, f"/containers/{A}/json": {**CONTAINER, "GraphDriver": {"Data": {"UpperDir": "/here"}}}})
    assert laid_out(HERE, cache=cache).environment["image"] == ROOTFS
    there = {"proc/self/mountinfo": MOUNTS + DISK.format("/there")}
    assert "answers for another container" in laid_out(there, cache=cache).state.reason


def test_another_container_with_the_same_home_is_asked_of_for_itself(laid_out, engine, cache):
    other = {**FOUND, "Id": OTHER, "RootFS": {"Layers": [OTHER]}}
    mine = {f"/containers/{B}/json": {"Id": B, "Image": OTHER}, f"/images/{OTHER}/json": other}
    engine({**ANSWERS, **mine})
    assert laid_out(HERE, cache=cache).environment["image"] == ROOTFS
    there = {"proc/self/mountinfo": HERE["proc/self/mountinfo"].replace(A, B)}
    assert laid_out(there, cache=cache).environment["image"] == {"rootfs": [OTHER]}


KNOWN = {"metadata": {"uid": POD}, "status": {"containerStatuses": [{"name": "job", "imageID": f"job@{IMAGE}"}]}}
TIMES = {
    "one that knows the image, once": (KNOWN, "200 OK", 1),
    "one that refuses, once": ({}, "403 Forbidden", 1),
    "one that fails, each time": ({}, "503 Service Unavailable", 2),
}


@pytest.mark.parametrize(("value", "line", "times"), TIMES.values(), ids=TIMES.keys())
def test_a_cluster_is_asked_until_it_has_said_something(value, line, times, in_pod, http, cache):
    asked = []

    def answer(connection, path: str) -> None:
        asked.append(path)
        connection.sendall(http(value, line))

    assert in_pod(answer, cache=cache) == in_pod(answer, cache=cache)
    assert len(asked) == times


def test_a_cluster_that_refused_is_asked_again_with_another_token(in_pod, http, cache):
    in_pod(lambda connection, path: connection.sendall(http({}, "403 Forbidden")), cache=cache)
    renewed = {"var/run/secrets/kubernetes.io/serviceaccount/token": "renewed"}
    captured = in_pod(lambda connection, path: connection.sendall(http(KNOWN)), cache=cache, files=renewed)
    assert captured.environment["image"] == {"manifest": IMAGE}


def modules_for(place) -> tuple[str, list[str]]:
    done = subprocess.run([sys.executable, "-c", IMPORTED, place], capture_output=True, text=True, check=True)
    return tuple(json.loads(done.stdout))


def test_outside_of_a_container_nothing_is_loaded_to_ask_with(laid_out, place):
    laid_out({})
    state, modules = modules_for(place)
    parts = {f"capsulestore.capture.{name}" for name in ("container.evidence", "container.mounts", "container.traces")}
    parts.add("capsulestore.capture.mountinfo")
    assert (state, {name for name in modules if name.startswith("capsulestore")}) == ("none", parts)
    assert {"http.client", "socket", "ssl", "json"}.isdisjoint(modules)


def test_where_there_is_nobody_to_ask_nothing_is_loaded_to_ask_with(laid_out, place):
    laid_out(HERE)
    state, modules = modules_for(place)
    assert state == "unknown"
    assert {"http.client", "socket", "ssl", "json"}.isdisjoint(modules)
