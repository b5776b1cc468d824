"""Containers are known by what their runtimes really leave in them, whatever image they are of."""

import pytest

ID = "66826257e096f3c9d04f17577dab7ef5d84078c88f18f646fd37050ec5b6b4f6"
POD = "2015a4b3-a05b-4e4d-8fa3-699914c33ee8"
FEW = "474 473 0:146 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"

DOCKER_ROOT = (
    "473 387 0:143 / / rw,relatime master:181 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/HOY5TBZ:"
    "/var/lib/docker/overlay2/l/WUKBWU4,upperdir=/var/lib/docker/overlay2/af64/diff\n"
)
DOCKER = (
    f"504 496 254:1 /docker/containers/{ID}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda1 rw\n"
    f"505 496 254:1 /docker/containers/{ID}/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw\n"
    f"506 496 254:1 /docker/containers/{ID}/hosts /etc/hosts rw,relatime - ext4 /dev/vda1 rw\n"
)
PODMAN = (
    f"495 499 0:54 /containers/overlay-containers/{ID}/userdata/.containerenv /run/.containerenv rw - tmpfs tmpfs rw\n"
    f"960 975 0:47 /containers/overlay-containers/{ID}/userdata/hosts /etc/hosts rw,nosuid - tmpfs tmpfs rw,seclabel\n"
)
CONTAINERD_ROOT = (
    "829 1004 0:113 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/containerd/"
    "io.containerd.snapshotter.v1.overlayfs/snapshots/34/fs,upperdir=/var/lib/containerd/x/fs\n"
)
CRI = "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes"
KUBELET = (
    f"4443 4434 259:1 /var/lib/kubelet/pods/{POD}/etc-hosts /etc/hosts rw,noatime - xfs /dev/nvme0n1p1 rw,seclabel\n"
    f"4444 4435 259:1 /var/lib/kubelet/pods/{POD}/containers/job/d52b /dev/termination-log rw - xfs /dev/nvme0n1p1 rw\n"
)
SANDBOX = f"4445 4434 259:1 {CRI}/{ID}/hostname /etc/hostname rw,noatime - xfs /dev/nvme0n1p1 rw,seclabel\n"
LXC = (
    "86 61 0:40 /lxd/storage-pools/default/containers/c1/rootfs / rw,relatime - btrfs /dev/loop0 rw\n"
    "150 135 0:36 /proc/meminfo /proc/meminfo rw,nosuid,nodev,relatime - fuse.lxcfs lxcfs rw,user_id=0\n"
)
APPTAINER = (
    "700 600 0:60 / / ro,nosuid,nodev,relatime - overlay overlay ro,lowerdir=/var/lib/apptainer/mnt/session/overlay\n"
    "720 700 8:1 /etc/apptainer/actions /.singularity.d/actions ro,relatime - ext4 /dev/sda1 rw\n"
)
GVISOR = "Linux version 4.19.0-gvisor #1 SMP Sun Jan 10 15:06:54 PST 2016\n"
OLD_GVISOR = "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n"
SERVICE = {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}
ACCOUNT = {"var/run/secrets/kubernetes.io/serviceaccount/token": "secret"}


def mounted(*mounts: str) -> dict[str, str]:
    return {"proc/self/mountinfo": "".join((FEW, *mounts)), "proc/self/cgroup": "0::/\n", "proc/1/cgroup": "0::/\n"}


def in_cgroup(path: str, process: str = "self") -> dict[str, str]:
    return {f"proc/{process}/cgroup": f"12:pids:/\n0::{path}\n"}


CONTAINERS = {
    "docker": ({**mounted(DOCKER_ROOT, DOCKER), ".dockerenv": ""}, {}, "docker"),
    "docker without .dockerenv": (mounted(DOCKER), {}, "docker"),
    "docker with files of its own over its three": (mounted(DOCKER_ROOT), {}, "docker"),
    "docker whose users are others": (
        mounted("1 2 0:1 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/100000.100000/overlay2/l/A\n"),
        {},
        "docker",
    ),
    "docker with cgroups of version 1": (in_cgroup(f"/docker/{ID}"), {}, "docker"),
    "docker with systemd's cgroups": (in_cgroup(f"/system.slice/docker-{ID}.scope"), {}, "docker"),
    "docker seen through process 1": (in_cgroup(f"/docker/{ID}", "1"), {}, "docker"),
    "docker build": (mounted("1 2 0:1 / / rw - overlay overlay rw,lowerdir=/x/buildkit/y\n"), {}, "unknown"),
    "podman": ({**mounted(PODMAN), "run/.containerenv": ""}, {"container": "podman"}, "podman"),
    "podman, privileged": ({"run/.containerenv": 'engine="podman-4.9.3"\nimageid="1"\n'}, {}, "podman"),
    "podman with a volume at /run": (mounted(PODMAN), {}, "podman"),
    "podman by the host's cgroups": (in_cgroup(f"/machine.slice/libpod-{ID}.scope/container"), {}, "podman"),
    "podman by process 1": ({"proc/1/environ": "PATH=/bin\0container=podman\0"}, {}, "podman"),
    "podman from an image that calls itself docker": (
        {"run/.containerenv": "", ".dockerenv": "", "run/systemd/container": "docker"},
        {},
        "podman",
    ),
    "podman within docker": (in_cgroup(f"/docker/{ID}/libpod_parent/libpod-{ID}"), {}, "podman"),
    "nerdctl": (
        mounted(f"1 2 8:1 /var/lib/nerdctl/1935/etchosts/default/{ID}/hosts /etc/hosts rw - ext4 d rw\n"),
        {},
        "unknown",
    ),
    "kubernetes": ({**mounted(CONTAINERD_ROOT, KUBELET, SANDBOX), **ACCOUNT}, SERVICE, "kubernetes"),
    "kubernetes without a service account": (mounted(CONTAINERD_ROOT, KUBELET), SERVICE, "kubernetes"),
    "kubernetes on the network of its host": (mounted(CONTAINERD_ROOT, SANDBOX), SERVICE, "kubernetes"),
    "kubernetes by its service account alone": (ACCOUNT, SERVICE, "kubernetes"),
    "kubernetes by CRI-O": ({**mounted(PODMAN, KUBELET), "run/.containerenv": ""}, SERVICE, "kubernetes"),
    "kubernetes with the host's cgroups": (in_cgroup(f"/kubepods/burstable/pod{POD}/{ID}"), {}, "kubernetes"),
    "kubernetes with systemd's cgroups": (
        in_cgroup(f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/cri-containerd-{ID}.scope"),
        {},
        "kubernetes",
    ),
    "Kata": (
        mounted(f"1 2 0:3 /{ID}-81237440b1726dab-hosts /etc/hosts rw,relatime - virtiofs kataShared rw\n"),
        {},
        "unknown",
    ),
    "apptainer": (
        mounted(APPTAINER),
        {"APPTAINER_CONTAINER": "/x.sif", "SINGULARITY_CONTAINER": "/x.sif"},
        "apptainer",
    ),
    "apptainer by its variable": ({".singularity.d/runscript": ""}, {"APPTAINER_CONTAINER": "/x.sif"}, "apptainer"),
    "singularity": ({".singularity.d/runscript": ""}, {"SINGULARITY_CONTAINER": "/x.sif"}, "apptainer"),
    "apptainer within kubernetes": (
        {**in_cgroup("/kubepods.slice/x"), ".singularity.d/runscript": "", "run/.containerenv": ""},
        {"APPTAINER_CONTAINER": "/x.sif", **SERVICE},
        "apptainer",
    ),
    "lxc": (mounted(LXC), {}, "lxc"),
    "lxc with systemd": ({"run/systemd/container": "lxc\n"}, {}, "lxc"),
    "lxc by process 1": ({"proc/1/environ": "container=lxc\0container_ttys=\0"}, {}, "lxc"),
    "lxc with the host's cgroups": (in_cgroup("/lxc.payload.c1/user.slice"), {}, "lxc"),
    "lxc of old with the host's cgroups": (in_cgroup("/lxc/c1"), {}, "lxc"),
    "docker within lxc": ({**mounted(LXC, DOCKER), "run/systemd/container": "lxc"}, {}, "docker"),
    "systemd-nspawn": ({"run/host/container-manager": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
    "systemd-nspawn that is booted": ({"run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
    "systemd-nspawn by its root": (
        mounted("1 2 8:1 /var/lib/machines/deb / rw - ext4 /dev/sda1 rw\n"),
        {},
        "systemd-nspawn",
    ),
    "a manager that nobody knows": ({"run/host/container-manager": "newest\n"}, {}, "unknown"),
    "gVisor": ({"proc/version": GVISOR, **mounted("1 0 0:1 / / rw - 9p none rw,directfs\n")}, {}, "unknown"),
    "gVisor of old, by docker": ({"proc/version": OLD_GVISOR, ".dockerenv": ""}, {}, "docker"),
    "gVisor, by kubernetes": ({"proc/version": GVISOR}, SERVICE, "kubernetes"),
}


@pytest.mark.parametrize(("files", "variables", "runtime_name"), CONTAINERS.values(), ids=CONTAINERS.keys())
def test_a_container_is_known_and_its_runtime_named(files, variables, runtime_name, laid_out):
    captured = laid_out(files, CAPSULE_IMAGE_DIGEST=f"sha256:{ID}", **variables)
    assert captured.state.as_json() == "captured"
    assert captured.environment == {"rules": 1, "image": {"manifest": f"sha256:{ID}"}}
    assert captured.context == {"rules": 1, "runtime": runtime_name}
    assert captured.findings == ()


@pytest.mark.parametrize(("files", "variables", "runtime_name"), CONTAINERS.values(), ids=CONTAINERS.keys())
def test_without_its_image_it_is_unknown_and_says_what_to_do(files, variables, runtime_name, laid_out):
    captured = laid_out(files, **variables)
    kind = "" if runtime_name == "unknown" else f"{runtime_name} "
    reason = captured.state.reason
    assert reason.startswith(f"nothing tells the image of this {kind}container (")
    assert "`CAPSULE_IMAGE_DIGEST` gives none" in reason
    assert reason.endswith("); set `CAPSULE_IMAGE_DIGEST` when it is started")
    assert (captured.environment, captured.context) == (None, {"rules": 1, "runtime": runtime_name})
