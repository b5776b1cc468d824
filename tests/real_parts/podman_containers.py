"""Real images and containers by podman, for root, apart from everything else on the machine.

`podman_in(directory)` makes one engine: a mount namespace and a process namespace in which podman has storage of its
own under the directory. What it started ends and what it mounted is gone with them, also where the tests are killed.
"""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import capsulestore

__all__ = ["Podman", "base_system", "host_mounts", "podman_in"]

_SECONDS = 120
_SET_UP = """
set -e
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
for directory in /run /dev/shm; do mount -t tmpfs none $directory; done
if ! mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" none "$1/merged"; then
    echo vfs
else
    umount "$1/merged"
    echo overlay
fi
exec cat
"""
"""Where cgroups are hybrid, podman finds its way in those of version 2. Ends when nobody holds the pipe any more."""

_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""What lies under /usr on merged systems, and each by itself on others."""


@dataclass(frozen=True)
class Podman:
    """An engine with storage under `directory`; `namespaces` start a command where it is."""

    directory: Path
    namespaces: tuple[str, ...]

    def command(self, *arguments: str | Path) -> list[str]:
        """Return the command line of podman with these arguments, for a process that the test starts itself."""
        return [*self.namespaces, "podman", *map(str, arguments)]

    def environ(self) -> dict[str, str]:
        """Return the variables that podman is started with: nothing of the user's."""
        directories = {name: str(self.directory) for name in ("HOME", "TMPDIR")}
        return {"PATH": os.environ["PATH"], **directories, "CONTAINERS_STORAGE_CONF": f"{self.directory}/storage.conf"}

    def __call__(self, *arguments: str | Path) -> str:
        """Run podman and return what it printed; a failure shows what it complained of."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environ(),
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"podman {arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def make_image(self, root: Path, name: str) -> str:
        """Make an image of one layer from a root file system, and return its diff id.

        The layer depends on paths, modes, links and bytes alone: the same files give the same diff id.
        """
        archive = self.directory / "layer.tar"
        with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as layer:
            for path in sorted(root.rglob("*")):
                layer.inodes.clear()
                member = layer.gettarinfo(path, str(path.relative_to(root)))
                member.mtime = member.uid = member.gid = 0
                member.uname = member.gname = ""
                with path.open("rb") if member.isreg() else open(os.devnull, "rb") as content:
                    layer.addfile(member, content)
        self("import", "--quiet", archive, name)
        archive.unlink()
        return self("image", "inspect", "--format", "{{index .RootFS.Layers 0}}", name).strip()

    def run(
        self,
        image: str,
        *command: str | Path,
        mounts: Mapping[str | Path, str] | None = None,
        environ: Mapping[str, str] | None = None,
        options: tuple[str, ...] = (),
    ) -> str:
        """Run a command in a new container, and return what it printed; the container is removed.

        `mounts` says where in the container files and directories of the host are, with `:ro` behind it as they may
        not be written to; `host_mounts()` has what the interpreter of the tests needs.
        """
        volumes = [f"--volume={source}:{target}" for source, target in (mounts or {}).items()]
        variables = [f"--env={name}={value}" for name, value in (environ or {}).items()]
        how = ("--rm", "--cgroups=disabled", "--network=none", *_LIMITS, *options)
        return self("run", *how, *volumes, *variables, image, *command)

    @contextmanager
    def service(self) -> Iterator[Path]:
        """Answer the Docker API on a socket, whose path this gives, until the block ends."""
        path = self.directory / "podman.sock"
        command = self.command("system", "service", "--time=0", f"unix://{path}")
        process = subprocess.Popen(
            command,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # What enters a process namespace does so by a child, which a signal to itself alone does not reach.
            start_new_session=True,
        )
        try:
            self._wait_for(path, process)
            yield path
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=_SECONDS)
            path.unlink(missing_ok=True)

    def _wait_for(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        """Wait until the service answers, which it says nowhere: asked until then, or until it has ended."""
        ping = [*self.namespaces, "podman", "--remote", "--url", f"unix://{path}", "version"]
        while subprocess.run(ping, env=self.environ(), capture_output=True, check=False, timeout=_SECONDS).returncode:
            assert process.poll() is None, process.stderr and process.stderr.read().decode()


@contextmanager
def podman_in(directory: Path) -> Iterator[Podman]:
    """Make an engine whose storage is in a new directory, which is removed at the end with all that it holds.

    Skips the test where there is no podman, or this machine does not let it run.
    """
    if os.geteuid() != 0:
        pytest.skip("podman is run by root here, and this is another user")
    missing = [program for program in ("podman", "crun", "unshare", "nsenter") if not shutil.which(program)]
    if missing:
        pytest.skip(f"there is no {missing[0]} on this machine")
    for name in ("lower", "upper", "work", "merged"):
        (directory / "overlay" / name).mkdir(parents=True)
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    holder = subprocess.Popen(
        [*apart, "sh", "-c", _SET_UP, "sh", directory / "overlay"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        driver = holder.stdout.readline().strip()
        if not driver:
            pytest.skip(f"no namespaces can be made here for podman: {holder.communicate()[1].strip()}")
        # In the namespace's own /run: podman waits long for a monitor whose socket's path is too long.
        storage = f'driver = "{driver}"\ngraphroot = "{directory}/graph"\nrunroot = "/run/storage"\n'
        (directory / "storage.conf").write_text(f"[storage]\n{storage}")
        (child,) = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        yield Podman(directory, ("nsenter", f"--target={child}", "--mount", "--pid", "--"))
    finally:
        holder.communicate()
        shutil.rmtree(directory)


def base_system(root: Path) -> Path:
    """Make a root file system with nothing in it but what a program expects: for one whose /usr is mounted."""
    for name in ("etc", "proc", "root", "run", "sys", "tmp", "usr", "var"):
        (root / name).mkdir(parents=True)
    for name in _LINKS:
        if Path("/", name).is_symlink():
            (root / name).symlink_to(Path("usr", name))
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    return root


def host_mounts(*more: Path) -> dict[str | Path, str]:
    """Return mounts that make the interpreter of the tests, and the project, run in a container; and `more`."""
    systems = {Path("/", name) for name in ("usr", *_LINKS)}
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path(capsulestore.__file__).parents[1]}
    wanted = {path for path in systems if path.is_dir() and not path.is_symlink()} | prefixes | {*more}
    return {path: f"{path}:ro" for path in sorted(wanted) if wanted.isdisjoint(path.parents)}
