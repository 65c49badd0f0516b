"""The shop over the real service: rules compiled, answers exact, every act in the trail."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from configurator.app import Services, create_app
from configurator.settings import Settings
from tests.shop.test_pages import text_of


class Customer:
    """Somebody configuring the lamp by plain forms."""

    def __init__(self, client: FlaskClient, locale: str = "en") -> None:
        self.client = client
        headers = {"Accept-Language": locale}
        page = client.get("/", headers=headers).text
        response = client.post(
            "/p/lamp/start", data={"csrf_token": self._token(page)}, headers=headers
        )
        assert response.status_code == 303, response.text
        self.session_id = response.headers["Location"].split("/")[2]

    @staticmethod
    def _token(page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None
        return found.group(1)

    def open(self, path: str) -> str:
        response = self.client.get(f"/s/{self.session_id}/{path}")
        assert response.status_code == 200, (path, response.status_code, response.text)
        return response.text

    def form(self, at: str) -> dict[str, str]:
        """What every form of a page carries."""
        page = self.open(at)
        carried = {"csrf_token": self._token(page)}
        for name in ("seq", "key", "at"):
            found = re.search(rf'name="{name}" value="([^"]*)"', page)
            assert found is not None, name
            carried[name] = found.group(1)
        return carried

    def send(self, act: str, at: str, **fields: str) -> Any:
        response = self.client.post(f"/s/{self.session_id}/{act}", data={**self.form(at), **fields})
        assert response.status_code in (303, 422), (response.status_code, response.text)
        return response


@pytest.fixture
def client(settings: Settings, services: Services) -> FlaskClient:
    return create_app(dataclasses.replace(settings, testing=True), services).test_client()


def test_a_lamp_from_the_catalogue_to_the_trail(client: FlaskClient, services: Services) -> None:
    assert "from €33.00" in text_of(client.get("/", headers={"Accept-Language": "en"}).text)
    customer = Customer(client)
    customer.send("choose", "body", slot="mount", answer="clamp")
    page = customer.open("body")
    assert "Possible with one change" in text_of(page.split('value="long"')[1])
    refused = customer.send("choose", "body", slot="arm", answer="long")
    why = client.get(refused.headers["Location"]).text
    assert "“Arm: Long” does not go with “Mount: Clamp”" in text_of(why)
    assert "A long arm tips a clamp over." in text_of(why)
    address = refused.headers["Location"].partition(f"{customer.session_id}/")[2]
    mended = customer.send(
        "repair", address, slot="arm", answer="long", index="0", refusal=address.split("=")[-1]
    )
    assert mended.status_code == 303, mended.text
    assert "Now: “Mount: Foot”, “Arm: Long”." in text_of(customer.open("body"))
    customer.send("choose", "body", slot="arm", answer="short")
    customer.send("choose", "light", slot="width", answer="1 800 mm".replace("1 800 mm", "200 cm"))
    page = text_of(customer.open("light"))
    assert "A short arm does not reach the middle of a desk this wide." in page
    customer.send("choose", "light", slot="dimmer", answer="yes")
    assert "It comes with “Dimmer: Yes”." in text_of(customer.open("light"))
    finished = customer.send("finish", "light")
    assert finished.headers["Location"].endswith("/review"), finished.text
    held_back = customer.send("commit", "review")
    assert held_back.status_code == 422, held_back.headers
    customer.send(
        "acknowledge", "review", guard="short-on-wide-desk", understood="yes", reason="I know."
    )
    assert customer.send("commit", "review").headers["Location"].endswith("/done")
    done = text_of(customer.open("done"))
    session = services.sessions.get(customer.session_id)
    assert session.code in done
    assert session.status == "committed"
    kinds = [event.kind for event in services.trail.events(customer.session_id)]
    assert kinds == [
        "SessionStarted",
        "ValueChosen",
        "ChoiceRefused",
        "RepairAccepted",
        "ValueChosen",
        "ValueChosen",
        "ValueChosen",
        "ProposalsAccepted",
        "GuardAcknowledged",
        "ConfigurationCommitted",
    ]
    assert services.trail.verify(customer.session_id).ok


def test_a_reason_is_kept_as_one_line_that_can_be_shown(
    client: FlaskClient, services: Services
) -> None:
    customer = Customer(client)
    customer.send("choose", "body", slot="arm", answer="short")
    customer.send("choose", "light", slot="width", answer="200")
    typed = " Mine,\r\nnot\x00\x1b[2J\x9b2Jyours\u202e. "
    guard = "short-on-wide-desk"
    customer.send("acknowledge", "light", guard=guard, understood="yes", reason=typed)
    kept = services.sessions.get(customer.session_id).acknowledged[guard]["reason"]
    assert kept == "Mine, not [2J 2Jyours ."


@pytest.mark.parametrize(("refusal", "index"), [("9" * 30, "0"), ("3", "9" * 30), ("-1", "-1")])
def test_a_repair_of_a_number_that_nothing_has(
    client: FlaskClient, refusal: str, index: str
) -> None:
    customer = Customer(client)
    customer.send("choose", "body", slot="mount", answer="clamp")
    customer.send("choose", "body", slot="arm", answer="long")
    form = {"csrf_token": customer._token(customer.open("body"))}
    repair = f"/s/{customer.session_id}/repair"
    answer = client.post(repair, data={**form, "refusal": refusal, "index": index})
    assert 400 <= answer.status_code < 500


def test_too_many_configurations_from_one_address(client: FlaskClient) -> None:
    client.application.config["API_START_LIMIT"] = "2 per minute"
    form = {"csrf_token": Customer._token(client.get("/").text)}
    answers = [client.post("/p/lamp/start", data=form).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert client.post("/p/lamp/start", data=form).status_code == 429
    assert client.post("/api/v1/sessions", json={"product": "lamp"}).status_code == 429


def test_a_stale_page_and_a_retry(client: FlaskClient, services: Services) -> None:
    customer = Customer(client)
    page = customer.open("body")
    form = {
        name: re.search(rf'name="{name}" value="([^"]*)"', page).group(1)  # type: ignore[union-attr]
        for name in ("csrf_token", "seq", "key", "at")
    }
    address = f"/s/{customer.session_id}/choose"
    first = client.post(address, data={**form, "slot": "mount", "answer": "foot"})
    again = client.post(address, data={**form, "slot": "mount", "answer": "foot"})
    assert (first.status_code, again.status_code) == (303, 303)
    stale = client.post(address, data={**form, "key": "another", "slot": "arm", "answer": "long"})
    assert stale.status_code == 409
    assert "moved on in another window" in text_of(stale.text)
    assert len(services.trail.events(customer.session_id)) == 2


def test_the_policy_is_strict(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
