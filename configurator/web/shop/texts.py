"""The shop's own sentences in the language of the request, as plain text.

flask-babel has no types of its own; here is where its answers get one.
"""

from __future__ import annotations

import flask_babel


def gettext(sentence: str, /, **values: object) -> str:
    """The sentence in the language of the request, with its values filled in."""
    return str(flask_babel.gettext(sentence, **values))


def pgettext(context: str, sentence: str, /) -> str:
    """A word the staff's pages say otherwise: its sentence within ``context``."""
    return str(flask_babel.pgettext(context, sentence))


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """The sentence for ``num`` things; ``%(num)s`` is filled in."""
    return str(flask_babel.ngettext(one, many, num, **values))


def page_language() -> str:
    """The language of the request: ``es`` or ``en``."""
    locale = flask_babel.get_locale()
    return str(locale.language) if locale is not None else "en"
