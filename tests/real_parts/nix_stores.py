"""Real nix stores: single-user, without a daemon and from no cache, with a real Python that runs from them.

store = make_store(tmp_path)                # a store below `tmp_path`: `NixLayer(str(store.directory))`
python = store.python()                     # /…/store/HASH-python3-3.11.7/bin/python3.11, its closure two paths
with true_store() as store: ...             # the one at /nix/store, which needs root and is tidied up afterwards
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
SETTINGS = "sandbox = false\nbuild-users-group =\nsubstituters =\nrequire-sigs = false\n"
NOT_NEEDED = ("__pycache__", "config-*", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test*")
TRUE_STORE = Path("/nix/store")


@dataclass(frozen=True)
class NixStore:
    """A nix store, and the variables by which nix's programs find it."""

    directory: Path
    environ: Mapping[str, str]

    @property
    def database(self) -> Path:
        return self.directory.parent / "var/nix/db/db.sqlite"

    def nix(self, *command: str | Path) -> str:
        """Run one of nix's programs on the store and return what it printed."""
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False, env=self.environ, cwd="/"
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def add(self, path: Path) -> Path:
        """Add a file or directory under its own name; it refers to nothing."""
        return Path(self.nix("nix-store", "--add", path))

    def build(self, name: str, script: str, **inputs: Path) -> Path:
        """Build a path by a shell script that writes `$out`; it refers to those inputs, each a variable, it names."""
        attributes = "".join(f"{key} = builtins.storePath {path}; " for key, path in inputs.items())
        expression = (
            "{ name, script }: derivation { inherit name; system = builtins.currentSystem; "
            f'PATH = "/usr/bin:/bin"; builder = "/bin/sh"; args = [ "-euc" script ]; {attributes}}}'
        )
        arguments = ("--argstr", "name", name, "--argstr", "script", script)
        return Path(self.nix("nix-build", "--quiet", "--no-out-link", *arguments, "-E", expression))

    def python(self) -> Path:
        """Build a path with the interpreter that runs the tests, and one with its libraries; return the interpreter."""
        library = Path(os.__file__).parent
        if library.name != VERSION or library.parent.name != "lib":
            pytest.skip(f"the standard library lies in {library}, not in lib/{VERSION} of a prefix")
        libraries = self.build(
            "python3-libraries",
            f"""
            mkdir $out
            cp -R {library}/lib-dynload $out
            for shared in {library.parent}/libpython*.so*; do [ ! -e "$shared" ] || cp -P "$shared" $out; done
            """,
        )
        excluded = " ".join(f"--exclude='{pattern}'" for pattern in (*NOT_NEEDED, "lib-dynload"))
        # Where the loader is told of the libraries by an absolute path, it is told of those in the store.
        told = os.fsencode(library.parent)
        patched = b"$ORIGIN/../lib".ljust(len(told), b"\0") if len(told) >= len(b"$ORIGIN/../lib") else told
        with tempfile.TemporaryDirectory() as scratch:
            program = Path(scratch, VERSION)
            original = Path(sys.base_prefix, "bin", VERSION).resolve().read_bytes()
            program.write_bytes(original.replace(told + b"\0", patched + b"\0"))
            program.chmod(0o755)
            prefix = self.build(
                "python3-{}.{}.{}".format(*sys.version_info),
                f"""
                mkdir -p $out/bin $out/lib/{VERSION}/site-packages
                tar -C {library} {excluded} -c . | tar -C $out/lib/{VERSION} -x
                ln -s $libraries/lib-dynload $out/lib/{VERSION}/
                for shared in $libraries/libpython*; do [ ! -e "$shared" ] || ln -s "$shared" $out/lib/; done
                cp $program $out/bin/{VERSION}
                ln -s {VERSION} $out/bin/python3
                """,
                libraries=libraries,
                program=self.add(program),
            )
        return prefix / "bin" / VERSION

    def python_with(self, python: Path, *packages: Path) -> Path:
        """Build an environment of packages as `python3.withPackages` does: a prefix apart from its interpreter's."""
        links = "\n".join(f"ln -s $package{number}/* $site/" for number in range(len(packages)))
        prefix = self.build(
            f"{python.parents[1].name.partition('-')[2]}-env",
            f"""
            site=$out/lib/{VERSION}/site-packages
            mkdir -p $out/bin $site
            echo "home = $python/bin" > $out/pyvenv.cfg
            ln -s $python/bin/{VERSION} $out/bin/python3
            {links}
            """,
            python=python.parents[1],
            **{f"package{number}": package for number, package in enumerate(packages)},
        )
        return prefix / "bin" / "python3"

    def closure(self, *paths: Path) -> dict[str, str]:
        """Return what nix itself says: of each path that these need, its name and its hash in nix's own spelling."""
        needed = self.nix("nix-store", "-q", "--requisites", *paths).split()
        hashes = self.nix("nix-store", "-q", "--hash", *needed).split()
        return {os.path.basename(path): told for path, told in zip(needed, hashes, strict=True)}

    def delete(self, path: Path) -> None:
        """Delete a path and all that refer to it."""
        self.nix("nix-store", "--delete", *self.nix("nix-store", "-q", "--referrers-closure", path).split())


def make_store(root: Path) -> NixStore:
    """Make a store in `root/store`, its database in `root/var/nix`, and what else nix writes below `root`."""
    settings = {
        "NIX_STORE_DIR": root / "store",
        "NIX_STATE_DIR": root / "var/nix",
        "NIX_LOG_DIR": root / "var/log/nix",
        "NIX_CONF_DIR": root / "etc/nix",
    }
    (root / "home").mkdir(parents=True)
    return _store(root / "store", root / "home", {name: str(path) for name, path in settings.items()})


@contextmanager
def true_store() -> Iterator[NixStore]:
    """Have the store at /nix/store, one test at a time; afterwards it is as it was, or gone where there was none."""
    if os.geteuid():
        pytest.skip("only root can make a store at /nix/store")
    with open(Path(tempfile.gettempdir(), "nix-store.lock"), "w") as lock, tempfile.TemporaryDirectory() as home:
        fcntl.flock(lock, fcntl.LOCK_EX)
        was_there, root = TRUE_STORE.exists(), TRUE_STORE.parent
        before = {*TRUE_STORE.iterdir()} if was_there else set()
        store = _store(TRUE_STORE, Path(home), {})
        try:
            yield store
        finally:
            if not was_there:
                shutil.rmtree(root, ignore_errors=True)
            elif added := {*TRUE_STORE.iterdir()} - before - {TRUE_STORE / ".links"}:
                store.nix("nix-store", "--delete", *added)


def _store(directory: Path, home: Path, settings: Mapping[str, str]) -> NixStore:
    if not shutil.which("nix-store"):
        pytest.skip("there is no nix on this machine")
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "NIX_CONFIG": SETTINGS, **settings}
    return NixStore(directory, environ)
