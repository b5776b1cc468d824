"""Asks the cluster of which image a container of a pod is, where its service account may read the pod.

Kubernetes API, `GET /api/v1/namespaces/NAMESPACE/pods/NAME`, and "Accessing the Kubernetes API from a Pod": the
address is in variables, and what to identify oneself by in files. The pod's name is its host name, unless the pod's
specification says otherwise; so its uid is held to that of the mounts, which tell the container's name too.

`imageID` is `NAME@DIGEST`, the manifest's, with `docker-pullable://` before it by older kubelets. A bare digest is that
of the configuration of an image that came from no registry.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from capsulestore.capture.container.answers import array, mapping, references, text
from capsulestore.capture.container.source import Asked, Found, NoAnswer
from capsulestore.capture.files import read_whole
from capsulestore.capture.finding import Finding
from capsulestore.capture.watch import noticed_more_than_files
from capsulestore.model.canonical import Json

__all__ = ["from_cluster"]

_ACCOUNT: Final = "var/run/secrets/kubernetes.io/serviceaccount"
_STATUSES: Final = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_REFUSED: Final = (401, 403)


def from_cluster(asked: Asked) -> Found:
    """Return the digest of the manifest by which the cluster knows the image of this container.

    The answer is kept for this start of the container, and so is that the account may not ask, for as long as its token
    is the same: kubelets renew it within the hour. What else goes wrong may pass, and is not kept.
    """
    if asked.engine != "kubernetes":
        return Found()
    identity = asked.identity
    if identity.pod is None:
        return Found(why=("its mounts do not tell which pod it is in",))

    def compute() -> Json:
        try:
            return _ask(asked)
        except NoAnswer as problem:
            noticed_more_than_files()
            return {"why": str(problem)}

    name = f"image in a pod, rules 1, {identity.pod} {identity.pod_start}"
    host_name = asked.runtime.environ.get("HOSTNAME", "")
    told = cast("Mapping[str, Any]", asked.runtime.cache.recall(name, compute, condition=host_name))
    if "why" in told:
        return Found(faults=(Finding("container", "cluster-unusable", "kubernetes", told["why"]),))
    return Found({"manifest": told["manifest"]}, {"repo_digests": [told["reference"]]})


def _ask(asked: Asked) -> Json:
    address, port = _address(asked.runtime.environ)
    pod = asked.runtime.environ.get("HOSTNAME", "")
    namespace, token, authorities = (_file(asked, name) for name in ("namespace", "token", "ca.crt"))
    if not re.fullmatch(_LABEL, namespace) or len(pod) > 253 or not re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", pod):
        raise NoAnswer("cannot be asked (neither variables nor files tell the pod's name)")
    if not re.fullmatch(r"[!-~]+", token):
        raise NoAnswer("cannot be asked (the token of the service account is none)")
    from capsulestore.capture.container.bounded_http import get_json, over_tls  # noqa: PLC0415

    line = over_tls(address, port, authorities)
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
    answer = get_json(line, path, {"Authorization": f"Bearer {token}"}, asked.deadline, asked.limits)
    if answer in _REFUSED:
        return {"why": f"does not let this service account read its pod (status {answer})"}
    if answer == 404:
        raise NoAnswer("knows no pod by this host name")
    if isinstance(answer, int):
        raise NoAnswer(f"answers with the status {answer}")
    return _image(asked, mapping(answer, "a pod"))


def _address(environ: Mapping[str, str]) -> tuple[str, int]:
    import ipaddress  # noqa: PLC0415

    address = environ.get("KUBERNETES_SERVICE_HOST", "")
    port = environ.get("KUBERNETES_SERVICE_PORT_HTTPS") or environ.get("KUBERNETES_SERVICE_PORT") or "443"
    try:
        # A name would have to be looked up, and that has no time limit.
        ipaddress.ip_address(address)
    except ValueError:
        raise NoAnswer("cannot be asked (`KUBERNETES_SERVICE_HOST` is no address)") from None
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise NoAnswer("cannot be asked (`KUBERNETES_SERVICE_PORT` is no port)")
    return address, int(port)


def _file(asked: Asked, name: str) -> str:
    try:
        content = read_whole(os.path.join(asked.root, _ACCOUNT, name), asked.limits.credential_bytes)
        return content.decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise NoAnswer(f"cannot be asked (no service account with a `{name}` is mounted)") from None


def _image(asked: Asked, pod: Mapping[str, Any]) -> Json:
    if mapping(pod.get("metadata"), "a pod").get("uid") != asked.identity.pod:
        raise NoAnswer("knows another pod by this host name")
    status = mapping(pod.get("status"), "the status of the pod")
    for statuses in _STATUSES:
        for container in array(status.get(statuses), "containers", asked.limits.answer_bytes):
            if mapping(container, "containers").get("name") == asked.identity.pod_container:
                image = text(container.get("imageID"), "an image").rpartition("://")[2]
                known = references([image], "images", asked.limits, pinned=True)
                if not known:
                    raise NoAnswer("knows the image by no digest of a manifest")
                return {"manifest": known[0].rpartition("@")[2], "reference": known[0]}
    raise NoAnswer("knows no such container in the pod")
