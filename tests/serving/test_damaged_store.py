"""A store that is damaged, or goes away, under a running server: told, and all is well once it is mended."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
from capsule_servers import environment_of, serving

from capsulestore import __version__
from capsulestore.model.digest import Digest
from capsulestore.model.objects import decode_tree
from capsulestore.store import Store
from capsulestore.store.database import LOOSE_AT_MOST

MANY = LOOSE_AT_MOST + 5
"""Packages of an environment whose objects are written as a pack; those of an environment without any lie loose."""


@pytest.fixture
def capsules(post):
    """A capsule in loose objects and one in a pack."""
    few = {"python": {"rules": 1, "few": True}}
    many = environment_of(**{f"package-{number}": f"{number}" for number in range(MANY)})
    return [post("few", few).json["capsule_id"], post("many", many).json["capsule_id"]]


def loose(store: Path, digest: str) -> Path:
    return store / "objects" / digest[:2] / digest[2:]


def test_its_health_is_told_to_anybody(server):
    found = server.get("/api/health")
    assert found.json == {"status": "ok", "version": __version__, "git": False}
    assert found.headers["cache-control"] == "no-store"


@pytest.fixture
def damaged(served_store):
    """Damage a loose object: `damaged(digest, how)` returns what puts it back."""

    def damaged(digest: str, how: str):
        path = loose(served_store, digest)
        kept = path.read_bytes()
        path.unlink()
        if how == "cut off":
            path.write_bytes(kept[:10])
        elif how == "another's":
            path.write_bytes(zlib.compress(b"blob 2\0{}"))
        elif how == "a directory":
            path.mkdir()

        def put_back():
            if path.is_dir():
                path.rmdir()
            path.unlink(missing_ok=True)
            path.write_bytes(kept)

        return put_back

    return damaged


@pytest.mark.parametrize("how", ["missing", "cut off", "another's", "a directory"])
def test_a_damaged_object_is_named_and_is_read_once_it_is_put_back(server, served_store, capsules, damaged, how):
    with Store(str(served_store)) as store:
        environment = store.capsule(Digest(capsules[0])).environment.hex
    path = f"/api/compare/{capsules[0]}...{capsules[1]}"
    put_back = damaged(environment, how)
    found = server.get(path)
    put_back()
    assert found.status == 503
    assert environment in found.error["message"]
    assert str(served_store.parent) not in found.body.decode()
    assert server.get(path).status == 200


@pytest.mark.parametrize("how", ["missing", "cut off"])
@pytest.mark.parametrize("part", ["capsule", "capsule.json"])
def test_a_capsule_that_cannot_be_read_breaks_no_list(served_store, capsules, damaged, part, how):
    lost = capsules[0]
    if part == "capsule.json":
        with Store(str(served_store)) as store:
            entries = decode_tree(store.read(Digest(lost)).data)
            lost = next(entry.id.hex for entry in entries if entry.name == part)
    # Of a server that has not read it before.
    with serving(served_store, git=False) as server:
        put_back = damaged(lost, how)
        plain, filtered = server.get("/api/capsules"), server.get("/api/capsules?label=x")
        put_back()
        assert (plain.status, filtered.status) == (200, 200)
        assert filtered.json["unreadable"] == [capsules[0]]
        assert capsules[1] in [one["capsule_id"] for one in plain.json["capsules"]]
        assert server.get("/api/capsules?label=x").json["unreadable"] == []
        assert server.get(f"/api/capsules/{capsules[0]}").status == 200


def test_a_damaged_pack_is_told_and_read_once_it_is_put_back(server, served_store, capsules):
    (pack,) = (served_store / "objects" / "pack").glob("*.pack")
    kept = pack.read_bytes()
    _put(pack, kept[:20] + bytes(len(kept) - 20))
    with serving(served_store, git=False) as fresh:
        found = fresh.get(f"/api/capsules/{capsules[1]}/environment")
        assert found.status == 503
        assert str(served_store.parent) not in found.body.decode()
        _put(pack, kept)
        assert fresh.get(f"/api/capsules/{capsules[1]}/environment").status == 200


def _put(path: Path, data: bytes) -> None:
    """Replace a file, as copying it from elsewhere does."""
    draft = path.with_suffix(".new")
    draft.write_bytes(data)
    os.replace(draft, path)


def test_a_store_that_was_put_away_is_told_until_it_is_back(server, served_store, capsules, post):
    away = served_store.with_name("away")
    asked = ["/api/health", "/api/capsules", f"/api/compare/{capsules[0]}...{capsules[1]}"]
    assert [server.get(path).status for path in asked] == [200, 200, 200]
    served_store.rename(away)
    try:
        found = [server.get(path) for path in asked] + [post("lost", environment_of(lost="1"))]
    finally:
        away.rename(served_store)
    assert [(one.status, one.error["code"]) for one in found[:3]] == [(503, "no_store")] * 3
    # Its tokens are away too, and so nobody may write.
    assert found[3].status == 401
    assert not any(str(served_store.parent).encode() in one.body for one in found)
    assert [server.get(path).status for path in asked] == [200, 200, 200]
    assert post("found", environment_of(lost="1")).status == 201


def test_an_index_that_is_damaged_is_made_anew(server, served_store, capsules):
    before = server.get("/api/capsules").json
    (served_store / "capsulestore" / "index.sqlite").write_bytes(b"no database" * 1000)
    assert server.get("/api/capsules").json == before
