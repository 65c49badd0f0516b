from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import Babel
from flask_wtf import CSRFProtect

from configurator.model.verdict import Count, EngineView
from configurator.resources import resource_dir
from configurator.trail import UnknownSessionError
from configurator.web.locale import choose_locale
from configurator.web.shop import blueprint
from tests.shop.fake import PRODUCT, FakeSessions
from tests.trail.sessions import Clock

PICTURE = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60"
  data-focus="shape: 0 0 50 30; bag: 0 30 50 30">
<g class="layer" data-when="shape=delta"><path d="M10 50L50 5L90 50z" fill="#2f6b57"/></g>
<g class="layer" data-when="shape=box|ring"><rect x="20" y="10" width="60" height="40"/></g>
<g class="layer" data-when="cloth=silk"><circle cx="50" cy="30" r="9" fill="#b5482f"/></g>
<g class="layer" data-when="shape=delta bag=yes"><path d="M60 50h30v9h-30z"/></g></svg>"""

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; img-src 'self' data:"
)


class FakeCatalogue:
    """One product on sale."""

    def products(self) -> tuple[Any, ...]:
        return (SimpleNamespace(digest=PRODUCT.digest, product_id=PRODUCT.id),)

    def product(self, digest: str) -> Any:
        return PRODUCT

    def files(self, digest: str) -> dict[str, bytes]:
        return {"picture.svg": PICTURE}

    def engine(self, digest: str, day: Any) -> Any:
        view = EngineView((), 10600, True, Count(100, True), False)
        return SimpleNamespace(view=lambda choices, context=(): view)


@pytest.fixture(scope="session")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's catalogues, compiled as the build does."""
    folder = tmp_path_factory.mktemp("translations")
    for source in (resource_dir("translations") / "shop").rglob("*.po"):
        locale = source.parts[-3]
        target = folder / locale / "LC_MESSAGES" / "messages.mo"
        target.parent.mkdir(parents=True)
        with source.open("rb") as stream, target.open("wb") as out:
            write_mo(out, read_po(stream, locale=locale))
    return folder


def make_app(translations: Path, sessions: FakeSessions, *, csrf: bool) -> Flask:
    app = Flask(
        "configurator",
        template_folder=str(resource_dir("templates")),
        static_folder=str(resource_dir("static")),
        static_url_path="/static",
    )
    app.config.update(
        SECRET_KEY="a secret for tests",
        TESTING=True,
        MAX_CONTENT_LENGTH=64 * 1024,
        WTF_CSRF_ENABLED=csrf,
        RATELIMIT_ENABLED=False,
        API_START_LIMIT="600 per minute",
        BABEL_TRANSLATION_DIRECTORIES=str(translations),
        BABEL_DEFAULT_LOCALE="en",
    )
    app.extensions["configurator"] = SimpleNamespace(
        sessions=sessions, catalogue=FakeCatalogue(), clock=Clock()
    )
    Babel(app, locale_selector=choose_locale)
    CSRFProtect(app)
    app.register_blueprint(blueprint)

    @app.after_request
    def add_policy(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


@pytest.fixture
def sessions() -> FakeSessions:
    return FakeSessions()


@pytest.fixture
def app(translations: Path, sessions: FakeSessions) -> Flask:
    return make_app(translations, sessions, csrf=False)


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as client:
        yield client


class Shopper:
    """Somebody with a browser: opens pages, and sends the forms they hold."""

    def __init__(self, client: FlaskClient, locale: str = "en") -> None:
        self.client = client
        self.headers = {"Accept-Language": locale}
        response = client.post("/p/kite/start", headers=self.headers)
        assert response.status_code == 303
        self.session_id = response.headers["Location"].split("/")[2]

    def open(self, path: str, status: int = 200) -> str:
        response = self.client.get(f"/s/{self.session_id}/{path}", headers=self.headers)
        assert response.status_code == status, response.text
        return response.text

    def hidden(self, path: str = "sail") -> dict[str, str]:
        """What a form of that page carries."""
        page = self.open(path)
        found = {}
        for name in ("seq", "key", "at"):
            match = re.search(rf'name="{name}" value="([^"]*)"', page)
            assert match is not None, f"no {name} in the forms of {path}"
            found[name] = match.group(1)
        return found

    def send(self, act: str, *, at: str = "sail", htmx: bool = False, **fields: str) -> Any:
        data = {**self.hidden(at), **fields}
        headers = {**self.headers, **({"HX-Request": "true"} if htmx else {})}
        return self.client.post(f"/s/{self.session_id}/{act}", data=data, headers=headers)

    def choose(self, slot: str, answer: str, *, at: str = "sail") -> Any:
        return self.send("choose", at=at, slot=slot, answer=answer)


@pytest.fixture
def shopper(client: FlaskClient) -> Shopper:
    return Shopper(client)


@pytest.fixture
def compradora(client: FlaskClient) -> Shopper:
    return Shopper(client, "es")


__all__ = ["FakeSessions", "Shopper", "UnknownSessionError", "make_app"]
