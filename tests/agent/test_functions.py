"""A function or a block is recorded as it was called, and gives what it would give without us."""

import contextvars
import functools
import json
import logging

import pytest

from capsulestore import record
from capsulestore.agent import Recording, current
from capsulestore.errors import UsageError


def test_a_function_is_recorded_with_its_arguments_and_its_defaults(store, quickly, recorded):
    @record("fit", **quickly)
    def fit(alpha, /, n=3, *more, weights=(1, 2), **options):
        return alpha * n

    assert fit(0.5, weights=[4], tol=1) == 1.5
    assert fit(2, 5, 6) == 10
    first, second = recorded()
    assert first["title"] == "fit"
    assert first["status"] == "completed"
    assert first["parameters"] == {"alpha": 0.5, "n": 3, "more": [], "weights": [4], "options": {"tol": 1}}
    assert second["parameters"] == {"alpha": 2, "n": 5, "more": [6], "weights": [1, 2], "options": {}}


def test_a_block_is_recorded_with_what_is_said_of_it_before_and_in_it(store, quickly, recorded):
    with record("fit", parameters={"alpha": 0.1}, labels={"run": 1}, **quickly) as run:
        assert isinstance(run, Recording)
        assert run.capsule_id is None
        run.parameters["n"] = 3
        run.labels["best"] = True
        run.title = "fit, at last"
    manifest, *_ = recorded()
    assert manifest["title"] == "fit, at last"
    assert manifest["parameters"] == {"alpha": 0.1, "n": 3}
    assert manifest["labels"] == {"run": 1, "best": True}
    assert store.last() is not None
    assert run.capsule_id == str(store.last())
    assert run.environment_digest == manifest["environment_digest"]
    assert (run.registered, run.error, run.remarks) == (True, None, ())


def test_what_a_function_gives_is_the_very_same_object(store, quickly):
    given = object()
    assert record("fit", **quickly)(lambda: given)() is given


def test_methods_are_recorded_without_what_they_are_bound_to(store, quickly, recorded):
    class Model:
        @record("fit", **quickly)
        def fit(self, n):
            return self, n

        @record("load", **quickly)
        @classmethod
        def load(cls, n=1):
            return cls, n

        @classmethod
        @record("read", **quickly)
        def read(cls, n=2):
            return cls, n

        @record("check", **quickly)
        @staticmethod
        def check(self, n=3):  # noqa: PLW0211
            return self, n

    model = Model()
    assert (model.fit(0), Model.load(), model.read()) == ((model, 0), (Model, 1), (Model, 2))
    assert model.check("x") == ("x", 3)
    assert [one["parameters"] for one in recorded()] == [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}]


def test_an_argument_of_that_name_is_an_argument_where_there_is_no_method(store, quickly, recorded):
    def fit(cls, self=2):
        return cls + self

    assert record("fit", **quickly)(fit)(1) == 3
    assert [one["parameters"] for one in recorded()] == [{"cls": 1, "self": 2}]


def test_arguments_are_recorded_as_they_were_when_the_call_began(store, quickly, recorded):
    @record("fit", **quickly)
    def fit(options, rows):
        rows.clear()
        return options.pop("alpha")

    assert fit({"alpha": 1}, [1, 2]) == 1
    with record("block", parameters={"kept": [1]}, **quickly) as run:
        run.parameters["kept"].append(2)
        run.parameters["added"] = added = [1]
        added.append(2)
    function, block = recorded()
    assert function["parameters"] == {"options": {"alpha": 1}, "rows": [1, 2]}
    assert block["parameters"] == {"kept": [1], "added": [1, 2]}


def test_what_json_cannot_hold_becomes_a_text_and_is_told(store, quickly, recorded, caplog):
    @record("fit", **quickly)
    def fit(data, grid):
        return data

    assert fit(1j, [object(), 1, b"x", {"y": 2j}]) == 1j
    assert [one["parameters"] for one in recorded()] == [
        {"data": "1j", "grid": ["<object object>", 1, "b'x'", {"y": "2j"}]}
    ]
    assert fit.recording.remarks == (
        "parameter `data` became a text",
        "parameter `grid[0]` became a text",
        "parameter `grid[2]` became a text",
        "and 1 more values of the parameters",
    )
    assert [line.getMessage() for line in caplog.records] == [f"fit: {one}" for one in fit.recording.remarks]


def test_keys_of_any_kind_are_recorded_and_too_many_lose_no_run(store, quickly, recorded):
    with record("keys", parameters={1: "a", "1": "b", None: 3}, labels={2: 2}, **quickly):
        pass
    with record("many", parameters={f"p{number}": 0 for number in range(10_001)}, **quickly) as run:
        pass
    keys, many = recorded()
    assert keys["parameters"] == {"1": "a", "1'": "b", "None": 3}
    assert keys["labels"] == {"2": 2}
    assert "parameters" not in many
    assert run.remarks == ("more than 10000 parameters: none is recorded",)


def test_a_function_that_calls_itself_is_recorded_each_time(store, quickly, recorded):
    depths = []

    @record("factorial", **quickly)
    def factorial(n):
        depths.append(current())
        return n * factorial(n - 1) if n else 1

    assert factorial.recording is None
    assert factorial(3) == 6
    assert [one["parameters"]["n"] for one in recorded()] == [0, 1, 2, 3]
    assert factorial.recording is depths[0]
    assert current() is None


def test_within_one_another_each_has_a_capsule_of_its_own_and_the_innermost_is_current(store, quickly, recorded):
    with record("outer", **quickly) as outer:
        with record("inner", **quickly) as inner:
            current().parameters["of"] = "inner"
        assert current() is outer
        outer.parents.append(inner.capsule_id)
        current().parameters["of"] = "outer"
    first, second = recorded()
    assert [first["parameters"]["of"], second["parameters"]["of"]] == ["inner", "outer"]
    assert second["parents"] == [inner.capsule_id]


def test_one_record_may_be_used_again_and_within_itself(store, quickly, recorded):
    again = record("again", **quickly)
    for number in range(2):
        with again as outer, again as inner:
            outer.parameters["at"] = f"outer {number}"
            inner.parameters["at"] = f"inner {number}"
    assert [one["parameters"]["at"] for one in recorded()] == ["inner 0", "outer 0", "inner 1", "outer 1"]


def test_two_runs_with_equal_arguments_differ_by_their_times_alone(store, quickly, recorded):
    @record("fit", **quickly)
    def fit(alpha):
        return alpha

    assert fit(1) == fit(1)
    first, second = ({**one, "run": sorted(one["run"])} for one in recorded())
    assert first == second
    assert json.dumps(first) == json.dumps(second)


def test_a_block_in_a_generator_that_is_ended_elsewhere_is_recorded(store, quickly, recorded):
    def analysis():
        with record("generator", **quickly):
            yield 1

    begun = analysis()
    assert contextvars.copy_context().run(next, begun) == 1
    assert list(begun) == []
    assert current() is None
    assert [one["status"] for one in recorded()] == ["completed"]


NOT_TO_BE_RECORDED = {
    "a generator": lambda: (yield),
    "a class": dict,
    "a partial of a generator": functools.partial(lambda x: (yield x), 1),
    "a number": 3,
}


@pytest.mark.parametrize("function", NOT_TO_BE_RECORDED.values(), ids=NOT_TO_BE_RECORDED)
def test_what_is_no_function_that_ends_is_refused_at_once(function):
    with pytest.raises(UsageError) as caught:
        record("fit")(function)
    assert caught.value.hint


MISTAKES = {
    "no title": {"title": ""},
    "a function for a title": {"title": print},
    "one path": {"title": "x", "inputs": "data.csv"},
    "no path": {"title": "x", "outputs": [3]},
    "one parent": {"title": "x", "parents": "@"},
    "a parent that is none": {"title": "x", "parents": [None]},
    "parameters in a list": {"title": "x", "parameters": ["alpha"]},
    "a label": {"title": "x", "labels": "best"},
    "one layer": {"title": "x", "layers": "python"},
    "no such layer": {"title": "x", "layers": ["pyhton"]},
}


@pytest.mark.parametrize("given", MISTAKES.values(), ids=MISTAKES)
def test_what_makes_no_sense_is_refused_before_anything_runs(given):
    with pytest.raises(UsageError):
        record(**given)


def test_arguments_that_do_not_fit_are_the_calls_own_error(store, quickly, recorded):
    @record("fit", **quickly)
    def fit(n):
        return n

    with pytest.raises(TypeError, match=r"fit\(\) missing 1 required positional argument"):
        fit()
    assert [(one["status"], one["run"]["exception"]) for one in recorded()] == [("failed", "TypeError")]


def test_a_capsule_is_told_to_those_who_want_to_know(store, quickly, caplog):
    caplog.set_level(logging.INFO, "capsulestore")
    with record("fit", **quickly) as run:
        pass
    assert caplog.messages == [f"fit: capsule {run.capsule_id}"]
