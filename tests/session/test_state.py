"""The state of a session is the fold of its events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.model.choice import Choice, Choices, without
from configurator.session.state import State, Step, apply, step_between, step_to, take_step

slots = st.sampled_from(["base", "arm", "colour", "extras.hook", "width"])
answers = st.sampled_from(["a", "b", "c"])
acts = st.lists(
    st.one_of(
        st.tuples(st.just("choose"), slots, answers),
        st.tuples(st.just("withdraw"), slots, st.just("")),
        st.tuples(st.sampled_from(["undo", "redo", "reset"]), st.just(""), st.just("")),
    ),
    max_size=30,
)


def changed(state: State, after: Choices) -> State:
    step = step_between(state.choices, after)
    return apply(state, "ValueChosen", {"step": step.json})


@given(acts)
def test_undo_and_redo_walk_the_same_states(script: list[tuple[str, str, str]]) -> None:
    state = State()
    past: list[Choices] = []
    future: list[Choices] = []
    for act, slot, answer in script:
        before = state.choices
        if act == "undo" and past:
            state = apply(state, "Undone", {})
            future.append(before)
            assert state.choices == past.pop()
        elif act == "redo" and future:
            state = apply(state, "Redone", {})
            past.append(before)
            assert state.choices == future.pop()
        elif act in ("choose", "withdraw", "reset"):
            rest = () if act == "reset" else without(before, {slot})
            after = (*rest, Choice(slot, answer)) if act == "choose" else rest
            state = changed(state, after)
            assert state.choices == after
            if after != before:
                past.append(before)
                future.clear()
        assert State.from_json(state.to_json()) == state


@given(st.lists(slots, unique=True), st.lists(slots, unique=True), st.data())
def test_a_step_leads_there_and_back(one: list[str], two: list[str], data: st.DataObject) -> None:
    before = tuple(Choice(slot, data.draw(answers)) for slot in one)
    kept = [choice for choice in before if data.draw(st.booleans())]
    new = [Choice(slot, data.draw(answers)) for slot in two if slot not in {c.slot for c in kept}]
    after = (*kept, *new)
    step = step_between(before, after)
    assert take_step(before, step) == after
    assert take_step(after, step.reversed()) == before
    assert Step.from_json(step.json) == step


def test_an_unknown_kind_of_event_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="Teleported"):
        apply(State(), "Teleported", {})


FILLED = {"removed": [], "added": [[0, "base", "a"], [1, "arm", "b"]], "filled": ["arm", "base"]}


def own(state: State, slot: str, answer: str) -> State:
    after = (*without(state.choices, {slot}), Choice(slot, answer))
    return apply(state, "ValueChosen", {"step": step_to(state, after, own=[slot]).json})


def test_what_was_filled_in_is_so_until_the_customer_chooses() -> None:
    filled = apply(State(), "ProposalsAccepted", {"step": FILLED})
    assert filled.filled == ("arm", "base")
    assert State.from_json(filled.to_json()) == filled
    assert own(filled, "width", "c").filled == ("arm", "base")
    other, same = own(filled, "arm", "c"), own(filled, "arm", "b")
    assert other.filled == same.filled == ("base",)
    assert same.choices == filled.choices
    for state in (other, same):
        undone = apply(state, "Undone", {})
        assert (undone.choices, undone.filled) == (filled.choices, filled.filled)
        assert apply(undone, "Redone", {}) == state
        empty = apply(undone, "Undone", {})
        assert (empty.choices, empty.filled) == ((), ())
        assert apply(empty, "Redone", {}).filled == ("arm", "base")
    gone = step_to(filled, without(filled.choices, {"base"}))
    assert apply(filled, "ChoiceWithdrawn", {"step": gone.json}).filled == ("arm",)


def test_steps_recorded_without_what_was_filled_in_give_what_they_gave() -> None:
    step = {name: part for name, part in FILLED.items() if name != "filled"}
    state = apply(State(), "ProposalsAccepted", {"step": step})
    assert "filled" not in state.to_json()
    assert state.to_json()["undo"] == [step]
    assert "filled" not in own(state, "arm", "c").to_json()
