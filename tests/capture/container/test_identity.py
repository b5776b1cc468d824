"""Which container this is, read from mounts as engines make them."""

import pytest

from capsulestore.capture.container.identity import identify

A, B = "a" * 64, "b" * 64
POD = "2015a4b3-a05b-4e4d-8fa3-699914c33ee8"

ROOT = "473 387 0:143 / / rw,relatime - overlay overlay rw,lowerdir=/l/HOY:/l/WUK,upperdir=/docker/af\\04064/diff,x=1\n"
DOCKER = (
    f"504 496 254:1 /docker/containers/{A}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw\n"
    f"505 496 254:1 /docker/containers/{A}/hostname /etc/hostname rw - ext4 /dev/vda1 rw\n"
    f"506 496 254:1 /docker/containers/{A}/hosts /etc/hosts rw - ext4 /dev/vda1 rw\n"
)
PODMAN = "495 499 0:54 /x/overlay-containers/{}/userdata/{} {} rw - tmpfs tmpfs rw\n".format
STATE = PODMAN(A, ".containerenv", "/run/.containerenv")
NAME = PODMAN(A, "hostname", "/etc/hostname")
HOSTS = PODMAN(B, "hosts", "/etc/hosts")
LOG = "4444 4435 259:1 /var/lib/kubelet/pods/{}/containers/{}/{} /dev/termination-log rw - xfs /dev/x rw\n".format

CONTAINERS = {
    "docker": (ROOT + DOCKER, A, False),
    "docker with a host name of its own": (DOCKER.replace("/etc/hostname", "/x").replace("resolv", "x"), A, False),
    "podman": (HOSTS + NAME + STATE, A, True),
    "podman with a volume at /run": (HOSTS + NAME, A, True),
    "podman by what it shares with another": (HOSTS, B, False),
    "a host's own files": ("760 30 8:1 /srv/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw\n", None, False),
    "other containers' files": (
        f"756 30 0:83 /x/overlay-containers/{A}/userdata/hosts /srv/hosts rw - tmpfs shm rw\n",
        None,
        False,
    ),
    "digits that are no id": (DOCKER.replace(A, A[1:]), None, False),
    "lines that are no mounts": (f"1 2 3\n - \n/docker/containers/{A}/hosts /etc/hosts\n\n", None, False),
    "nothing": ("", None, False),
}


@pytest.mark.parametrize(("mounts", "container", "certain"), CONTAINERS.values(), ids=CONTAINERS.keys())
def test_the_id_is_that_before_a_file_of_the_engines(mounts, container, certain):
    identity = identify(mounts)
    assert (identity.container, identity.certain) == (container, certain)


def test_the_disk_is_all_that_is_said_of_the_root_and_of_an_overlay_its_upper_directory():
    identity = identify(ROOT + DOCKER)
    assert identity.disk == ROOT.strip().replace("473 387 0:143 / / rw,relatime - ", "/ ")
    assert identity.upper == "/docker/af 64/diff"
    assert identify("27 1 254:0 /x / rw - ext4 /dev/vda rw,upperdir=/y\n").upper is None


PODS = {
    "one": (LOG(POD, "job", "d52b"), (POD, "job")),
    "one, seen twice": (LOG(POD, "job", "d52b") * 2, (POD, "job")),
    "two": (LOG(POD, "job", "d52b") + LOG(POD, "init", "0c1d"), (None, None)),
    "one whose uid is no uid": (LOG("0f3a", "job", "d52b"), (None, None)),
    "a volume": (f"1 2 0:1 /pods/{POD}/volumes/x /data rw - xfs /dev/x rw\n", (None, None)),
}


@pytest.mark.parametrize(("mounts", "expected"), PODS.values(), ids=PODS.keys())
def test_a_pod_is_known_by_the_file_for_last_words(mounts, expected):
    identity = identify(mounts)
    assert (identity.pod, identity.pod_container) == expected


def test_two_starts_in_one_pod_are_told_apart():
    first, second = (identify(LOG(POD, "job", start)).pod_start for start in ("d52b", "0c1d"))
    assert first != second
