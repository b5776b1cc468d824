"""The list of capsules: its pages, and what it can be asked for."""

from urllib.parse import quote, urlencode

import pytest
from capsule_servers import environment_of, serving

from capsulestore.artifact_registry import list_capsules
from capsulestore.serving.limits import Limits

CONDA = {"conda": {"rules": 1, "packages": {"openssl": {"version": "3.0.13"}}}}
SHELF = [
    ("a first fit", environment_of(numpy="1.26.4"), {"labels": {"project": "tides"}}),
    ("Zweite STRASSE", environment_of(numpy="2.1.0"), {"labels": {"project": "moon", "n": 3}}),
    ("100% sure_ly", environment_of(numpy="2.1.0rc1"), {}),
    ("Cafe\u0301 \u1e9e\u03c3", environment_of(**{"numpy": "2.1.0+cu121", "typing-extensions": "4.12"}), {}),
    ("another fit", environment_of(scipy="1.14") | CONDA, {}),
]


@pytest.fixture(scope="module")
def shelf(post):
    """Five capsules, the last one registered last."""
    digests = [post(title, environment, **more).json["capsule_id"] for title, environment, more in SHELF]
    return dict(zip([title for title, _, _ in SHELF], digests, strict=True))


@pytest.fixture
def titles(server, shelf):
    """The titles on a page: `titles(package="numpy")`."""

    def titles(**asked):
        found = server.get(f"/api/capsules?{urlencode(asked, doseq=True)}")
        assert found.status == 200, found.body
        return [capsule["title"] for capsule in found.json["capsules"]]

    return titles


def test_all_are_listed_newest_first_as_the_command_does(server, served_store, shelf):
    answer = server.get("/api/capsules").json
    assert answer == {"capsules": list_capsules(store=served_store), "next": None, "unreadable": []}
    assert [capsule["capsule_id"] for capsule in answer["capsules"]] == [*reversed(shelf.values())]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("fit", [4, 0]),
        ("FIT", [4, 0]),
        ("straße", [1]),
        ("CAFÉ", [3]),
        ("ssς", [3]),
        ("%", [2]),
        ("_", [2]),
        ("\\", []),
    ],
)
def test_a_title_is_found_by_any_part_of_it_in_upper_or_lower_case(titles, asked, found):
    assert titles(title=asked) == [SHELF[number][0] for number in found]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("numpy", [3, 2, 1, 0]),
        ("NumPy", [3, 2, 1, 0]),
        ("numpy<2", [0]),
        ("numpy>=2.1", [3, 1]),
        ("numpy==2.1.0+cu121", [3]),
        ("numpy>=1.26,<2.1", [0]),
        ("numpy>2,!=2.1.0", [2]),
        ("numpy===2.1.0", [1]),
        ("typing_Extensions", [3]),
        ("conda:openssl", [4]),
        ("conda:openssl=3.0.*", [4]),
        ("conda:openssl==3.0.13", [4]),
        ("conda:openssl=3.1.*", []),
        ("conda:numpy", []),
        (["numpy", "typing-extensions"], [3]),
    ],
)
def test_a_package_is_found_by_its_specifier(titles, asked, found):
    # Twice: the second time from memory.
    for _ in range(2):
        assert titles(package=asked) == [SHELF[number][0] for number in found]


@pytest.mark.parametrize(
    ("asked", "found"),
    [("project=tides", [0]), ("project", [1, 0]), ("n=3", [1]), ("n=4", []), (["project", "n"], [1]), ("x=", [])],
)
def test_a_label_is_found_by_its_key_and_its_value(titles, asked, found):
    for _ in range(2):
        assert titles(label=asked) == [SHELF[number][0] for number in found]


def test_an_environment_is_found_by_its_digest_and_by_a_capsule(server, titles, shelf):
    digest = server.get(f"/api/capsules/{shelf['a first fit']}").json["environment_digest"]
    assert titles(environment=digest) == titles(environment=shelf["a first fit"]) == ["a first fit"]
    assert titles(environment=digest[:12]) == ["a first fit"]
    assert titles(environment="0" * 64) == []


def test_a_time_bounds_the_list_and_may_be_pasted_as_it_is_printed(server, titles):
    at = server.get("/api/capsules").json["capsules"][0]["registered_at"]
    assert titles(since="2020-01-01", until="2020-01-02") == []
    assert len(titles(until="2100-01-01T00:00:00Z")) == len(SHELF)
    assert SHELF[-1][0] in titles(since=at)
    assert SHELF[-1][0] not in titles(until=at)
    assert server.get(f"/api/capsules?since={at}").json["capsules"]


def pages(server, **asked):
    """Every page of a list."""
    cursor = None
    while True:
        query = asked | ({"cursor": cursor} if cursor else {})
        page = server.get(f"/api/capsules?{urlencode(query)}").json
        yield page
        cursor = page["next"]
        if cursor is None:
            return


def test_pages_have_each_once_also_while_capsules_are_added(server, post, shelf):
    seen = []
    for number, page in enumerate(pages(server, limit=2, until="2100-01-01")):
        seen += [capsule["capsule_id"] for capsule in page["capsules"]]
        post(f"added meanwhile {number}")
    assert seen == [*reversed(shelf.values())]


def test_a_page_looks_into_so_many_and_the_next_goes_on_there(served_store, shelf):
    with serving(served_store, limits=Limits(looked_at_most=2), git=False) as server:
        found = list(pages(server, package="numpy<2"))
        assert [capsule["title"] for page in found for capsule in page["capsules"]] == ["a first fit"]
        assert not found[0]["capsules"]


@pytest.mark.parametrize(
    "asked",
    [
        "limit=0",
        "limit=501",
        "limit=many",
        "cursor=AAAA",
        "cursor=" + "A" * 54,
        "cursor=" + quote("é" * 54),
        "since=yesterday",
        "until=2026-13-01",
        "package=",
        "package=numpy%20@%20https://example.org/x",
        "package=numpy[extra]",
        "package=conda:a%20b",
        "label==x",
        "titel=fit",
        "title=" + "x" * 1001,
        *(f"{name}=" for name in ("title", "environment", "since", "until", "cursor", "limit", "label")),
        *(f"{name}=1&{name}=1" for name in ("title", "environment", "since", "until", "cursor", "limit")),
    ],
)
def test_what_makes_no_sense_is_told(server, asked):
    found = server.get(f"/api/capsules?{asked}")
    assert found.status == 422
    assert found.error["message"]


def test_a_cursor_is_good_for_its_own_list_alone(server, shelf, tmp_path):
    cursor = server.get("/api/capsules?limit=1").json["next"]
    assert server.get(f"/api/capsules?limit=3&cursor={cursor}").status == 200
    assert server.get(f"/api/capsules?title=fit&cursor={cursor}").status == 422
    changed = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    assert server.get(f"/api/capsules?cursor={changed}").status == 422


def test_an_environment_that_nobody_has_a_name_for_is_told(server):
    assert server.get("/api/capsules?environment=nobody").status == 404
