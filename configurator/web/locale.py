"""Which language a request is answered in."""

from __future__ import annotations

from flask import g, request, session

LOCALES = ("es", "en")


def choose_locale() -> str:
    """``?lang=``, the language of the configuration at hand, what was chosen before on
    this browser, or what the browser asks for; in this order."""
    for wanted in (request.args.get("lang"), g.get("locale"), session.get("locale")):
        if wanted in LOCALES:
            return str(wanted)
    return request.accept_languages.best_match(LOCALES) or LOCALES[0]
