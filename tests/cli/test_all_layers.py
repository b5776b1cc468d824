"""One environment that has all layers at once: conda's packages and pip's, in a container whose engine can be asked.

The command runs in a real podman container, by the interpreter of these tests, which is mounted read-only; so is the
prefix. Everything is made a second time from scratch: elsewhere, under other names and by another installer.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from conda_prefixes import PLACEHOLDER, build_package, install, pack_python, python_distribution
from podman_containers import Podman, base_system, host_mounts, podman_in
from uv import find_uv_bin

pytestmark = pytest.mark.slow

SOCKET = "/var/run/docker.sock"
GIVEN = f"sha256:{'9' * 64}"
WITHOUT_SOCKET = (
    "nothing tells the image of this podman container (no socket of an engine is there; "
    "`CAPSULE_IMAGE_DIGEST` gives none); set `CAPSULE_IMAGE_DIGEST` when it is started"
)
OTHERWISE = "its layers when it was captured, and is known by the digest of its manifest now"

INSIDE = """
import json, subprocess, sys
told = []
for arguments in json.loads(sys.argv[1]):
    command = [sys.executable, "-m", "capsulestore_cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    told.append([done.returncode, done.stdout, done.stderr])
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Place:
    """An engine that answers on a socket, an image in its storage, and a conda prefix."""

    podman: Podman
    socket: Path
    image: str
    diff_id: str
    channel: Path
    prefix: Path

    def capsule(self, project: Path, *lines: str, image: str = "", asked: bool = True, **variables: str) -> list[str]:
        """Return what lines of `capsule` print in a new container; the engine is `asked` where its socket is there."""
        volumes = {**host_mounts(self.prefix.parent), project: str(project)}
        printed = self.podman.run(
            image or self.image,
            *(sys.executable, "-c", INSIDE, json.dumps([line.split() for line in lines])),
            mounts=volumes | ({self.socket: SOCKET} if asked else {}),
            environ={"CONDA_PREFIX": str(self.prefix), "LANG": "C.UTF-8", **variables},
            options=(f"--workdir={project}",),
        )
        outcomes = json.loads(printed)
        assert [(line, error) for line, (status, _, error) in zip(lines, outcomes, strict=True) if status > 1] == []
        return [out for _, out, _ in outcomes]


def by_pip(python: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--python", python, "install"]


def by_uv(python: str) -> list[str]:
    return [find_uv_bin(), "pip", "install", "--python", python]


def put_in(prefix: Path, *what: str, by: Callable[[str], list[str]] = by_uv) -> None:
    command = [*by(str(prefix / "bin" / "python")), "--quiet", "--no-deps", *what]
    subprocess.run(command, check=True, capture_output=True)


def build_native(channel: Path, build: str) -> None:
    files = {"bin/native": f"#!{PLACEHOLDER}/bin/sh\n", "lib/libnative.so": b"\x7fELF " + build.encode()}
    build_package(channel, "native", "2.0", files, build=build)


@contextmanager
def made(directory: Path, name: str, image: str, by: Callable[[str], list[str]]) -> Iterator[Place]:
    """Make channel, packages, prefix, engine and image; that installer puts two distributions beside conda's."""
    channel, prefix = directory / "channel", directory / name
    pack_python(channel)
    build_native(channel, "h2_0")
    needs = ["python", "native"]
    build_package(channel, "table", "1.0", python_distribution("table"), depends=needs, noarch="python")
    install(prefix, channel, "table")
    put_in(prefix, "six==1.16.0", "idna==3.6", by=by)
    with podman_in(directory / "p") as podman, podman.service() as socket:
        diff_id = podman.make_image(base_system(directory / "root"), image)
        yield Place(podman, socket, image, diff_id, channel, prefix)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Place]:
    with made(tmp_path_factory.mktemp("a"), "prefixes/analysis", "localhost/lab/analysis:1", by_pip) as place:
        yield place


@pytest.fixture(scope="module")
def made_again(tmp_path_factory) -> Iterator[Place]:
    with made(tmp_path_factory.mktemp("b"), "else/where/fit", "localhost/made/again:7", by_uv) as place:
        yield place


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def told(place, project) -> dict[str, str]:
    """What each command says of it, the capsule added on the way."""
    lines = ("init", "capture", "capture --json", "add -m fit", "show", "show --json", "verify")
    return dict(zip(lines, place.capsule(project, *lines), strict=True))


def test_the_environment_has_every_layer_but_that_which_does_not_apply(told):
    document, shown = json.loads(told["capture --json"]), json.loads(told["show --json"])
    assert [*document["environment"]] == ["python", "conda", "container"]
    assert shown["environment_digest"] == document["environment_digest"]
    states = shown["manifest"]["layers"]
    assert {name: state for name, state in states.items() if state != "captured"} == {"nix": "none"}
    rows = {line.split()[0]: line.split(maxsplit=1)[1] for line in told["capture"].splitlines()}
    digests = document["layers"]
    assert rows["python"].startswith(f"{digests['python'][:12]}  CPython ")
    assert rows["conda"] == f"{digests['conda'][:12]}  3 packages"
    assert rows["nix"] == "none"
    assert rows["container"].startswith(f"{digests['container'][:12]}  image ")


def test_a_person_can_read_what_is_in_it(told, place):
    capsule, document = told["add -m fit"].strip(), json.loads(told["show --json"])
    python, layer = document["environment"]["python"]["interpreter"], place.diff_id.removeprefix("sha256:")[:12]
    version, platform = python["version"], f"{python['os']} {python['architecture']} {python['libc']}"
    heading, _, rest = told["show"].partition("\n\n")
    lines = re.sub(r"(?<=registered   ).*", "<when, by whom>", heading).splitlines()
    assert lines == [
        f"capsule      {capsule}",
        "title        fit",
        "registered   <when, by whom>",
        f"environment  {document['environment_digest']}",
        f"target       {place.prefix}/bin/python (CONDA_PREFIX)",
    ]
    environment, _, context = rest.partition("\n\n")
    assert environment.splitlines() == [
        "conda: 3 packages",
        "  packages",
        "    native  2.0 h2_0",
        f"    python  {version} 0_cpython",
        "    table   1.0 0",
        f"container: image {layer}",
        "  image",
        f"    rootfs  {layer}",
        f"python: CPython {version} {platform}, 3 packages",
        "  packages",
        "    idna   3.6",
        "    six    1.16.0",
        "    table  1.0",
    ]
    title, conda, container, host, *others = context.splitlines()
    assert title == "context, no part of the environment"
    assert conda == f"  conda      3 packages from file://{place.channel}/, 1 of the Python packages is conda's"
    assert container == "  container  run by podman, image localhost/lab/analysis:1"
    assert host.startswith("  host       Linux ")
    assert [line.split()[0] for line in others] == ["system", "variables"]
    assert others[1] == "  variables  LANG=C.UTF-8"


def test_it_is_the_same_environment_as_long_as_nothing_changes(told):
    digest = json.loads(told["show --json"])["environment_digest"]
    assert told["verify"] == f"identical to {digest}\n"


def test_made_again_from_scratch_it_is_the_same_environment(told, place, made_again, project):
    captured, verified, compared = made_again.capsule(project, "capture --json", "verify", "diff @")
    digest = json.loads(told["show --json"])["environment_digest"]
    assert json.loads(captured)["environment_digest"] == digest
    assert made_again.diff_id == place.diff_id
    context = "where 3 conda packages came from, digests of the image, names of the image "
    names = '["localhost/lab/analysis:1"] → ["localhost/made/again:7"]'
    assert verified == f"identical to {digest}\n  context: {context}{names}\n"
    assert compared == ""


@pytest.fixture(scope="module")
def changed(told, place, project) -> dict[str, str]:
    """What `diff` says of copies of the prefix, in each of which one thing has changed."""
    upgraded, rebuilt = (place.prefix.parent / name for name in ("upgraded", "rebuilt"))
    for copy in (upgraded, rebuilt):
        shutil.copytree(place.prefix, copy, symlinks=True)
    put_in(upgraded, "six==1.17.0")
    build_native(place.channel, "h2_1")
    install(rebuilt, place.channel, "table", "native ==2.0 h2_1")
    ways = [f"{command} --python {copy}" for copy in (upgraded, rebuilt) for command in ("diff @", "verify")]
    names = ("diff upgraded", "verify upgraded", "diff rebuilt", "verify rebuilt")
    return dict(zip(names, place.capsule(project, *ways), strict=True))


@pytest.mark.parametrize(
    ("name", "collection", "line"),
    [
        ("upgraded", "python/packages", "six  1.16.0 → 1.17.0"),
        ("rebuilt", "conda/packages", "native  2.0 h2_0 → 2.0 h2_1"),
    ],
    ids=["a distribution that pip put in", "a conda package of another build"],
)
def test_a_change_is_one_line(changed, name, collection, line):
    assert changed[f"diff {name}"] == f"{collection}\n  {line}\n"
    verdict, *rest = changed[f"verify {name}"].splitlines()
    assert verdict.startswith("different from ")
    assert rest[:2] == [f"  {collection}", f"    {line}"]


def test_another_image_is_one_line(told, place, project, tmp_path):
    root = base_system(tmp_path / "root")
    (root / "etc" / "motd").write_text("another file\n")
    diff_id = place.podman.make_image(root, "localhost/lab/analysis:2")
    compared, verified = place.capsule(project, "diff @", "verify", image="localhost/lab/analysis:2")
    before, after = (one.removeprefix("sha256:")[:12] for one in (place.diff_id, diff_id))
    assert compared == f"container/image\n  rootfs  {before} → {after}\n"
    verdict, *rest = verified.splitlines()
    assert verdict.startswith("different from ")
    assert rest[:2] == ["  container/image", f"    rootfs  {before} → {after}"]


NOT_TOLD = {
    "nothing tells it": ({}, f"cannot be seen now ({WITHOUT_SOCKET})"),
    "by its manifest alone": ({"CAPSULE_IMAGE_DIGEST": GIVEN}, f"the image was known by {OTHERWISE}"),
}


@pytest.mark.parametrize(("variables", "reason"), NOT_TOLD.values(), ids=NOT_TOLD)
def test_an_image_whose_layers_are_not_told_cannot_be_compared(variables, reason, told, place, project):
    digest = json.loads(told["show --json"])["environment_digest"]
    (verified,) = place.capsule(project, "verify", asked=False, **variables)
    assert verified.splitlines()[:2] == [f"not comparable with {digest}", f"  container: {reason}"]
