"""Keys and the slider of the staff's pages, in a real Chromium."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from configurator.app import Services
from configurator.web.workshop.drafts import DraftShelf
from tests.conftest import DESKTOP
from tests.web.conftest import PASSWORD, STAFF, ApiSession
from tests.web.test_workshop import misspelt

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, app: Flask) -> Iterator[OpenPage]:
    """Opens a page of the staff's, signed in with a role; fails where one complained."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    complaints: list[str] = []
    contexts = []

    def open_page(role: str, path: str, script: bool = True) -> Any:
        base = f"http://127.0.0.1:{server.server_port}"
        context = browser.new_context(
            viewport=DESKTOP, locale="en", base_url=base, java_script_enabled=script
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
        page.goto(path)
        page.locator("#name").fill(STAFF[role])
        page.locator("#password").fill(PASSWORD)
        page.locator("form .btn.fill").click()
        page.wait_for_url(f"**{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert not complaints, complaints


@pytest.fixture
def replay(client: FlaskClient) -> str:
    """Where a configuration with a refusal, a question and a guard is replayed."""
    session = ApiSession(client)
    session.choose("mount", "clamp")  # 2
    session.choose("arm", "long")  # 3, refused
    look = {"slot": "colour", "answer": "red"}
    assert session.post("preview", look).status_code == 200  # 4
    session.choose("arm", "short")  # 5
    session.choose("width", "200")  # 6, a guard is said
    return f"/desk/configurations/{session.id}/steps/"


def test_the_replay_has_keys(open_page: OpenPage, replay: str) -> None:
    page = open_page("support", f"{replay}1")
    for key, step in (
        ("ArrowRight", 2),
        ("r", 3),
        ("ArrowLeft", 2),
        ("W", 4),
        ("g", 6),
        ("ArrowLeft", 5),
    ):
        page.locator(".which:focus").wait_for()
        page.keyboard.press(key)
        page.wait_for_url(f"**{replay}{step}")
    page.locator(".which:focus").wait_for()
    page.keyboard.press("d")
    assert page.evaluate("document.activeElement.id") == "difference"
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**{replay}4")
    for key in ("r", "w"):  # there is none any more
        page.keyboard.press(key)
    page.keyboard.press("Control+ArrowLeft")
    assert page.url.endswith(f"{replay}4")


def test_keys_are_there_to_be_seen_where_they_work(open_page: OpenPage, replay: str) -> None:
    page = open_page("support", f"{replay}2")
    shown = page.locator(".which kbd:visible")
    assert shown.all_inner_texts() == ["←", "→", "R", "G", "W", "D"]
    assert page.get_by_role("link", name="Next refusal", exact=True).count() == 1
    page = open_page("support", f"{replay}2", script=False)
    assert page.locator("kbd").count() == 0


def test_the_slider_goes_where_it_is_let_go(open_page: OpenPage, replay: str) -> None:
    page = open_page("support", f"{replay}1")
    assert page.get_by_role("button", name="Show this step").count() == 0
    box = page.locator("#seq").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, middle, steps=5)
    assert page.locator("#at").inner_text() == "6"
    assert page.url.endswith(f"{replay}1")
    page.mouse.up()
    page.wait_for_url(f"**{replay}6")
    page.locator("#seq").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**{replay}5")
    page.go_back()
    assert page.locator("#seq").input_value() == "6"


def test_the_slider_has_a_button_without_script(open_page: OpenPage, replay: str) -> None:
    page = open_page("support", f"{replay}1", script=False)
    page.locator("#seq").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Show this step").click()
    page.wait_for_url(f"**{replay}2")


def test_the_replay_plays_until_it_is_paused_or_ends(open_page: OpenPage, replay: str) -> None:
    page = open_page("support", f"{replay}4")
    page.get_by_role("button", name="Play").click()
    page.wait_for_url(f"**{replay}5")
    page.get_by_role("button", name="Pause").and_(page.locator(":focus")).wait_for()
    page.wait_for_url(f"**{replay}6")  # the last one
    page.get_by_role("button", name="Play").click()
    page.wait_for_url(f"**{replay}1")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play").click()
    page.wait_for_url(f"**{replay}2")
    page.keyboard.press("d")  # whatever else is done ends it, too
    page.get_by_role("button", name="Play").wait_for()
    page = open_page("support", f"{replay}1", script=False)
    assert page.get_by_role("button", name="Play").count() == 0


def test_the_slider_shows_where_something_happened(open_page: OpenPage, replay: str) -> None:
    page = open_page("support", f"{replay}1", script=False)
    signs = page.locator(".signs .sign")
    places = {
        signs.nth(at).get_attribute("class"): signs.nth(at).bounding_box()
        for at in range(signs.count())
    }
    kinds = {"sign sign-refusal": 3, "sign sign-why": 4, "sign sign-guard": 6}
    assert list(places) == list(kinds)
    box = page.locator("#seq").bounding_box()
    for kind, seq in kinds.items():
        middle = places[kind]["x"] + places[kind]["width"] / 2
        thumb = box["x"] + 8 + (box["width"] - 16) * (seq - 1) / 5
        assert abs(middle - thumb) < 3, kind


def test_keys_do_nothing_while_somebody_types(open_page: OpenPage, replay: str) -> None:
    page = open_page("support", f"{replay}1")
    page.evaluate(
        """() => {
            const field = document.createElement("input");
            document.querySelector("main").append(field);
            field.focus();
        }"""
    )
    for key in ("ArrowRight", "r", "d"):
        page.keyboard.press(key)
    assert page.url.endswith(f"{replay}1")
    page.locator("header a").first.focus()
    page.keyboard.press("r")
    assert page.url.endswith(f"{replay}1")


def test_a_draft_opens_at_its_first_mistake(
    open_page: OpenPage, services: Services, lamp: dict[str, bytes]
) -> None:
    files = misspelt(lamp)
    shelf = DraftShelf(services.settings.folder / "drafts")
    draft = f"/workshop/drafts/{shelf.put(STAFF['merchandiser'], files)}"
    page = open_page("merchandiser", draft)
    page.locator("#d1:focus").wait_for()
    assert "fooot" in page.locator("#d1").inner_text()
    visible = "e => { const r = e.getBoundingClientRect(); return r.top > 0 && r.bottom < 900 }"
    assert page.locator("#d1").evaluate(visible)
    page.keyboard.press("F8")
    page.locator("#d2:focus").wait_for()
    assert page.locator("#d2").evaluate(visible)
    page.keyboard.press("F8")
    page.wait_for_url(f"**{draft}?file=scenarios.yaml#d1")
    page.locator("#d1:focus").wait_for()
    page.keyboard.press("Shift+F8")
    page.wait_for_url(f"**{draft}?file=product.yaml#d2")
    page.get_by_text("3 mistakes to mend first").click()
    page.locator("#d1:focus").wait_for()
