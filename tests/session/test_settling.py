"""What a first answer leaves undecided is shown as such, and settled by an event."""

from __future__ import annotations

import html
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from configurator.app import Services, create_app
from configurator.engine.diagram import compiler, summed
from configurator.session import (
    GuardsOpenError,
    SequenceConflictError,
    Session,
    UndecidedError,
    has_undecided,
)
from configurator.trail import KeyReusedError
from configurator.web.api.schemas import WriteHeaders

QUESTIONS = 9


@pytest.fixture
def tight(services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    """A product whose cheapest parts together are too heavy, answered by one sweep."""
    monkeypatch.setattr(compiler, "MODEST", -1)
    monkeypatch.setattr(compiler, "NARROW", 0)
    monkeypatch.setattr(summed, "MIXTURES", 0)
    questions = "\n".join(
        f"  q{number}: {{name: Part {number}, values: {{iron: {{name: Iron, weight: 10}}, "
        f"alloy: {{name: Alloy, weight: 1, price: {number + 5}.00}}}}}}"
        for number in range(QUESTIONS)
    )
    asked = ", ".join(f"q{number}" for number in range(QUESTIONS))
    text = (
        "product: frame\nname: Frame\nlanguage: en\nlanguages: [en]\nowner: a@example.org\n"
        "attributes:\n  weight: {unit: kg}\n"
        f"steps:\n  - {{id: body, name: Body, ask: [{asked}]}}\n"
        f"variables:\n{questions}\n"
        "rules:\n  - {id: weight, require: sum(weight) <= 36 kg, because: It is too heavy.}\n"
        "prices: {currency: EUR, base: 100.00}\n"
        "guards:\n  - {id: soft, level: acknowledge, when: q8 = alloy, say: Alloy bends.}\n"
        "scenarios:\n  - {name: Light, choose: {q0: alloy}, expect: possible}\n"
    )
    published = services.catalogue.publish({"product.yaml": text.encode()}, by="tests")
    assert published.release is not None, published.diagnostics
    return services


def start(services: Services) -> Session:
    return services.sessions.start("frame", locale="en").session


def states(session: Session, slot: str) -> set[str]:
    return {option["state"] for option in session.view["slots"][slot]["options"].values()}


def test_a_first_answer_says_what_is_undecided(tight: Services) -> None:
    session = start(tight)
    assert has_undecided(session.view)
    assert states(session, "q0") == {"undecided"}


def test_settling_shows_what_was_decided(tight: Services) -> None:
    session = start(tight)
    settled = tight.sessions.settle(session.session_id)
    assert settled.session.seq == session.seq + 1
    assert not has_undecided(settled.session.view)
    assert states(settled.session, "q0") == {"possible"}
    assert settled.session.choices == session.choices
    assert tight.sessions.recompute(settled.session) == settled.session.view
    again = tight.sessions.settle(session.session_id)
    assert (again.session.seq, again.change) == (settled.session.seq, {})


def test_the_trail_tells_both_answers(tight: Services) -> None:
    session = start(tight)
    tight.sessions.settle(session.session_id)
    first, second = tight.trail.replay(session.session_id)
    assert (first.event.kind, second.event.kind) == ("SessionStarted", "OptionsSettled")
    assert has_undecided(first.view)
    assert not has_undecided(second.view)
    assert tight.trail.verify(session.session_id).ok
    for seq in (1, 2):
        then = tight.sessions.at(session.session_id, seq)
        assert tight.sessions.recompute(then) == then.view


def test_an_undecided_option_can_be_chosen(tight: Services) -> None:
    session = start(tight)
    outcome = tight.sessions.choose(session.session_id, "q0", "iron")
    assert outcome.kind == "accepted"
    for number in range(1, QUESTIONS):
        outcome = tight.sessions.choose(session.session_id, f"q{number}", "iron")
    assert outcome.kind == "refused"
    assert outcome.refusal is not None
    assert outcome.refusal.conflict.rules == ("weight",)
    assert outcome.refusal.repairs


def test_a_choice_on_the_page_before_settling_is_taken(tight: Services) -> None:
    session = start(tight)
    tight.sessions.settle(session.session_id)
    outcome = tight.sessions.choose(
        session.session_id, "q0", "iron", expected_seq=session.seq, key="one"
    )
    assert outcome.session.seq == session.seq + 2
    with pytest.raises(SequenceConflictError):
        tight.sessions.choose(session.session_id, "q1", "iron", expected_seq=session.seq)
    retried = tight.sessions.choose(
        session.session_id, "q0", "iron", expected_seq=session.seq, key="one"
    )
    assert retried.replayed


def test_a_choice_settles_nothing(tight: Services) -> None:
    session = start(tight)
    tight.sessions.settle(session.session_id)
    outcome = tight.sessions.choose(session.session_id, "q0", "iron")
    assert has_undecided(outcome.session.view)


def test_settling_twice_at_once_is_one_event(tight: Services) -> None:
    session = start(tight)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: tight.sessions.settle(session.session_id), range(4)))
    assert {outcome.session.seq for outcome in outcomes} == {2}
    assert len(tight.trail.events(session.session_id)) == 2


def test_the_page_checks_and_then_shows(tight: Services) -> None:
    """With script the form sends itself; without, its button does."""
    client = create_app(tight.settings, tight).test_client()
    csrf = re.compile(r'name="csrf_token" value="([^"]+)"')
    page = client.get("/", headers={"Accept-Language": "es"}).text
    token = csrf.search(page)
    assert token is not None
    begun = client.post(
        "/p/frame/start",
        data={"csrf_token": token.group(1)},
        headers={"Accept-Language": "es"},
        follow_redirects=True,
    )
    assert "Aún estamos comprobando algunas opciones" in begun.text
    form = re.search(r'<form id="settle".*?</form>', begun.text, re.DOTALL)
    assert form is not None
    assert 'hx-sync="#ask:abort"' in form.group()
    address = re.search(r'action="([^"]+)"', form.group())
    assert address is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.group()))
    for headers in ({}, {"HX-Request": "true"}):
        shown = client.post(
            html.unescape(address.group(1)), data=fields, headers=headers, follow_redirects=True
        )
        assert shown.status_code == 200
        assert "comprobando" not in shown.text


def test_the_api_settles(tight: Services) -> None:
    client = create_app(tight.settings, tight).test_client()
    begun = client.post("/api/v1/sessions", json={"product": "frame"}).json
    assert begun is not None
    headers = {"Authorization": f"Bearer {begun['token']}"}
    address = f"/api/v1/sessions/{begun['session']['session_id']}/settle"
    settled = client.post(address, json={"expected_seq": 1}, headers=headers)
    assert settled.status_code == 200, settled.text
    assert settled.json is not None
    assert not has_undecided(settled.json["session"]["view"])
    assert settled.json["seq"] == 2


def test_nothing_is_confirmed_that_was_never_shown(tight: Services) -> None:
    """Three of iron leave the rest no choice, which the first answer does not see yet: nor
    the guard that asks about it."""
    session = start(tight)
    for number in range(3):
        session = tight.sessions.choose(session.session_id, f"q{number}", "iron").session
    assert has_undecided(session.view)
    assert not session.view["guards"]
    with pytest.raises(UndecidedError):
        tight.sessions.commit(session.session_id)
    tight.sessions.settle(session.session_id)
    with pytest.raises(GuardsOpenError):
        tight.sessions.commit(session.session_id)
    tight.sessions.acknowledge(session.session_id, "soft")
    confirmed = tight.sessions.commit(session.session_id).session
    assert confirmed.status == "committed"
    assert "total" in confirmed.view["price"]


def test_no_key_of_a_request_stands_in_the_way_of_settling(tight: Services) -> None:
    session = start(tight)
    tight.sessions.choose(session.session_id, "q0", "alloy", key="settle-2")
    assert tight.sessions.settle(session.session_id).session.seq == 3
    own = tight.trail.events(session.session_id)[-1].key
    assert WriteHeaders().validate({"Idempotency-Key": own})


def test_settling_is_safe_to_repeat(tight: Services) -> None:
    session = start(tight)
    settled = tight.sessions.settle(session.session_id, expected_seq=1, key="once")
    tight.sessions.choose(session.session_id, "q0", "iron")
    tight.sessions.settle(session.session_id)
    again = tight.sessions.settle(session.session_id, expected_seq=1, key="once")
    assert again.replayed
    assert (again.session.seq, again.change) == (settled.session.seq, settled.change)
    with pytest.raises(KeyReusedError):
        tight.sessions.choose(session.session_id, "q1", "iron", key="once")
    with pytest.raises(SequenceConflictError):
        tight.sessions.settle(session.session_id, expected_seq=2)
    with pytest.raises(SequenceConflictError):
        tight.sessions.settle(session.session_id, expected_seq=2, key="other")
