"""What differs in each layer, told by `capsule diff` and `capsule verify` so that a person can read it.

The environments of `diff` are made by hand, as `capsule add --environment` takes them. Those of `verify` are a prefix
into which conda packages were really installed, with the interpreter of these tests put beside them by links.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from conda_prefixes import build_package, python_distribution
from conda_prefixes import install as install_conda

from capsulestore.artifact_registry import register_capsule
from capsulestore.runtime_capture import compute_environment_digest
from capsulestore.store import Store


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def conda(version: str, build: str, content: str) -> dict[str, str]:
    return {"version": version, "build": build, "subdir": "linux-64", "content": digest(content)}


def paths(**names: str) -> dict[str, Any]:
    """Return a closure of nix's in which a letter is the hash of each store path."""
    found = {f"{letter * 32}-{name}": digest("0") for letter, name in names.items()}
    return {"nix": {"rules": 1, "paths": found}}


def image(**known: Any) -> dict[str, Any]:
    return {"container": {"rules": 1, "image": known}}


CLOSURE = {"a": "python3-3.11.7", "b": "openssl-3.0.12", "c": "openssl-3.0.12-bin", "d": "glibc-2.38-27"}
FIRST = {
    "python": {"rules": 1, "packages": {"six": {"version": "1.16.0"}}},
    "conda": {
        "rules": 1,
        "packages": {
            "openssl": conda("3.0.13", "h7f_0", "1"),
            "patched": conda("1.0", "0", "2"),
            "six": conda("1.16.0", "pyhd_0", "3"),
            "tzdata": conda("2024a", "h0_0", "4"),
        },
    },
    **paths(**CLOSURE, f="tzdata-2024a"),
    **image(rootfs=[digest("5"), digest("6"), digest("7")]),
}
SECOND = deepcopy(FIRST)
SECOND["conda"]["packages"] = {
    "openssl": conda("3.0.14", "h5e_0", "8"),
    "patched": conda("1.0", "0", "9"),
    "six": conda("1.16.0", "pyhd_1", "0"),
    "xz": conda("5.4.6", "h1_0", "a"),
}
SECOND |= paths(g="python3-3.11.7", h="openssl-3.0.13", i="openssl-3.0.13-bin", d=CLOSURE["d"], j="xz-5.4.6")
SECOND |= image(rootfs=[digest("5"), digest("6"), digest("8")])
ENVIRONMENTS = {
    "first": FIRST,
    "second": SECOND,
    "python-alone": {"python": FIRST["python"]},
    "other-base": FIRST | image(rootfs=[digest("b"), digest("6"), digest("7")]),
    "more-layers": FIRST | image(rootfs=[digest("5"), digest("6"), digest("8"), digest("7")]),
    "manifest": FIRST | image(manifest=digest("c")),
}

OF_EACH_LAYER = """\
conda/packages
  openssl  3.0.13 h7f_0 → 3.0.14 h5e_0
  patched  1.0 0  content differs
  six      1.16.0 pyhd_0 → 1.16.0 pyhd_1
  tzdata   2024a h0_0 → ∅
  xz       ∅ → 5.4.6 h1_0
container/image
  rootfs  777777777777 (last of 3) → 888888888888 (last of 3)
nix/paths
  openssl  3.0.12, 3.0.12-bin → 3.0.13, 3.0.13-bin
  python3  3.11.7 → 3.11.7 (another build)
  tzdata   2024a → ∅
  xz       ∅ → 5.4.6
"""
WHOLE_LAYERS = """\
conda/packages
  openssl  3.0.13 h7f_0 → ∅
  patched  1.0 0 → ∅
  six      1.16.0 pyhd_0 → ∅
  tzdata   2024a h0_0 → ∅
container/image
  rootfs  777777777777 (last of 3) → ∅
nix/paths
  glibc    2.38-27 → ∅
  openssl  3.0.12, 3.0.12-bin → ∅
  python3  3.11.7 → ∅
  tzdata   2024a → ∅
"""
DIFFS = {
    "each layer": ("second", OF_EACH_LAYER),
    "layers that are gone": ("python-alone", WHOLE_LAYERS),
    "an image of another base": ("other-base", "container/image\n  rootfs  777777777777 (last of 3)  1 of 3 differs\n"),
    "an image of more layers": (
        "more-layers",
        "container/image\n  rootfs  777777777777 (last of 3) → 777777777777 (last of 4)\n",
    ),
    "an image known otherwise": (
        "manifest",
        "container/image\n  manifest  ∅ → cccccccccccc\n  rootfs    777777777777 (last of 3) → ∅\n",
    ),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A directory with a store, and the capsule of each environment in it."""
    root = tmp_path_factory.mktemp("recorded")
    with Store.init(str(root)) as store:
        capsules = {
            name: register_capsule(name, environment_capture=ENVIRONMENTS[name], store=store) for name in ENVIRONMENTS
        }
    return root, {name: answer["capsule_id"] for name, answer in capsules.items()}


@pytest.mark.parametrize(("other", "told"), DIFFS.values(), ids=DIFFS)
def test_a_difference_is_told_so_that_a_person_can_read_it(other, told, recorded, capsule):
    root, capsules = recorded
    done = capsule("diff", capsules["first"], capsules[other], cwd=root)
    assert (done.status, done.out, done.err) == (1, told, "")


def test_a_difference_is_told_entry_by_entry_to_programs(recorded, capsule):
    root, capsules = recorded
    answer = capsule("diff", "--json", capsules["first"], capsules["second"], cwd=root).json
    assert answer["identical"] is False
    told = [tuple(change[key] for key in ("layer", "collection", "entry", "change")) for change in answer["changes"]]
    packages = ("openssl", "patched", "six", "tzdata", "xz")
    words = ("changed", "changed", "changed", "removed", "added")
    of_nix = {("nix", "paths", path, "removed") for path in set(FIRST["nix"]["paths"]) - set(SECOND["nix"]["paths"])}
    of_nix |= {("nix", "paths", path, "added") for path in set(SECOND["nix"]["paths"]) - set(FIRST["nix"]["paths"])}
    assert told == [
        *(("conda", "packages", package, word) for package, word in zip(packages, words, strict=True)),
        ("container", "image", "rootfs", "changed"),
        *sorted(of_nix),
    ]
    first = answer["changes"][0]
    assert (first["a"], first["b"]) == (FIRST["conda"]["packages"]["openssl"], SECOND["conda"]["packages"]["openssl"])
    assert [change["fields"] for change in answer["changes"][:3]] == [
        ["build", "content", "version"],
        ["content"],
        ["build", "content"],
    ]


@pytest.fixture
def into_prefix(tmp_path) -> Callable[..., Path]:
    """Have these conda packages, and no others, in a prefix: `into_prefix("alpha ==2.0", "native ==2.0 h2_1")`."""
    channel, prefix = tmp_path / "channel", tmp_path / "prefix"
    for version in ("1.0", "2.0"):
        build_package(channel, "alpha", version, noarch="generic")
    for build in ("h2_0", "h2_1"):
        build_package(channel, "native", "2.0", {"lib/libnative.so": build}, build=build)
    site = f"lib/{Path(os.__file__).parent.name}/site-packages"
    build_package(channel, "table", files=python_distribution("table", site=site))
    install_conda(prefix, channel, "alpha ==1.0", "native ==2.0 h2_0", "table")
    link_python(prefix)
    return lambda *specs: install_conda(prefix, channel, *specs)


def link_python(prefix: Path) -> None:
    """Put the interpreter that runs the tests into a prefix: the program itself, its library by links."""
    library = Path(os.__file__).parent
    into = prefix / "lib" / library.name
    for directory in (prefix / "bin", into / "site-packages"):
        directory.mkdir(parents=True, exist_ok=True)
    shutil.copy2(Path(sys.base_prefix, "bin", library.name).resolve(), prefix / "bin" / "python")
    shared = [path for path in library.parent.glob("libpython*.so*") if path.is_file()]
    for path in (*library.iterdir(), *shared):
        if path.name not in {"site-packages", "dist-packages"}:
            (into if path.parent == library else into.parent).joinpath(path.name).symlink_to(path)


@pytest.mark.slow
def test_verify_names_each_conda_package_that_differs(capsule, store, into_prefix, tmp_path):
    env = {"CONDA_PREFIX": str(tmp_path / "prefix")}
    added = capsule("add", "--json", env=env).json["environment_digest"]
    assert capsule("verify", env=env).out == f"identical to {added}\n"
    into_prefix("alpha ==2.0", "native ==2.0 h2_1", "table")
    (record,) = (tmp_path / "prefix").glob("lib/python*/site-packages/table-*/RECORD")
    # Another installer lists the same files in another order.
    record.write_text("".join(reversed(record.read_text().splitlines(keepends=True))))
    done = capsule("verify", env=env)
    assert done.status == 1
    verdict, *told = done.out.splitlines()
    assert verdict.startswith(f"different from {added[:12]}; here it is ")
    assert told == [
        "  conda/packages",
        "    alpha   1.0 0 → 2.0 0",
        "    native  2.0 h2_0 → 2.0 h2_1",
        "  context: where conda's alpha came from, where conda's native came from, whether table is conda's, "
        "where table came from",
    ]
    answer = capsule("verify", "--json", env=env).json
    assert answer["verdict"] == "different"
    assert {layer["layer"]: layer["match"] for layer in answer["layers"]}.items() >= {
        "conda": False,
        "python": True,
    }.items()
    assert answer["reasons"][:2] == [
        "conda/packages: alpha 1.0 0 → 2.0 0",
        "conda/packages: native 2.0 h2_0 → 2.0 h2_1",
    ]
    assert {(change["layer"], change["entry"]) for change in answer["context_changes"]} == {
        ("conda", "alpha"),
        ("conda", "native"),
        ("conda", "table"),
        ("python", "table"),
    }


def test_a_closure_of_nix_is_shown_and_told_by_its_packages(capsule, store):
    document = capsule("capture", "--layer", "python", "--json").json
    document["environment"] |= paths(**CLOSURE)
    document["environment_digest"] = compute_environment_digest(document["environment"])
    document["context"]["nix"] = {"rules": 1, "roots": [f"{'a' * 32}-python3-3.11.7"]}
    capsule("add", "--environment", "-", text=json.dumps(document))
    shown = capsule("show").out
    of_nix = shown[shown.index("nix: ") : shown.index("python: ")]
    assert of_nix.splitlines() == [
        "nix: 4 paths",
        "  paths",
        *(f"    {name:18}  {letter * 32}" for letter, name in sorted(CLOSURE.items(), key=lambda one: one[1])),
    ]
    assert "  nix  runs from python3-3.11.7\n" in shown
    done = capsule("verify")
    assert done.status == 1
    assert done.out.splitlines()[1:] == [
        "  nix/paths",
        "    glibc    2.38-27 → ∅",
        "    openssl  3.0.12, 3.0.12-bin → ∅",
        "    python3  3.11.7 → ∅",
    ]
