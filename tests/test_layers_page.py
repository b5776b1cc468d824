"""docs/layers.md says of every layer what is really captured.

It has a heading for each layer, under which each collection and entry is named that the layer captures where it
applies. Its commands are run in order, in a directory with an environment in `.venv` and two capsules, `before` and
`after`; what they print must be what the page shows, but for digests. `UPDATE_README=1` writes what is printed now into
the page.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conda_prefixes import build_package, install, python_distribution
from nix_stores import make_store
from uv import find_uv_bin

from capsulestore.artifact_registry import register_capsule
from capsulestore.capture.asking import ask
from capsulestore.capture.cache import NOTHING_KEPT
from capsulestore.capture.conda import CondaLayer
from capsulestore.capture.container import ContainerLayer
from capsulestore.capture.container.docker_api import image_of
from capsulestore.capture.container.identity import Identity
from capsulestore.capture.container.limits import LIMITS
from capsulestore.capture.environment import LAYERS, capture
from capsulestore.capture.host import HostLayer
from capsulestore.capture.layer import Runtime
from capsulestore.capture.nix import NixLayer
from capsulestore.capture.target import running
from capsulestore.capture.variables import PATHS, PROCESS
from capsulestore.store import Store

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "layers.md"
BLOCK = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
NAMES = [layer.name for layer in LAYERS]

NAMED_BY_OTHERS = {
    *(("python", name) for name in ("packages", "overlaps", "sources", "unowned")),
    *(("conda", name) for name in ("archives", "distributions", "packages")),
    ("nix", "paths"),
}
"""Collections whose entries have the names of packages, paths and files; of all others a list of entries is fixed."""

DIGEST = f"sha256:{'1' * 64}"
CONTAINER = {"Id": "2" * 64, "Image": DIGEST, "ImageManifestDescriptor": {"digest": DIGEST}}
IMAGE = {"Id": DIGEST, "RootFS": {"Layers": [DIGEST]}, "RepoTags": ["x:1"], "RepoDigests": [f"x@{DIGEST}"]}
"""What engines answer (Docker Engine API): containerd's image store has a `Descriptor` as well."""

MACHINE = {
    "proc/self/cgroup": "0::/\n",
    "proc/self/mountinfo": "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/cpu.max": "200000 100000\n",
    "sys/fs/cgroup/memory.max": "1073741824\n",
    "sys/fs/cgroup/cpuset.cpus.effective": "0-1\n",
    "sys/devices/system/cpu/online": "0-3\n",
    "proc/cpuinfo": "model name\t: AMD EPYC\nflags\t: fpu cx8 cmov fxsr mmx sse sse2 pni\n",
    "proc/meminfo": "MemTotal:       16000000 kB\n",
    "proc/sys/kernel/ostype": "Linux\n",
    "proc/sys/kernel/osrelease": "6.1.0\n",
    "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue\n",
    "proc/driver/nvidia/gpus/0000/information": "Model: \t NVIDIA A100\n",
}


def section(heading: str) -> str:
    """Return what stands under a heading of the third level."""
    return PAGE.read_text("utf-8").split(f"\n### {heading}\n")[1].split("\n## ")[0].split("\n### ")[0]


def laid_out(directory: Path, files: dict[str, str]) -> str:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    return str(directory)


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    return Runtime(ask(sys.executable), os.environ | dict.fromkeys(PROCESS | PATHS, "1"), NOTHING_KEPT)


def python(runtime: Runtime, directory: Path) -> list[Any]:
    found = capture(running(), layers=["python"])
    return [found.environment["python"], found.context["python"]]


def conda(runtime: Runtime, directory: Path) -> list[Any]:
    site = "lib/python{}.{}/site-packages".format(*sys.version_info)
    build_package(directory / "channel", "table", files=python_distribution("table", site=site))
    prefix = install(directory / "prefix", directory / "channel", "table")
    interpreter = runtime.interpreter._replace(base_prefix=str(prefix))
    return [*CondaLayer().capture(runtime._replace(interpreter=interpreter), 1)[1:3]]


def nix(runtime: Runtime, directory: Path) -> list[Any]:
    laid_out(directory / "python3-3.11.7", {"bin/python3": ""})
    store = make_store(directory / "nix")
    interpreter = runtime.interpreter._replace(executable=f"{store.add(directory / 'python3-3.11.7')}/bin/python3")
    return [*NixLayer(str(store.directory)).capture(runtime._replace(interpreter=interpreter), 1)[1:3]]


def container(runtime: Runtime, directory: Path) -> list[Any]:
    told = runtime._replace(environ={"CAPSULE_IMAGE_DIGEST": DIGEST})
    captured = ContainerLayer(laid_out(directory, {"run/.containerenv": ""})).capture(told, 1)
    parts = [captured.environment, captured.context]
    for image in (IMAGE, {**IMAGE, "Descriptor": {}}):
        documents = {"containers": CONTAINER, "images": image}
        answer = image_of(lambda path, known=documents: known[path.split("/")[1]], Identity("2" * 64, True), LIMITS)
        parts += [{"image": {"rootfs": answer["rootfs"]}}, {"image": answer["context"]}]
    return parts


def host(runtime: Runtime, directory: Path) -> list[Any]:
    return [HostLayer(laid_out(directory, MACHINE)).capture(runtime, 1).context]


PARTS = {"python": python, "conda": conda, "nix": nix, "container": container, "host": host}


def words(layer: str, part: Any) -> Iterator[str]:
    """Yield the collections of a part of a layer, and their entries or, of those named by others, their fields."""
    for collection, entries in part.items():
        yield collection
        if (layer, collection) in NAMED_BY_OTHERS:
            yield from (field for entry in entries.values() if isinstance(entry, dict) for field in entry)
        elif isinstance(entries, dict):
            yield from entries


def test_every_layer_has_a_heading_and_nothing_else_has_one():
    assert re.findall(r"^### (.*)$", PAGE.read_text("utf-8"), re.MULTILINE) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_a_layer_captures_is_named_under_its_heading(name, runtime, tmp_path):
    (layer,) = [layer for layer in LAYERS if layer.name == name]
    parts = PARTS[name](runtime, tmp_path) if name in PARTS else [layer.capture(runtime, 1).context]
    captured = {word for part in parts for word in words(name, part)} - {"rules"}
    assert len(captured) > 1
    text = section(name)
    assert {word for word in captured if f"`{word}`" not in text} == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_named_in_the_table_of_a_layer_is_in_its_code(name):
    rows = re.findall(r"^\| (?:context: )?`(\w+)` \|", section(name), re.MULTILINE)
    code = ROOT / "capsulestore" / "capture" / name
    sources = [code.with_suffix(".py")] if not code.is_dir() else sorted(code.glob("*.py"))
    text = "".join(path.read_text("utf-8") for path in sources)
    assert [row for row in rows if f'"{row}"' not in text and f"{row}=" not in text] == []


def test_every_link_leads_to_something():
    page = PAGE.read_text("utf-8")
    links = re.findall(r"\]\(([^)]+)\)", page)
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", page, re.MULTILINE)}
    assert {link[1:] for link in links if link.startswith("#")} <= headings
    assert [link for link in links if not link.startswith("#") and not (PAGE.parent / link).exists()] == []


BEFORE = {
    "conda": {"rules": 1, "packages": {"openssl": {"version": "3.0.13", "build": "h7f_0", "subdir": "linux-64"}}},
    "container": {"rules": 1, "image": {"rootfs": [f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"]}},
    "nix": {"rules": 1, "paths": {f"{'a' * 32}-openssl-3.0.13": DIGEST, f"{'b' * 32}-glibc-2.38": DIGEST}},
    "python": {"rules": 1, "packages": {"numpy": {"version": "1.26.4"}, "six": {"version": "1.16.0"}}},
}
AFTER = {
    "conda": {"rules": 1, "packages": {"openssl": {"version": "3.0.13", "build": "h7f_1", "subdir": "linux-64"}}},
    "container": {"rules": 1, "image": {"rootfs": [f"sha256:{'1' * 64}", f"sha256:{'3' * 64}"]}},
    "nix": {"rules": 1, "paths": {f"{'c' * 32}-openssl-3.0.14": DIGEST, f"{'d' * 32}-glibc-2.38": DIGEST}},
    "python": {"rules": 1, "packages": {"numpy": {"version": "2.1.0"}}},
}


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    uv = [find_uv_bin(), "-q"]
    subprocess.run([*uv, "venv", "--python", sys.executable, tmp_path / ".venv"], check=True)
    installing = [*uv, "pip", "install", "--python", tmp_path / ".venv", "--no-deps", "six==1.16.0"]
    subprocess.run(installing, check=True)
    with Store.init(str(tmp_path)) as store:
        for tag, environment in (("before", BEFORE), ("after", AFTER)):
            register_capsule(tag, environment_capture=environment, store=store)
            store.tags.set(tag, store.last())
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    return tmp_path


@pytest.mark.slow
def test_each_command_prints_what_the_page_shows(project):
    def printed(block: re.Match[str]) -> str:
        commands = [line[2:] for line in block[0].splitlines() if line.startswith("$ ")]
        return "".join(f"$ {command}\n{run(command)}" for command in commands)

    def run(command: str) -> str:
        how = {"shell": True, "cwd": project, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.run(command, **how, check=False).stdout

    page = PAGE.read_text("utf-8")
    really = BLOCK.sub(printed, page)
    if "UPDATE_README" in os.environ:
        PAGE.write_text(really, "utf-8")
        page = really
    assert masked(page) == masked(really)


def masked(text: str) -> str:
    return re.sub(r"(?<!:)\b[0-9a-f]{64}\b", "<digest>", text)
