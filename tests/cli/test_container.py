"""Capsules of a container: verified by its image where that is known, told where it is not.

The commands run in a mount namespace of their own, in which /run is what a runtime makes of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.slow

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
MAKE_RUN = 'mount -t tmpfs none /run && mkdir /run/systemd && touch "/run/$1" && echo "$2" > "/run/$1" && shift 2'
TRACES = {"podman": (".containerenv", ""), "lxc": ("systemd/container", "lxc")}
NOT_TOLD = (
    "nothing tells the image of this podman container (its mounts do not tell which container it is; "
    "`CAPSULE_IMAGE_DIGEST` gives none); set `CAPSULE_IMAGE_DIGEST` when it is started"
)


@pytest.fixture
def contained(project, store) -> Callable[..., subprocess.CompletedProcess]:
    """Run `capsule` in a container: `contained("add", image=DIGEST, runtime="lxc")`; any exit status will do."""
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    attempt = [*namespace, "mount", "-t", "tmpfs", "none", "/run"]
    tried = subprocess.run(attempt, capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"no mount namespace can be made here: {tried.stderr.strip()}")

    def run(*arguments: str, image: str | None = None, runtime: str = "podman") -> subprocess.CompletedProcess:
        command = [*namespace, "sh", "-c", f'{MAKE_RUN} && exec "$@"', "sh", *TRACES[runtime]]
        return subprocess.run(
            [*command, sys.executable, "-m", "capsulestore_cli", *arguments],
            cwd=project,
            env=os.environ | ({"CAPSULE_IMAGE_DIGEST": image} if image else {}),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_capsule_has_the_image_in_its_environment_and_the_runtime_beside_it(contained, capsule):
    contained("add", image=f"registry.example.org/tool:1@{A}")
    answer = capsule("show", "--json").json
    assert answer["environment"]["container"] == {"rules": 1, "image": {"manifest": A}}
    assert answer["context"]["container"] == {"rules": 1, "runtime": "podman"}
    assert answer["manifest"]["layers"]["container"] == "captured"
    assert capsule("show", "@:container/image/manifest", "--json").json["value"] == A
    text = capsule("show").out
    assert "container: image aaaaaaaaaaaa\n" in text
    assert "  container  run by podman\n" in text


def test_the_same_image_is_the_same_environment_and_another_a_different_one(contained):
    contained("add", image=A)
    same = contained("verify", image=f"docker.io/library/tool@{A}")
    assert (same.returncode, same.stdout.startswith("identical to ")) == (0, True)
    other = contained("verify", image=B)
    assert (other.returncode, other.stdout.startswith("different from ")) == (1, True)
    assert "  container/image\n    manifest  aaaaaaaaaaaa → bbbbbbbbbbbb\n" in other.stdout
    assert contained("diff", "@", image=B).stdout == "container/image\n  manifest  aaaaaaaaaaaa → bbbbbbbbbbbb\n"


def test_another_runtime_is_told_beside_the_verdict(contained):
    contained("add", image=A)
    done = contained("verify", image=A, runtime="lxc")
    assert (done.returncode, done.stdout.startswith("identical to ")) == (0, True)
    assert "  context: container runtime podman → lxc\n" in done.stdout


def test_an_image_that_is_known_on_one_side_only_cannot_be_compared(contained):
    contained("add", image=A)
    done = contained("verify")
    assert (done.returncode, done.stdout.startswith("not comparable with ")) == (1, True)
    assert f"  container: cannot be seen now ({NOT_TOLD})\n" in done.stdout
    contained("add")
    done = contained("verify", image=A)
    assert (done.returncode, done.stdout.startswith("not comparable with ")) == (1, True)
    assert f"  container: not known when it was captured ({NOT_TOLD})\n" in done.stdout


def test_an_image_that_neither_side_knows_is_told_beside_the_verdict(contained, capsule):
    contained("add")
    answer = capsule("show", "--json").json
    assert "container" not in answer["environment"]
    assert answer["context"]["container"] == {"rules": 1, "runtime": "podman"}
    assert answer["manifest"]["layers"]["container"] == {"unknown": NOT_TOLD}
    done = contained("verify")
    assert (done.returncode, done.stdout.startswith("identical to ")) == (0, True)
    assert f"  container: known neither then nor now ({NOT_TOLD}); left out of the verdict\n" in done.stdout


def test_outside_of_the_container_it_is_another_environment(contained, capsule):
    capsule("add")
    here = capsule("show", "--json").json["manifest"]["layers"]["container"]
    contained("add", image=A)
    done = capsule("verify")
    # Where the tests themselves run in a container, of its image nothing is known.
    assert (done.status, done.out.startswith("different" if here == "none" else "not comparable")) == (1, True)
    assert ("    manifest  aaaaaaaaaaaa → ∅\n" in done.out) is (here == "none")


def test_capture_says_what_is_known_of_it(contained):
    rows = dict(line.split(maxsplit=1) for line in contained("capture", image=A).stdout.splitlines())
    assert rows["container"].endswith("  image aaaaaaaaaaaa")
    assert f"run by podman, unknown: {NOT_TOLD}\n" in contained("capture").stdout
    assert "CAPSULE_IMAGE_DIGEST: is not `sha256:` and 64 lower" in contained("capture", image="latest").stderr


def test_a_digest_that_is_given_outside_is_told(capsule):
    done = capsule("capture", env={"CAPSULE_IMAGE_DIGEST": "latest"})
    assert (done.status, "note: container: CAPSULE_IMAGE_DIGEST: is " in done.err) == (0, True)
