"""What cannot be taken back is confirmed before the order, in every channel, on record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from configurator.app import Services
from configurator.session import IrreversibleOpenError, NotIrreversibleError
from configurator.trail import TrailUnavailableError
from tests.conftest import LAMP, files_of
from tests.shop.test_real import Customer
from tests.web.conftest import ApiSession
from tests.web.test_desk import address, page

RED = "red: {name: {en: Red, es: Rojo}, price: 5.00"
PAINTED = "irreversible: {en: Painted to order., es: Se pinta por encargo.}"


@pytest.fixture
def painted(services: Services) -> Services:
    """A service whose lamp cannot be returned in red, nor with a hook."""
    text = LAMP["product.yaml"].replace(RED, f"{RED}, {PAINTED}")
    text = text.replace("es: Gancho}, price: 2.00", f"es: Gancho}}, price: 2.00, {PAINTED}")
    published = services.catalogue.publish(files_of({**LAMP, "product.yaml": text}), by="tests")
    assert published.release is not None, published.diagnostics
    return services


def whole(session: ApiSession, colour: str, hooks: str = "0") -> None:
    """Everything answered."""
    session.choose("colour", colour)
    session.choose("extras.hook", hooks)
    session.post("choose", {"slot": "bulb", "answer": "large"})
    assert session.post("finish").get_json()["session"]["view"]["complete"]


def test_a_session_is_not_committed_before_all_of_it_is_confirmed(painted: Services) -> None:
    sessions = painted.sessions
    started = sessions.start("lamp", locale="en").session.session_id
    sessions.choose(started, "colour", "red")
    sessions.accept_proposals(started)
    sessions.choose(started, "extras.hook", "2")
    with pytest.raises(IrreversibleOpenError) as refused:
        sessions.commit(started)
    assert refused.value.slots == ("colour", "extras.hook")
    with pytest.raises(NotIrreversibleError):
        sessions.acknowledge_irreversible(started, ("mount",))
    with pytest.raises(NotIrreversibleError):
        sessions.acknowledge_irreversible(started, ())
    known = sessions.acknowledge_irreversible(started, ("colour",)).session
    assert known.view["irreversible"] == {"colour": "red"}
    with pytest.raises(IrreversibleOpenError) as refused:
        sessions.commit(started)
    assert refused.value.slots == ("extras.hook",)
    # another quantity is another answer: it is asked again; the first one still counts
    sessions.acknowledge_irreversible(started, ("extras.hook",))
    assert (
        "extras.hook"
        not in sessions.choose(started, "extras.hook", "1").session.view["irreversible"]
    )
    back = sessions.undo(started).session
    assert back.view["irreversible"] == {"colour": "red", "extras.hook": "2"}
    assert sessions.get(started).view == back.view
    assert sessions.recompute(back) == back.view
    assert sessions.commit(started).session.status == "committed"
    assert painted.trail.verify(started).ok


def test_nothing_irreversible_asks_for_nothing(painted: Services) -> None:
    started = painted.sessions.start("lamp", locale="en").session.session_id
    painted.sessions.accept_proposals(started)
    done = painted.sessions.commit(started).session
    assert done.status == "committed"
    assert "irreversible" not in done.view


def test_the_api_asks_for_it_and_the_desk_shows_it(
    painted: Services, client: FlaskClient, member: Callable[[str], FlaskClient]
) -> None:
    session = ApiSession(client, language="es")
    whole(session, "red")
    refused = session.post("commit")
    problem = refused.get_json()
    assert (refused.status_code, problem["code"]) == (409, "irreversible-open")
    assert problem["slots"] == ["colour"]
    wrong = session.post("acknowledge-irreversible", {"slots": ["mount"]})
    assert (wrong.status_code, wrong.get_json()["code"]) == (409, "not-irreversible")
    assert session.post("acknowledge-irreversible", {"slots": []}).status_code == 422
    said = session.post("acknowledge-irreversible", {"slots": ["colour"]}, key="k").get_json()
    again = session.post("acknowledge-irreversible", {"slots": ["colour"]}, key="k").get_json()
    assert said == again
    assert said["change"] == {"irreversible": {"colour": "red"}}
    assert session.post("commit").status_code == 200
    event = session.get(f"/events/{said['seq']}").get_json()["event"]
    assert event["kind"] == "IrreversibleAcknowledged"
    assert event["payload"] == {"answers": [["colour", "red"]]}
    shown = page(member("support"), address(session, f"/steps/{said['seq']}"))
    assert "Confirmed that this cannot be changed later: “Colour" in shown
    assert "El cliente confirmó que no se puede cambiar después" in shown  # as its page was read
    assert "Recorded and recomputed agree" in shown


def test_the_shop_records_the_tick_before_the_order(painted: Services, client: FlaskClient) -> None:
    customer = Customer(client)
    customer.send("choose", "body", slot="colour", answer="red")
    customer.send("finish", "review")
    assert customer.send("commit", "review").status_code == 422
    assert "you have not confirmed that" in customer.send("commit", "review").text
    ticked = customer.send("commit", "review", irreversible="colour")
    assert ticked.headers["Location"].endswith("/done")
    kinds = [each.kind for each in painted.trail.events(customer.session_id)]
    assert kinds[-2:] == ["IrreversibleAcknowledged", "ConfigurationCommitted"]


def test_an_order_whose_second_half_was_not_stored_can_be_sent_again(
    painted: Services, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = Customer(client)
    customer.send("choose", "body", slot="colour", answer="red")
    customer.send("finish", "review")
    form = {**customer.form("review"), "irreversible": "colour"}
    address = f"/s/{customer.session_id}/commit"

    def full(*_: object, **__: object) -> None:
        raise TrailUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(painted.sessions, "commit", full)
        assert client.post(address, data=form).status_code == 503
    for _ in range(2):
        assert client.post(address, data=form).headers["Location"].endswith("/done")
    kinds = [each.kind for each in painted.trail.events(customer.session_id)]
    assert kinds[-2:] == ["IrreversibleAcknowledged", "ConfigurationCommitted"]
