"""Whose configuration it is: this browser's, as its signed cookie says.

The cookie holds a token per configuration, the newest last; a configuration that is not
in it does not exist for this browser. A token in a link lets another device in.
"""

from __future__ import annotations

from flask import abort, g, session
from flask_babel import refresh

from configurator.catalogue import CatalogueError
from configurator.session import Session
from configurator.trail import DamagedSessionError, UnknownSessionError
from configurator.web.shop.services import sessions

MOST_KEPT = 12
"""Configurations a cookie remembers: a cookie may have 4 KB."""


def remember(session_id: str, token: str) -> None:
    """Keep the token of a configuration in this browser."""
    kept = {known: each for known, each in tokens().items() if known != session_id}
    kept[session_id] = token
    if len(kept) > MOST_KEPT:
        del kept[_spare(list(kept)[:-1])]
    session["tokens"] = kept
    session.permanent = True


def _spare(kept: list[str]) -> str:
    """What to forget: the oldest in which nothing was chosen, else the oldest."""
    for session_id in kept:
        try:
            if not sessions().get(session_id).choices:
                return session_id
        except UnknownSessionError:
            return session_id
        except (DamagedSessionError, CatalogueError):
            continue  # there may be choices in it
    return kept[0]


def tokens() -> dict[str, str]:
    """The tokens of this browser, oldest first."""
    kept = session.get("tokens", {})
    return dict(kept) if isinstance(kept, dict) else {}


def owned(session_id: str) -> Session:
    """A configuration of this browser; any other is a 404. From here on the page speaks
    the configuration's language."""
    if session_id not in tokens():
        abort(404)
    try:
        found = sessions().get(session_id)
    except UnknownSessionError:
        abort(404)
    speak(found)
    return found


def speak(found: Session) -> None:
    """Answer this request in the language of a configuration."""
    g.locale = found.locale
    refresh()


def owned_all() -> list[Session]:
    """The configurations of this browser, newest first."""
    found = []
    for session_id in reversed(tokens()):
        try:
            found.append(sessions().get(session_id))
        except (UnknownSessionError, DamagedSessionError, CatalogueError):
            continue  # whoever opens it is told
    return found
