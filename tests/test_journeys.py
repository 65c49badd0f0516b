"""Whole journeys on the shipped products, in a real browser over a real server.

Each goes from the catalogue to the confirmed configuration, through a refusal that is
repaired and a guard that is acknowledged, and is then replayed by support.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from configurator.language import load_folder, read_folder
from configurator.model.product import Product
from tests.conftest import DESKTOP, PHONE, Server

pytestmark = pytest.mark.browser

RULES = Path(__file__).parent.parent / "rules"


@dataclass(frozen=True, slots=True)
class Journey:
    """A choice that stands, one it refuses, and one that a guard asks about."""

    product: str
    stands: tuple[str, str]
    refused: tuple[str, str]
    asked: tuple[str, str]
    guard: str


BIKE = Journey(
    "trail-bike",
    ("material", "carbon"),
    ("rotor-rear", "203"),
    ("brake-side", "right"),
    "front-brake-right",
)
WARDROBE = Journey(
    "wardrobe", ("depth", "400"), ("opening", "sliding"), ("anchor", "no"), "not-anchored"
)
ENERGY = Journey(
    "home-energy", ("tenure", "rent"), ("solar", "install"), ("billing", "quota"), "quota-settles"
)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service as ``make run`` starts it, with the shipped products."""
    server = Server(tmp_path_factory.mktemp("var"), RULES)
    server.start()
    yield server
    server.kill()


class Customer:
    """Somebody who answers questions of one product in a browser."""

    def __init__(self, page: Any, product: Product) -> None:
        self.page = page
        self.steps = {name: step.id for step in product.steps for name in step.ask}
        self.several = {each.id for each in product.variables if each.kind == "several of"}
        self.session = re.search(r"/s/([^/]+)/", page.url).group(1)  # type: ignore[union-attr]

    def open(self, place: str) -> None:
        self.page.goto(f"/s/{self.session}/{place}")

    def answer(self, variable: str, answer: str) -> None:
        """Answer one question as its form asks for it, and wait for what comes of it."""
        self.open(self.steps[variable])
        section = self.page.locator(f"#q-{variable}")
        card = section.locator(f'button.pick[value="{answer}"]')
        if card.count():
            card.first.click()
        else:
            section.locator(f"#in-{variable}").fill(answer)
            section.locator(f"#set-{variable}").click()

    def settled(self, variable: str) -> None:
        """Wait until the page shows the answer as the customer's own."""
        self.page.locator(
            f"#q-{variable} [aria-checked=true], #q-{variable} .is-mine"
        ).first.wait_for()


def ends_where_it_ends(page: Any) -> None:
    """Nobody can scroll to where nothing is, be it only a hidden text that stands there."""
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wide, f"{page.url} scrolls sideways"
    beyond = page.evaluate(
        "document.documentElement.scrollHeight"
        " - Math.max(document.body.getBoundingClientRect().height, window.innerHeight)"
    )
    assert beyond < 2, f"{page.url} goes on {beyond} pixels below its end"


def inspect(page: Any) -> None:
    """What must hold of every page; both measures need script in the page."""
    from axe_playwright_python.sync_playwright import Axe

    ends_where_it_ends(page)
    results = Axe().run(page)
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"


@pytest.mark.parametrize(
    ("journey", "viewport", "locale", "script"),
    [
        pytest.param(BIKE, PHONE, "es", True, id="bike-phone-es"),
        pytest.param(BIKE, DESKTOP, "en", False, id="bike-desktop-en-no-script"),
        pytest.param(WARDROBE, PHONE, "en", False, id="wardrobe-phone-en-no-script"),
        pytest.param(WARDROBE, DESKTOP, "es", True, id="wardrobe-desktop-es"),
        pytest.param(ENERGY, DESKTOP, "es", False, id="energy-desktop-es-no-script"),
        pytest.param(ENERGY, PHONE, "en", True, id="energy-phone-en"),
    ],
)
def test_from_the_catalogue_to_the_replay(
    browser: Any,
    shipped: Server,
    journey: Journey,
    viewport: dict[str, int],
    locale: str,
    script: bool,
) -> None:
    context = browser.new_context(
        viewport=viewport, locale=locale, java_script_enabled=script, base_url=shipped.url
    )
    complaints: list[str] = []
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)

    def look() -> None:
        if script:
            inspect(page)

    product = load_folder(read_folder(RULES / journey.product)).product
    assert product is not None

    page.goto("/")
    look()
    page.locator(f'form[action*="/p/{journey.product}/"] button').click()
    page.wait_for_url("**/s/**")
    customer = Customer(page, product)
    look()

    customer.answer(*journey.stands)
    customer.settled(journey.stands[0])
    customer.answer(*journey.refused)
    page.wait_for_url("**/why?**")
    look()
    page.locator("article .btn").first.click()
    page.wait_for_url(f"**/s/{customer.session}/**")
    assert page.locator(".notice").first.is_visible()

    customer.answer(*journey.asked)
    page.locator(".guard.ack").first.wait_for()
    look()

    customer.open("review")
    look()
    page.locator(".sum .btn.fill").click()
    page.wait_for_load_state()
    for name in [each.id for each in product.variables if each.ask_always]:
        customer.open(customer.steps[name])
        cards = page.locator(f"#q-{name} > .opts[role=radiogroup] button.pick")
        entry = page.locator(f"#q-{name} input[max]").first  # what is highest can be had
        if page.locator(f"#q-{name} [aria-checked=true]").count():
            continue
        if cards.count():
            cards.last.click()
            customer.settled(name)
        elif entry.count():
            customer.answer(name, entry.get_attribute("max"))
            customer.settled(name)
    customer.open("review")
    if not page.locator("#commit").count():
        page.locator(".sum .btn.fill").click()
        page.locator("#commit button").wait_for()
    while page.locator(".guard.ack input[name=understood]").count():
        guard = page.locator(".guard.ack:has(input[name=understood])").first
        guard.locator("input[type=checkbox]").first.check()
        left = page.locator(".guard.ack input[name=understood]").count()
        guard.locator("button[type=submit]").last.click()
        page.wait_for_load_state()
        page.wait_for_timeout(300)
        assert page.locator(".guard.ack input[name=understood]").count() < left
    for box in page.locator("input[name=irreversible]").all():
        box.check()
    look()
    page.locator("#commit button").click()
    page.wait_for_url("**/done")
    look()
    code = page.locator(".code").inner_text()
    context.close()
    replayed_by_support(browser, shipped, code, viewport, locale, journey)
    assert not complaints, complaints


def replayed_by_support(
    browser: Any, shipped: Server, code: str, viewport: Any, locale: str, journey: Journey
) -> None:
    """Find the code, walk the replay, see the refusal, the guard and the verification."""
    context = browser.new_context(viewport=viewport, locale=locale, base_url=shipped.url)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto("/desk")
    name, password = shipped.account("support")
    page.locator("#name").fill(name)
    page.locator("#password").fill(password)
    page.locator("form .btn.fill").click()
    page.locator("#code").fill(code.lower().replace("-", " "))
    page.locator("form .btn.fill").last.click()
    page.wait_for_url("**/desk/**")
    inspect(page)
    story = page.locator("main").inner_text()
    assert code in story
    page.locator("a.btn.fill", has_text=re.compile("Replay|Reproducir|Ver paso a paso")).click()
    seen = set()
    for _ in range(40):
        page.wait_for_load_state()
        ends_where_it_ends(page)
        assert page.url not in seen
        seen.add(page.url)
        following = page.locator("a.btn.line", has_text=re.compile("^(Next|Siguiente)"))
        if not following.count():
            break
        following.first.click()
    assert len(seen) >= 6
    inspect(page)
    context.close()
