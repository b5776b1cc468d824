"""The image is what the variable says, in one form; anything else is told and not recorded."""

import json

import pytest

DIGEST = f"sha256:{'0123456789abcdef' * 4}"
HEX = DIGEST.removeprefix("sha256:")
SECRET = "hunter2"
CONTAINER = {"run/.containerenv": ""}

RIGHT = {
    "a digest": DIGEST,
    "behind a name": f"debian@{DIGEST}",
    "behind a name with a registry and a tag": f"localhost:5000/team/tool:1.2@{DIGEST}",
}
WRONG = {
    "nothing": "",
    "a name": "debian:12",
    "digits alone": HEX,
    "too few digits": DIGEST[:-1],
    "too many digits": f"{DIGEST}0",
    "upper case": f"sha256:{HEX.upper()}",
    "another algorithm": f"sha512:{HEX}{HEX}",
    "no name": f"@{DIGEST}",
    "two names": f"a@b@{DIGEST}",
    "a name with a blank": f"a b@{DIGEST}",
    "a line end": f"{DIGEST}\n",
    "a blank": f" {DIGEST}",
    "two digests": f"{DIGEST} {DIGEST}",
    "what is behind a digest": f"{DIGEST}/config",
    "digits of another script": "sha256:" + "\u0661" * 64,
    "bytes that are not UTF-8": f"{DIGEST}\udce9",
    "a name with credentials": f"user:{SECRET}@registry/x@{DIGEST}",
    "a secret": SECRET,
}


@pytest.mark.parametrize("told", RIGHT.values(), ids=RIGHT.keys())
def test_a_digest_is_recorded_without_the_name_before_it(told, laid_out):
    captured = laid_out(CONTAINER, CAPSULE_IMAGE_DIGEST=told)
    assert captured.environment == {"rules": 1, "image": {"manifest": DIGEST}}
    assert (captured.state.state, captured.findings) == ("captured", ())


@pytest.mark.parametrize("told", WRONG.values(), ids=WRONG.keys())
def test_i7_anything_else_counts_as_not_given_and_is_told_without_what_it_was(told, laid_out):
    captured = laid_out(CONTAINER, CAPSULE_IMAGE_DIGEST=told)
    without = laid_out(CONTAINER)
    assert (captured.state, captured.environment, captured.context) == (without.state, None, without.context)
    (finding,) = captured.findings
    assert (finding.code, finding.subject) == ("image-digest-malformed", "CAPSULE_IMAGE_DIGEST")
    assert SECRET not in json.dumps(finding.as_dict())


@pytest.mark.parametrize("told", [DIGEST, "", SECRET])
def test_outside_of_a_container_it_is_told_and_not_recorded(told, laid_out):
    captured = laid_out({}, CAPSULE_IMAGE_DIGEST=told)
    assert (captured.state.as_json(), captured.environment, captured.context) == ("none", None, None)
    (finding,) = captured.findings
    assert (finding.code, finding.subject) == ("image-digest-unused", "CAPSULE_IMAGE_DIGEST")
    assert finding.message == "is set, and this is not known to be a container: it is not recorded"


def test_neither_id_nor_path_nor_name_of_a_container_is_recorded(laid_out):
    identity = "66826257e096f3c9d04f17577dab7ef5d84078c88f18f646fd37050ec5b6b4f6"
    files = {
        "run/.containerenv": f'name="jolly"\nid="{identity}"\nimage="registry/{SECRET}"\n',
        "proc/self/cgroup": f"0::/docker/{identity}\n",
        "proc/1/environ": f"container=podman\0PASSWORD={SECRET}\0",
        "proc/self/mountinfo": f"1 2 8:1 /docker/containers/{identity}/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
    }
    captured = laid_out(files, HOSTNAME="jolly", APPTAINER_CONTAINER=f"/home/{SECRET}.sif", PASSWORD=SECRET)
    everything = json.dumps(captured.as_json())
    assert [word for word in (identity, identity[:12], "jolly", SECRET, "registry") if word in everything] == []
