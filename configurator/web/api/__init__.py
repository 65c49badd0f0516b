"""The session's use cases as JSON under ``/api/v1``, described by OpenAPI.

Answers are data for other programs: ids, cents, and texts in every language the product
has. Authenticated by token, never by cookie; so no CSRF token is asked for here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Flask
from flask_wtf import CSRFProtect

from configurator.web.api import elsewhere, products, sessions
from configurator.web.api.documented import Api
from configurator.web.api.problems import ProblemSchema

PREFIX = "/api/v1"


class ProblemApi(Api):
    """flask-smorest, leaving the answering of problems to our own blueprints: its handler
    would take over the errors of the pages too."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = "Problem"

    def _register_responses(self) -> None:
        """One for every status: problems all have the same shape."""
        for status in HTTPStatus:
            self.spec.components.response(status.name, _problem(status.phrase), lazy=True)
        described = _problem("Why it was not done, and what to do about it.")
        self.spec.components.response("Problem", described)

    def _register_error_handlers(self) -> None:
        """None of its own; see ``problems.answer_with_problems``."""


def register(app: Flask, csrf: CSRFProtect) -> None:
    """Put the API into ``app``; ``csrf`` lets it through, for it reads no cookie.

    Reads ``API_LIMIT`` (acts per session) and ``API_START_LIMIT`` (new sessions per
    address) from the app's configuration, both as ``limits`` spells them.
    """
    app.config.update(
        API_TITLE="Configurator",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = ProblemApi(app, spec_kwargs={"info": {"description": __doc__}})
    api.spec.components.security_scheme(
        "token",
        {
            "type": "http",
            "scheme": "bearer",
            "description": "The token that starting a session answered with.",
        },
    )
    for blueprint in (products.blueprint, sessions.blueprint):
        csrf.exempt(blueprint)
        api.register_blueprint(blueprint, url_prefix=PREFIX)
    csrf.exempt(elsewhere.blueprint)
    app.register_blueprint(elsewhere.blueprint, url_prefix=PREFIX)


def _problem(description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": ProblemSchema}}
    return {"description": description, "content": content}
