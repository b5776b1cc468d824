"""Makes a conda prefix of what pip installed: each distribution becomes a package, and the running CPython another.

Started by environments.py where py-rattler and py-rattler-build are installed, with tests/real_parts on the path:

    python conda_prefix.py ENVIRONMENT PREFIX

ENVIRONMENT is a virtual environment; PREFIX is not there yet. The packages are for one platform, with bytecode, as
conda-forge has those that hold compiled code. The prefix's path is written into scripts in place of a placeholder.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from tempfile import TemporaryDirectory

from conda_prefixes import PLACEHOLDER, build_package, install, pack_python


def files_of(distribution: Distribution, environment: Path) -> dict[str, str | bytes]:
    """Return what a distribution has installed, by path from the environment."""
    found: dict[str, str | bytes] = {}
    for listed in distribution.files or ():
        if any(part.startswith(".") and part != ".." for part in listed.parts):
            # Which rattler-build does not pack.
            continue
        path = Path(listed.locate()).resolve().relative_to(environment)
        data = (environment / path).read_bytes()
        if path.parts[0] == "bin":
            data = data.replace(str(environment).encode(), PLACEHOLDER.encode())
        found[str(path)] = data
    return found


def main() -> None:
    """Pack, solve and install."""
    environment, prefix = (Path(name).resolve() for name in sys.argv[1:])
    (site,) = environment.glob("lib/python*/site-packages")
    with TemporaryDirectory(dir=prefix.parent) as drafts:
        channel = Path(drafts, "channel")
        pack_python(channel)
        specs = ["python"]
        for distribution in distributions(path=[str(site)]):
            name = distribution.name.lower()
            build_package(channel, name, distribution.version, files_of(distribution, environment))
            specs.append(name)
        install(prefix, channel, *specs)


if __name__ == "__main__":
    main()
