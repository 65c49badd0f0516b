"""Who may open which page: every staff route times every role is declared here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from configurator.app import Services, create_app
from configurator.settings import Settings
from configurator.web import access
from tests.web.conftest import PASSWORD, STAFF, csrf_of, sign_in

DESK = {"anonymous": "sign in", "merchandiser": "refused", "support": "in", "admin": "in"}
WORKSHOP = {"anonymous": "sign in", "merchandiser": "in", "support": "refused", "admin": "in"}
ANYONE = dict.fromkeys(("anonymous", "merchandiser", "support", "admin"), "in")

MATRIX = {
    ("GET", "desk.find"): DESK,
    ("POST", "desk.look_up"): DESK,
    ("GET", "desk.show"): DESK,
    ("GET", "desk.step_at"): DESK,
    ("GET", "desk.step"): DESK,
    ("GET", "desk.verify"): DESK,
    ("GET", "workshop.products"): WORKSHOP,
    ("GET", "workshop.product"): WORKSHOP,
    ("POST", "workshop.roll_back"): WORKSHOP,
    ("POST", "workshop.upload"): WORKSHOP,
    ("GET", "workshop.draft"): WORKSHOP,
    ("POST", "workshop.publish"): WORKSHOP,
    ("GET", "staff.sign_in"): ANYONE,
    ("POST", "staff.enter"): ANYONE,
    ("POST", "staff.sign_out"): ANYONE,
}
ARGUMENTS = {"session_id": "nobody", "seq": "1", "product_id": "nothing", "digest": "0" * 64}


def staff_routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Method, endpoint and address of every staff route there is."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in ("desk", "workshop", "staff"):
            arguments = {name: ARGUMENTS[name] for name in rule.arguments}
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                yield method, rule.endpoint, adapter.build(rule.endpoint, arguments)


def test_every_staff_route_is_declared(app: Flask) -> None:
    assert {(method, endpoint) for method, endpoint, _ in staff_routes(app)} == set(MATRIX)


@pytest.mark.parametrize("role", ["anonymous", "merchandiser", "support", "admin"])
def test_every_role_gets_in_just_where_it_belongs(
    app: Flask, member: Callable[[str], FlaskClient], role: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    app.config["RATELIMIT_ENABLED"] = False
    client = member("anonymous")
    if role != "anonymous":
        client.post("/staff/login", data={"name": STAFF[role], "password": PASSWORD})
    for method, endpoint, address in sorted(staff_routes(app)):
        if endpoint.startswith("staff."):
            continue
        response = client.open(address, method=method)
        expected = MATRIX[method, endpoint][role]
        where = f"{role}: {method} {endpoint}: {response.status_code}"
        if expected == "sign in":
            assert response.status_code == 303, where
            assert response.location.startswith("/staff/login"), where
        elif expected == "refused":
            assert response.status_code == 403, where
        else:
            assert response.status_code in (200, 303, 404, 422), where
            assert not (response.location or "").startswith("/staff/login"), where
        assert response.headers["Cache-Control"] == "no-store", where


def test_a_view_that_declares_no_roles_is_closed(settings: Settings, services: Services) -> None:
    app = create_app(settings, services)
    view = app.view_functions["desk.find"]
    app.view_functions["desk.find"] = view.__wrapped__  # type: ignore[attr-defined]
    client = app.test_client()
    sign_in(client, "ada")
    assert client.get("/desk/").status_code == 403


def test_roles_that_do_not_exist_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="gardener"):
        access.requires("gardener")
    with pytest.raises(ValueError, match="none"):
        access.requires()


# --- signing in and out -------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "home"),
    [("merchandiser", "/workshop/"), ("support", "/desk/"), ("admin", "/desk/")],
)
def test_each_role_comes_home(client: FlaskClient, role: str, home: str) -> None:
    answer = sign_in(client, STAFF[role])
    assert (answer.status_code, answer.location) == (303, home)
    assert client.get(home).status_code == 200
    assert client.get("/staff/login").location == home


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("Nobody", PASSWORD),
        ("", ""),
        ("ada", ""),
        ("ada", PASSWORD + "x" * 2000),
        ("x" * 5000, PASSWORD),
        ("A\x00da", PASSWORD),
        ("Ada' OR 1=1 --", PASSWORD),
        ("<script>alert(1)</script>", "x"),
    ],
)
def test_what_does_not_fit_stays_out(client: FlaskClient, name: str, password: str) -> None:
    answer = sign_in(client, name, password)
    assert answer.status_code == 401
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert client.get("/desk/").status_code == 303


def test_a_wrong_name_and_a_wrong_password_read_the_same(client: FlaskClient) -> None:
    pages = [sign_in(client, "ada", "x"), sign_in(client, "adb", "x")]
    first, second = (csrf_free(page.get_data(as_text=True)) for page in pages)
    assert first.replace("ada", "…") == second.replace("adb", "…")


def csrf_free(page: str) -> str:
    return page.replace(csrf_of(page), "")


def test_signing_in_begins_a_new_session(client: FlaskClient) -> None:
    with client.session_transaction() as before:
        before["planted"] = "by somebody else"
        before["locale"] = "es"
    sign_in(client, "ada")
    with client.session_transaction() as after:
        assert "planted" not in after
        assert after["locale"] == "es"


def test_a_csrf_token_from_before_does_not_work_after(client: FlaskClient) -> None:
    old = csrf_of(client.get("/staff/login"))
    sign_in(client, "ada")
    assert client.post("/staff/logout", data={"csrf_token": old}).status_code == 400


def test_signing_out(client: FlaskClient) -> None:
    sign_in(client, "ada")
    token = csrf_of(client.get("/desk/"))
    with capture_logs() as logged:
        assert client.post("/staff/logout", data={"csrf_token": token}).location == "/staff/login"
    assert logged == [{"event": "staff signed out", "name": "ada", "log_level": "info"}]
    assert client.get("/desk/").status_code == 303


def test_what_is_refused_to_staff_is_logged(client: FlaskClient) -> None:
    sign_in(client, STAFF["support"])
    with capture_logs() as logged:
        assert client.get("/workshop/").status_code == 403
    (line,) = logged
    assert line == {
        "event": "staff page refused",
        "by": STAFF["support"],
        "endpoint": "workshop.products",
        "log_level": "warning",
    }


def test_a_copy_of_the_cookie_ends_with_signing_out(client: FlaskClient) -> None:
    sign_in(client, "ada")
    token = csrf_of(client.get("/desk/"))
    kept = client.get_cookie("session")
    assert kept is not None
    client.post("/staff/logout", data={"csrf_token": token})
    client.set_cookie("session", kept.value)
    assert client.get("/desk/").status_code == 303


def test_a_shift_ends(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(client, "ada")
    assert client.get("/desk/").status_code == 200
    late = time.time() + access.SHIFT + 60
    monkeypatch.setattr(access.time, "time", lambda: late)
    assert client.get("/desk/").status_code == 303


def test_a_changed_role_bites_at_the_next_request(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, "ada")
    staff = app.extensions["configurator"].staff
    was = staff.get("ada")
    monkeypatch.setattr(type(staff), "get", lambda self, name: None)
    assert client.get("/desk/").status_code == 303
    assert was is not None


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: FlaskClient) -> None:
    plain = client.get("/staff/login").headers["Set-Cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    other = client.application.test_client()
    crypted = other.get("/staff/login", base_url="https://localhost").headers["Set-Cookie"]
    assert "Secure" in crypted


# --- forgery, guessing, redirects ---------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "nonsense"])
def test_every_form_needs_its_token(app: Flask, client: FlaskClient, token: str | None) -> None:
    sign_in(client, "ada")
    for method, endpoint, address in staff_routes(app):
        if method == "POST":
            form = {} if token is None else {"csrf_token": token}
            assert client.post(address, data=form).status_code == 400, endpoint


def test_guessing_one_name_is_slowed_down(client: FlaskClient) -> None:
    token = csrf_of(client.get("/staff/login"))
    form = {"name": "ada", "password": "wrong", "csrf_token": token}
    with capture_logs() as logged:
        answers = [client.post("/staff/login", data=form) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [401] * 6 + [429] * 2
    assert [(line["event"], line["what"]) for line in logged if "what" in line] == [
        ("too many requests", "sign-in")
    ] * 2
    assert int(answers[-1].headers["Retry-After"]) >= 1
    right = client.post("/staff/login", data={**form, "password": PASSWORD})
    assert right.status_code == 429
    other = client.post("/staff/login", data={**form, "name": "mar", "password": PASSWORD})
    assert other.status_code == 303


def test_guessing_many_names_from_one_address_is_slowed_down(client: FlaskClient) -> None:
    token = csrf_of(client.get("/staff/login"))
    codes = [
        client.post(
            "/staff/login", data={"name": f"n{n}", "password": "x", "csrf_token": token}
        ).status_code
        for n in range(22)
    ]
    assert codes == [401] * 20 + [429] * 2


@pytest.mark.parametrize("case", ["ADA", "ada ", "aDa"])
def test_spelling_a_name_differently_does_not_help_guessing(client: FlaskClient, case: str) -> None:
    token = csrf_of(client.get("/staff/login"))
    form = {"name": "ada", "password": "wrong", "csrf_token": token}
    for _ in range(6):
        client.post("/staff/login", data=form)
    assert client.post("/staff/login", data={**form, "name": case}).status_code == 429


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/desk",
        "//elsewhere.example/desk",
        "///elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "javascript:alert(1)",
        "/desk\n/x",
        "/desk\t",
        " /desk",
        "/deskx",
        "/desk/../s/secret",
        "/desk//elsewhere.example",
        "http:/desk",
        "/",
        "/r/token",
        "desk",
        "/staff/logout",
        "//[",
        "https://[elsewhere.example",
    ],
)
def test_a_sign_in_leads_nowhere_else(client: FlaskClient, target: str) -> None:
    assert sign_in(client, "ada", next=target).location == "/desk/"


@pytest.mark.parametrize(
    "target", ["/desk/", "/workshop/products/lamp", "/desk/configurations/abc/steps?seq=3"]
)
def test_a_sign_in_leads_back_to_the_page_that_asked(client: FlaskClient, target: str) -> None:
    asked = client.get(target)
    assert asked.status_code == 303
    page = client.get(asked.location)
    form = {"name": "ada", "password": PASSWORD, "csrf_token": csrf_of(page)}
    assert client.post(asked.location, data=form).location == target


@given(st.text(max_size=40))
def test_own_paths_are_paths(target: str) -> None:
    kept = access.own_path(target)
    assert kept is None or kept.startswith(("/desk", "/workshop"))


def test_pages_carry_the_policy_and_no_inline_code(member: Callable[[str], FlaskClient]) -> None:
    client = member("admin")
    for address in ("/staff/login", "/desk/", "/workshop/", "/workshop/products/lamp"):
        page = client.get(address, follow_redirects=True)
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        html = page.get_data(as_text=True)
        assert "<script>" not in html
        assert "<style" not in html
        assert " style=" not in html
        assert " onclick=" not in html
