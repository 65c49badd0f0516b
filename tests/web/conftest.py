"""A service with one small product, its staff, and clients that speak for each of them."""

from __future__ import annotations

import io
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from configurator.app import Services, create_app, create_services
from configurator.settings import Settings
from tests.conftest import LAMP, files_of

PASSWORD = "a long enough password"
STAFF = {"merchandiser": "mar", "support": "sol", "admin": "ada"}

Json = dict[str, Any]


def settings_in(folder: Path) -> Settings:
    """Settings of a service that lives in a folder."""
    return Settings(
        folder=folder,
        database_url=f"sqlite:///{folder}/configurator.db",
        secret_key="for tests only",
        testing=True,
    )


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a service with the small product and its staff, made once."""
    folder = tmp_path_factory.mktemp("prepared")
    made = create_services(settings_in(folder))
    published = made.catalogue.publish(files_of(LAMP), by="tests")
    assert published.release is not None, published.diagnostics
    for role, name in STAFF.items():
        made.staff.add(name, PASSWORD, role)
    return folder


@pytest.fixture
def settings(tmp_path: Path, prepared: Path) -> Settings:
    """Settings of a service in the test's own copy of that folder."""
    folder = tmp_path / "service"
    shutil.copytree(prepared, folder)
    return settings_in(folder)


@pytest.fixture
def services(settings: Settings) -> Services:
    """The service in that copy."""
    return create_services(settings)


@pytest.fixture
def app(settings: Settings, services: Services) -> Flask:
    """The application over it."""
    return create_app(settings, services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody nobody knows."""
    return app.test_client()


def csrf_of(page: TestResponse | str) -> str:
    """The CSRF token of a page's form."""
    text = page if isinstance(page, str) else page.get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found, text[:2000]
    return found.group(1)


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD, **query: str) -> TestResponse:
    """Fill in and send the sign-in form."""
    token = csrf_of(client.get("/staff/login"))
    form = {"name": name, "password": password, "csrf_token": token}
    return client.post("/staff/login", data=form, query_string=query)


@pytest.fixture
def member(app: Flask) -> Callable[[str], FlaskClient]:
    """A client signed in with a role; ``anonymous`` is one that is not."""

    def make(role: str) -> FlaskClient:
        client = app.test_client()
        if role != "anonymous":
            assert sign_in(client, STAFF[role]).status_code == 303
        return client

    return make


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A rule folder as a zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


class ApiSession:
    """One session through the API."""

    def __init__(self, client: FlaskClient, product: str = "lamp", **more: Any) -> None:
        answer = client.post("/api/v1/sessions", json={"product": product, **more})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        started = answer.get_json()
        self.client = client
        self.token: str = started["token"]
        self.state: Json = started["session"]
        self.id: str = self.state["session_id"]
        self.address = f"/api/v1/sessions/{self.id}"

    def post(self, act: str, body: Any = None, key: str | None = None, **more: Any) -> TestResponse:
        """Send an act."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        if "data" not in more:
            more["json"] = {} if body is None else body
        return self.client.post(f"{self.address}/{act}", headers=headers, **more)

    def get(self, path: str = "", **query: Any) -> TestResponse:
        """Ask for something."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.get(f"{self.address}{path}", headers=headers, query_string=query)

    def choose(self, slot: str, answer: str, **more: Any) -> Json:
        """Choose, and give the answer's body."""
        response = self.post("choose", {"slot": slot, "answer": answer}, **more)
        assert response.status_code == 200, response.get_data(as_text=True)
        body: Json = response.get_json()
        return body


@pytest.fixture
def lamp_session(client: FlaskClient) -> ApiSession:
    """A session on the small product."""
    return ApiSession(client, language="es")
