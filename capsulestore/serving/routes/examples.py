"""Examples of requests and answers, for `/openapi.json`."""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "CAPSULE",
    "CAPSULES",
    "COMPARISON",
    "ENVIRONMENT",
    "HEALTH",
    "RECORDED",
    "REGISTRATION",
    "SURROUNDINGS",
    "VERIFICATION",
]

_CAPSULE_ID: Final = "9c3a7d1f" * 8
_BEFORE: Final = "5be0cd19" * 8
_NOW: Final = "137e2179" * 8
_PYTHON: Final = "a54ff53a" * 8
_PYTHON_NOW: Final = "510e527f" * 8
_NUMPY: Final = {
    "version": "2.1.0",
    "tags": ["cp312-cp312-manylinux_2_17_x86_64"],
    "content": "sha256:" + "3c6ef372" * 8,
}
_OTHER_NUMPY: Final = _NUMPY | {"version": "2.1.1", "content": "sha256:" + "bb67ae85" * 8}
_MANIFEST: Final[dict[str, Any]] = {
    "schema": 1,
    "title": "first fit",
    "environment_digest": _BEFORE,
    "layers": {"python": "captured", "conda": "none"},
    "command": ["python", "fit.py"],
    "parameters": {"alpha": 0.1},
    "labels": {"project": "tides"},
}

CAPSULE: Final[dict[str, Any]] = {
    "capsule_id": _CAPSULE_ID,
    "environment_digest": _BEFORE,
    "layers": {"python": _PYTHON},
    "manifest": _MANIFEST,
}
ENVIRONMENT: Final[dict[str, Any]] = {
    "environment_digest": _BEFORE,
    "layers": {"python": _PYTHON},
    "environment": {"python": {"rules": 1, "interpreter": {"version": "3.12.4"}, "packages": {"numpy": _NUMPY}}},
}
SURROUNDINGS: Final[dict[str, Any]] = ENVIRONMENT | {
    "context": {"variables": {"rules": 1, "process": {"LANG": "C.UTF-8"}}},
    "states": {"python": "captured", "conda": "none", "variables": "captured"},
}
CAPSULES: Final[dict[str, Any]] = {
    "capsules": [
        {
            "capsule_id": _CAPSULE_ID,
            "environment_digest": _BEFORE,
            "title": "first fit",
            "author": "laptop <>",
            "registered_at": "2026-07-01T09:30:00+00:00",
            "parents": [],
        }
    ],
    "next": None,
    "unreadable": [],
}
REGISTRATION: Final[dict[str, Any]] = {
    "title": "first fit",
    "environment_capture": {"python": ENVIRONMENT["environment"]["python"]},
    "command": ["python", "fit.py"],
    "parameters": {"alpha": 0.1},
    "labels": {"project": "tides"},
    "outputs": [{"path": "fit.csv", "sha256": "1f83d9ab" * 8, "size": 7211}],
    "status": "completed",
}
RECORDED: Final[dict[str, Any]] = {
    "capsule_id": _CAPSULE_ID,
    "environment_digest": _BEFORE,
    "registered": True,
    "redacted": [],
}
_CHANGE: Final[dict[str, Any]] = {
    "layer": "python",
    "collection": "packages",
    "entry": "numpy",
    "change": "changed",
    "a": _NUMPY,
    "b": _OTHER_NUMPY,
    "fields": ["content", "version"],
}
_SAID: Final = "python: numpy was 2.1.0 and is 2.1.1"
VERIFICATION: Final[dict[str, Any]] = {
    "capsule_id": _CAPSULE_ID,
    "match": False,
    "verdict": "different",
    "captured_digest": _BEFORE,
    "current_digest": _NOW,
    "layers": [{"layer": "python", "captured": _PYTHON, "current": _PYTHON_NOW, "match": False}],
    "changes": [_CHANGE],
    "context_changes": [],
    "reasons": [_SAID],
    "target": {"python": "/srv/analysis/.venv/bin/python", "chosen_by": "caller"},
    "code": [],
    "files": [{"path": "fit.csv", "state": "same"}],
    "failures": [{"code": "environment_changed", "subject": "python/packages/numpy", "reason": _SAID}],
}
COMPARISON: Final[dict[str, Any]] = {
    "a": _BEFORE,
    "b": _NOW,
    "identical": False,
    "changes": [_CHANGE],
    "unseen": {},
}
HEALTH: Final[dict[str, Any]] = {"status": "ok", "version": "1.0.0", "git": True}
