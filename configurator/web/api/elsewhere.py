"""Addresses under the API's prefix that are no use case: problems explained, and nothing."""

from __future__ import annotations

from typing import Any, NoReturn

from flask import Blueprint, Response, request
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from configurator.web.api.problems import KINDS, answer_with_problems
from configurator.web.api.render import text_json

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

blueprint = Blueprint("api", __name__)
answer_with_problems(blueprint)


@blueprint.get("/problems/<code>")
def explain_problem(code: str) -> dict[str, Any]:
    """What a problem's ``type`` leads to: its title and cure in every language."""
    kind = KINDS.get(code)
    if kind is None:
        raise NotFound
    return {
        "code": code,
        "status": kind.status,
        "title": text_json(kind.title),
        "cure": text_json(kind.cure),
    }


@blueprint.route("/", methods=METHODS, defaults={"rest": ""})
@blueprint.route("/<path:rest>", methods=METHODS)
def nothing_here(rest: str) -> NoReturn:
    """Whatever no other address took: 405 where another method would do, else 404."""
    allowed = _allowed()
    if allowed:
        raise MethodNotAllowed(allowed)
    raise NotFound


def tell_methods() -> Response | None:
    """Answer OPTIONS with the methods of the address asked about, not with those that
    ``nothing_here`` would take."""
    if request.method != "OPTIONS":
        return None
    allowed = _allowed()
    if not allowed:
        raise NotFound
    return Response(status=204, headers={"Allow": ", ".join(allowed)})


blueprint.before_request(tell_methods)


def _allowed() -> list[str]:
    return [method for method in METHODS if _leads_elsewhere(method)]


def _leads_elsewhere(method: str) -> bool:
    adapter = request_ctx.url_adapter
    assert adapter is not None
    try:
        endpoint, _ = adapter.match(request.path, method=method)
    except HTTPException:
        return False
    return bool(endpoint != f"{blueprint.name}.{nothing_here.__name__}")
