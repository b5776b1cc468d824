"""What differs between two environments."""

import pytest
from capsule_servers import environment_of

from capsulestore.inspection.comparison import compare, stored
from capsulestore.store import Store


@pytest.fixture(scope="module")
def two(post) -> list[str]:
    return [post(version, environment_of(numpy=version)).json["capsule_id"] for version in ("1.26.4", "2.1.0")]


def test_it_is_told_as_the_command_tells_it(server, served_store, two):
    with Store(str(served_store)) as store:
        expected = compare(*(stored(store, name) for name in two)).as_dict()
    answer = server.get(f"/api/compare/{two[0]}...{two[1]}").json
    assert answer == expected
    assert [change["entry"] for change in answer["changes"]] == ["numpy"]


def test_names_of_every_sort_are_taken(server, served_store, two):
    with Store(str(served_store)) as store:
        store.tags.set("release/one", store.resolve_capsule(two[0]))
        environment = store.capsule(store.resolve_capsule(two[0])).environment
    for a, b in (("release/one", two[0][:16]), (environment, "release/one")):
        assert server.get(f"/api/compare/{a}...{b}").json["identical"] is True


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ("{0}...nobody", 404),
        ("nobody...{0}", 404),
        ("{0}...", 422),
        ("...", 422),
        ("{0}", 404),
        ("{0}..{1}", 404),
        ("{0}...{1}?layer=nothing", 422),
        ("{0}...{1}?layer=system", 404),
    ],
)
def test_what_cannot_be_compared_is_told(server, two, names, status):
    found = server.get(f"/api/compare/{names.format(*two)}")
    assert found.status == status
    assert found.error["message"]
