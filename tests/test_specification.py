"""What the project was asked for, criterion by criterion, through the modules that are the face for programs.

S7 asks for an endpoint too; its answer is `verify_capsule`'s.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conda_prefixes import build_package, install, pack_python
from nix_stores import true_store
from podman_containers import base_system, host_mounts, podman_in
from uv import find_uv_bin

from capsulestore import agent, runtime_capture
from capsulestore.artifact_registry import get_capsule, list_capsules, register_capsule, verify_capsule
from capsulestore.runtime_capture import (
    capture_container_environment,
    capture_python_environment,
    compute_environment_digest,
    verify_environment_match,
)
from capsulestore.store import Store

IMAGE = f"sha256:{'0123456789abcdef' * 4}"
IN_CONTAINER = """
import json
from capsulestore.artifact_registry import get_capsule, register_capsule
from capsulestore.runtime_capture import capture_container_environment
register_capsule("in a container")
print(json.dumps([capture_container_environment(), get_capsule("@")["environment"], get_capsule("@")["context"]]))
"""


def uv(*arguments: str | Path) -> str:
    done = subprocess.run([find_uv_bin(), *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def python_of(prefix: Path, program: str, **variables: str) -> str:
    command = [str(prefix / "bin" / "python"), "-c", program]
    return subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real environment with two distributions of the index."""
    prefix = tmp_path_factory.mktemp("made") / ".venv"
    uv("venv", "-q", "--python", sys.executable, prefix)
    uv("pip", "install", "-q", "--python", prefix, "--no-deps", "six==1.16.0", "idna==3.6")
    return prefix


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_user: None) -> Path:
    """The working directory: an environment of its own, a store, and the result of an analysis."""
    project = tmp_path.resolve() / "project"
    shutil.copytree(made, project / ".venv", symlinks=True)
    (project / "out").mkdir()
    (project / "out" / "fit.csv").write_text("slope,0.71\n")
    Store.init(str(project)).close()
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def in_container(project: Path) -> Callable[..., list]:
    """Run a program where /run is what podman makes of it: in a mount namespace of its own."""
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    tried = subprocess.run(
        [*namespace, "mount", "-t", "tmpfs", "none", "/run"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"no mount namespace can be made here: {tried.stderr.strip()}")

    def run(**variables: str) -> list:
        make = 'mount -t tmpfs none /run && touch /run/.containerenv && exec "$@"'
        command = [*namespace, "sh", "-c", make, "sh", sys.executable, "-c", IN_CONTAINER]
        done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


def test_s1_the_module_runtime_capture_has_the_functions_that_discover_an_environment():
    assert set(runtime_capture.__all__) >= {
        "capture_python_environment",
        "capture_container_environment",
        "compute_environment_digest",
        "verify_environment_match",
    }
    for name in runtime_capture.__all__:
        assert callable(getattr(runtime_capture, name))


def test_s2_capture_python_environment_captures_packages_and_version(project):
    layer = capture_python_environment(".venv")["python"]
    listed = json.loads(uv("pip", "list", "--format", "json", "--python", ".venv"))
    assert {name: entry["version"] for name, entry in layer["packages"].items()} == {
        package["name"]: package["version"] for package in listed
    }
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", entry["content"]) for entry in layer["packages"].values())
    version = python_of(project / ".venv", "import platform; print(platform.python_version())")
    assert layer["interpreter"]["version"] == version


@pytest.mark.slow
def test_s2_of_a_conda_prefix_the_packages_of_conda_and_of_pip_are_captured(tmp_path):
    pack_python(tmp_path / "channel")
    build_package(tmp_path / "channel", "native", "2.0", build="h2_0")
    prefix = install(tmp_path / "prefix", tmp_path / "channel", "python", "native")
    uv("pip", "install", "-q", "--python", prefix, "--no-deps", "six==1.16.0", "idna==3.6")
    environment = capture_python_environment(prefix)
    assert sorted(environment) == ["conda", "python"]
    records = [json.loads(path.read_text()) for path in sorted((prefix / "conda-meta").glob("*.json"))]
    assert {name: (entry["version"], entry["build"]) for name, entry in environment["conda"]["packages"].items()} == {
        record["name"]: (record["version"], record["build"]) for record in records
    }
    installed = {name: entry["version"] for name, entry in environment["python"]["packages"].items()}
    assert installed == {"six": "1.16.0", "idna": "3.6"}
    assert verify_environment_match(environment, python=prefix)["match"] is True


@pytest.mark.slow
def test_s2_of_an_interpreter_in_a_nix_store_the_closure_is_captured():
    with true_store() as store:
        python = store.python()
        environment = capture_python_environment(python)
        assert sorted(environment) == ["nix", "python"]
        assert set(environment["nix"]["paths"]) == set(store.closure(python.parents[1]))


def test_s2_without_a_path_the_running_interpreter_is_captured():
    layer = capture_python_environment()["python"]
    assert layer["interpreter"]["version"] == "{}.{}.{}".format(*sys.version_info[:3])
    assert layer["packages"]["pytest"]["version"] == pytest.__version__


def test_s3_outside_of_a_container_there_is_no_container_environment():
    # `/.dockerenv` alone says nothing: machines made from an image have it too.
    mounts = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    traces = ("/docker/containers/", "/overlay-containers/", "/var/lib/kubelet/pods/")
    outside = not (Path("/run/.containerenv").exists() or any(trace in mounts for trace in traces))
    assert (capture_container_environment() is None) is outside


def test_s3_in_a_container_its_image_is_captured_and_the_runtime_beside_it(in_container):
    container, environment, context = in_container(CAPSULE_IMAGE_DIGEST=IMAGE)
    assert container == {"container": {"rules": 1, "image": {"manifest": IMAGE}}}
    assert environment["container"] == container["container"]
    assert context["container"]["runtime"] == "podman"
    assert len(compute_environment_digest(container)) == 64


@pytest.mark.slow
def test_s3_where_an_engine_answers_the_image_is_known_by_its_layers(project, tmp_path_factory):
    with podman_in(tmp_path_factory.mktemp("p")) as podman, podman.service() as socket:
        layer = podman.make_image(base_system(tmp_path_factory.mktemp("root") / "1"), "localhost/analysis:1")
        mounts = host_mounts() | {project: str(project), socket: "/var/run/docker.sock"}
        where = (f"--workdir={project}",)
        printed = podman.run("localhost/analysis:1", sys.executable, "-c", IN_CONTAINER, mounts=mounts, options=where)
    container, environment, context = json.loads(printed)
    assert container == {"container": {"rules": 1, "image": {"rootfs": [layer]}}}
    assert environment["container"] == container["container"]
    assert context["container"]["image"]["names"] == ["localhost/analysis:1"]


def test_s3_a_container_whose_image_nothing_tells_has_an_environment_of_nothing(in_container):
    container, environment, context = in_container()
    assert (container, "container" in environment) == ({}, False)
    assert context["container"]["runtime"] == "podman"
    assert compute_environment_digest(container) == compute_environment_digest({})


def test_s4_the_digest_is_a_sha_256_that_depends_on_the_environment_alone(project, tmp_path):
    environment = capture_python_environment(".venv")
    digest = compute_environment_digest(environment)
    assert re.fullmatch("[0-9a-f]{64}", digest)
    # Another environment of the same packages: elsewhere, installed in another order.
    uv("venv", "-q", "--python", sys.executable, tmp_path / "another")
    for package in ("idna==3.6", "six==1.16.0"):
        uv("pip", "install", "-q", "--python", tmp_path / "another", "--no-deps", package)
    assert compute_environment_digest(capture_python_environment(tmp_path / "another")) == digest
    uv("pip", "install", "-q", "--python", ".venv", "--no-deps", "six==1.17.0")
    assert compute_environment_digest(capture_python_environment(".venv")) != digest


@pytest.mark.parametrize("seed", ["0", "1", "4294967295"])
def test_s4_every_process_computes_the_same_digest(seed, project):
    environment = capture_python_environment(".venv")
    program = (
        "import json, sys; from capsulestore.runtime_capture import compute_environment_digest\n"
        "print(compute_environment_digest(json.load(sys.stdin)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(environment, sort_keys=seed == "1"),
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == compute_environment_digest(environment)


def test_s5_the_agent_captures_the_environment_when_an_analysis_completes(project):
    @agent.record("fit", outputs=["out/fit.csv"])
    def fit(alpha: float) -> float:
        assert list_capsules() == []
        return alpha

    assert fit(0.1) == 0.1
    capsule = get_capsule("@")
    assert capsule["environment"]["python"] == capture_python_environment()["python"]
    assert capsule["manifest"]["parameters"] == {"alpha": 0.1}


@pytest.mark.parametrize("options", [[], ["--python", ".venv"]], ids=["running", "named"])
def test_s5_post_process_captures_the_environment_with_the_flag_capture_capsule(options, project):
    command = [sys.executable, "-m", "capsulestore.post_process", "out", *options, "--json"]
    subprocess.run(command, capture_output=True, text=True, check=True)
    assert list_capsules() == []
    done = subprocess.run([*command, "--capture-capsule"], capture_output=True, text=True, check=True)
    answer, capsule = json.loads(done.stdout), get_capsule("@")
    assert answer["capsule_id"] == capsule["capsule_id"]
    assert answer["environment_digest"] == compute_environment_digest(capsule["environment"])
    captured = capture_python_environment(options[1] if options else None)
    assert capsule["environment"]["python"] == captured["python"]
    assert [file["path"] for file in capsule["manifest"]["outputs"]] == ["out/fit.csv"]


def test_s6_what_an_agent_ran_is_registered_with_its_environments_digest_in_the_manifest(project):
    with agent.record("fit", outputs=["out/fit.csv"]) as run:
        pass
    (listed,) = list_capsules()
    assert (run.capsule_id, run.registered) == (listed["capsule_id"], True)
    capsule = get_capsule(run.capsule_id)
    assert capsule["manifest"]["environment_digest"] == run.environment_digest == capsule["environment_digest"]
    assert compute_environment_digest(capsule["environment"]) == run.environment_digest


def test_s6_register_capsule_takes_a_captured_environment(project):
    environment = capture_python_environment(".venv")
    answer = register_capsule("fit", environment_capture=environment, outputs=["out/fit.csv"])
    assert answer["environment_digest"] == compute_environment_digest(environment)
    assert get_capsule(answer["capsule_id"])["environment"] == environment


def test_s7_verifying_tells_whether_the_captured_environment_still_is_the_one_here(project):
    environment = capture_python_environment(".venv")
    capsule_id = register_capsule("fit", environment_capture=environment)["capsule_id"]
    match, answer = verify_environment_match(environment, python=".venv"), verify_capsule(capsule_id, python=".venv")
    assert match["match"] is answer["match"] is True
    uv("pip", "install", "-q", "--python", ".venv", "--no-deps", "six==1.17.0")
    match, answer = verify_environment_match(environment, python=".venv"), verify_capsule(capsule_id, python=".venv")
    assert match["match"] is answer["match"] is False
    assert {key: answer[key] for key in match} == match
    (change,) = answer["changes"]
    assert (change["entry"], change["a"]["version"], change["b"]["version"]) == ("six", "1.16.0", "1.17.0")
    assert answer["captured_digest"] == compute_environment_digest(environment)
    assert answer["current_digest"] == compute_environment_digest(capture_python_environment(".venv"))
    uv("pip", "install", "-q", "--python", ".venv", "--no-deps", "six==1.16.0")
    assert verify_capsule(capsule_id, python=".venv")["match"] is True
