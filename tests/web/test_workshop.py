"""From a zip to a release and back again."""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from configurator.app import Services, create_app, create_services
from configurator.catalogue import CheckProgress, Telling
from configurator.engine import Limits, TooWide
from configurator.session.checks import check_product
from configurator.settings import Settings
from configurator.web.workshop import pages
from tests.conftest import NEARLY_OCTOBER, october_lamp
from tests.trail.sessions import Clock
from tests.web.conftest import STAFF, ApiSession, csrf_of, sign_in, zipped
from tests.web.test_desk import words


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests wait for checks, however slow the machine."""
    monkeypatch.setattr(pages, "PATIENCE", 60)


@pytest.fixture
def workshop(member: Callable[[str], FlaskClient]) -> FlaskClient:
    """A merchandiser, signed in, reading English."""
    client = member("merchandiser")
    client.get("/workshop/?lang=en")
    return client


def send(client: FlaskClient, content: bytes, name: str = "lamp.zip") -> TestResponse:
    """Send the upload form. The body is put together here, for the test client leaves
    the temporary file of a large one open."""
    token = csrf_of(client.get("/workshop/"))
    head = (
        '--part\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n'
        f"{token}\r\n"
        f'--part\r\nContent-Disposition: form-data; name="folder"; filename="{name}"\r\n'
        "Content-Type: application/zip\r\n\r\n"
    )
    return client.post(
        "/workshop/drafts",
        data=head.encode() + content + b"\r\n--part--\r\n",
        content_type="multipart/form-data; boundary=part",
    )


def draft_of(client: FlaskClient, files: dict[str, bytes]) -> str:
    answer = send(client, zipped(files))
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


@pytest.fixture
def next_lamp(lamp: dict[str, bytes]) -> dict[str, bytes]:
    """The small product with a cheaper foot, and no scenario that counts on its price."""
    files = {**lamp, "product.yaml": lamp["product.yaml"].replace(b"12.00", b"10.00")}
    del files["scenarios.yaml"]
    return files


def publish(client: FlaskClient, location: str, note: str = "Cheaper foot") -> TestResponse:
    token = csrf_of(client.get(location))
    form = {"csrf_token": token, "note": note}
    return client.post(f"{location}/publish", data=form)


def test_a_draft_is_checked_published_and_rolled_back(
    workshop: FlaskClient, client: FlaskClient, services: Services, next_lamp: dict[str, bytes]
) -> None:
    first = services.catalogue.current("lamp")
    open_session = ApiSession(client)
    location = draft_of(workshop, next_lamp)
    read = words(workshop.get(location))
    assert "Desk lamp, draft after release 1" in read
    assert "No mistakes" in read
    assert "one open configuration stays on the release it began with" in read

    published = publish(workshop, location)
    assert (published.status_code, published.location) == (303, "/workshop/products/lamp")
    second = services.catalogue.current("lamp")
    assert (second.number, second.published_by, second.note) == (2, "mar", "Cheaper foot")
    read = words(workshop.get("/workshop/products/lamp"))
    assert "Release 2 is live. New configurations use it from now on." in read
    assert "Release 2 current Cheaper foot" in read
    assert "Release 1 No note. tests" in read
    assert open_session.get().get_json()["release"] == first.digest
    assert ApiSession(client).state["release"] == second.digest

    token = csrf_of(workshop.get("/workshop/products/lamp"))
    form = {"csrf_token": token, "release": first.digest, "reason": "The foot is dearer"}
    back = workshop.post("/workshop/products/lamp/rollback", data=form)
    assert back.status_code == 303
    assert services.catalogue.current("lamp").digest == first.digest
    read = words(workshop.get("/workshop/products/lamp"))
    assert "Release 1 is current again." in read
    assert "The foot is dearer" in read
    assert ApiSession(client).state["release"] == first.digest


def test_a_mistake_is_shown_right_after_its_line(
    workshop: FlaskClient, services: Services, lamp: dict[str, bytes]
) -> None:
    wrong = lamp["product.yaml"].replace(b"require: mount = foot", b"require: mount = fooot")
    location = draft_of(workshop, {**lamp, "product.yaml": wrong})
    response = workshop.get(location)
    line = next(number for number, each in enumerate(wrong.split(b"\n"), 1) if b"fooot" in each)
    read = words(response)
    assert "one mistake to mend first" in read
    assert re.search(rf"{line} require: mount = fooot Mistake, line {line}, column", read)
    assert "<mark>fooot</mark>" in response.get_data(as_text=True)
    assert f"{location}/publish" not in response.get_data(as_text=True)
    token = csrf_of(workshop.get("/workshop/"))
    forced = workshop.post(f"{location}/publish", data={"csrf_token": token})
    assert forced.status_code == 422
    assert "It was not published" in words(forced)
    assert services.catalogue.current("lamp").number == 1
    spanish = words(workshop.get(location, query_string={"lang": "es"}))
    assert f"Fallo, línea {line}, columna" in spanish
    assert "Did you mean" in read
    assert "¿Querías decir «foot»?" in spanish


def test_times_are_those_of_the_product_and_say_so(
    settings: Settings, lamp: dict[str, bytes]
) -> None:
    """In the workshop and at the desk alike."""
    clock = Clock(NEARLY_OCTOBER)
    rooms = create_services(settings, clock=clock)
    app = create_app(settings, rooms)
    session = ApiSession(app.test_client())
    clock.now += datetime.timedelta(minutes=1)
    lamp["notes.txt"] = b"A later release."
    assert rooms.catalogue.publish(lamp, by="tests").release is not None
    staff = app.test_client()
    sign_in(staff, STAFF["admin"])
    for path, time in (
        ("/workshop/", "00:31:00"),
        ("/workshop/products/lamp", "00:31:00"),
        (f"/desk/configurations/{session.id}", "00:30:00"),
    ):
        assert f"1 Oct 2026, {time} (Europe/Madrid)" in words(staff.get(path + "?lang=en"))
        assert f"1 oct 2026, {time} (Europe/Madrid)" in words(staff.get(path + "?lang=es"))
    replayed = words(staff.get(f"/desk/configurations/{session.id}/steps/1?lang=en"))
    assert "Steps (Europe/Madrid) 1 00:30:00" in replayed


@pytest.mark.parametrize(("price", "holds"), [("29.70", True), ("33.00", False)])
def test_today_is_the_day_where_the_product_is_sold(
    settings: Settings, price: str, holds: bool
) -> None:
    at_night = create_services(settings, clock=lambda: NEARLY_OCTOBER)
    client = create_app(settings, at_night).test_client()
    sign_in(client, STAFF["merchandiser"])
    client.get("/workshop/?lang=en")
    location = draft_of(client, october_lamp(price))
    read = words(client.get(location))
    assert ("1 of 1 scenarios as expected" in read) == holds
    published = at_night.catalogue.publish(october_lamp(price), by="tests")
    assert (published.release is not None) == holds


def test_a_draft_is_checked_anew_on_another_day(settings: Settings) -> None:
    clock = Clock(NEARLY_OCTOBER - datetime.timedelta(hours=1))
    services = create_services(settings, clock=clock)
    client = create_app(settings, services).test_client()
    sign_in(client, STAFF["merchandiser"])
    client.get("/workshop/?lang=en")
    location = draft_of(client, october_lamp("33.00"))
    assert "1 of 1 scenarios as expected" in words(client.get(location))
    clock.now = NEARLY_OCTOBER
    assert "0 of 1 scenarios as expected" in words(client.get(location))


def test_each_mistake_leads_to_the_next(workshop: FlaskClient, lamp: dict[str, bytes]) -> None:
    """From the number on top, through a file, and on into the next."""
    location = draft_of(workshop, misspelt(lamp))
    body = workshop.get(location).get_data(as_text=True)
    more = f"{location}?file=scenarios.yaml#d1"
    assert re.search(r'<a class="pill stop" href="#d1"[^>]*>.*3 mistakes to mend first', body)
    assert re.search(r'id="d1" tabindex="-1" autofocus>', body)
    assert body.count("autofocus") == 1
    assert re.findall(r'<a href="([^"]+)" aria-keyshortcuts="F8"', body) == ["#d2", more]
    assert re.findall(r'<a href="([^"]+)" aria-keyshortcuts="Shift', body) == ["#d1"]
    assert f'<a href="{more}"><span>scenarios.yaml' in body  # in the list of files
    body = workshop.get(f"{location}?file=scenarios.yaml").get_data(as_text=True)
    first, last = (f"{location}?file=product.yaml#d{number}" for number in (1, 2))
    assert re.search(rf'<a class="pill stop" href="{re.escape(first)}"', body)
    assert re.findall(r'<a href="([^"]+)" aria-keyshortcuts="', body) == [last]


def misspelt(lamp: dict[str, bytes]) -> dict[str, bytes]:
    """The small product with two mistakes in one file and one in another."""
    return {
        "product.yaml": lamp["product.yaml"]
        .replace(b"require: mount = foot", b"require: mount = fooot")
        .replace(b"require: bulb = large", b"require: bulb = larg"),
        "scenarios.yaml": lamp["scenarios.yaml"].replace(b"mount: clamp", b"mount: clam"),
    }


def test_scenarios_show_what_was_expected(workshop: FlaskClient, lamp: dict[str, bytes]) -> None:
    dearer = lamp["product.yaml"].replace(b"base: 30.00", b"base: 31.00")
    location = draft_of(workshop, {**lamp, "product.yaml": dearer})
    read = words(workshop.get(location))
    assert "3 of 4 scenarios as expected" in read
    assert "A whole lamp" in read
    assert "mistake to mend first" in read


def test_who_published_is_logged_though_nobody_waits_for_the_page(
    workshop: FlaskClient,
    app: Flask,
    next_lamp: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    location = draft_of(workshop, next_lamp)
    form = {"csrf_token": csrf_of(workshop.get(location)), "note": "Cheaper foot"}
    monkeypatch.setattr(pages, "PATIENCE", 0.0)
    with capture_logs() as logged:
        workshop.post(f"{location}/publish", data=form)
        key = ("publish", STAFF["merchandiser"], location.rpartition("/")[2])
        release = app.extensions["workshop"].find(key).result().release
    line = {"by": STAFF["merchandiser"], "release": release.digest, "log_level": "info"}
    assert logged == [{"event": "release published", **line}]


def test_what_is_live_already_is_not_published_twice(
    workshop: FlaskClient, lamp: dict[str, bytes]
) -> None:
    assert "This is just what is live already." in words(workshop.get(draft_of(workshop, lamp)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        zipped({"../product.yaml": b"x"}),
        zipped({"product.py": b"x"}),
        zipped({f"{n}.csv": b"0" * (5 * 1024 * 1024) for n in range(5)}),
    ],
    ids=["nothing", "no zip", "traversal", "code", "bomb"],
)
def test_what_is_no_rule_folder_is_told_so(
    workshop: FlaskClient, services: Services, content: bytes
) -> None:
    answer = send(workshop, content)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
    drafts = services.settings.folder / "drafts"
    assert not drafts.exists() or not list(drafts.rglob("*.zip"))


def test_an_upload_that_is_too_large_is_refused(workshop: FlaskClient) -> None:
    assert send(workshop, b"\x00" * (6 * 1024 * 1024)).status_code == 413


@pytest.mark.parametrize(
    "files",
    [
        {"product.yaml": b"[" * 30_000},
        {"product.yaml": b"a: &a [1]\nb: *a\n"},
        {"product.yaml": b"\xff\xfe\x00"},
        {"product.yaml": b"product: x\nproduct: y\n"},
        {"notes.txt": b"nothing of a product"},
        {"product.yaml": b"product: <script>alert(1)</script>\n"},
        {"product.yaml": b"product: x\nname: '{{7*7}}'\nlanguage: en\n"},
    ],
    ids=["deep", "alias", "bytes", "twice", "nothing", "script", "template"],
)
def test_hostile_folders_come_back_with_their_mistakes(
    workshop: FlaskClient, files: dict[str, bytes]
) -> None:
    response = workshop.get(draft_of(workshop, files))
    assert response.status_code == 200
    body = response.get_data(as_text=True)
    assert "mistake" in words(response)
    assert "<script>alert" not in body


def test_drafts_of_others_are_not_to_be_seen(
    workshop: FlaskClient, member: Callable[[str], FlaskClient], lamp: dict[str, bytes]
) -> None:
    location = draft_of(workshop, lamp)
    other = member("admin")
    assert other.get(location).status_code == 404
    token = csrf_of(other.get("/workshop/"))
    assert other.post(f"{location}/publish", data={"csrf_token": token}).status_code == 404


@pytest.mark.parametrize("digest", ["x", "0" * 64, "..%2f..", "0" * 63 + "G"])
def test_drafts_there_are_not(workshop: FlaskClient, digest: str) -> None:
    assert workshop.get(f"/workshop/drafts/{digest}").status_code == 404


def test_a_full_disk_keeps_no_half_of_a_draft(
    workshop: FlaskClient,
    lamp: dict[str, bytes],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, capture_logs() as logged:
        patched.setattr(Path, "replace", full)
        refused = send(workshop, zipped(lamp))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert [line["event"] for line in logged] == ["storage unavailable"]
    assert not [each for each in (settings.folder / "drafts").rglob("*") if each.is_file()]
    assert send(workshop, zipped(lamp)).status_code == 303


def test_old_drafts_make_room(workshop: FlaskClient, services: Services, app: Flask) -> None:
    app.config["RATELIMIT_ENABLED"] = False
    first = draft_of(workshop, {"product.yaml": b"product: one\n"})
    for number in range(20):
        draft_of(workshop, {"product.yaml": f"product: p{number}\n".encode()})
    assert workshop.get(first).status_code == 404
    assert len(list((services.settings.folder / "drafts").rglob("*.zip"))) == 20


def test_rolling_back_needs_a_reason_and_an_earlier_release(
    workshop: FlaskClient, services: Services, next_lamp: dict[str, bytes]
) -> None:
    first = services.catalogue.current("lamp")
    publish(workshop, draft_of(workshop, next_lamp))
    second = services.catalogue.current("lamp")
    token = csrf_of(workshop.get("/workshop/products/lamp"))
    for form, status in (
        ({"release": first.digest, "reason": " \t "}, 422),
        ({"release": second.digest, "reason": "because"}, 422),
        ({"release": "0" * 64, "reason": "because"}, 404),
        ({"reason": "because"}, 404),
    ):
        form["csrf_token"] = token
        answer = workshop.post("/workshop/products/lamp/rollback", data=form)
        assert answer.status_code == status
    assert services.catalogue.current("lamp").digest == second.digest


def test_products_there_are_not(workshop: FlaskClient) -> None:
    token = csrf_of(workshop.get("/workshop/"))
    for product in ("nothing", "%00", "x" * 300):
        assert workshop.get(f"/workshop/products/{product}").status_code == 404
        form = {"csrf_token": token, "reason": "because", "release": "0" * 64}
        answer = workshop.post(f"/workshop/products/{product}/rollback", data=form)
        assert answer.status_code == 404


def test_a_long_check_shows_how_far_it_is_and_then_what_it_found(
    workshop: FlaskClient, next_lamp: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def slowly(*arguments: Any, tell: Telling, **options: Any) -> Any:
        tell(CheckProgress("compiling", 3, 11))
        begun.set()
        assert go_on.wait(60)
        return check_product(*arguments, tell=tell, **options)

    monkeypatch.setattr(pages, "check_product", slowly)
    monkeypatch.setattr(pages, "PATIENCE", 0.0)
    location = draft_of(workshop, next_lamp)
    assert "Reading the rule folder" in words(workshop.get(location))
    assert begun.wait(60)
    waiting = workshop.get(location)
    assert waiting.status_code == 200
    assert waiting.headers["Refresh"] == f"2; url={location}"
    assert "Compiling the rules" in words(waiting)
    assert "3 of 11 rules" in words(waiting)
    assert "Compilando las reglas" in words(workshop.get(f"{location}?lang=es"))
    workshop.get(f"{location}?lang=en")
    go_on.set()
    monkeypatch.setattr(pages, "PATIENCE", 60)
    assert "No mistakes" in words(workshop.get(location))
    monkeypatch.setattr(pages, "check_product", None)  # what was found is kept
    assert "No mistakes" in words(workshop.get(location))


def test_publishing_that_takes_long_is_followed_to_its_end(
    workshop: FlaskClient,
    services: Services,
    next_lamp: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    location = draft_of(workshop, next_lamp)
    workshop.get(location)
    go_on = threading.Event()
    publishing = services.catalogue.publish

    def slowly(*arguments: Any, **options: Any) -> Any:
        assert go_on.wait(60)
        return publishing(*arguments, **options)

    monkeypatch.setattr(services.catalogue, "publish", slowly)
    form = {"csrf_token": csrf_of(workshop.get(location)), "note": "Cheaper foot"}
    monkeypatch.setattr(pages, "PATIENCE", 0.0)
    answer = workshop.post(f"{location}/publish", data=form)
    assert "being checked and published" in words(answer)
    assert "being checked and published" in words(workshop.get(location))
    assert services.catalogue.current("lamp").number == 1
    go_on.set()
    monkeypatch.setattr(pages, "PATIENCE", 60)
    done = workshop.get(location)
    assert (done.status_code, done.location) == (303, "/workshop/products/lamp")
    release = services.catalogue.current("lamp")
    assert (release.number, release.note) == (2, "Cheaper foot")
    assert release.confirmation is not None
    assert release.confirmation.judge == "python-constraint"
    read = words(workshop.get("/workshop/products/lamp"))
    listed = release.confirmation.configurations
    assert f"Confirmed whole by a second engine (python-constraint): {listed}" in read
    assert f"the compiled form {release.confirmation.digest[:12]}" in read


def test_a_product_too_wide_to_compile_is_published_with_a_warning(
    workshop: FlaskClient,
    services: Services,
    next_lamp: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "check_product", never_compiled)
    monkeypatch.setattr("configurator.app.check_product", never_compiled)
    location = draft_of(workshop, next_lamp)
    read = words(workshop.get(location))
    assert "No mistakes" in read
    assert "This product has no compiled form: one rule alone is too wide." in read
    assert "Widest here: long-needs-foot." in read
    assert re.search(r"Warning, line \d+, column \d+ not-compiled", read)
    published = publish(workshop, location)
    assert published.status_code == 303
    confirmation = services.catalogue.current("lamp").confirmation
    assert confirmation is not None
    assert confirmation.engine == "sat"
    assert confirmation.too_wide == TooWide("states", ("long-needs-foot",))
    read = words(workshop.get("/workshop/products/lamp"))
    assert "Not compiled: answers come from the slower engine." in read
    assert "Widest rules: long-needs-foot." in read


def never_compiled(*arguments: Any, limits: Limits, **options: Any) -> Any:
    return check_product(*arguments, limits=Limits(nodes=0, edges=0), **options)


def test_a_check_that_breaks_is_an_error_and_begins_anew(
    workshop: FlaskClient, next_lamp: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    location = draft_of(workshop, next_lamp)
    with monkeypatch.context() as broken:
        broken.setattr(pages, "load_safely", None)
        with pytest.raises(TypeError):
            workshop.get(location)
    assert "No mistakes" in words(workshop.get(location))
