"""Real conda packages, channels and prefixes, made offline: built by rattler-build, solved and installed by rattler.

    channel = tmp_path / "channel"
    pack_python(channel)                                            # the running CPython as the package `python`
    build_package(channel, "alpha", files=python_distribution("alpha"), noarch="python", depends=["python"])
    python = install(tmp_path / "prefix", channel, "python", "alpha") / "bin" / "python"

Packing Python takes a second, installing it half of one: share the channel, and copy a prefix to change it.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sys
import sysconfig
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import rattler
from rattler.index import index_fs
from rattler_build import ArchiveType, assemble_package

PLACEHOLDER = f"/opt{'/placehold' * 20}"
"""What stands in a file of a package for the prefix that it is installed into."""

_ARCHIVES = {"conda": ArchiveType.Conda, "tar.bz2": ArchiveType.TarBz2}
_NOT_PACKED = shutil.ignore_patterns(
    "__pycache__", "site-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3",
    "config-*", "EXTERNALLY-MANAGED", "*.a", "*.pyc"
)  # fmt: skip


class Link(str):
    """The target of a soft link, in the place of a file's text."""


def build_package(
    channel: Path,
    name: str,
    version: str = "1.0",
    files: Mapping[str, str | bytes | Link] | None = None,
    *,
    build: str = "0",
    depends: Sequence[str] = (),
    noarch: Literal["python", "generic"] | None = None,
    entry_points: Sequence[str] = (),
    archive: str = "conda",
    hashed: bool = True,
) -> Path:
    """Build a package of these files into a channel, and return its archive (`conda` or `tar.bz2`).

    `PLACEHOLDER` in a file is where the client writes the prefix. `entry_points` (`name = module:function`) are what
    it makes commands of, for noarch Python. Not `hashed` is a package as old ones are: its files have no hash in it.
    """
    files = {f"share/{name}.txt": f"{name} {version}\n"} if files is None else files
    with tempfile.TemporaryDirectory() as drafts:
        root, info = Path(drafts, "files"), Path(drafts, "info")
        info.mkdir()
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(text, Link):
                (root / path).symlink_to(text)
            else:
                (root / path).write_bytes(text.encode() if isinstance(text, str) else text)
        described = {}
        if entry_points:
            link = {"noarch": {"type": "python", "entry_points": [*entry_points]}, "package_metadata_version": 1}
            described["link.json"] = link
        if not hashed or any(PLACEHOLDER.encode() in _data(text) for text in files.values()):
            described["paths.json"] = {"paths_version": 1, "paths": _paths(files, hashed=hashed)}
        for file, value in described.items():
            (info / file).write_text(json.dumps(value))
        return _assemble(
            channel,
            (name, version, build),
            root,
            depends=depends,
            noarch=noarch,
            archive=archive,
            info=[info / file for file in described],
        )


def pack_python(channel: Path, archive: str = "conda") -> Path:
    """Pack the running CPython as the package `python` into a channel: its standard library, without tests and pip."""
    short = "python{}.{}".format(*sys.version_info)
    library = Path(os.__file__).parent
    with tempfile.TemporaryDirectory() as drafts:
        root = Path(drafts)
        shutil.copytree(library, root / "lib" / short, symlinks=True, ignore=_NOT_PACKED)
        (root / "lib" / short / "site-packages").mkdir()
        (root / "lib" / short / "site-packages" / "README.txt").write_text("what is installed for this Python\n")
        for shared in library.parent.glob("libpython*.so*"):
            shutil.copy2(shared, root / "lib" / shared.name, follow_symlinks=False)
        (root / "bin").mkdir()
        shutil.copy2(Path(sys.base_prefix, "bin", short).resolve(), root / "bin" / short)
        for name in ("python", "python3"):
            (root / "bin" / name).symlink_to(short)
        version = sysconfig.get_python_version() + f".{sys.version_info.micro}"
        return _assemble(channel, ("python", version, "0_cpython"), root, archive=archive)


def python_distribution(
    name: str, version: str = "1.0", files: Mapping[str, str] | None = None, *, site: str = "site-packages"
) -> dict[str, str | bytes | Link]:
    """Return the files of a package that brings a Python distribution, with what conda-forge leaves in its metadata.

    Those are `INSTALLER` with `conda` in it, and a `direct_url.json` that leads into the machine that built it.
    """
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    url = {"dir_info": {}, "url": f"file:///home/conda/feedstock_root/build_artifacts/{name}_1700000000000/work"}
    members: dict[str, str] = {
        **(files if files is not None else {f"{name}.py": f"version = {version!r}\n"}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/INSTALLER": "conda\n",
        f"{info}/REQUESTED": "",
        f"{info}/direct_url.json": json.dumps(url),
    }
    record = ""
    for member, text in members.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{member},sha256={digest},{len(text.encode())}\n"
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    return {f"{site}/{member}": text for member, text in members.items()}


def install(prefix: Path, channel: Path, *specs: str) -> Path:
    """Solve for these specs in a channel, and make the prefix hold what they need and nothing else; return it.

    No file of it is shared with a cache: a test may write to each.
    """
    asyncio.run(_install(prefix, channel, specs))
    return prefix


async def _install(prefix: Path, channel: Path, specs: Sequence[str]) -> None:
    await index_fs(channel, write_zst=False, write_shards=False)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    # On the same file system, so that files are linked; removed at the end, so that no other prefix has them too.
    with tempfile.TemporaryDirectory(dir=prefix.parent) as cache:
        records = await rattler.solve(
            [rattler.Channel(channel.as_uri())],
            [*specs],
            gateway=rattler.Gateway(cache_dir=Path(cache, "repodata")),
            platforms=[rattler.Subdir.current(), "noarch"],
        )
        await rattler.install(records, prefix, cache_dir=Path(cache, "packages"), show_progress=False)


def _assemble(
    channel: Path,
    identity: tuple[str, str, str],
    root: Path,
    *,
    archive: str,
    depends: Sequence[str] = (),
    noarch: Literal["python", "generic"] | None = None,
    info: Sequence[Path] = (),
) -> Path:
    name, version, build = identity
    platform = "noarch" if noarch else str(rattler.Subdir.current())
    (channel / platform).mkdir(parents=True, exist_ok=True)
    built = assemble_package(
        name,
        version,
        platform,
        build,
        channel / platform,
        files_dir=root,
        depends=depends,
        noarch=noarch,
        # What it copies into `info/`, whatever it is.
        test_files=info,
        archive_type=_ARCHIVES[archive],
        compression_level=1,
    )
    return Path(built.path)


def _paths(files: Mapping[str, str | bytes | Link], *, hashed: bool) -> list[dict[str, object]]:
    """Return what `info/paths.json` says of files, as conda-build writes it: a soft link's hash is of its target."""
    paths = []
    for path, text in sorted(files.items()):
        is_link = isinstance(text, Link)
        data = _data(files.get(os.path.normpath(os.path.join(os.path.dirname(path), text)), "") if is_link else text)
        entry: dict[str, object] = {"_path": path, "path_type": "softlink" if is_link else "hardlink"}
        if hashed:
            entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
        if PLACEHOLDER.encode() in data and not is_link:
            entry |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "binary" if b"\0" in data else "text"}
        paths.append(entry)
    return paths


def _data(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
