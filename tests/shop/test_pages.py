"""The shop without script: every page, every act, every way it can go wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import RequestEntityTooLarge, TooManyRequests

from configurator.web.shop.wording import Wording
from tests.shop.conftest import FakeSessions, Shopper, make_app
from tests.shop.fake import PRODUCT, both


def text_of(page: str) -> str:
    """What a person reads: no tags, spaces made one."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ")


def card(page: str, name: str) -> str:
    """The card of an option, from its opening to the next one."""
    cards = page.split('<div class="opt')
    found = [each for each in cards if re.search(rf'-t">{re.escape(name)}<', each)]
    assert found, f"no card {name}"
    return found[0]


# --- catalogue ---------------------------------------------------------------------------


def test_the_catalogue_says_name_description_and_lowest_price(client: FlaskClient) -> None:
    english = text_of(client.get("/", headers={"Accept-Language": "en"}).text)
    assert "Kite" in english
    assert "It flies high." in english
    assert "from €106.00" in english
    spanish = text_of(client.get("/", headers={"Accept-Language": "es"}).text)
    assert "Cometa" in spanish
    assert "desde 106,00 €" in spanish


def test_what_was_begun_can_be_carried_on(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    page = shopper.client.get("/").text
    assert f'href="/s/{shopper.session_id}/"' in page
    assert "K7PM-3QXA" in page


def test_all_that_was_begun_is_found_again(shopper: Shopper) -> None:
    begun = [shopper, *(Shopper(shopper.client) for _ in range(5))]
    page = shopper.client.get("/").text
    near, _, older = page.partition("<details>")
    for each in begun:
        place = older if each in begun[:2] else near
        assert f'href="/s/{each.session_id}/"' in place


def test_beginning_many_times_forgets_what_holds_no_choice(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    empty = [Shopper(shopper.client) for _ in range(15)]
    page = shopper.client.get("/").text
    assert f'href="/s/{shopper.session_id}/"' in page
    assert f'href="/s/{empty[0].session_id}/"' not in page
    for each in empty[-11:]:
        each.choose("shape", "box")
    Shopper(shopper.client)
    page = shopper.client.get("/").text
    assert f'href="/s/{shopper.session_id}/"' not in page, "only twelve can be kept"


def test_what_was_confirmed_is_found_again(compradora: Shopper) -> None:
    finished(compradora)
    compradora.send("commit", at="review")
    page = compradora.client.get("/", headers=compradora.headers).text
    carry_on, _, confirmed = page.partition("Lo que confirmaste")
    address = f'href="/s/{compradora.session_id}/"'
    assert address in confirmed
    assert "K7PM-3QXA · Confirmada" in text_of(confirmed)
    assert address not in carry_on
    assert "Sigue donde lo dejaste" not in page


def test_an_unknown_product_is_not_begun(client: FlaskClient, sessions: FakeSessions) -> None:
    from configurator.catalogue import UnknownProductError

    def start(product: str, **_: object) -> None:
        raise UnknownProductError(product)

    sessions.start = start  # type: ignore[method-assign,assignment]
    response = client.post("/p/boat/start")
    assert response.status_code == 404
    assert 'href="/"' in response.text


# --- a step ------------------------------------------------------------------------------


def test_a_step_shows_its_questions_with_prices_said_twice(shopper: Shopper) -> None:
    page = shopper.open("sail")
    box = text_of(card(page, "Box"))
    assert "+€20.00" in box or "+€30.00" in box
    assert "from €1" in box
    assert "We propose this one" in text_of(card(page, "Delta"))
    assert "Your choice" not in text_of(card(page, "Delta"))


def test_options_have_small_pictures_where_these_differ(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    assert 'class="thumb"' in card(shopper.open("sail"), "Box")
    assert 'class="thumb"' not in card(shopper.open("extras"), "Yes")
    shopper.choose("shape", "delta")
    assert 'class="thumb"' in card(shopper.open("extras"), "Yes")
    assert 'class="thumb"' in card(shopper.open("extras"), "No")


@pytest.mark.parametrize(("named", "seen"), [("tails", False), ("bag", True)])
def test_only_the_first_question_does_without_a_heading_like_its_step(
    shopper: Shopper, sessions: FakeSessions, named: str, seen: bool
) -> None:
    session = sessions.get(shopper.session_id)
    variables = tuple(
        replace(each, name=both("Extras", "Extras")) if each.id == named else each
        for each in PRODUCT.variables
    )
    product = replace(PRODUCT, variables=variables)
    sessions.kept[shopper.session_id] = replace(session, product=product)
    heading = re.search(rf'<h2 class="([^"]*)"[^>]*id="q-{named}-name"', shopper.open("extras"))
    assert heading is not None
    assert (heading.group(1) != "vh") is seen


def test_an_option_that_needs_changes_reads_like_the_others_and_says_how_many(
    shopper: Shopper,
) -> None:
    shopper.choose("shape", "ring")
    silk = card(shopper.open("sail"), "Silk")
    assert "Possible with one change" in text_of(silk)
    button = re.search(r"<button[^>]*class=\"pick\"[^>]*>", silk)
    assert button is not None
    assert "disabled" not in button.group()
    assert "/why?slot=cloth&amp;answer=silk" in silk


def test_choosing_goes_back_to_the_question_and_marks_the_choice(shopper: Shopper) -> None:
    response = shopper.choose("shape", "box")
    assert response.status_code == 303
    assert response.headers["Location"].endswith("/sail#q-shape")
    box = card(shopper.open("sail"), "Box")
    assert 'aria-checked="true"' in box
    assert "Your choice" in text_of(box)


def test_what_follows_says_what_brings_it_and_can_still_be_questioned(shopper: Shopper) -> None:
    shopper.choose("shape", "box")
    page = shopper.open("extras")
    assert "It comes with “Shape: Box”." in text_of(page)
    assert "A box travels in a bag." in text_of(page)
    assert "What if I want another?" in page
    assert "Possible with one change" in text_of(card(page, "No"))


def test_numbers_say_what_can_be_had(compradora: Shopper) -> None:
    compradora.choose("shape", "ring")
    page = text_of(compradora.open("sail"))
    assert "Puedes elegir de 60 a 70 cm." in page
    assert "Escribe otro valor y te decimos qué pide." in page
    compradora.choose("span", " 70 cm ")
    assert 'value="70"' in compradora.open("sail")


def test_several_of_counts_and_is_closed_at_once(shopper: Shopper, sessions: FakeSessions) -> None:
    shopper.choose("tails.long", "2", at="extras")
    page = shopper.open("extras")
    assert re.search(r"<output[^>]*>2</output>", page)
    response = shopper.send("choose-many", slot="tails", at="extras")
    assert response.status_code == 303
    choices = {c.slot: c.answer for c in sessions.get(shopper.session_id).choices}
    assert choices == {"tails.long": "2", "tails.bow": "0"}
    assert "Settled" in shopper.open("extras")
    assert "Long ×\u00a02" in shopper.open("review")
    shopper.choose("tails.long", "1", at="extras")
    review = shopper.open("review")
    assert "Long" in review
    assert "×" not in review


def test_a_text_and_nothing_at_all(shopper: Shopper, sessions: FakeSessions) -> None:
    shopper.choose("name", "Ana", at="extras")
    page = shopper.open("extras")
    assert 'value="Ana"' in page
    assert "entrybox is-mine" in page
    shopper.choose("name", "none", at="extras")
    page = shopper.open("extras")
    assert "entrybox is-mine" not in page, "the option beside the field is the choice"
    assert "Your choice" in text_of(page)
    assert sessions.get(shopper.session_id).choices[-1].answer == "none"


def test_an_answer_the_question_does_not_know_is_said_beside_it(shopper: Shopper) -> None:
    response = shopper.choose("span", "75,5 palmos")
    assert response.status_code == 422
    assert "is not an option." in text_of(response.text)
    assert 'aria-invalid="true"' in response.text
    assert 'value="75,5 palmos"' in response.text


def test_what_was_refused_does_not_pass_for_the_choice(compradora: Shopper) -> None:
    compradora.choose("span", "70")
    assert "entrybox is-mine" in compradora.open("sail")
    page = compradora.send("choose", slot="span", answer="75").text
    assert 'value="75"' in page
    box = text_of(page.partition('class="entrybox')[2].partition("</section>")[0])
    assert "entrybox is-mine" not in page
    assert "Sigue siendo 70 cm" in box
    assert "Tu elección" not in box


def test_forms_lead_to_their_question_and_limits_say_the_steps(shopper: Shopper) -> None:
    page = shopper.open("sail")
    address = f"/s/{shopper.session_id}"
    for act in ("choose", "preview", "withdraw"):
        assert page.count(f'action="{address}/{act}#q-span"') >= 1, act
        assert f'hx-post="{address}/{act}"' in page, "htmx needs no place"
    assert f'action="{address}/choose-many#q-tails"' in shopper.open("extras")
    assert "You can have 60 to 90 cm. In steps of 10 cm." in text_of(page)


def test_withdraw_undo_redo_and_reset(shopper: Shopper, sessions: FakeSessions) -> None:
    def choices() -> list[str]:
        return [choice.slot for choice in sessions.get(shopper.session_id).choices]

    shopper.choose("shape", "box")
    shopper.choose("span", "70")
    shopper.send("withdraw", slot="span")
    assert choices() == ["shape"]
    page = shopper.open("sail")
    assert "“Span” is open again." in text_of(page)
    assert "Redo</button>" not in page
    shopper.send("undo")
    assert choices() == ["shape", "span"]
    page = shopper.open("sail")
    assert "Redo</button>" in page
    assert "Back to “Span: 70 cm”. Total from €137.00." in text_of(page)
    shopper.send("redo")
    assert choices() == ["shape"]
    assert "Open again: “Span”. Total from €136.00." in text_of(shopper.open("sail"))
    shopper.send("reset")
    assert choices() == []
    shopper.send("undo")
    assert choices() == ["shape"]


def test_undoing_says_what_is_now_in_few_words(compradora: Shopper) -> None:
    compradora.choose("bag", "no", at="extras")
    compradora.choose("cloth", "cotton")
    compradora.choose("cloth", "cotton")
    compradora.send("withdraw", slot="cloth")
    undone = text_of(compradora.send("undo", htmx=True).text)
    assert undone.count("De vuelta a «Tela: Algodón». Total desde 106,00 €.") == 2  # and aloud
    compradora.send("undo")
    page = text_of(compradora.open("sail"))
    assert "De vuelta a «Tela: Algodón». Total" in page, "it follows from the bag"
    compradora.send("finish")
    compradora.send("undo")
    page = text_of(compradora.open("sail"))
    assert "Otra vez sin decidir: «Forma», «Ancho», «Colas». Total desde" in page
    compradora.send("redo")
    page = text_of(compradora.open("sail"))
    assert "De vuelta a «Forma: Delta», «Ancho: 60 cm», «Colas: Larga, sin llevar»" in page
    assert "y 1 más. Total desde 106,00 €." in page


def test_nothing_to_undo_is_said_kindly(shopper: Shopper) -> None:
    response = shopper.send("undo")
    assert response.status_code == 409
    assert "There is no step to go back to." in text_of(response.text)


# --- why, and repairs -----------------------------------------------------------------------


def test_a_refusal_has_its_own_page_with_causes_reason_and_repairs(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    response = shopper.choose("cloth", "silk")
    address = response.headers["Location"]
    assert response.status_code == 303
    assert "/why?slot=cloth&answer=silk&refusal=" in address
    raw = shopper.client.get(address).text
    page = text_of(raw)
    assert "“Cloth: Silk” does not go with “Shape: Ring”" in page
    assert "Nothing has changed yet." in page
    assert "You chose · Sail" in page
    assert re.search(r'<ul class="cause"><li><span class="thumb" aria-hidden="true"><svg', raw)
    assert "Silk tears unless it is in a box." in page
    assert "Way A · one change" in page
    assert "<del>Ring</del>" in raw
    assert "<ins>Box</ins>" in raw
    assert "Everything else stays as it is" in page
    assert "Change to Box" in page
    assert "Leave it as it is" in page
    assert "Without changing anything you can have “Cotton”." in page


@pytest.mark.parametrize("refused_first", [True, False])
def test_a_repair_is_accepted_after_a_refusal_or_straight_from_the_question(
    shopper: Shopper, sessions: FakeSessions, refused_first: bool
) -> None:
    shopper.choose("shape", "ring")
    path = "why?slot=cloth&answer=silk"
    if refused_first:
        path = urlsplit(shopper.choose("cloth", "silk").headers["Location"]).query
        path = f"why?{path}"
    fields = {"slot": "cloth", "answer": "silk", "index": "0"}
    if refused_first:
        fields["refusal"] = path.rpartition("=")[2]
    response = shopper.client.post(
        f"/s/{shopper.session_id}/repair", data={**shopper.hidden(path), **fields}
    )
    assert response.status_code == 303
    choices = {c.slot: c.answer for c in sessions.get(shopper.session_id).choices}
    assert choices == {"shape": "box", "cloth": "silk"}
    page = text_of(shopper.open("sail"))
    assert "Now: “Shape: Box”, “Cloth: Silk”. Everything else is as it was. You can undo." in page
    assert sessions.refusals, "the refusal that was repaired is on record"


@pytest.mark.parametrize(
    ("locale", "asked", "named", "nothing"),
    [
        ("es", "«¿Quieres bolsa? No»", "«Ancho: 60\u00a0cm»", "«Nombre bordado: Nada»"),
        ("en", "“Do you want a bag? No”", "“Span: 60\u00a0cm”", "“Sewn name: Nothing”"),
    ],
)
def test_questions_and_nouns_read_well_within_a_sentence(
    app: Flask, locale: str, asked: str, named: str, nothing: str
) -> None:
    question = both("¿Quieres bolsa?", "Do you want a bag?")
    product = replace(
        PRODUCT,
        variables=tuple(
            replace(each, name=question) if each.id == "bag" else each for each in PRODUCT.variables
        ),
    )
    with app.test_request_context(headers={"Accept-Language": locale}):
        words = Wording(product, locale, {})
        assert words.quoted("bag", "no") == asked
        assert words.quoted("span", "60") == named
        assert words.quoted("name", "none") == nothing
        assert words.quoted("bag") == asked.replace(" No", "")
        assert words.quoted("name", "Ana").count("Ana") == 1
        assert words.quoted("name", "Ana")[0] not in words.quoted("name", "Ana")[1:]


@pytest.mark.parametrize("typed", ["a|b", "…"])
def test_a_sentence_shows_a_text_as_it_was_typed(app: Flask, typed: str) -> None:
    with app.test_request_context():
        words = Wording(PRODUCT, "en", {"name": typed})
        assert typed in words.say(both("Pone {name}.", "It says {name}."), {"name": typed})


@pytest.mark.parametrize("htmx", [True, False])
def test_what_a_stale_page_is_told_stands_at_the_question_that_was_tapped(
    shopper: Shopper, htmx: bool
) -> None:
    stale = shopper.hidden()
    shopper.choose("shape", "box")
    response = shopper.send("choose", htmx=htmx, slot="span", answer="70", seq=stale["seq"])
    assert response.status_code == 409
    before, _, at = response.text.partition('id="q-span"')
    assert "moved on in another window" in at.partition("</section>")[0]
    assert 'class="notice"' not in before
    kept = shopper.send("withdraw", htmx=True, slot="shape").text
    assert "is open again" in kept.partition('id="q-shape"')[2].partition("</section>")[0]
    assert 'class="notice"' not in kept.partition('id="q-shape"')[0]


def test_a_refusal_s_address_says_when_the_option_is_chosen_or_can_be_had(
    compradora: Shopper,
) -> None:
    for said in ("Esto ya se puede tener: solo tienes que elegirlo.", "Ya lo tienes."):
        compradora.open("why?slot=shape&answer=ring", status=302)
        question = compradora.open("sail").partition('id="q-shape"')[2].partition("</section>")[0]
        assert said in question
        compradora.choose("shape", "ring")


def test_a_repair_is_said_aloud(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    shopper.send("repair", slot="cloth", answer="silk", index="0")
    page = shopper.open("sail")
    assert 'id="say">Now: “Shape: Box”, “Cloth: Silk”.' in page


def test_an_outdated_repair_shows_how_things_stand(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    shopper.choose("cloth", "silk")
    shopper.choose("span", "70")
    response = shopper.send("repair", slot="cloth", answer="silk", index="0", refusal="3")
    assert response.status_code == 409
    assert "Your choices have changed since this was offered." in text_of(response.text)


def test_why_of_something_that_can_be_had_leads_to_its_question(shopper: Shopper) -> None:
    response = shopper.client.get(f"/s/{shopper.session_id}/why?slot=shape&answer=box")
    assert response.status_code == 302
    assert response.headers["Location"].endswith("/sail#q-shape")
    shopper.open("why?slot=boat&answer=box", status=404)


# --- guards --------------------------------------------------------------------------------


def test_guards_stand_below_the_choice_that_woke_them(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    shopper.choose("cloth", "cotton")
    page = shopper.open("sail")
    ring, hint, cotton, caution, span = (
        page.index(mark)
        for mark in (
            'value="ring"',
            "A ring spins.",
            'value="cotton"',
            "Cotton gets wet.",
            'id="q-span"',
        )
    )
    assert ring < hint < cotton < caution < span
    assert 'class="guard hint" role="note"' in page
    assert 'class="guard caution" role="group"' in page


def test_a_suggestion_that_needs_changes_leads_to_what_it_takes(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    shopper.choose("cloth", "cotton")
    assert re.search(
        r'<a class="btn line" href="[^"]*/why\?slot=cloth&amp;answer=silk">'
        'Change to Silk<span class="vh"> · </span><span class="num">one change</span><',
        shopper.open("sail"),
    )


def test_a_suggestion_away_from_its_choice_names_its_question(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    shopper.choose("cloth", "cotton")
    page = text_of(shopper.open("review"))
    assert "Choose “Cloth: Silk”" in page
    assert "Change to Silk" not in page


def test_a_guard_is_acknowledged_with_a_reason(shopper: Shopper) -> None:
    shopper.choose("span", "90")
    page = text_of(shopper.open("sail"))
    assert "Please confirm" in page
    assert "At 90 cm it pulls hard." in page
    assert "3 in 10 change it." in page
    assert "Change to 70 cm · −€2.00" in page
    refused = shopper.send("acknowledge", guard="wide-wind")
    assert refused.status_code == 422
    assert "Tick that you know" in text_of(refused.text)
    sent = shopper.send("acknowledge", guard="wide-wind", understood="yes", reason="I am <strong>")
    assert sent.headers["Location"].endswith("/sail#guard-wide-wind-box")
    raw = shopper.open("sail")
    assert "You know and keep it" in raw
    assert "“I am &lt;strong&gt;”" in raw


# --- review, finish, commit ---------------------------------------------------------------------


def finished(shopper: Shopper) -> None:
    shopper.send("finish")
    shopper.choose("name", "none", at="extras")


def test_the_review_says_what_is_open_and_offers_to_finish(shopper: Shopper) -> None:
    page = text_of(shopper.open("review"))
    assert "Your choices so far" in page
    assert "still open" in page
    response = shopper.send("finish")
    assert response.headers["Location"].endswith("/review")
    page = text_of(shopper.open("review"))
    assert "We answered 5 questions for you." in page


def test_what_we_filled_in_is_marked_until_the_customer_keeps_it(compradora: Shopper) -> None:
    ours = "Lo hemos puesto nosotros"
    finished(compradora)
    for _ in range(2):  # also after a reload
        page = text_of(compradora.open("review"))
        assert "Hemos respondido 5 preguntas por ti." in page
        assert f"Tela Algodón {ours}" in page
        assert f"Nombre bordado Nada {ours}" not in page
        assert "Esto lo hemos puesto nosotros: «Tela: Algodón»." in page
    sail, extras = compradora.open("sail"), compradora.open("extras")
    assert ours in text_of(card(sail, "Algodón"))
    assert text_of(sail).count(ours) == 3
    assert text_of(sail).count(f"{ours} Así está bien") == 3
    assert "is-mine" not in sail
    assert text_of(extras).count(f"{ours} Así está bien") == 2  # the tails, the bag
    compradora.choose("cloth", "cotton")
    compradora.send("choose-many", at="extras", slot="tails")
    page = text_of(compradora.open("review"))
    assert "Hemos respondido 3 preguntas por ti." in page
    assert f"Tela Algodón {ours}" not in page
    assert "Esto lo hemos puesto nosotros" not in page
    assert f"Ancho 60 cm {ours}" in page
    compradora.send("commit", at="review")
    assert f"Ancho 60 cm {ours}" in text_of(compradora.open("done"))


def test_a_refusal_does_not_call_ours_the_customer_s(shopper: Shopper) -> None:
    shopper.send("finish")
    why = text_of(shopper.open("why?slot=cloth&answer=silk"))
    assert "We filled this in · Extras" in why
    assert "You chose" not in why


def test_the_review_has_the_bill_and_every_choice(compradora: Shopper) -> None:
    finished(compradora)
    page = text_of(compradora.open("review"))
    assert "Lista para confirmar" in page
    assert "Modelo base 100,00 €" in page
    assert "Ancho 6,00 €" in page
    assert "IVA del 21 % incluido" in page
    for said in ("Forma Delta", "Tela Algodón", "Nombre bordado Nada", "Bolsa No"):
        assert said in page


def test_a_guard_to_confirm_keeps_the_order_back(shopper: Shopper) -> None:
    shopper.choose("span", "90")
    finished(shopper)
    review = text_of(shopper.open("review"))
    assert "1 thing left to confirm" in review
    assert review.count("Keep it like this") == review.count("Confirm it") == 1
    response = shopper.send("commit", at="review")
    assert response.status_code == 422
    assert "please look at the marked notices" in text_of(response.text)
    sent = shopper.send("acknowledge", guard="wide-wind", understood="yes", at="review")
    assert sent.headers["Location"].endswith("/review#guard-wide-wind-box")
    assert shopper.send("commit", at="review").headers["Location"].endswith("/done")


def test_what_cannot_be_taken_back_is_ticked_before_the_order(shopper: Shopper) -> None:
    shopper.choose("shape", "box")
    shopper.choose("cloth", "silk")
    assert "Silk cannot be returned." in text_of(card(shopper.open("sail"), "Silk"))
    finished(shopper)
    response = shopper.send("commit", at="review")
    assert response.status_code == 422
    assert "you have not confirmed that" in text_of(response.text)
    response = shopper.send("commit", at="review", irreversible="cloth")
    assert response.headers["Location"].endswith("/done")


def test_an_incomplete_order_goes_back_to_the_review(shopper: Shopper) -> None:
    response = shopper.send("commit", at="review")
    assert response.headers["Location"].endswith("/review")
    assert "Some questions are still open." in text_of(shopper.open("review"))


def test_a_confirmed_configuration_shows_code_and_summary_and_stays(shopper: Shopper) -> None:
    finished(shopper)
    seq = shopper.hidden("review")
    assert shopper.send("commit", at="review").status_code == 303
    page = text_of(shopper.open("done"))
    assert "K7PM-3QXA" in page
    assert "Total" in page
    for path in ("", "sail", "review"):
        response = shopper.client.get(f"/s/{shopper.session_id}/{path}")
        assert response.headers["Location"].endswith("/done")
    late = shopper.client.post(
        f"/s/{shopper.session_id}/choose", data={**seq, "slot": "shape", "answer": "box"}
    )
    assert late.status_code in (303, 409)


# --- two tabs, retries, strangers ------------------------------------------------------------


def test_a_stale_page_is_told_how_things_stand(shopper: Shopper) -> None:
    stale = shopper.hidden("sail")
    shopper.choose("shape", "ring")
    response = shopper.client.post(
        f"/s/{shopper.session_id}/choose", data={**stale, "slot": "span", "answer": "60"}
    )
    assert response.status_code == 409
    page = text_of(response.text)
    assert "moved on in another window" in page
    assert "Your choice" in text_of(card(response.text, "Ring"))


def test_a_retry_gets_its_first_answer(shopper: Shopper, sessions: FakeSessions) -> None:
    form = {**shopper.hidden("sail"), "slot": "shape", "answer": "box"}
    address = f"/s/{shopper.session_id}/choose"
    first = shopper.client.post(address, data=form)
    again = shopper.client.post(address, data=form)
    assert (first.status_code, first.headers["Location"]) == (
        again.status_code,
        again.headers["Location"],
    )
    assert sessions.get(shopper.session_id).seq == 2


def test_a_key_used_for_something_else_changes_nothing(
    shopper: Shopper, sessions: FakeSessions
) -> None:
    form = {**shopper.hidden("sail"), "slot": "shape"}
    address = f"/s/{shopper.session_id}/choose"
    shopper.client.post(address, data={**form, "answer": "box"})
    response = shopper.client.post(address, data={**form, "answer": "ring"})
    assert response.status_code == 409
    assert sessions.get(shopper.session_id).choices[0].answer == "box"


def test_every_form_carries_its_own_key(shopper: Shopper) -> None:
    keys = re.findall(r'name="key" value="([^"]*)"', shopper.open("sail"))
    assert len(keys) > 8
    assert len(keys) == len(set(keys))


def test_a_stranger_finds_nothing(app: object, shopper: Shopper) -> None:
    stranger = shopper.client.application.test_client()
    for path in ("", "sail", "review", "done", "why?slot=shape&answer=box"):
        response = stranger.get(
            f"/s/{shopper.session_id}/{path}", headers={"Accept-Language": "en"}
        )
        assert response.status_code == 404
        assert "open the link you saved there" in text_of(response.text)
    for act in ("choose", "undo", "commit", "repair", "finish"):
        assert stranger.post(f"/s/{shopper.session_id}/{act}").status_code == 404


def test_the_link_lets_another_device_in(shopper: Shopper) -> None:
    link = re.search(r'value="(http[^"]*/r/[^"]*)"', shopper.open("sail"))
    assert link is not None
    other = shopper.client.application.test_client()
    response = other.get(urlsplit(link.group(1)).path)
    assert response.headers["Location"].endswith(f"/s/{shopper.session_id}/")
    assert other.get(f"/s/{shopper.session_id}/sail").status_code == 200
    assert other.get("/r/s001.guess").status_code == 404
    assert other.get("/r/nonsense").status_code == 404


def test_the_cookie_stays_small(client: FlaskClient) -> None:
    for _ in range(30):
        shopper = Shopper(client)
    cookie = client.get_cookie("session")
    assert cookie is not None
    assert len(cookie.value) < 3000
    assert shopper.open("sail")


# --- language ----------------------------------------------------------------------------------


def test_the_language_changes_and_stays(shopper: Shopper, sessions: FakeSessions) -> None:
    address = f"/s/{shopper.session_id}/sail"
    data = {"lang": "es", "session": shopper.session_id, "next": address}
    response = shopper.client.post("/language", data=data)
    assert response.headers["Location"] == address
    page = shopper.open("sail")
    assert '<html lang="es">' in page
    assert "Forma" in page
    assert sessions.get(shopper.session_id).locale == "es"
    assert '<html lang="es">' in shopper.client.get("/").text


@pytest.mark.parametrize(
    "target",
    [
        "//example.org",
        "https://example.org",
        "/\\example.org",
        "javascript:x",
        "/a\nb",
        "//[",
        "https://[example.org",
        "",
    ],
)
def test_the_language_switch_leads_nowhere_else(client: FlaskClient, target: str) -> None:
    response = client.post("/language", data={"lang": "en", "next": target})
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_language_switch_spells_addresses_as_headers_can(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    data = {"lang": "en", "next": "/p/€"}
    response = client.post("/language", data=data, headers=headers)
    assert response.headers.get("HX-Redirect", response.location) == "/p/%E2%82%AC"


def test_an_unknown_language_changes_nothing(client: FlaskClient) -> None:
    assert client.post("/language", data={"lang": "fr"}).status_code == 400


# --- htmx ---------------------------------------------------------------------------------------


def test_htmx_gets_the_parts_that_change_and_one_announcement(shopper: Shopper) -> None:
    response = shopper.send("choose", slot="shape", answer="ring", htmx=True)
    assert response.status_code == 200
    assert "<html" not in response.text
    for part in ("steps", "tools", "sum", "sofar-in", "pic"):
        assert re.search(rf'id="{part}"[^>]*hx-swap-oob="true"', response.text), part
    said = re.search(r'<div id="say" hx-swap-oob="innerHTML">(.*?)</div>', response.text)
    assert said is not None
    assert "Shape: Ring." in said.group(1)
    assert "Total from €1" in said.group(1)
    assert "A hint: A ring spins. It is below your choice." in said.group(1)


def test_a_guard_is_announced_once_and_where_it_stands(shopper: Shopper) -> None:
    def said(slot: str, answer: str) -> str:
        page = shopper.send("choose", slot=slot, answer=answer, htmx=True).text
        return page.partition('<div id="say" hx-swap-oob="innerHTML">')[2].partition("</div>")[0]

    assert "Caution: Cotton gets wet. It is below your choice." in said("cloth", "cotton")
    assert "Cotton gets wet" not in said("shape", "ring"), "only what it suggests changed"
    assert "A ring spins" not in said("span", "60")


def test_a_guard_that_stands_elsewhere_is_not_said_to_be_below(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_bag = {"ring-hint": {"level": "hint", "at": "choice", "reads": {"bag": "yes"}}}
    monkeypatch.setattr("tests.shop.fake.guards_of", lambda *now: of_the_bag)
    page = shopper.send("choose", slot="shape", answer="box", htmx=True).text
    assert "A hint: A ring spins." in page
    assert "It is below your choice." not in page


def test_htmx_is_sent_on_to_the_page_of_a_refusal(shopper: Shopper) -> None:
    shopper.choose("shape", "ring")
    response = shopper.send("choose", slot="cloth", answer="silk", htmx=True)
    assert response.status_code == 200
    assert response.text == ""
    assert "/why?slot=cloth" in response.headers["HX-Redirect"]


def test_htmx_is_told_how_things_stand(shopper: Shopper) -> None:
    stale = shopper.hidden("sail")
    shopper.choose("shape", "ring")
    response = shopper.client.post(
        f"/s/{shopper.session_id}/choose",
        data={**stale, "slot": "span", "answer": "60"},
        headers={"HX-Request": "true"},
    )
    assert response.status_code == 409
    assert "<html" not in response.text
    assert "moved on in another window" in response.text


# --- refusals of the server ------------------------------------------------------------------


def test_a_form_without_protection_is_turned_down(
    translations: Path, sessions: FakeSessions
) -> None:
    client = make_app(translations, sessions, csrf=True).test_client()
    response = client.post("/p/kite/start", headers={"Accept-Language": "es"})
    assert response.status_code == 400
    assert "demasiado tiempo abierta" in response.text
    assert not sessions.kept


@pytest.mark.parametrize("locale", ["es", "en"])
@pytest.mark.parametrize("status", [404, 409, 410, 413, 429, 500, 503])
def test_every_refusal_says_what_and_what_to_do(
    app: object, client: FlaskClient, status: int, locale: str
) -> None:
    from flask import abort

    def refuse(status: int) -> str:
        if status == 429:
            raise TooManyRequests(retry_after=7)
        if status == 413:
            raise RequestEntityTooLarge
        abort(status)

    client.application.add_url_rule("/refuse/<int:status>", "refuse", refuse)
    response = client.get(f"/refuse/{status}", headers={"Accept-Language": locale})
    assert response.status_code == status
    assert f'<html lang="{locale}">' in response.text
    assert "<h1>" in response.text
    assert 'class="btn fill"' in response.text
    if status == 429:
        assert response.headers["Retry-After"] == "7"


def test_too_much_at_once(shopper: Shopper) -> None:
    response = shopper.client.post(
        f"/s/{shopper.session_id}/choose", data={"slot": "name", "answer": "a" * 70_000}
    )
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("choose", {}),
        ("choose", {"slot": "boat", "answer": "x", "seq": "NaN", "key": "é" * 500}),
        ("choose", {"slot": "shape", "answer": "\x00"}),
        ("choose-many", {"slot": ""}),
        ("repair", {"slot": "shape", "index": "-1e9"}),
        ("repair", {"slot": "shape", "answer": "box", "index": "99999999999999999999"}),
        ("acknowledge", {"guard": "nothing", "understood": "yes"}),
        ("withdraw", {"slot": "../../etc"}),
        ("finish", {"seq": "-1"}),
    ],
)
def test_nonsense_never_breaks_the_shop(shopper: Shopper, act: str, form: dict[str, str]) -> None:
    for at in ({}, {"at": "sail"}, {"at": "nowhere"}):
        response = shopper.client.post(f"/s/{shopper.session_id}/{act}", data={**form, **at})
        assert response.status_code < 500


def test_an_unknown_step_is_not_found(shopper: Shopper) -> None:
    shopper.open("keel", status=404)
