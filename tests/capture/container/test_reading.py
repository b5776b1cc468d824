"""What is read may be anything, of any size, or not to be read at all; and the machine that runs the tests is one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capsulestore.capture.container import ContainerLayer

UNTOLD = "whether this is a container cannot be told: `/proc/self/mountinfo` cannot be read"
CONCLUDE = """
import sys
from capsulestore.capture.container.evidence import conclude
from capsulestore.capture.container.traces import look
print(conclude(*look(sys.argv[1], {}, "linux")).reason)
"""
MOUNT = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"


@pytest.fixture
def layer(tmp_path) -> ContainerLayer:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    return ContainerLayer(str(tmp_path))


@pytest.fixture
def mountinfo(tmp_path) -> Path:
    return tmp_path / "proc" / "self" / "mountinfo"


UNREADABLE = {
    "nothing": (lambda path: None, "No such file or directory"),
    "a directory": (Path.mkdir, "Is a directory"),
    "a named pipe": (os.mkfifo, "Not a regular file"),
    "more than any machine has": (lambda path: path.write_text(MOUNT * 100_000), "File too large"),
}


@pytest.mark.parametrize(("make", "why"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_mounts_that_cannot_be_read_leave_it_open(make, why, layer, mountinfo, runtime):
    make(mountinfo)
    captured = layer.capture(runtime, 1)
    assert captured.state.as_json() == {"unknown": f"{UNTOLD} ({why})"}
    assert (captured.environment, captured.context) == (None, None)


def test_what_proves_a_container_needs_no_mounts(layer, tmp_path, runtime):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".containerenv").touch()
    assert layer.capture(runtime, 1).context == {"rules": 1, "runtime": "podman"}


def test_without_permission_to_read_them_the_mounts_leave_it_open(layer, mountinfo, runtime, as_nobody_special):
    mountinfo.write_text(MOUNT)
    mountinfo.chmod(0)
    command = [*as_nobody_special, sys.executable, "-c", CONCLUDE, str(mountinfo.parents[2])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{UNTOLD} (Permission denied)\n"


@pytest.mark.parametrize("path", ["run/systemd/container", "proc/1/environ", "proc/self/cgroup", "proc/version"])
@pytest.mark.parametrize("content", [b"\xff\xfe\0", b"", b"\n" * 100_000, b":" * 100_000], ids=range(4))
def test_a_file_that_holds_anything_is_no_failure(path, content, layer, mountinfo, runtime, tmp_path):
    mountinfo.write_text(MOUNT)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(content)
    says_something = path == "run/systemd/container" and content.strip()
    assert layer.capture(runtime, 1).state.state == ("unknown" if says_something else "none")


def test_files_that_are_pipes_are_not_waited_for(layer, mountinfo, runtime, tmp_path):
    mountinfo.write_text(MOUNT)
    for path in ("run/systemd/container", "run/host/container-manager", "proc/1/environ", "proc/version"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(tmp_path / path)
    assert layer.capture(runtime, 1).state.as_json() == "none"


def test_another_platform_has_no_containers(runtime, tmp_path):
    elsewhere = runtime._replace(interpreter=runtime.interpreter._replace(platform="darwin"))
    assert ContainerLayer(str(tmp_path)).capture(elsewhere, 1).state.as_json() == "none"


def test_this_machine_is_what_its_root_shows(runtime):
    """A disk that is mounted whole is a machine's, also where the machine was made from an image."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()]
    roots = [(fields[3], fields[fields.index("-") + 2]) for fields in mounts if fields[4] == "/"]
    whole_disk = any(root == "/" and source.startswith("/dev/") for root, source in roots)
    captured = ContainerLayer().capture(runtime, 1)
    assert captured.state.state == ("none" if whole_disk else "unknown")
    assert captured.environment is None
