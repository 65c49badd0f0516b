"""What a customer reads when something did not go as asked: fact, reason, way out."""

from __future__ import annotations

import structlog
from flask import Blueprint, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from configurator.catalogue import CatalogueError, UnknownReleaseError, UnreadableReleaseError
from configurator.engine import EngineError
from configurator.trail import DamagedSessionError, TrailUnavailableError
from configurator.web.access import tell_damage, tell_unavailable
from configurator.web.shop.texts import gettext

log = structlog.get_logger(__name__)

KEPT_HEADERS = ("Retry-After", "Allow")


def register(shop: Blueprint) -> None:
    """Answer refusals of pages, wherever they were asked for; rooms with pages or answers
    of their own keep them."""
    shop.app_errorhandler(HTTPException)(show)
    shop.app_errorhandler(TrailUnavailableError)(show_unavailable)
    shop.app_errorhandler(EngineError)(show_void)
    for damage in (DamagedSessionError, UnknownReleaseError, UnreadableReleaseError):
        shop.app_errorhandler(damage)(show_damage)


def show(problem: HTTPException) -> Response:
    """A refusal as a page, with its status."""
    if problem.code is None or problem.code < 400:
        return make_response(problem.get_response())
    headers = {
        name: value for name, value in problem.get_response().headers if name in KEPT_HEADERS
    }
    return _page(problem.code, *_words(problem), headers=headers)


def show_unavailable(problem: TrailUnavailableError) -> Response:
    """The store did not answer: nothing was lost, and a retry counts once."""
    tell_unavailable(problem)
    return _page(503, *_by_status(503), headers={"Retry-After": "5"})


def show_damage(problem: DamagedSessionError | CatalogueError) -> Response:
    """What is stored of a configuration or of its release is not what was written."""
    tell_damage(problem)
    if isinstance(problem, DamagedSessionError):
        title = gettext("This configuration is damaged")
        cure = gettext("Nothing in it can be changed any more. Begin another one.")
        if problem.spoken_code:
            cure += " " + gettext(
                "With the code %(code)s the shop sees what is whole.", code=problem.spoken_code
            )
    else:
        title = gettext("This product cannot be opened just now")
        cure = gettext("Your choices so far are kept. Tell the shop, or try again later.")
    return _page(503, title, cure, headers={}, whole=False)


def show_void(problem: EngineError) -> Response:
    """On this day the rules leave nothing of the product to order."""
    log.error("nothing to order", problem=problem.message.in_language("en"))
    title = gettext("This product cannot be ordered today")
    cure = gettext("Nothing of yours is lost. Look at the others, or tell the shop.")
    return _page(503, title, cure, headers={}, whole=False)


def _page(
    status: int, title: str, cure: str, *, headers: dict[str, str], whole: bool = True
) -> Response:
    """The page; where the configuration is not ``whole``, the way out is the catalogue."""
    session_id = (request.view_args or {}).get("session_id", "")
    back = url_for("shop.catalogue")
    if session_id and status != 404 and whole:
        back = url_for("shop.session", session_id=session_id)
    page = render_template("shop/problem.html", title=title, cure=cure, status=status, back=back)
    return make_response(page, status, headers)


def _words(problem: HTTPException) -> tuple[str, str]:
    if isinstance(problem, CSRFError):
        return (
            gettext("This page was open for too long"),
            gettext("Nothing was changed. Load it again and repeat what you did last."),
        )
    return _by_status(problem.code or 500)


def _by_status(status: int) -> tuple[str, str]:
    if status == 404:
        return (
            gettext("There is nothing here for this browser"),
            gettext(
                "If you began on another device, open the link you saved there. "
                "Or start again from the catalogue."
            ),
        )
    if status == 405:
        return (
            gettext("This address only takes what a form sends"),
            gettext("Go back to your configuration; nothing was changed."),
        )
    if status == 409:
        return (
            gettext("This configuration has moved on in another window"),
            gettext("Go back to it to see how it stands now."),
        )
    if status == 410:
        return (
            gettext("This is no longer on sale"),
            gettext("Look in the catalogue for what has taken its place."),
        )
    if status == 413:
        return (
            gettext("That is more than we can take at once"),
            gettext("Write it shorter and send it again."),
        )
    if status == 429:
        return (
            gettext("That was a lot in a short time"),
            gettext("Wait a minute and carry on. Your choices are kept."),
        )
    if status == 503:
        return (
            gettext("We cannot save just now"),
            gettext("Your choices so far are kept. Try again in a few seconds."),
        )
    if status < 500:
        return (
            gettext("We could not read what was sent"),
            gettext("Nothing was changed. Go back, load the page again and send it once more."),
        )
    return (
        gettext("Something broke on our side"),
        gettext("Your choices so far are kept. Go back and try again."),
    )
