"""Threads record at once, each its own, in one store."""

import threading
from concurrent.futures import ThreadPoolExecutor

from capsulestore import record
from capsulestore.agent import current


def together(count, work):
    """Run `work(number)` in so many threads, all of which begin before one goes on; raise what one of them raises."""
    barrier = threading.Barrier(count)

    def begun(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begun, range(count)))


def test_eight_threads_record_at_once(known, quickly, recorded):
    @record("fit", **quickly)
    def fit(n):
        assert current().parameters == {"n": n}
        current().labels["thread"] = n
        return n

    assert together(8, lambda number: [fit(number * 10 + each) for each in range(2)]) == [
        [number * 10 + each for each in range(2)] for number in range(8)
    ]
    _, *manifests = recorded()
    assert sorted(one["parameters"]["n"] for one in manifests) == [n * 10 + e for n in range(8) for e in range(2)]
    assert all(one["labels"]["thread"] == one["parameters"]["n"] for one in manifests)


def test_one_record_around_many_threads_keeps_them_apart(store, quickly, recorded):
    shared = record("shared", **quickly)
    within = threading.Barrier(8)

    def work(number):
        with shared as run:
            within.wait()
            run.parameters["n"] = number
            assert current() is run
        return run

    runs = together(8, work)
    assert sorted(one["parameters"]["n"] for one in recorded()) == list(range(8))
    assert len({run.capsule_id for run in runs}) == 8
    for number, run in enumerate(runs):
        assert run.parameters == {"n": number}


def test_a_thread_is_not_within_what_started_it_but_may_be_told(store, quickly, recorded):
    seen = []

    def work(run):
        seen.append(current())
        run.parameters["from"] = "a thread"

    with record("outer", **quickly) as run:
        thread = threading.Thread(target=work, args=[run])
        thread.start()
        thread.join()
    assert seen == [None]
    assert [one["parameters"] for one in recorded()] == [{"from": "a thread"}]


def test_an_analysis_begun_in_one_thread_may_end_in_another(store, quickly, recorded):
    handed = record("handed", **quickly)
    run = handed.__enter__()
    together(1, lambda _: handed.__exit__(None, None, None))
    assert run.capsule_id == str(store.last())
    assert len(recorded()) == 1
