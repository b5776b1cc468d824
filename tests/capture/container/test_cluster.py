"""In a pod the cluster is asked, where the service account may, over TLS that its own authority vouches for."""

import json
from typing import Any

import pytest

POD, OTHER = "2015a4b3-a05b-4e4d-8fa3-699914c33ee8", "7d0c1f5e-4c3b-4b7e-9a52-0d7a5b1f4c11"
A, B = (f"sha256:{digit * 64}" for digit in "12")
TOKEN = "eyJhbGciOiJSUzI1NiJ9.hunter2"


def status(name: str, image: str) -> dict:
    return {"name": name, "imageID": image, "containerID": "containerd://x", "state": {"running": {}}}


def pod(*containers: dict, uid: str = POD, **more: Any) -> dict:
    metadata = {"name": "job-x7k2p", "uid": uid, "annotations": {"password": TOKEN}}
    spec = {"containers": [{"name": "job", "env": [{"name": "PASSWORD", "value": TOKEN}]}]}
    return {"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"containerStatuses": [*containers], **more}}


JOB = status("job", f"registry.example.org/lab/job@{A}")


PODS = {
    "one container": pod(JOB),
    "several containers": pod(status("proxy", f"proxy@{B}"), JOB, status("log", f"log@{B}")),
    "an init container before it": pod(JOB, initContainerStatuses=[status("init", f"init@{B}")]),
    "an init container": pod(status("main", f"main@{B}"), initContainerStatuses=[JOB]),
    "a container that was added to debug": pod(ephemeralContainerStatuses=[JOB], initContainerStatuses=None),
    "an image as kubelets wrote it": pod(status("job", f"docker-pullable://registry.example.org/lab/job@{A}")),
}


@pytest.mark.parametrize("found", PODS.values(), ids=PODS.keys())
def test_the_image_is_that_of_the_container_by_its_name(found, in_pod, answering):
    captured = in_pod(answering(found))
    assert captured.environment == {"rules": 1, "image": {"manifest": A}}
    known = {"repo_digests": [f"registry.example.org/lab/job@{A}"]}
    assert captured.context == {"rules": 1, "runtime": "kubernetes", "image": known}
    assert (captured.state.state, captured.findings) == ("captured", ())


def test_i7_neither_token_nor_name_of_the_pod_is_recorded(in_pod, answering):
    for answer in (answering(pod(JOB)), answering({"message": TOKEN}, "403 Forbidden")):
        everything = json.dumps(in_pod(answer).as_json())
        assert [word for word in (TOKEN, "hunter2", "x7k2p", POD, "lab/pods") if word in everything] == []


def test_the_variable_is_believed_before_the_cluster_which_is_then_not_asked(in_pod):
    asked = []
    captured = in_pod(lambda connection, path: asked.append(path), CAPSULE_IMAGE_DIGEST=B)
    assert (captured.environment["image"], asked) == ({"manifest": B}, [])


def test_no_proxy_gets_to_know_of_it(in_pod, answering, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    captured = in_pod(answering(pod(JOB)), HTTPS_PROXY="http://127.0.0.1:9", SSLKEYLOGFILE="/nowhere/keys")
    assert captured.environment["image"] == {"manifest": A}


UNKNOWN = {
    "another pod of that name": (pod(JOB, uid=OTHER), "knows another pod by this host name"),
    "a pod without a uid": (pod(JOB, uid=None), "knows another pod by this host name"),
    "no container of that name": (pod(status("web", f"web@{A}")), "knows no such container in the pod"),
    "no containers yet": (pod(containerStatuses=None), "knows no such container in the pod"),
    "no image yet": (pod(status("job", "")), "knows the image by no digest of a manifest"),
    "a tag": (pod(status("job", "job:latest")), "knows the image by no digest of a manifest"),
    "the digest of a configuration": (pod(status("job", A)), "knows the image by no digest of a manifest"),
    "the digest of docker's own image": (pod(status("job", f"docker://{A}")), "knows the image by no digest"),
    "an image with credentials": (pod(status("job", f"user:{TOKEN}@job@{A}")), "knows the image by no digest"),
    "an image that is a number": (pod(status("job", 1)), "answers without an image"),
    "containers that are one": (pod(containerStatuses=JOB), "answers without containers"),
    "a pod without a status": ({"metadata": {"uid": POD}}, "answers without the status of the pod"),
    "an array": ([], "answers without a pod"),
    "no JSON": (b"{", "does not answer in JSON"),
}


def check(captured, why: str) -> None:
    assert (captured.state.state, captured.environment, captured.findings) == ("unknown", None, ())
    assert f"(`CAPSULE_IMAGE_DIGEST` gives none; `kubernetes` {why}" in captured.state.reason
    assert "hunter2" not in json.dumps(captured.as_json())


@pytest.mark.parametrize(("found", "why"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_where_the_container_or_its_manifest_cannot_be_told_it_is_unknown(found, why, in_pod, answering):
    check(in_pod(answering(found)), why)


STATUSES = {
    "401 Unauthorized": "does not let this service account read its pod (status 401)",
    "403 Forbidden": "does not let this service account read its pod (status 403)",
    "404 Not Found": "knows no pod by this host name",
    "307 Temporary Redirect": "answers with the status 307",
    "503 Service Unavailable": "answers with the status 503",
}


@pytest.mark.parametrize(("line", "why"), STATUSES.items(), ids=STATUSES.keys())
def test_a_status_is_told_and_nothing_followed(line, why, in_pod, answering):
    check(in_pod(answering({"message": TOKEN}, line, "Location: /elsewhere\r\n")), why)


ACCOUNT = "var/run/secrets/kubernetes.io/serviceaccount"
SET_UP = {
    "a host name that is no pod's": (
        {},
        {"HOSTNAME": f"../{TOKEN}"},
        "neither variables nor files tell the pod's name",
    ),
    "no host name": ({}, {"HOSTNAME": ""}, "neither variables nor files tell the pod's name"),
    "an address that is a name": ({}, {"KUBERNETES_SERVICE_HOST": "localhost"}, "`KUBERNETES_SERVICE_HOST` is no"),
    "a port that is none": ({}, {"KUBERNETES_SERVICE_PORT_HTTPS": "66666"}, "`KUBERNETES_SERVICE_PORT` is no port"),
    "a namespace that is a path": ({f"{ACCOUNT}/namespace": "../x"}, {}, "neither variables nor files tell"),
    "a token of two lines": ({f"{ACCOUNT}/token": f"{TOKEN}\r\nX: y"}, {}, "the token of the service account is none"),
    "a token that is empty": ({f"{ACCOUNT}/token": ""}, {}, "the token of the service account is none"),
    "a token without end": ({f"{ACCOUNT}/token": "x" * 300_000}, {}, "no service account with a `token` is mounted"),
    "an authority that is none": ({f"{ACCOUNT}/ca.crt": "x"}, {}, "the service account has no certificate"),
    "an authority that is bytes": ({f"{ACCOUNT}/ca.crt": b"\xff"}, {}, "no service account with a `ca.crt`"),
    "nobody at the address": ({}, {"KUBERNETES_SERVICE_PORT_HTTPS": "1"}, "Connection refused"),
}


@pytest.mark.parametrize(("files", "variables", "why"), SET_UP.values(), ids=SET_UP.keys())
def test_what_it_would_be_asked_with_may_be_anything(files, variables, why, in_pod, answering):
    check(in_pod(answering(pod(JOB)), files=files, **variables), f"cannot be asked ({why}")


def test_a_server_of_another_authority_or_address_gets_no_token(in_pod, authority):
    asked = []
    for context in (authority()[1], authority("192.0.2.1")[1]):
        captured = in_pod(lambda connection, path: asked.append(path), context=context)
        check(captured, "has a certificate that the service account's authority does not vouch for")
    assert asked == []
