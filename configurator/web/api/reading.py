"""Reads requests strictly: JSON that is JSON, and the token that opens a session."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from flask import Request, request
from webargs.flaskparser import FlaskParser

from configurator.session import Session
from configurator.web.access import services
from configurator.web.api.problems import ProblemError

_TOKEN = re.compile(r"(?P<session>[0-9A-Za-z-]{1,64})\.[0-9A-Za-z_-]{1,128}")


class StrictJsonParser(FlaskParser):
    """Bodies must be declared as JSON and be JSON; none at all counts as ``{}``."""

    def load_json(self, req: Request, schema: Any) -> Any:
        """The body; raises ``ProblemError`` for what is not JSON."""
        body = req.get_data(cache=True)
        if not body and not req.mimetype:
            return {}
        if not req.is_json:
            raise ProblemError("not-json")
        if not body:
            return {}
        try:
            return _STRICT.decode(body.decode())
        except (ValueError, RecursionError) as problem:
            raise ProblemError("malformed-json") from problem


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _no_member_twice(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) < len(members):
        raise ValueError("a member is there twice")
    return read


_STRICT = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_no_member_twice)


def own_token(session_id: str) -> str:
    """The request's token, which is for the session of the address by its looks.

    Raises ``ProblemError``: ``token-missing`` where there is none, ``unknown-session``
    where it opens another session.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ProblemError("token-missing")
    fitting = _TOKEN.fullmatch(token.strip())
    if fitting is None or fitting["session"] != session_id:
        raise ProblemError("unknown-session")
    return fitting[0]


def own_session(session_id: str) -> Session:
    """The session of the address, where the request's token opens it; raises
    ``ProblemError`` as ``own_token`` does and ``UnknownSessionError``."""
    session: Session = services().sessions.resume(own_token(session_id))
    return session


def step_number(text: str) -> int:
    """The number of an event in an address; raises ``ProblemError``."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise ProblemError("unknown-event")
    return int(text)
