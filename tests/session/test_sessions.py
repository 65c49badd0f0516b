"""Sessions over a real trail, catalogue and engine."""

from __future__ import annotations

import datetime
import json
import re
import shutil
import time
from typing import Any

import pytest

from configurator.app import Services, create_app, create_services
from configurator.engine import EngineError, UnknownChoiceError
from configurator.model.choice import Choice
from configurator.session import (
    GuardsOpenError,
    IncompleteError,
    NothingToFinishError,
    NothingToUndoError,
    NothingToWithdrawError,
    Outcome,
    RepairOutdatedError,
    SequenceConflictError,
    Session,
    SessionClosedError,
    Sessions,
    UnknownGuardError,
    UnknownRepairError,
)
from configurator.trail import KeyReusedError, Trail, UnknownSessionError, apply_change

WHOLE = {
    "mount": "foot",
    "arm": "short",
    "colour": "red",
    "bulb": "large",
    "dimmer": "no",
    "extras.hook": "0",
    "extras.cable": "0",
    "width": "120",
}


def start(services: Services) -> Session:
    return services.sessions.start("lamp", locale="en").session


def choose(services: Services, session: Session, **answers: str) -> Outcome:
    choices = tuple(Choice(slot.replace("__", "."), answer) for slot, answer in answers.items())
    return services.sessions.choose_many(session.session_id, choices)


def options(session: Session, slot: str) -> dict[str, str]:
    return {
        answer: option["state"] for answer, option in session.view["slots"][slot]["options"].items()
    }


def test_a_new_session_offers_everything(services: Services) -> None:
    session = start(services)
    assert options(session, "arm") == {"short": "possible", "long": "possible"}
    assert session.view["price"]["lowest"] == 3300
    assert session.view["slots"]["arm"]["proposal"] == "short"
    assert session.view["slots"]["width"]["intervals"] == [["60", "240"]]
    # 2 mounts x arms (long only on a foot) x 2 colours x bulb and dimmer (3) x 16 x 181
    assert session.view["count"] == {"number": str(3 * 2 * 3 * 16 * 181)}


def test_a_choice_changes_what_is_possible(services: Services) -> None:
    session = start(services)
    outcome = choose(services, session, mount="clamp")
    assert outcome.kind == "accepted"
    assert outcome.session.seq == 2
    slot = outcome.session.view["slots"]["arm"]
    assert (slot["state"], slot["answer"]) == ("implied", "short")
    assert slot["origin"] == {"choices": ["mount"], "rules": ["long-needs-foot"], "context": []}
    assert apply_change(session.view, outcome.change) == outcome.session.view
    assert services.sessions.get(session.session_id) == outcome.session


def test_a_chosen_question_still_shows_its_other_options(services: Services) -> None:
    outcome = choose(services, start(services), mount="foot", arm="long")
    assert options(outcome.session, "arm") == {"short": "possible", "long": "chosen"}
    mount = outcome.session.view["slots"]["mount"]["options"]
    assert mount["clamp"]["state"] == "needs changes"


def test_a_refusal_says_why_and_changes_nothing(services: Services) -> None:
    outcome = choose(services, start(services), mount="clamp")
    refused = choose(services, outcome.session, arm="long")
    assert refused.kind == "refused"
    assert refused.session.choices == outcome.session.choices
    assert refused.change == {}
    assert refused.refusal is not None
    assert refused.refusal.conflict.choices == (Choice("mount", "clamp"),)
    assert refused.refusal.conflict.rules == ("long-needs-foot",)
    (repair,) = refused.refusal.repairs
    assert [(c.slot, c.before, c.after) for c in repair.changes] == [("mount", "clamp", "foot")]
    assert repair.difference == 3200
    mended = services.sessions.accept_repair(session_id(refused), refused.session.seq, 0)
    assert set(mended.session.choices) == {Choice("mount", "foot"), Choice("arm", "long")}
    back = services.sessions.undo(session_id(mended))
    assert back.session.choices == outcome.session.choices
    assert services.sessions.redo(session_id(back)).session.choices == mended.session.choices


def session_id(outcome: Outcome) -> str:
    return outcome.session.session_id


def test_a_repair_for_other_choices_is_outdated(services: Services) -> None:
    outcome = choose(services, start(services), mount="clamp")
    refused = choose(services, outcome.session, arm="long")
    choose(services, outcome.session, colour="red")
    with pytest.raises(RepairOutdatedError):
        services.sessions.accept_repair(session_id(refused), refused.session.seq, 0)
    for seq, index in ((1, 0), (99, 0), (refused.session.seq, 9)):
        with pytest.raises(UnknownRepairError):
            services.sessions.accept_repair(session_id(refused), seq, index)


@pytest.mark.parametrize("asked", [{"arm": "long"}, {"colour": "red", "arm": "long"}])
def test_a_repair_says_how_far_the_total_would_move(
    services: Services, asked: dict[str, str]
) -> None:
    """From what is shown now, also where the answer replaces another, or comes with more."""
    stood = choose(services, start(services), mount="clamp", arm="short", colour="black").session
    refused = choose(services, stood, **asked)
    assert refused.refusal is not None
    (repair, *_) = refused.refusal.repairs
    taken = services.sessions.accept_repair(session_id(refused), refused.session.seq, 0).session
    before, after = (each.view["price"]["lowest"] for each in (stood, taken))
    assert (repair.lowest_total, repair.difference) == (after, after - before)
    explained = services.sessions.explain(stood.session_id, "arm", "long")
    assert explained is None or explained.repairs


def test_several_choices_are_one_act_or_none(services: Services) -> None:
    session = start(services)
    refused = choose(services, session, mount="clamp", colour="red", arm="long")
    assert refused.kind == "refused"
    assert services.sessions.get(session.session_id).choices == ()


def test_the_first_of_two_tabs_wins(services: Services) -> None:
    session = start(services)
    sessions = services.sessions
    sessions.choose(session.session_id, "colour", "red", expected_seq=1)
    with pytest.raises(SequenceConflictError) as lost:
        sessions.choose(session.session_id, "colour", "black", expected_seq=1)
    assert lost.value.session.seq == 2
    assert lost.value.session.choices == (Choice("colour", "red"),)


def test_a_retry_gets_the_first_answer(services: Services) -> None:
    session = start(services)
    sessions = services.sessions
    first = sessions.choose(session.session_id, "colour", "red", expected_seq=1, key="k")
    choose(services, session, mount="clamp")
    again = sessions.choose(session.session_id, "colour", "red", expected_seq=1, key="k")
    assert again.replayed
    assert (again.kind, again.session, again.change) == (first.kind, first.session, first.change)
    with pytest.raises(KeyReusedError):
        sessions.choose(session.session_id, "colour", "black", key="k")


def test_a_retried_undo_gets_its_answer_although_nothing_is_left(services: Services) -> None:
    session = choose(services, start(services), colour="red").session
    first = services.sessions.undo(session.session_id, key="u")
    again = services.sessions.undo(session.session_id, key="u")
    assert again.replayed
    assert again.session == first.session
    with pytest.raises(NothingToUndoError):
        services.sessions.undo(session.session_id)


def test_unknown_answers_are_told_apart(services: Services) -> None:
    session = start(services)
    for slot, answer in [("mont", "foot"), ("mount", "feet"), ("width", "12O"), ("width", "999")]:
        with pytest.raises(UnknownChoiceError) as unknown:
            services.sessions.choose(session.session_id, slot, answer)
        assert unknown.value.help is not None
    assert services.sessions.get(session.session_id).seq == 1


def test_a_commit_needs_answers_and_acknowledgements(services: Services) -> None:
    session = start(services)
    sessions = services.sessions
    with pytest.raises(IncompleteError) as incomplete:
        sessions.commit(session.session_id)
    assert incomplete.value.slots[:2] == ("mount", "arm")
    whole = {slot.replace(".", "__"): answer for slot, answer in WHOLE.items()}
    outcome = choose(services, session, **{**whole, "width": "200"})
    assert outcome.session.view["guards"]["short-on-wide-desk"]["level"] == "acknowledge"
    with pytest.raises(GuardsOpenError) as waiting:
        sessions.commit(session.session_id)
    assert waiting.value.guards == ("short-on-wide-desk",)
    with pytest.raises(UnknownGuardError):
        sessions.acknowledge(session.session_id, "no-such-guard")
    known = sessions.acknowledge(session.session_id, "short-on-wide-desk", "In the middle")
    assert known.session.view["guards"]["short-on-wide-desk"]["acknowledged"] is True
    done = sessions.commit(session.session_id)
    assert done.session.status == "committed"
    assert done.session.view["price"]["total"] == 3000 + 1200 + 500 + 850
    with pytest.raises(SessionClosedError):
        sessions.choose(session.session_id, "colour", "black")


def test_an_acknowledgement_ends_when_what_it_was_about_changes(services: Services) -> None:
    session = choose(services, start(services), arm="short", width="200").session
    services.sessions.acknowledge(session.session_id, "short-on-wide-desk")
    again = choose(services, session, width="220").session
    assert "acknowledged" not in again.view["guards"]["short-on-wide-desk"]
    gone = choose(services, session, mount="foot", arm="long").session
    assert gone.view["guards"] == {}


def test_finishing_accepts_proposals_and_the_cheapest_rest(services: Services) -> None:
    session = choose(services, start(services), dimmer="yes").session
    finished = services.sessions.accept_proposals(session.session_id).session
    assert finished.view["complete"]
    assert finished.view["results"] == {"light": "880"}
    answers = {name: slot["answer"] for name, slot in finished.view["slots"].items()}
    del answers["light"]
    assert answers == {**WHOLE, "mount": "clamp", "dimmer": "yes", "colour": "black"}


def test_what_was_filled_in_is_marked_while_it_stands(services: Services) -> None:
    sessions, session = services.sessions, choose(services, start(services), dimmer="yes").session
    assert "filled" not in session.view
    finished = sessions.accept_proposals(session.session_id).session
    ours = {c.slot: c.answer for c in finished.choices if c.slot != "dimmer"}
    assert finished.view["filled"] == ours
    last = finished.choices[-1]
    for slot, answer in (("mount", "clamp"), (last.slot, last.answer)):
        kept = sessions.choose(session.session_id, slot, answer).session
        del ours[slot]
        assert kept.view["filled"] == ours
        assert kept.view["slots"][slot]["answer"] == answer
    undone = sessions.undo(session.session_id).session
    assert undone.view["filled"] == {**ours, last.slot: last.answer}
    redone = sessions.redo(session.session_id).session
    assert redone.view["filled"] == ours
    assert sessions.recompute(redone) == redone.view
    assert sessions.at(session.session_id, redone.seq) == redone
    assert services.trail.verify(session.session_id).ok
    assert "filled" not in sessions.reset(session.session_id).session.view


def test_a_withdrawn_choice_is_open_again(services: Services) -> None:
    session = choose(services, start(services), extras__hook="2", extras__cable="0").session
    opened = services.sessions.withdraw(session.session_id, "extras").session
    assert opened.view["slots"]["extras.hook"]["state"] == "open"
    for nothing in ("extras", "mount", "light"):
        with pytest.raises(NothingToWithdrawError):
            services.sessions.withdraw(session.session_id, nothing)
    with pytest.raises(UnknownChoiceError):
        services.sessions.withdraw(session.session_id, "wings")


def test_finishing_writes_nothing_where_it_answers_nothing(services: Services) -> None:
    session = services.sessions.accept_proposals(start(services).session_id).session
    with pytest.raises(NothingToFinishError) as told:
        services.sessions.accept_proposals(session.session_id)
    assert told.value.slots == ()
    assert services.sessions.get(session.session_id).seq == session.seq


SHELF = """product: shelf
name: Shelf
language: en
languages: [en]
owner: shelves@example.org
steps:
  - {id: shelf, name: Shelf, ask: [member, width, boards, tariff, colour]}
variables:
  member: {name: Member, type: yes or no, ask: always}
  width: {name: Width, type: number, range: 600..3600, step: 10, unit: mm, ask: always}
  boards: {name: Boards, values: {short: {name: Short}, long: {name: Long, price: 9.00}}}
  tariff:
    name: Tariff
    values: {club: {name: Club, price: 1.00}, open: {name: Open}}
    default: open
  colour: {name: Colour, values: {white: {name: White}, black: {name: Black, price: 5.00}}}
rules:
  - {id: short-boards, when: boards = short, require: width <= 1000, because: They end there.}
  - {id: club-for-members, when: tariff = club, require: member, because: It is theirs.}
  - {id: members-in-the-club, when: member, require: tariff = club, because: It is better.}
scenarios:
  - {name: Short, choose: {boards: short}, expect: possible}
"""


def test_finishing_closes_no_answer_that_is_the_customers_to_give(services: Services) -> None:
    published = services.catalogue.publish({"product.yaml": SHELF.encode()}, by="tests")
    assert published.release is not None, published.diagnostics
    session = services.sessions.start("shelf", locale="en").session
    assert services.sessions.can_finish(session)
    finished = services.sessions.accept_proposals(session.session_id).session
    assert finished.view["filled"] == {"colour": "white"}
    assert not services.sessions.can_finish(finished)
    with pytest.raises(NothingToFinishError) as told:
        services.sessions.accept_proposals(session.session_id)
    assert told.value.slots == ("member", "width", "boards", "tariff")
    choose(services, session, member="no", width="3600")
    assert services.sessions.get(session.session_id).view["complete"]


def test_a_token_lets_only_its_owner_back_in(services: Services) -> None:
    started = services.sessions.start("lamp", locale="es")
    assert services.sessions.resume(started.token) == started.session
    other = services.sessions.start("lamp", locale="es")
    secret = other.token.partition(".")[2]
    for token in ["", "x.y", f"{started.session.session_id}.{secret}"]:
        with pytest.raises(UnknownSessionError):
            services.sessions.resume(token)


def test_every_step_is_replayed_and_recomputed_alike(services: Services) -> None:
    session = choose(services, start(services), mount="clamp").session
    choose(services, session, arm="long")
    choose(services, session, dimmer="yes", width="200")
    services.sessions.acknowledge(session.session_id, "short-on-wide-desk", "ok")
    services.sessions.undo(session.session_id)
    services.sessions.reset(session.session_id)
    services.sessions.change_locale(session.session_id, "es")
    last = services.sessions.get(session.session_id)
    assert services.trail.verify(session.session_id).ok
    for seq in range(1, last.seq + 1):
        at: Any = services.sessions.at(session.session_id, seq)
        assert services.sessions.recompute(at) == at.view
    assert services.sessions.at(session.session_id, last.seq) == last
    kinds = [event.kind for event in services.trail.events(session.session_id)]
    assert kinds == [
        "SessionStarted",
        "ValueChosen",
        "ChoiceRefused",
        "ValueChosen",
        "GuardAcknowledged",
        "Undone",
        "SessionReset",
        "LocaleChanged",
    ]


def test_a_wiped_cache_delays_nobody_and_what_was_answered_meanwhile_still_verifies(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(services.settings.folder / "compiled")
    monkeypatch.setattr("configurator.engine.building.SMALL_TERMS", -1)  # too wide for a request
    later = create_services(services.settings)
    catalogue = later.catalogue
    with catalogue._catching_up:  # compiling has not begun
        session = choose(later, start(later), mount="clamp").session
        choose(later, session, arm="long")
    for _ in range(3000):
        if not catalogue.engine(session.release, session.day).pending:
            break
        time.sleep(0.02)
    compiled = catalogue.engine(session.release, session.day)
    assert (compiled.backend_name, compiled.pending) == ("diagram", False)
    choose(later, session, dimmer="yes")
    versions = [each.engine_version for each in later.trail.events(session.session_id)]
    assert [each.endswith("+sat") for each in versions] == [True, True, True, False]
    for seq in range(1, len(versions) + 1):
        at: Any = later.sessions.at(session.session_id, seq)
        assert later.sessions.recompute(at) == at.view


def test_a_view_from_memory_is_the_view_read_back(services: Services) -> None:
    """Members in the same order too: what is kept must not show."""
    session = start(services)
    again = Sessions(
        services.catalogue,
        Trail(services.trail._engine, services.sessions._clock),
        services.sessions._clock,
        services.settings.secret_key,
    )
    for slot, answer in (("mount", "clamp"), ("bulb", "large"), ("mount", "foot"), ("arm", "long")):
        choose(services, session, **{slot: answer})
        kept, read = services.sessions.get(session.session_id), again.get(session.session_id)
        assert json.dumps(kept.view) == json.dumps(read.view)
        assert kept == read
        assert services.sessions.recompute(kept) == kept.view


ISLANDS = """product: tent
name: Tent
language: en
languages: [en]
owner: tents@example.org
context:
  area: {values: [mainland, islands], if missing: mainland}
steps:
  - {id: size, name: Size, ask: [persons]}
variables:
  persons: {name: Persons, values: {two: {name: Two}, four: {name: Four}}}
rules:
  - {id: no-islands, forbid: area = islands, because: We do not deliver there.}
scenarios:
  - {name: Two, choose: {persons: two}, expect: possible}
"""


def test_facts_that_leave_nothing_to_order_are_told(services: Services) -> None:
    published = services.catalogue.publish({"product.yaml": ISLANDS.encode()}, by="tests")
    assert published.release is not None, published.diagnostics
    with pytest.raises(EngineError, match="no-islands") as told:
        services.sessions.start("tent", locale="en", context=(Choice("area", "islands"),))
    assert told.value.owners == ("no-islands",)
    client = create_app(services.settings, services).test_client()
    body = {"product": "tent", "context": [{"slot": "area", "answer": "islands"}]}
    refused = client.post("/api/v1/sessions", json=body, headers={"Accept-Language": "es"})
    assert refused.status_code == 409
    assert refused.json is not None
    assert refused.json["code"] == "nothing-to-order"
    assert "area = islands" in refused.json["detail"]


def test_a_product_that_leaves_nothing_to_whoever_tells_nothing_is_refused(
    services: Services,
) -> None:
    folder = {"product.yaml": ISLANDS.replace("missing: mainland", "missing: islands").encode()}
    published = services.catalogue.publish(folder, by="tests")
    assert published.release is None
    assert [each.code for each in published.diagnostics if each.severity == "stop"] == ["void"]


def test_a_page_says_that_nothing_can_be_ordered_today(services: Services) -> None:
    """Rules may end what was published, on a later day."""
    ending = ISLANDS.replace("area = islands", '"persons in [two, four]", from: 2200-01-01')
    published = services.catalogue.publish({"product.yaml": ending.encode()}, by="tests")
    assert published.release is not None, published.diagnostics
    then = datetime.datetime(2200, 1, 2, tzinfo=datetime.UTC)
    late = create_services(services.settings, clock=lambda: then)
    client = create_app(services.settings, late).test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
    assert token is not None
    page = client.post(
        "/p/tent/start",
        data={"csrf_token": token.group(1)},
        headers={"Accept-Language": "es"},
    )
    assert page.status_code == 503
    assert "Este producto no se puede pedir hoy" in page.text
