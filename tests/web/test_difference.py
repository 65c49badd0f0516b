"""What differs between two views, and what became of each guard."""

from hypothesis import given
from hypothesis import strategies as st

from configurator.trail import Event, ReplayStep
from configurator.web.desk.difference import differences
from configurator.web.desk.fates import fates


def slot(state, **more):
    return {"variable": "size", "state": state, **more}


OPEN = {
    "slots": {
        "size": slot("open", options={"S": {"state": "possible"}, "M": {"state": "possible"}}),
        "rack": slot("not asked"),
    },
    "price": {"currency": "EUR", "lowest": 1000},
    "count": {"number": "4"},
    "guards": {},
    "complete": False,
    "results": {},
}
CHOSEN = {
    "slots": {
        "size": slot(
            "chosen",
            answer="M",
            options={"S": {"state": "possible"}, "M": {"state": "chosen"}},
        ),
        "rack": slot("open"),
    },
    "price": {"currency": "EUR", "total": 1200},
    "count": {"number": "1"},
    "guards": {"tall": {"level": "caution", "at": "choice", "reads": {"size": "M"}}},
    "complete": True,
    "results": {"weight": "12"},
}


def test_each_thing_that_changed_is_named_once():
    found = {(each.aspect, each.name, each.option) for each in differences(OPEN, CHOSEN)}
    assert found == {
        ("answer", "size", ""),
        ("answer", "rack", ""),
        ("option", "size", "M"),
        ("guard", "tall", ""),
        ("result", "weight", ""),
        ("price", "", ""),
        ("count", "", ""),
        ("complete", "", ""),
    }


def test_a_question_that_was_not_asked_was_nothing():
    asked = next(each for each in differences(OPEN, CHOSEN) if each.name == "rack")
    assert asked.before is None
    assert asked.after == {"state": "open"}


def test_what_was_filled_in_differs_from_what_is_kept():
    chosen = next(each.after for each in differences(OPEN, CHOSEN) if each.name == "size")
    (kept,) = differences({**CHOSEN, "filled": {"size": "M"}}, CHOSEN)
    assert (kept.aspect, kept.name, kept.after) == ("answer", "size", chosen)
    assert kept.before == {**chosen, "filled": True}


def test_options_are_compared_by_what_they_cost_more():
    now = {"slots": {"size": slot("open", options={"M": {"state": "possible", "difference": 500}})}}
    dearer = {**now, "price": {"currency": "EUR", "lowest": 1500}}
    # Views recorded by 0.1 hold the option's own lowest total.
    before = {**OPEN, "slots": {"size": slot("open", options={"M": {"state": "possible"}})}}
    before["slots"]["size"]["options"]["M"]["lowest"] = 1500
    assert not [each for each in differences(before, dearer) if each.aspect == "option"]
    before["slots"]["size"]["options"]["M"]["lowest"] = 1700
    (changed,) = (each for each in differences(before, dearer) if each.aspect == "option")
    assert changed.before == {"state": "possible", "difference": 700}


views = st.sampled_from([OPEN, CHOSEN, {}])


@given(views, views)
def test_equal_views_and_only_they_differ_in_nothing(before, after):
    assert (differences(before, after) == ()) == (before == after)


def step(seq, guards, kind="ValueChosen", slots=None):
    event = Event(
        event_id=f"e{seq}",
        session_id="s",
        seq=seq,
        kind=kind,
        version=1,
        key=str(seq),
        fingerprint="",
        actor="customer",
        on_behalf_of=None,
        server_time="2026-11-22T10:00:00Z",
        release="r",
        engine_version="1",
        locale="en",
        payload={},
        change=None,
        view_digest="",
        previous_hash="",
    )
    return ReplayStep(event, {"slots": slots or {}, "guards": guards}, True)


def said(**more):
    return {"level": "acknowledge", "at": "choice", "reads": {"size": "M"}, **more}


SUGGEST = {"suggest": {"size": {"answer": "L", "state": "possible"}}}


def fate_of(*steps):
    (only,) = fates(steps)
    return only.fate, only.first, only.last, only.reason


def test_a_guard_whose_suggestion_was_taken_was_heeded():
    steps = (
        step(1, {}),
        step(2, {"tall": said(**SUGGEST)}),
        step(3, {}, slots={"size": slot("chosen", answer="L")}),
    )
    assert fate_of(*steps) == ("heeded", 2, 2, "")


def test_a_guard_that_stopped_applying_is_gone():
    steps = (
        step(1, {"tall": said(**SUGGEST)}),
        step(2, {}, slots={"size": slot("chosen", answer="S")}),
    )
    assert fate_of(*steps)[0] == "gone"


def test_an_acknowledged_guard_keeps_its_reason():
    steps = (
        step(1, {"tall": said()}),
        step(2, {"tall": said(acknowledged=True, reason="I like it")}, "GuardAcknowledged"),
        step(3, {"tall": said(acknowledged=True, reason="I like it")}, "ConfigurationCommitted"),
    )
    assert fate_of(*steps) == ("acknowledged", 1, 3, "I like it")


def test_a_guard_that_reads_something_new_speaks_anew():
    steps = (
        step(1, {"tall": said(acknowledged=True)}),
        step(2, {"tall": said()}),
    )
    assert fate_of(*steps)[0] == "standing"


def test_what_was_confirmed_past_a_guard_is_overridden():
    steps = (
        step(1, {"tall": {**said(), "level": "caution"}}),
        step(2, {"tall": {**said(), "level": "caution"}}, "ConfigurationCommitted"),
    )
    assert fate_of(*steps) == ("overridden", 1, 2, "")


def test_a_guard_said_again_is_told_twice():
    steps = (step(1, {"tall": said()}), step(2, {}), step(3, {"tall": said()}))
    assert [(each.first, each.fate) for each in fates(steps)] == [(1, "gone"), (3, "standing")]
