"""The desk shows what the trail holds: no more, no less."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from werkzeug.test import TestResponse

from configurator.app import Services
from configurator.session import sessions
from configurator.session.state import State, apply
from configurator.session.view import view_of
from configurator.settings import Settings
from tests.conftest import LAMP, files_of
from tests.web.conftest import ApiSession, csrf_of

Json = dict[str, Any]


@pytest.fixture
def told(client: FlaskClient) -> ApiSession:
    """A configuration with a refusal, a repair, a guard and an end."""
    session = ApiSession(client, language="es")
    session.choose("mount", "clamp")  # 2
    refused = session.choose("arm", "long")  # 3
    session.post("accept-repair", {"refusal_seq": refused["refusal"]["seq"], "index": 0})  # 4
    session.post("undo")  # 5
    session.choose("arm", "short")  # 6
    session.choose("width", "200")  # 7, the guard speaks
    session.post("acknowledge", {"guard": "short-on-wide-desk", "reason": "Me vale"})  # 8
    session.choose("bulb", "large")  # 9
    session.post("finish")  # 10
    assert session.post("commit").status_code == 200  # 11
    return session


@pytest.fixture
def desk(member: Callable[[str], FlaskClient]) -> FlaskClient:
    """Support, signed in."""
    return member("support")


def words(response: TestResponse) -> str:
    """A page as it reads, tags taken out."""
    body = re.sub(r"<(svg|head)\b.*?</\1>", " ", response.get_data(as_text=True), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def page(client: FlaskClient, path: str, lang: str = "en") -> str:
    response = client.get(path, query_string={"lang": lang})
    assert response.status_code == 200, response.get_data(as_text=True)
    return words(response)


def address(session: ApiSession, path: str = "") -> str:
    return f"/desk/configurations/{session.id}{path}"


# --- finding ------------------------------------------------------------------------


def find(client: FlaskClient, code: str) -> TestResponse:
    form = {"code": code, "csrf_token": csrf_of(client.get("/desk/"))}
    return client.post("/desk/", data=form)


def test_a_spoken_code_finds_its_configuration(desk: FlaskClient, told: ApiSession) -> None:
    code = told.state["code"]
    spoken = [code, code.lower(), code.replace("-", " "), f"  {code.replace('-', '')} "]
    for each in [*spoken, code.replace("0", "O").replace("1", "l")]:
        assert find(desk, each).location == address(told)


def test_codes_that_find_nothing_say_why(desk: FlaskClient, told: ApiSession) -> None:
    code = told.state["code"]
    mistyped = code[:-1] + ("2" if code[-1] != "2" else "3")
    for bad in ("", "x", mistyped, "<script>", "é" * 50):
        answer = find(desk, bad)
        assert answer.status_code == 422
        assert "K7PM-3QXA" in words(answer)
        assert "<script>" not in answer.get_data(as_text=True)


def test_a_code_nobody_has_is_not_found(desk: FlaskClient, told: ApiSession, app: Flask) -> None:
    from configurator.trail import new_code

    assert find(desk, new_code()).status_code == 404


def test_guessing_codes_is_slowed_down(desk: FlaskClient, app: Flask) -> None:
    form = {"code": "x", "csrf_token": csrf_of(desk.get("/desk/"))}
    codes = [desk.post("/desk/", data=form).status_code for _ in range(31)]
    assert codes == [422] * 30 + [429]


@pytest.mark.parametrize("path", ["", "/steps/1", "/steps", "/verification"])
def test_configurations_there_are_not(desk: FlaskClient, path: str) -> None:
    for session_id in ("nobody", "%00", "x" * 500):
        assert desk.get(f"/desk/configurations/{session_id}{path}").status_code in (303, 404)


@pytest.mark.parametrize("seq", ["0", "12", "-1", "x", "9" * 400, "１"])
def test_steps_there_are_not(desk: FlaskClient, told: ApiSession, seq: str) -> None:
    assert desk.get(address(told, f"/steps/{seq}")).status_code == 404


# --- how it went --------------------------------------------------------------------


def test_the_timeline_tells_every_event(desk: FlaskClient, told: ApiSession) -> None:
    read = page(desk, address(told))
    for sentence in (
        "Started the configuration",
        "Chose “Mount: Clamp”",
        "Tried “Arm: Long”: refused, with the reason and one repair",
        "Accepted repair 1 of step 3: “",
        "Undid the last step",
        "Acknowledged “A short arm does not reach the middle of a desk this wide.”, "
        "because: Me vale",
        "Let us finish with what was proposed",
        "Confirmed the configuration",
        "The trail is whole: no step changed, none missing",
    ):
        assert sentence in read
    assert "Acknowledged, because: Me vale" in read
    spanish = page(desk, address(told), "es")
    assert "Un brazo corto no llega al centro de una mesa tan ancha." in spanish
    assert "El historial está entero" in spanish


def test_every_step_shows_the_view_that_was_stored(desk: FlaskClient, told: ApiSession) -> None:
    for seq in range(1, 12):
        view = told.get(f"/events/{seq}").get_json()["session"]["view"]
        read = page(desk, address(told, f"/steps/{seq}"))
        cents = view["price"].get("total", view["price"].get("lowest"))
        amount = f"{cents // 100},{cents % 100:02} €".replace(" ", "\u00a0")
        assert " ".join(amount.split()) in read, seq
        assert "Recorded and recomputed agree" in read
        assert f"{seq} of 11" in read


def in_the_form_of_0_1(view: Json) -> Json:
    """A view as 0.1 recorded it: every option with its own lowest total."""
    slots: Json = {}
    for name, slot in view["slots"].items():
        slots[name] = dict(slot)
        for answer, option in slot.get("options", {}).items():
            if "difference" in option:
                total = view["price"]["lowest"] + option["difference"]
                kept = {key: part for key, part in option.items() if key != "difference"}
                slots[name]["options"] = {
                    **slots[name]["options"],
                    answer: {**kept, "lowest": total},
                }
    return {**view, "slots": slots}


def test_what_an_older_version_recorded_shows_the_same_page(
    client: FlaskClient, desk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr(sessions, "ENGINE_VERSION", "0.1.0")
        then.setattr(sessions, "view_of", lambda *asked: in_the_form_of_0_1(view_of(*asked)))
        old = ApiSession(client, language="es")
        old.choose("mount", "clamp")
    read = page(desk, address(old, "/steps/2"))
    assert "The customer would see the same today" in read
    assert "Version 0.1.0 of this service recorded it in another form." in read
    assert "the same page" in page(desk, address(old, "/verification"))
    # and the session goes on
    old.choose("arm", "short")
    assert "Recorded and recomputed agree" in page(desk, address(old, "/steps/3"))


def test_the_customers_words_stay_in_the_customers_language(
    desk: FlaskClient, told: ApiSession
) -> None:
    response = desk.get(address(told, "/steps/2"), query_string={"lang": "en"})
    screen = re.search(
        r'<section class="phone" lang="es".*?</section>', response.get_data(as_text=True), re.S
    )
    assert screen
    read = html.unescape(re.sub(r"<[^>]+>", " ", screen.group()))
    assert "Pinza" in read
    assert "Elegido" in read
    assert "Chosen" not in read


def test_a_change_is_marked_with_what_it_was(desk: FlaskClient, told: ApiSession) -> None:
    response = desk.get(address(told, "/steps/2"), query_string={"lang": "en"})
    read = words(response)
    assert "What changed on the page, step 1 to 2" in read
    assert "Mount: Open → Chosen, Clamp" in read
    assert "≠" in read
    assert "Antes: Sin responder" in read
    first = page(desk, address(told, "/steps/1"))
    assert "≠ Dif" not in first


def test_a_refusal_shows_reasons_and_repairs_as_they_were(
    desk: FlaskClient, told: ApiSession
) -> None:
    read = page(desk, address(told, "/steps/3"))
    assert "Un brazo largo vence una pinza." in read
    assert "long-needs-foot" in read
    assert "Sujeción: Pinza → Pie" in read
    assert "«Brazo: Largo» no va con «Sujeción: Pinza»" in read
    assert "Only the reason and the repairs appeared." in read
    other = page(desk, address(told, "/steps/4"))
    assert "vence una pinza" not in other


def test_a_refusal_is_told_in_the_words_of_its_page(
    desk: FlaskClient, client: FlaskClient, services: Services
) -> None:
    because = "es: Un brazo largo vence una pinza."
    text = LAMP["product.yaml"].replace(because, 'es: "Con brazo «{arm}» se vence la «{mount}»."')
    text = text.replace(
        "name: {en: Colour, es: Color}",
        "name: {en: Colour, es: Color}\n            relevant when: mount = foot",
    )
    files = files_of({**LAMP, "product.yaml": text})
    assert services.catalogue.publish(files, by="tests").release is not None
    session = ApiSession(client, language="es")
    session.choose("mount", "clamp")  # 2
    session.choose("arm", "long")  # 3, refused by a rule
    read = page(desk, address(session, "/steps/3"))
    assert "La razón: Con brazo «Largo» se vence la «Pinza»." in read
    session.choose("mount", "foot")  # 4
    session.choose("colour", "red")  # 5
    session.choose("mount", "clamp")  # 6, refused by nothing but what is asked
    read = page(desk, address(session, "/steps/6"))
    assert "La razón: «Color» ya no se preguntaría." in read
    assert "Arreglo A · un cambio Color: sin respuesta" in read


def test_the_replay_holds_what_was_said_of_questions_and_options(
    desk: FlaskClient, client: FlaskClient, services: Services
) -> None:
    arm = "name: {en: Arm, es: Brazo}"
    said = """
            help: {en: It turns., es: Gira por completo.}
            doubts:
              - ask: {en: Does it squeak?, es: ¿Chirría?}
                answer: {en: No., es: Va engrasado.}
              - ask: {en: And the long one?, es: ¿Y el largo?}
                answer: {en: It takes a foot., es: Pide pie.}
                when: arm = long"""
    text = LAMP["product.yaml"].replace(arm, arm + said)
    text = text.replace("watts: {unit: W}", "watts: {unit: W, name: {en: Power, es: Potencia}}")
    files = files_of({**LAMP, "product.yaml": text})
    published = services.catalogue.publish(files, by="tests")
    assert published.release is not None, published.diagnostics
    session = ApiSession(client, language="es")
    session.choose("mount", "foot")  # 2
    session.choose("arm", "long")  # 3
    read = page(desk, address(session, "/steps/2"))
    assert "Gira por completo." in read
    assert "¿Chirría? Va engrasado." in read
    assert "Grande Potencia: 11 W" in read
    assert "¿Y el largo?" not in read
    assert "¿Y el largo? Pide pie." in page(desk, address(session, "/steps/3"))


def test_the_replay_shows_the_picture_as_it_was(
    desk: FlaskClient, client: FlaskClient, services: Services
) -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
        '<g class="layer" data-when="mount=foot"><rect width="7" height="2"/></g></svg>'
    )
    text = LAMP["product.yaml"].replace("owner:", "picture: picture.svg\n        owner:", 1)
    files = files_of({**LAMP, "product.yaml": text, "picture.svg": svg})
    published = services.catalogue.publish(files, by="tests")
    assert published.release is not None, published.diagnostics
    session = ApiSession(client, language="es")
    session.choose("mount", "foot")  # 2
    session.choose("mount", "clamp")  # 3
    drawn = [
        re.findall(r'<svg class="picture [^>]*>(.*?)</svg>', desk.get(address(session, path)).text)
        for path in ("/steps/1", "/steps/2", "/steps/3")
    ]
    assert [bool("".join(each)) for each in drawn] == [False, True, False]
    assert all(len(each) == 1 for each in drawn)


def test_what_changed_is_told_in_the_order_of_the_page(
    desk: FlaskClient, client: FlaskClient
) -> None:
    session = ApiSession(client, language="es")
    session.post("finish")
    told = page(desk, address(session, "/steps/2")).partition("What changed on the page")[2]
    names = ("Mount", "Arm", "Colour", "Bulb", "Dimmer")
    places = [told.index(f"{name}: ") for name in names if f"{name}: Open" in told]
    assert len(places) > 1
    assert places == sorted(places)


def test_what_was_filled_in_is_marked_until_it_is_kept(
    desk: FlaskClient, client: FlaskClient
) -> None:
    session = ApiSession(client, language="es")
    finished = session.post("finish").get_json()
    slot, answer = next(iter(finished["session"]["view"]["filled"].items()))
    session.choose(slot, answer)
    ours, kept = (desk.get(address(session, f"/steps/{seq}")) for seq in (2, 3))
    assert ours.text.count("Lo hemos puesto nosotros") > kept.text.count("Lo hemos puesto nosotros")
    told = page(desk, address(session, "/steps/3"))
    assert re.search("We filled this in, .* → Chosen, ", told), told
    assert "Antes: Lo hemos puesto nosotros, " in told
    assert "Nothing on the page changed" not in told


def test_guards_appear_when_they_were_said(desk: FlaskClient, told: ApiSession) -> None:
    sentence = "Un brazo corto no llega al centro de una mesa tan ancha."
    said = {seq: sentence in page(desk, address(told, f"/steps/{seq}")) for seq in (6, 7, 8)}
    assert said == {6: False, 7: True, 8: True}
    assert "Me vale" in page(desk, address(told, "/steps/8"))


def test_guards_of_the_review_page_are_not_told_as_shown(
    desk: FlaskClient, client: FlaskClient, services: Services
) -> None:
    """They are in force from the start, whether or not that page was opened."""
    late = LAMP["product.yaml"].replace(
        "guards:\n",
        """guards:
          - id: no-dimmer
            level: hint
            at: summary
            when: not dimmer
            say: {en: It cannot be dimmed., es: No se regula.}
            suggest: {dimmer: yes}
""",
    )
    files = files_of({"product.yaml": late})
    assert services.catalogue.publish(files, by="tests").release is not None
    session = ApiSession(client, language="es")
    assert "no-dimmer" in session.state["view"]["guards"]
    session.choose("width", "200")  # 2
    session.choose("arm", "short")  # 3, a guard at the choice speaks
    shown = page(desk, address(session))
    at_choice, _, on_review = shown.partition("Said on the review page")
    assert "Guards that were said at the choice A short arm does not reach" in at_choice
    assert "It cannot be dimmed." not in at_choice
    assert (
        "It cannot be dimmed. Hint · in force from step 1 · no-dimmer Still in force" in on_review
    )
    assert shown.count("a guard was said") == 1
    first = desk.get(address(session, "/steps/1"), query_string={"lang": "es"})
    assert "Se dice en el repaso · Consejo No se regula." in words(first)
    assert re.search(r'/steps/3"[^>]*>(?:(?!</a>).)*Siguiente aviso', first.get_data(as_text=True))

    session.choose("bulb", "large")  # 4
    session.choose("dimmer", "yes")  # 5
    assert "No longer on the review page: “It cannot be dimmed.”" in page(
        desk, address(session, "/steps/5")
    )
    assert "What it suggests was taken at step 5" in page(desk, address(session))


def test_steps_lead_to_each_other_without_scripts(desk: FlaskClient, told: ApiSession) -> None:
    first = desk.get(address(told, "/steps/1")).get_data(as_text=True)
    assert f'href="{address(told, "/steps/2")}"' in first
    assert f'href="{address(told, "/steps/3")}"' in first  # the next refusal
    assert f'href="{address(told, "/steps/7")}"' in first  # the next guard
    assert f'href="{address(told, "/steps/0")}"' not in first
    last = desk.get(address(told, "/steps/11")).get_data(as_text=True)
    assert f'href="{address(told, "/steps/12")}"' not in last
    slid = desk.get(address(told, "/steps"), query_string={"seq": "5"})
    assert slid.location == address(told, "/steps/5")


def test_a_later_release_changes_nothing_of_the_past(
    desk: FlaskClient, told: ApiSession, app: Flask, lamp: dict[str, bytes]
) -> None:
    before = [page(desk, address(told, f"/steps/{seq}")) for seq in (2, 3, 7)]
    changed = lamp["product.yaml"].replace(b"Pinza", b"Mordaza").replace(b"12.00", b"99.00")
    changed_lamp = {**lamp, "product.yaml": changed}
    changed_lamp.pop("scenarios.yaml")
    assert app.extensions["configurator"].catalogue.publish(changed_lamp, by="t").release
    assert [page(desk, address(told, f"/steps/{seq}")) for seq in (2, 3, 7)] == before


def test_verification_compares_every_step(desk: FlaskClient, told: ApiSession) -> None:
    response = desk.get(address(told, "/verification"), query_string={"lang": "en"})
    assert "Recorded and recomputed agree at every step" in words(response)
    assert response.get_data(as_text=True).count(">the same<") == 11


def test_a_step_that_was_tampered_with_is_named(
    desk: FlaskClient, told: ApiSession, settings: Settings
) -> None:
    database = create_engine(settings.database_url)
    with database.begin() as connection:
        triggers = connection.execute(
            text("select name from sqlite_master where type = 'trigger'")
        ).scalars()
        for name in list(triggers):
            connection.execute(text(f"drop trigger {name}"))
        record = connection.execute(
            text("select record from event where session_id = :id and seq = 7"), {"id": told.id}
        ).scalar_one()
        connection.execute(
            text("update event set record = :record where session_id = :id and seq = 7"),
            {"id": told.id, "record": bytes(record).replace(b'"200"', b'"201"')},
        )
    database.dispose()
    for path in ("", "/steps/7", "/verification"):
        assert "The trail is not whole from step 7 on" in page(desk, address(told, path))
    assert "not to be relied on" in page(desk, address(told, "/verification"))


def test_texts_of_the_customer_are_shown_as_text(desk: FlaskClient, client: FlaskClient) -> None:
    session = ApiSession(client)
    session.choose("arm", "short")
    session.choose("width", "200")
    reason = "<img src=x onerror=alert(1)>{{7*7}}"
    session.post("acknowledge", {"guard": "short-on-wide-desk", "reason": reason})
    for path in ("", "/steps/4", "/verification"):
        body = desk.get(address(session, path)).get_data(as_text=True)
        assert "<img src=x" not in body
        assert "49" not in re.findall(r"because: (\S+)", body)
        assert html.escape(reason, quote=False).split("{")[0] in body


def test_verifying_follows_each_step_a_few_times_whatever_their_number(
    lamp_session: ApiSession, desk: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        lamp_session.choose("colour", ("red", "black")[number % 2])
    followed = []

    def counted(state: State, kind: str, payload: Json) -> State:
        followed.append(kind)
        return apply(state, kind, payload)

    monkeypatch.setattr("configurator.session.sessions.apply", counted)
    page = desk.get(address(lamp_session, "/verification"))
    assert page.status_code == 200
    assert len(followed) <= 3 * 41
