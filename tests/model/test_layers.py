"""How looking at a layer ended, as a manifest has it."""

import pytest

from capsulestore.model.layers import LayerState

FORMS = {
    "captured": ("captured", LayerState("captured")),
    "not there": ("none", LayerState("none")),
    "not to be seen, and why": ({"unknown": "no engine socket"}, LayerState("unknown", "no engine socket")),
}


@pytest.mark.parametrize(("value", "state"), FORMS.values(), ids=FORMS)
def test_a_state_is_written_and_read(value, state):
    assert LayerState.is_valid(value)
    assert LayerState.parse(value) == state
    assert state.as_json() == value


@pytest.mark.parametrize(
    "value",
    [
        *("", "Captured", "absent", None, True, 1, [], ["none"]),
        *({}, {"unknown": 1}, {"unknown": None}, {"captured": "x"}, {"unknown": "x", "since": "y"}),
    ],
    ids=repr,
)
def test_any_other_value_is_no_state(value):
    assert not LayerState.is_valid(value)
