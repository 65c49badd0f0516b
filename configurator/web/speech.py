"""Flask-Babel's translating functions with the types they have."""

from __future__ import annotations

import flask_babel


def gettext(message: str, **values: object) -> str:
    """``message`` in the request's language, ``%(name)s`` filled in."""
    return str(flask_babel.gettext(message, **values))


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """The form for ``num`` in the request's language; ``%(num)s`` is the number."""
    return str(flask_babel.ngettext(one, many, num, **values))
