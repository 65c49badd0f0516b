"""Looking at what a choice would do: below the option, in the API, in the replay."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask.testing import FlaskClient

from configurator.app import Services
from tests.shop.test_pages import text_of
from tests.shop.test_real import Customer
from tests.web.conftest import ApiSession
from tests.web.test_desk import address, page


def test_the_api_shows_it_and_no_choice_changes(lamp_session: ApiSession) -> None:
    session = lamp_session
    before = session.get().get_json()
    wanted = {"slot": "dimmer", "answer": "yes"}
    shown = session.post("preview", wanted, key="k").get_json()
    assert shown["consequences"] == {
        "wanted": ["dimmer", "yes"],
        "forces": [["bulb", "large"]],
        "difference": 2050,
    }
    assert session.post("preview", wanted, key="k").get_json() == shown
    assert (shown["seq"], shown["change"]) == (before["seq"] + 1, {})
    assert shown["session"]["view"] == before["view"]
    assert shown["session"]["choices"] == []
    assert not shown["session"]["can_undo"]
    session.choose("mount", "clamp")
    refused = session.post("preview", {"slot": "arm", "answer": "long"})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "nothing-to-preview")
    assert session.post("preview", {"slot": "arm", "answer": "jelly"}).status_code == 422
    assert session.get("/verification").get_json() == {"ok": True}


def test_the_desk_replays_what_was_shown(
    lamp_session: ApiSession, member: Callable[[str], FlaskClient]
) -> None:
    shown = lamp_session.post("preview", {"slot": "dimmer", "answer": "yes"}).get_json()
    seen = page(member("support"), address(lamp_session, f"/steps/{shown['seq']}"))
    assert "Looked at what “Dimmer: Yes” would change" in seen
    assert "Trae «Bombilla: Grande»" in seen  # in the customer's language
    assert "Recorded and recomputed agree" in seen


def test_the_panel_opens_below_the_option_without_script(
    client: FlaskClient, services: Services
) -> None:
    customer = Customer(client)
    response = customer.send("preview", "light", slot="dimmer", answer="yes")
    where = response.headers["Location"]
    assert "preview=2" in where
    shown = text_of(client.get(where).text)
    assert "If you choose it Dimmer: Yes" in shown
    assert "It brings “Bulb: Large”" in shown
    assert "Lowest price: +€20.50" in shown
    # a reload says the same; a choice makes it out of date
    assert text_of(client.get(where).text).count("If you choose it") == 1
    customer.send("choose", "light", slot="bulb", answer="large")
    assert "If you choose it" not in client.get(where).text
    kinds = [each.kind for each in services.trail.events(customer.session_id)]
    assert kinds == ["SessionStarted", "ConsequencesShown", "ValueChosen"]


def test_a_typed_number_can_be_looked_at(client: FlaskClient) -> None:
    customer = Customer(client)
    customer.send("choose", "body", slot="arm", answer="short")
    where = customer.send("preview", "light", slot="width", answer="180").headers["Location"]
    shown = client.get(where).text
    assert "If you choose it" in text_of(shown)
    assert re.search(r'id="in-width"[^>]*value="180"', shown), "what was typed is still there"
    assert "What changes?" in shown
    customer.send("choose", "light", slot="width", answer="180")
    assert "is-mine" in customer.open("light")
    where = customer.send("preview", "light", slot="width", answer="120").headers["Location"]
    shown = client.get(where).text
    assert "is-mine" not in shown
    assert "It is still 180 cm" in text_of(shown)
    refused = customer.send("preview", "light", slot="width", answer="1")
    assert (refused.status_code, "in-width" in refused.text) == (422, True)


def test_what_needs_changes_is_explained_instead(client: FlaskClient) -> None:
    customer = Customer(client)
    customer.send("choose", "body", slot="mount", answer="clamp")
    sent = customer.send("preview", "body", slot="arm", answer="long")
    assert "/why?slot=arm&answer=long" in sent.headers["Location"]


def test_with_htmx_it_comes_in_place(client: FlaskClient) -> None:
    customer = Customer(client)
    client.environ_base["HTTP_HX_REQUEST"] = "true"
    part = client.post(
        f"/s/{customer.session_id}/preview",
        data={"slot": "arm", "answer": "long", "at": "body", "csrf_token": _token(customer)},
    )
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "What “Arm: Long” would change is below it." in text_of(part.text)
    assert "It brings “Mount: Foot”" in text_of(part.text)


def _token(customer: Customer) -> str:
    del customer.client.environ_base["HTTP_HX_REQUEST"]
    token = Customer._token(customer.open("body"))
    customer.client.environ_base["HTTP_HX_REQUEST"] = "true"
    return token
