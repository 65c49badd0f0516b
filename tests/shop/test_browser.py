"""The shop in a real Chromium: phone and desktop, both languages, with and without script.

A missing Chromium fails in CI and skips with its reason elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from tests.conftest import DESKTOP, PHONE, SMALLEST
from tests.shop.conftest import make_app
from tests.shop.fake import FakeSessions

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(translations: Path, sessions: FakeSessions) -> Iterator[str]:
    """The address of a running shop."""
    app = make_app(translations, sessions, csrf=True)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_page(browser: Any, shop: str) -> Iterator[Any]:
    """Opens pages of the shop and fails if any of them complained."""
    contexts = []
    complaints: list[str] = []

    def note(kind: str, text: str) -> None:
        expected = text.startswith(("Failed to load resource", "htmx:"))
        if kind == "error" and not expected:
            complaints.append(text)

    def open_page(
        viewport: dict[str, int], *, locale: str = "en", script: bool = True, dark: bool = False
    ) -> Any:
        context = browser.new_context(
            viewport=viewport,
            locale=locale,
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            base_url=shop,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.on("console", lambda line: note(line.type, line.text))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, complaints


def begin(page: Any) -> None:
    page.goto("/")
    page.locator(".prod button").click()
    page.wait_for_url("**/sail")


def choose(page: Any, option: str, script: bool = True) -> None:
    """Press an option and wait for its answer."""
    if script:
        with page.expect_response("**/choose"):
            page.locator(f"#{option}").click()
        page.locator(f"#{option}[aria-checked=true]").wait_for()
    else:
        page.locator(f"#{option}").click()
        page.wait_for_load_state()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(
    ("viewport", "locale"), [(PHONE, "es"), (DESKTOP, "en")], ids=["phone-es", "desktop-en"]
)
def test_from_the_catalogue_to_the_code(
    open_page: Any, viewport: dict[str, int], locale: str, script: bool
) -> None:
    page = open_page(viewport, locale=locale, script=script)
    begin(page)
    choose(page, "o-shape-3", script)
    page.locator("#in-span").fill("90")
    page.locator("#set-span").click()
    page.wait_for_url("**/why?**")
    assert "90" in page.locator("h1").inner_text()
    page.locator("article .btn").first.click()
    page.wait_for_url("**/sail**")
    assert page.locator(".notice").is_visible()
    page.locator(".guard.ack input[type=checkbox]").check()
    page.locator(".guard.ack button[type=submit]").last.click()
    page.locator(".guard.done").wait_for()
    page.locator(".sum .btn.fill").click()
    page.wait_for_url("**/extras")
    page.locator("#k-tails-1-more").click()
    page.locator("output", has_text="1").wait_for()
    page.locator("#in-name").fill("Ana")
    page.locator("#set-name").click()
    page.locator("section#q-name .tag.mine").first.wait_for()
    page.locator(".sum .btn.fill").click()
    page.wait_for_url("**/review")
    page.locator(".sum .btn.fill").click()
    page.locator("#commit button").wait_for()
    page.locator("#commit button").click()
    page.wait_for_url("**/done")
    assert page.locator(".code").inner_text() == "K7PM-3QXA"


def test_a_choice_swaps_parts_keeps_the_focus_and_is_announced_once(open_page: Any) -> None:
    page = open_page(DESKTOP)
    begin(page)
    page.evaluate("document.body.dataset.mark = 'same page'")
    page.locator("#o-shape-3").focus()
    page.keyboard.press("Space")
    page.locator("#say", has_text="Total").wait_for(state="attached")
    assert page.evaluate("document.body.dataset.mark") == "same page"
    assert page.evaluate("document.activeElement.id") == "o-shape-3"
    said = page.locator("#say").inner_text()
    assert "Shape: Ring." in said
    assert "A ring spins." in said
    assert page.locator("[role=status]").count() == 1


def test_arrows_move_and_only_space_chooses(open_page: Any, sessions: FakeSessions) -> None:
    page = open_page(DESKTOP)
    begin(page)
    page.locator("#o-shape-1").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "o-shape-3"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "o-shape-1"
    page.keyboard.press("ArrowUp")
    assert sessions.acts == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "if-o-shape-3"
    page.keyboard.press("Tab")
    assert "o-shape" not in page.evaluate("document.activeElement.id")


def test_without_script_every_option_is_reached_with_tab(open_page: Any) -> None:
    page = open_page(DESKTOP, script=False)
    begin(page)
    page.locator("#o-shape-1").focus()
    reached = []
    for _ in range(4):  # what each would change stands between them
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["if-o-shape-1", "o-shape-2", "if-o-shape-2", "o-shape-3"]


def test_the_reason_has_the_focus(open_page: Any) -> None:
    page = open_page(PHONE)
    begin(page)
    choose(page, "o-shape-2")
    page.goto(page.url.replace("/sail", "/why?slot=bag&answer=no"))
    assert page.evaluate("document.activeElement.tagName") == "H1"


def test_nothing_moves_under_the_finger(open_page: Any) -> None:
    page = open_page(DESKTOP)
    begin(page)
    before = page.locator("#o-shape-3").bounding_box()
    choose(page, "o-shape-3")
    assert page.locator("#o-shape-3").bounding_box() == before


def test_a_slider_helps_where_there_is_script(open_page: Any, sessions: FakeSessions) -> None:
    page = open_page(PHONE, locale="es")
    begin(page)
    slider = page.locator("input.slider")
    assert slider.is_visible()
    assert slider.get_attribute("aria-valuetext") == "sin poner todavía"
    slider.focus()
    with page.expect_response("**/choose"):
        page.keyboard.press("ArrowRight")
    page.locator("#q-span .is-mine").wait_for()
    assert page.locator("#in-span").input_value() == "70"
    assert page.locator("input.slider").get_attribute("aria-valuetext") == "70\xa0cm"


def choices(sessions: FakeSessions) -> dict[str, str]:
    return {choice.slot: choice.answer for choice in sessions.get("s001").choices}


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_next_waits_for_what_was_typed(
    open_page: Any, sessions: FakeSessions, viewport: dict[str, int]
) -> None:
    page = open_page(viewport)
    begin(page)
    page.locator("#in-span").fill("70")
    page.locator("#onward").click()
    page.wait_for_url("**/extras")
    page.locator("#in-name").fill("Ana")
    page.locator("#onward").click()
    page.wait_for_url("**/review")
    assert choices(sessions) == {"span": "70", "name": "Ana"}


def test_next_waits_however_slowly_it_is_pressed(open_page: Any, sessions: FakeSessions) -> None:
    page = open_page(DESKTOP)
    begin(page)
    page.locator("#in-span").fill("70")
    page.locator("#onward").hover()
    page.mouse.down()
    page.wait_for_timeout(400)
    page.mouse.up()
    page.wait_for_url("**/extras")
    assert choices(sessions) == {"span": "70"}


def test_what_was_typed_and_does_not_fit_keeps_the_customer(
    open_page: Any, sessions: FakeSessions
) -> None:
    page = open_page(PHONE)
    begin(page)
    page.locator("#in-span").fill("mucho")
    page.locator("#onward").click()
    page.locator("#q-span-trouble").wait_for()
    assert page.url.endswith("/sail")
    page.locator("#in-span:focus").wait_for()
    page.locator("#onward").click()  # told once, nobody is held
    page.wait_for_url("**/extras")
    assert choices(sessions) == {}


def test_what_was_typed_and_needs_changes_shows_the_reason(open_page: Any) -> None:
    page = open_page(PHONE)
    begin(page)
    choose(page, "o-shape-3")
    page.locator("#in-span").fill("90")
    page.locator("#onward").click()
    page.wait_for_url("**/why?**")


def test_an_option_pressed_after_typing_is_chosen_too(
    open_page: Any, sessions: FakeSessions
) -> None:
    page = open_page(PHONE)
    begin(page)
    page.locator("#in-span").fill("70")
    choose(page, "o-shape-2")
    assert page.locator("#in-span").input_value() == "70"
    assert choices(sessions) == {"span": "70", "shape": "box"}


def test_what_is_typed_is_set_when_tab_leaves_it(open_page: Any, sessions: FakeSessions) -> None:
    page = open_page(DESKTOP)
    begin(page)
    page.locator("#in-span").fill("70")
    page.keyboard.press("Tab")
    assert choices(sessions) == {}, "less, more, set and what changes come first"
    with page.expect_response("**/choose"):
        page.locator("#q-span .slider").focus()
        page.keyboard.press("Tab")
    page.locator("#q-span .is-mine").wait_for()
    assert choices(sessions) == {"span": "70"}


def test_looking_at_what_was_typed_does_not_set_it(open_page: Any, sessions: FakeSessions) -> None:
    page = open_page(PHONE)
    begin(page)
    page.locator("#in-span").fill("70")
    with page.expect_response("**/preview"):
        page.locator("#look-span").click()
    page.locator(".preview").wait_for()
    assert choices(sessions) == {}
    page.locator("#onward").click()
    page.wait_for_url("**/extras")
    assert choices(sessions) == {"span": "70"}


@pytest.mark.parametrize("opener", ["if-o-shape-2", "look-span"])
@pytest.mark.parametrize("way", ["press", "escape"])
def test_what_would_change_closes_where_it_was_opened(
    open_page: Any, sessions: FakeSessions, opener: str, way: str
) -> None:
    page = open_page(PHONE)
    begin(page)
    page.locator("#in-span").fill("70")
    page.locator("#look-span").click()
    page.locator("#q-span .preview").wait_for()
    if opener != "look-span":
        page.locator("#in-span").fill("")
        page.locator(f"#{opener}").click()
        page.locator("#q-shape .preview").wait_for()
    if way == "press":
        page.locator(".close-it").click()
    else:
        page.keyboard.press("Escape")
    page.locator(f"#{opener}:focus").wait_for()
    assert page.locator(".preview").count() == 0
    assert page.locator("#in-span").input_value() == ""
    page.locator("#onward").click()
    page.wait_for_url("**/extras")
    assert choices(sessions) == {}


def test_without_script_what_would_change_closes_too(open_page: Any) -> None:
    page = open_page(PHONE, script=False)
    begin(page)
    page.locator("#if-o-shape-2").click()
    page.locator("#q-shape .preview").wait_for()
    page.locator(".close-it").click()
    page.wait_for_url("**/sail#q-shape")
    assert page.locator(".preview").count() == 0


def focused(page: Any, selector: str) -> None:
    page.locator(f"{selector}:focus").wait_for()


def test_the_focus_goes_to_what_an_act_leaves(open_page: Any) -> None:
    page = open_page(DESKTOP)
    begin(page)
    choose(page, "o-shape-2")
    page.locator("#back-o-shape-2").press("Enter")
    focused(page, "#o-shape-2[aria-checked=false]")
    page.locator("#if-o-shape-2").press("Enter")
    page.locator("#o-shape-2-if-do").wait_for()
    page.locator("#o-shape-2-if-do").press("Enter")
    focused(page, "#o-shape-2[aria-checked=true]")
    page.locator("#in-span").fill("90")
    page.locator("#set-span").press("Enter")
    page.locator("#guard-wide-wind-ok").check()
    page.locator("#guard-wide-wind-do").press("Enter")
    focused(page, ".guard.done")
    page.locator("#open-span").press("Enter")
    focused(page, "#in-span")
    choose(page, "o-cloth-1")
    page.locator("#guard-cotton-rain-cloth").press("Enter")
    focused(page, "#q-cloth-name")
    page.locator("#onward").click()
    page.wait_for_url("**/extras")
    page.locator("#close-tails").press("Enter")
    focused(page, "#settled-tails")
    page.locator("#open-tails").press("Enter")
    focused(page, "#close-tails")


@pytest.mark.parametrize(
    ("locale", "said"),
    [("en", "Tails: Long. Total"), ("es", "Colas: Larga. Total")],
)
def test_closing_a_list_announces_the_whole_of_it(open_page: Any, locale: str, said: str) -> None:
    page = open_page(PHONE, locale=locale)
    begin(page)
    page.goto(page.url.replace("/sail", "/extras"))
    page.locator("#k-tails-1-more").click()
    page.locator("output", has_text="1").wait_for()
    page.locator("#close-tails").click()
    page.locator("#settled-tails").wait_for()
    assert said in page.locator("#say").inner_text()


def test_in_forced_colours_only_what_is_chosen_is_ticked_and_marked(open_page: Any) -> None:
    page = open_page(PHONE)
    page.emulate_media(forced_colors="active")
    begin(page)
    choose(page, "o-shape-2")
    page.locator("#if-o-shape-3").click()
    page.locator(".preview").wait_for()
    ticked = page.locator("#q-shape .mark .ic:visible")
    assert ticked.count() == 1
    assert page.locator("#o-shape-2 .mark .ic").is_visible()
    width = "element => parseFloat(getComputedStyle(element).borderTopWidth)"
    plain = page.locator(".opt:has(> #o-shape-1)").evaluate(width)
    chosen = page.locator(".opt:has(> #o-shape-2)").evaluate(width)
    assert 0 < plain < chosen
    for part in (".entrybox", ".preview", "#sum"):
        assert page.locator(part).first.evaluate(width) > 0, part


def test_an_answer_on_its_way_loses_nothing_typed_meanwhile(open_page: Any) -> None:
    page = open_page(DESKTOP)
    begin(page)
    held: list[Any] = []
    page.route("**/choose", lambda route: held.append(route))
    with page.expect_request("**/choose"):
        page.locator("#o-shape-2").click()
    page.locator("#in-span").fill("7")
    held[0].continue_()
    page.locator("#o-shape-2[aria-checked=true]").wait_for()
    assert page.locator("#in-span").input_value() == "7"


def test_without_script_setting_is_the_one_thing_to_press(open_page: Any) -> None:
    page = open_page(PHONE, script=False)
    begin(page)
    assert page.locator("#q-span .stepper", has_text="counts once you press").is_visible()
    ground = "element => getComputedStyle(element).backgroundColor"
    filled = page.locator("#onward").evaluate(ground)
    page.locator("#in-span").focus()
    assert page.locator("#set-span").evaluate(ground) == filled
    assert page.locator("#onward").evaluate(ground) != filled


def test_another_tab_was_faster(open_page: Any, sessions: FakeSessions) -> None:
    page = open_page(DESKTOP)
    begin(page)
    other = page.context.new_page()
    other.goto(page.url)
    choose(other, "o-shape-2")
    with page.expect_response("**/choose") as answered:
        page.locator("#o-shape-1").click()
    assert answered.value.status == 409
    page.locator(".notice", has_text="moved on in another window").wait_for()
    assert page.locator("#o-shape-2").get_attribute("aria-checked") == "true"


def test_a_lost_connection_is_said(open_page: Any) -> None:
    page = open_page(PHONE, locale="es")
    begin(page)
    page.route("**/choose", lambda route: route.abort())
    page.locator("#o-shape-2").click()
    page.locator("#offline", has_text="Sin conexión.").wait_for()
    page.unroute("**/choose")
    choose(page, "o-shape-2")
    assert page.locator("#offline").inner_text() == ""


def test_an_answer_that_never_comes_lets_others_be_pressed(open_page: Any) -> None:
    page = open_page(PHONE)
    begin(page)
    assert page.evaluate("htmx.config.timeout") == 30_000
    page.evaluate("htmx.config.timeout = 300")
    page.route("**/choose", lambda route: None)
    page.locator("#o-shape-2").click()
    page.locator("#offline", has_text="No connection.").wait_for()
    page.unroute("**/choose")
    page.evaluate("htmx.config.timeout = 30000")
    choose(page, "o-shape-1")
    assert page.locator("#offline").inner_text() == ""


def test_a_connection_is_said_to_be_lost_before_anything_is_pressed(open_page: Any) -> None:
    page = open_page(DESKTOP)
    begin(page)
    page.context.set_offline(True)
    page.locator("#offline", has_text="No connection.").wait_for()
    page.context.set_offline(False)
    page.locator("#offline:empty").wait_for(state="attached")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_an_answer_that_takes_long_is_seen_to_be_on_its_way(
    open_page: Any, viewport: dict[str, int]
) -> None:
    page = open_page(viewport)
    begin(page)
    held: list[Any] = []
    page.route("**/choose", lambda route: held.append(route))
    page.locator("#o-shape-2").click()
    page.locator("#say", has_text="One moment…").wait_for()
    assert page.locator("#say").bounding_box()["height"] > 20
    assert not page.locator(".saved").is_visible()
    held[0].continue_()
    page.locator("#say", has_text="Shape: Box.").wait_for(state="attached")
    assert page.locator("#say").bounding_box()["height"] < 2
    assert page.locator(".saved").is_visible() is (viewport == DESKTOP)
    page.locator("#o-shape-1").click()
    page.locator("#say", has_text="One moment…").wait_for()
    held[1].abort()
    page.locator("#offline", has_text="No connection.").wait_for()
    assert page.locator("#say").inner_text() == ""


def test_what_is_pressed_before_an_answer_is_there_counts_too(
    open_page: Any, sessions: FakeSessions
) -> None:
    page = open_page(PHONE)
    begin(page)
    held: list[Any] = []

    def hold_the_first(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/choose", hold_the_first)
    page.locator("#o-shape-2").click()
    page.locator("#o-cloth-1").dblclick()
    held[0].continue_()
    page.locator("#o-cloth-1[aria-checked=true]").wait_for()
    assert page.locator("#o-shape-2[aria-checked=true]").count() == 1
    assert [act for act, _ in sessions.acts] == ["choose", "choose"]


def test_a_sheet_is_read_out_and_gives_the_focus_back(open_page: Any) -> None:
    page = open_page(PHONE)
    begin(page)
    for opener, sheet in (("sofar-open", "sofar"), ("more-open", "more")):
        page.locator(f"#{opener}").focus()
        page.keyboard.press("Enter")
        page.locator(f"#{sheet}:focus").wait_for()
        page.keyboard.press("Tab")
        inside = f"document.activeElement.closest('#{sheet}') !== null"
        assert page.evaluate(inside)
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == opener


def test_sheets_open_without_script(open_page: Any) -> None:
    page = open_page(PHONE, script=False)
    begin(page)
    page.locator(".sum .open").click()
    assert page.locator("#sofar").is_visible()
    page.keyboard.press("Escape")
    page.locator("#steps-now").click()
    assert page.locator("#allsteps a").first.is_visible()


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_paper_holds_every_question_and_says_what_it_is(
    open_page: Any, viewport: dict[str, int]
) -> None:
    page = open_page(viewport, locale="es")
    begin(page)
    page.emulate_media(media="print")
    assert "Cometa" in page.locator(".top").inner_text()
    assert "K7PM-3QXA" in page.locator(".top").inner_text()
    assert page.evaluate(
        "(() => { const ask = document.getElementById('ask');"
        " return ask.scrollHeight <= ask.clientHeight; })()"
    )
    assert page.locator("button:visible:not(.pick), a:visible").count() == 0


@pytest.mark.parametrize("locale", ["es", "en"])
@pytest.mark.parametrize(
    ("viewport", "font"),
    [(SMALLEST, 16), (PHONE, 16), (DESKTOP, 16), (PHONE, 32), (DESKTOP, 32)],
    ids=["320", "390", "1280", "390-large-text", "1280-large-text"],
)
def test_no_page_scrolls_sideways(
    open_page: Any, viewport: dict[str, int], font: int, locale: str
) -> None:
    page = open_page(viewport, locale=locale)
    sizes = {"fontSizes": {"standard": font}}
    page.context.new_cdp_session(page).send("Page.setFontSizes", sizes)
    for _ in walk(page):
        assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") == (
            font
        )
        beyond = page.evaluate(BEYOND)
        assert not beyond, f"{page.url} {beyond}"


# What stands beyond the edges of the window or of an open sheet, or is cut off in the bars.
BEYOND = """() => {
  const beyond = () => [...document.querySelectorAll("body *")].filter((element) => {
    if (element.closest("svg, .picture-parts, .vh, .skip")) return false;
    const { left, right, width } = element.getBoundingClientRect();
    return width > 0 && (left < -1 || right > window.innerWidth + 1);
  });
  const found = beyond();
  for (const sheet of document.querySelectorAll(".botsheet")) {
    sheet.showPopover();
    found.push(...beyond());
    if (sheet.scrollWidth > sheet.clientWidth) found.push(sheet);
    sheet.hidePopover();
  }
  for (const part of document.querySelectorAll("#sum .in, #sum .in > *, .top, #steps-now")) {
    if (part.scrollWidth > part.clientWidth + 1) found.push(part);
  }
  const bar = document.getElementById("sum");
  if (bar && bar.getBoundingClientRect().bottom > window.innerHeight + 1) found.push(bar);
  if (document.documentElement.scrollWidth > window.innerWidth) found.push(document.body);
  return found.map((element) => element.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing(open_page: Any, viewport: dict[str, int], dark: bool) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(viewport, dark=dark)
    for _ in walk(page):
        results = Axe().run(page)
        assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"


def walk(page: Any) -> Iterator[None]:
    """Every page of the shop, with guards, refusals and what follows on them."""
    page.goto("/")
    yield
    begin(page)
    yield
    choose(page, "o-shape-3")
    yield
    page.locator("#in-span").fill("mucho")
    page.locator("#set-span").click()
    page.locator("#q-span-trouble").wait_for()
    yield
    page.goto(page.url.partition("/sail")[0] + "/why?slot=span&answer=90")
    yield
    page.locator("article .btn").first.click()
    page.wait_for_url("**/sail**")
    choose(page, "o-shape-2")
    yield
    page.goto(page.url.partition("/sail")[0] + "/extras")
    page.locator("#k-tails-1-more").click()
    page.locator("output", has_text="1").wait_for()
    yield
    page.goto(page.url.partition("/extras")[0] + "/review")
    yield
    page.goto(page.url.partition("/review")[0] + "/nothing")
    yield
