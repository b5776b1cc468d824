"""What an engine says is the image by its layers, where it speaks of this container and of no other.

The answers are of the form that Docker Engine 28 and Podman 4.3 give, shortened.
"""

import json

import pytest

A, B = "a" * 64, "b" * 64
IMAGE = f"sha256:{'1' * 64}"
LAYERS = [f"sha256:{'2' * 64}", f"sha256:{'3' * 64}", f"sha256:{'2' * 64}"]
MANIFEST, INDEX = f"sha256:{'4' * 64}", f"sha256:{'5' * 64}"
SECRET = "hunter2"

DOCKER = {
    "proc/self/mountinfo": f"505 1 254:1 /docker/containers/{A}/hostname /etc/hostname rw - ext4 /dev/vda1 rw\n"
    f"473 1 0:143 / / rw - overlay overlay rw,lowerdir=l/HOY:l/WUK,upperdir=/var/lib/docker/overlay2/{A}/diff,x=1\n"
}
RELATIVE = {"proc/self/mountinfo": DOCKER["proc/self/mountinfo"].replace("/var/lib/docker/overlay2/", "")}
NO_OVERLAY = {"proc/self/mountinfo": DOCKER["proc/self/mountinfo"].partition("\n")[0]}
CONTAINER = {
    "Id": A,
    "Image": IMAGE,
    "Name": f"/{SECRET}",
    "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": f"/var/lib/docker/overlay2/{A}/diff"}},
    "Config": {"Hostname": A[:12], "Env": [f"PASSWORD={SECRET}"], "Labels": {"x": SECRET}, "Cmd": [SECRET]},
    "Mounts": [{"Source": f"/{SECRET}"}],
}
FOUND = {
    "Id": IMAGE,
    "RepoTags": ["tool:1.2", "registry.example.org:5000/team/tool:latest"],
    "RepoDigests": [f"tool@{MANIFEST}"],
    "Comment": SECRET,
    "Author": SECRET,
    "Config": {"Env": [f"PASSWORD={SECRET}"], "Labels": {"x": SECRET}},
    "Architecture": "amd64",
    "RootFS": {"Type": "layers", "Layers": LAYERS},
}
OTHERS = [{"Id": B, "HostConfig": {"NetworkMode": "default"}, "Labels": {"x": SECRET}}]
OTHER = "`/var/run/docker.sock` answers for another container"


def answers(container=CONTAINER, image=FOUND, others=OTHERS) -> dict:
    paths = {f"/containers/{A}/json": container, "/containers/json": others}
    return paths | {f"/images/{digest}/json": image for digest in (IMAGE, INDEX)}


def test_the_image_is_its_layers_in_their_order_and_all_else_is_context(laid_out, engine):
    engine(answers())
    captured = laid_out(DOCKER)
    assert captured.state.as_json() == "captured"
    assert captured.environment == {"rules": 1, "image": {"rootfs": LAYERS}}
    names = ["registry.example.org:5000/team/tool:latest", "tool:1.2"]
    known = {"names": names, "repo_digests": [f"tool@{MANIFEST}"], "config_digest": IMAGE}
    assert captured.context == {"rules": 1, "runtime": "docker", "image": known}
    assert captured.findings == ()


def test_i7_no_variable_label_command_or_name_of_the_container_is_recorded(laid_out, engine):
    tags = ["<none>:<none>", f"user:{SECRET}@registry/tool:1", f"tool:1?token={SECRET}", f"https://{SECRET}/x:1", 7]
    pinned = [f"user:{SECRET}@registry/tool@{MANIFEST}", f"tool@{MANIFEST}?{SECRET}"]
    engine(answers(image={**FOUND, "RepoTags": tags, "RepoDigests": pinned}))
    captured = laid_out(DOCKER, HOSTNAME=A[:12], PASSWORD=SECRET)
    assert captured.context["image"] == {"config_digest": IMAGE}
    everything = json.dumps(captured.as_json())
    assert [word for word in (SECRET, A[:12]) if word in everything] == []


def test_names_are_as_many_as_are_worth_keeping_and_always_the_same(laid_out, engine):
    many = [f"tool:{number:04}" for number in reversed(range(500))]
    engine(answers(image={**FOUND, "RepoTags": [*many, f"tool/{'x' * 600}:1"]}))
    assert laid_out(DOCKER).context["image"]["names"] == sorted(many)[:64]


STORES = {
    "its configuration's": (FOUND, {}, {"config_digest": IMAGE, "repo_digests": [f"tool@{MANIFEST}"]}),
    "its index's": (
        {**FOUND, "Id": INDEX, "Descriptor": {"digest": INDEX}, "RepoDigests": []},
        {"digest": MANIFEST, "platform": {"architecture": "amd64", "os": "linux"}},
        {"target_digest": INDEX, "manifest_digest": MANIFEST},
    ),
    "one that it is called by": (
        {**FOUND, "Id": INDEX, "RepoDigests": [f"tool@{INDEX}"]},
        {},
        {"target_digest": INDEX, "repo_digests": [f"tool@{INDEX}"]},
    ),
}


@pytest.mark.parametrize(("image", "descriptor", "expected"), STORES.values(), ids=STORES.keys())
def test_the_id_of_the_image_is_told_for_what_it_is(image, descriptor, expected, laid_out, engine):
    container = {**CONTAINER, "Image": image["Id"]} | ({"ImageManifestDescriptor": descriptor} if descriptor else {})
    engine(answers(container, {**image, "RepoTags": None}))
    captured = laid_out(DOCKER)
    assert captured.environment["image"] == {"rootfs": LAYERS}
    assert captured.context["image"] == expected


def shared_with(mode: str) -> dict:
    return answers(
        {**CONTAINER, "GraphDriver": {"Name": "overlayfs", "Data": None}},
        others=[
            *OTHERS,
            {"Id": A, "HostConfig": {"NetworkMode": "bridge"}},
            {"Id": "c" * 64, "HostConfig": {"NetworkMode": mode}},
        ],
    )


WHOSE = {
    "its disk is this one's": (DOCKER, answers(), None),
    "its disk is this one's, mounted from within the storage": (RELATIVE, answers(), None),
    "its disk is another's": (
        DOCKER,
        answers({**CONTAINER, "GraphDriver": {"Data": {"UpperDir": f"/var/lib/docker/overlay2/{B}/diff"}}}),
        OTHER,
    ),
    "nobody shares its network": (DOCKER, shared_with("host"), None),
    "the disk is no overlay, and nobody shares its network": (NO_OVERLAY, answers(), None),
    "others share the network of others": (DOCKER, shared_with(f"container:{B}"), None),
    "somebody shares its network": (DOCKER, shared_with(f"container:{A}"), "share this one's network"),
    "somebody shares a network by name": (DOCKER, shared_with("container:web"), "share this one's network"),
    "it does not tell of networks": (NO_OVERLAY, answers(others=[{"Id": B}]), "answers without the networks"),
    "it does not tell of others": (NO_OVERLAY, {f"/containers/{A}/json": CONTAINER}, "does not tell of other"),
    "it speaks of another": (DOCKER, answers({**CONTAINER, "Id": B}), OTHER),
    "it does not know this one": (DOCKER, {}, "`/var/run/docker.sock` does not know this container"),
    "it knows no image of it": (DOCKER, answers({**CONTAINER, "Image": "sha256:"}), "by no image"),
    "its image was removed": (DOCKER, {f"/containers/{A}/json": CONTAINER}, "no longer has the image"),
    "it describes another processor's": (
        DOCKER,
        answers({**CONTAINER, "ImageManifestDescriptor": {"digest": MANIFEST, "platform": {"architecture": "arm64"}}}),
        "describes the image for another processor",
    ),
}


@pytest.mark.parametrize(("mounts", "told", "why"), WHOSE.values(), ids=WHOSE.keys())
def test_an_engine_is_believed_of_this_container_alone(mounts, told, why, laid_out, engine):
    engine(told)
    captured = laid_out(mounts)
    if why is None:
        assert (captured.state.state, captured.environment["image"]) == ("captured", {"rootfs": LAYERS})
    else:
        assert captured.environment is None
        assert why in captured.state.reason


SOCKETS = {
    "docker's": ("var/run/docker.sock", {}),
    "podman's": ("run/podman/podman.sock", {}),
    "a user's podman": ("run/user/1000/podman/podman.sock", {"XDG_RUNTIME_DIR": "/run/user/1000"}),
    "the one that DOCKER_HOST names": ("srv/engine", {"DOCKER_HOST": "unix:///srv/engine"}),
    "the one that CONTAINER_HOST names": ("srv/engine", {"CONTAINER_HOST": "unix:///srv/engine"}),
    "docker's, where a variable names a machine": ("var/run/docker.sock", {"DOCKER_HOST": "tcp://192.0.2.1:2375"}),
}


@pytest.mark.parametrize(("path", "variables"), SOCKETS.values(), ids=SOCKETS.keys())
def test_an_engine_is_found_where_it_listens(path, variables, laid_out, engine):
    engine(answers(), path)
    assert laid_out(DOCKER, **variables).environment["image"] == {"rootfs": LAYERS}


def test_the_second_engine_is_asked_where_the_first_does_not_know_the_container(laid_out, engine):
    engine({})
    engine(answers(), "run/podman/podman.sock")
    captured = laid_out(DOCKER)
    assert captured.environment["image"] == {"rootfs": LAYERS}
    (finding,) = captured.findings
    assert (finding.code, finding.subject) == ("engine-unusable", "/var/run/docker.sock")


@pytest.mark.parametrize("given", [MANIFEST, IMAGE])
def test_what_the_variable_says_is_kept_beside_the_layers(given, laid_out, engine):
    engine(answers())
    captured = laid_out(DOCKER, CAPSULE_IMAGE_DIGEST=given)
    assert captured.environment["image"] == {"rootfs": LAYERS}
    assert captured.context["image"]["given_digest"] == given
    assert captured.findings == ()


def test_a_variable_that_says_otherwise_is_told_of(laid_out, engine):
    engine(answers())
    captured = laid_out(DOCKER, CAPSULE_IMAGE_DIGEST=f"tool@{INDEX}")
    assert captured.environment["image"] == {"rootfs": LAYERS}
    (finding,) = captured.findings
    assert (finding.code, finding.subject) == ("image-digest-contradicted", "CAPSULE_IMAGE_DIGEST")


def test_a_variable_contradicts_nothing_where_the_engine_knows_no_digest_of_a_manifest(laid_out, engine):
    engine(answers(image={**FOUND, "RepoDigests": []}))
    assert laid_out(DOCKER, CAPSULE_IMAGE_DIGEST=INDEX).findings == ()


POD = "2015a4b3-a05b-4e4d-8fa3-699914c33ee8"
SANDBOX = f"1 2 8:1 /pods/{POD}/containers/job/d52b /dev/termination-log rw - xfs x rw\n"
NOT_RUN_BY_IT = {
    "apptainer within it": {".singularity.d/runscript": ""},
    "a pod, whose files are those of its sandbox": {"proc/self/mountinfo": DOCKER["proc/self/mountinfo"] + SANDBOX},
}


@pytest.mark.parametrize("files", NOT_RUN_BY_IT.values(), ids=NOT_RUN_BY_IT.keys())
def test_an_engine_is_not_asked_of_what_it_does_not_run(files, laid_out, engine):
    asked = engine(answers())
    assert laid_out({**DOCKER, **files}, APPTAINER_CONTAINER="/x.sif").environment is None
    assert asked == []
