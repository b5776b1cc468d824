"""Stores of so many capsules, each made once and kept with what else the benchmark has made."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .environments import Environments

__all__ = ["add_capsules", "store_of"]

_MAKER: Final = Path(__file__).with_name("stores.py")


def store_of(number: int, made: Environments, environ: Mapping[str, str]) -> Path:
    """Return the directory of a store of so many capsules, with its index; nothing may be written into it."""
    stores = made.capsule.parent / "stores"
    store, marker = stores / str(number), stores / f"{number}.made"
    stamp = hashlib.sha256(_MAKER.read_bytes()).hexdigest()
    if not marker.is_file() or marker.read_text("ascii") != stamp:
        print(f"Making a store of {number:,} capsules", flush=True)
        shutil.rmtree(store, ignore_errors=True)
        store.mkdir(parents=True)
        add_capsules(made, environ, store, number)
        log = [made.capsule / "bin/capsule", "--store", store, "log"]
        subprocess.run(log, env=environ, stdout=subprocess.DEVNULL, check=True)
        marker.write_text(stamp, "ascii")
    return store


def add_capsules(made: Environments, environ: Mapping[str, str], store: Path, *numbers: int) -> None:
    """Have a store hold so many capsules, the new ones with the environment of that number, where it is given."""
    maker = [made.capsule / "bin/python", "-I", _MAKER, store, *map(str, numbers)]
    subprocess.run(maker, env=environ, stdout=subprocess.DEVNULL, check=True)
