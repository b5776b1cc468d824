"""Machines are no containers, also where they run some, were made from images, or have a container's variables."""

import pytest

ID = "66826257e096f3c9d04f17577dab7ef5d84078c88f18f646fd37050ec5b6b4f6"

DISK = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
ENGINES_HOST = DISK + (
    f"754 30 0:81 / /var/lib/docker/rootfs/overlayfs/{ID} rw - overlay overlay rw,lowerdir=/docker/overlay2/l/A\n"
    f"755 30 0:82 / /var/lib/containers/storage/overlay/{ID}/merged rw - overlay overlay rw,lowerdir=/var/lib/a\n"
    f"756 30 0:83 / /run/containers/storage/overlay-containers/{ID}/userdata/shm rw - tmpfs shm rw,size=64000k\n"
    f"757 30 0:84 / /run/containerd/io.containerd.grpc.v1.cri/sandboxes/{ID}/shm rw - tmpfs shm rw\n"
    "758 30 0:85 / /var/lib/kubelet/pods/2015a4b3/volumes/kubernetes.io~projected/token rw - tmpfs tmpfs rw\n"
    "759 30 0:86 / /var/lib/lxcfs rw,nosuid,nodev,relatime - fuse.lxcfs lxcfs rw\n"
    "760 30 8:1 /srv/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw\n"
)
WSL = "80 71 8:32 / / rw,relatime - ext4 /dev/sdc rw,discard\n" + (
    "90 80 0:36 / /mnt/wsl/docker-desktop/shared-sockets rw - overlay overlay rw,lowerdir=/x/io.containerd.y\n"
)
LIVE_SYSTEM = "20 1 0:19 / / rw,relatime - overlay overlay rw,lowerdir=/run/live/rootfs/filesystem.squashfs\n"
HOST_CGROUPS = (
    "12:pids:/user.slice/user-1000.slice\n"
    "4:memory:/process_api/8fdb1b5f983ab67cd7694cfdd1d12d59\n"
    f"3:cpu:/machine.slice/libpod-conmon-{ID}.scope\n"
    "2:cpuset:/lxc.monitor.c1\n"
    "1:name=systemd:/system.slice/docker.service\n"
    "0::/machine.slice/machine-qemu-1.scope\n"
)
FEDORAS = "PATH=/bin\0container=docker\0HOME=/root\0"

MACHINES = {
    "a machine": ({"proc/self/cgroup": "0::/user.slice/user-1000.slice/session-1.scope\n"}, {}),
    "a machine that was made from an image": ({".dockerenv": ""}, {}),
    "a machine that was made from Ubuntu's image": ({".dockerenv": "", "run/systemd/container": "docker\n"}, {}),
    "a machine that was made from Fedora's image": (
        {".dockerenv": "", "proc/1/environ": FEDORAS},
        {"container": "oci"},
    ),
    "a host of engines": ({"proc/self/mountinfo": ENGINES_HOST}, {}),
    "a host's processes that look after containers": ({"proc/self/cgroup": HOST_CGROUPS}, {}),
    "the subsystem of Windows": ({"proc/self/mountinfo": WSL, "run/systemd/container": "wsl\n"}, {}),
    "a system that runs from memory": ({"proc/self/mountinfo": LIVE_SYSTEM}, {}),
    "a variable that process 1 does not have": ({"proc/1/environ": "HOME=/\0xcontainer=lxc\0"}, {"container": "lxc"}),
    "a variable that says anything": ({}, {"container": "my favourite"}),
    "a variable that says nothing": ({}, {"container": ""}),
    "variables of a cluster that is elsewhere": ({}, {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}),
    "an image that lies there unpacked": ({".singularity.d/runscript": ""}, {}),
    "mounts that are none": ({"proc/self/mountinfo": f"{DISK}1 2 3\n - \n/ / - overlay overlay\n\n"}, {}),
}


@pytest.mark.parametrize(("files", "variables"), MACHINES.values(), ids=MACHINES.keys())
def test_a_machine_is_no_container(files, variables, laid_out):
    captured = laid_out(files, **variables)
    assert captured.state.as_json() == "none"
    assert (captured.environment, captured.context, captured.findings) == (None, None, ())


OPEN = {
    "a variable that lxc sets, and anybody may": (
        {"container": "lxc"},
        "the variable `container` says that this is a container, and nothing else does",
    ),
    "a variable that a batch system passed on": (
        {"APPTAINER_CONTAINER": "/scratch/x.sif"},
        "the variable `APPTAINER_CONTAINER` says that this is a container, and nothing else does",
    ),
}


@pytest.mark.parametrize(("variables", "reason"), OPEN.values(), ids=OPEN.keys())
def test_a_variable_alone_leaves_it_open(variables, reason, laid_out):
    captured = laid_out({}, **variables)
    assert captured.state.as_json() == {"unknown": reason}
    assert (captured.environment, captured.context, captured.findings) == (None, None, ())


def test_where_it_cannot_be_told_the_image_is_not_recorded_either(laid_out):
    captured = laid_out({}, container="lxc", CAPSULE_IMAGE_DIGEST=f"sha256:{ID}")
    assert (captured.state.state, captured.environment) == ("unknown", None)
    assert [finding.code for finding in captured.findings] == ["image-digest-unused"]
