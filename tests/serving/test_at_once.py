"""Many clients at once: nobody who reads waits for who writes, and nothing is lost."""

from concurrent.futures import ThreadPoolExecutor

from capsulestore.serving.limits import LIMITS
from capsulestore.store import Store
from capsulestore.store.refs import MAIN


def test_reads_are_answered_while_writers_wait_for_the_store(server, served_store, post):
    here = post("here").json["capsule_id"]
    titles = [f"waiting {number}" for number in range(LIMITS.writers + 2)]
    with ThreadPoolExecutor(len(titles)) as threads:
        with Store(str(served_store)) as store, store.refs.locked(MAIN):
            waiting = [threads.submit(post, title) for title in titles]
            for path in ("/api/health", "/api/capsules?title=here", f"/api/capsules/{here[:16]}"):
                assert server.get(path).status == 200
            assert not any(one.done() for one in waiting)
        assert [one.result().status for one in waiting] == [201] * len(titles)
    listed = [capsule["title"] for capsule in server.get("/api/capsules").json["capsules"]]
    assert sorted(listed) == ["here", *titles]


def test_the_same_capsule_from_many_is_created_once(post):
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: post("by many"), range(12)))
    assert sorted(answer.status for answer in answers) == [200] * 11 + [201]
    assert len({answer.json["capsule_id"] for answer in answers}) == 1
