"""The pages a customer reads: catalogue, steps, why, review, done."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from configurator.catalogue import Catalogue, UnknownReleaseError, UnreadableReleaseError
from configurator.engine import EngineError, UnknownChoiceError
from configurator.model.choice import Choice
from configurator.session import Refusal
from configurator.trail import UnknownSessionError
from configurator.web.access import tell_damage
from configurator.web.shop import render, summary
from configurator.web.shop.owner import owned, owned_all, remember, speak
from configurator.web.shop.services import catalogue, now, picture, sessions
from configurator.web.shop.texts import gettext, page_language
from configurator.web.shop.wording import Wording

DRAFTS_SHOWN = 4
"""Older ones are one press further away, so that the products stay near."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A product in the catalogue, in words."""

    id: str
    name: str
    description: str
    lowest: str
    picture: Markup
    parts: Markup
    css: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration of this browser: to carry on with, or confirmed."""

    session_id: str
    name: str
    code: str
    progress: str
    total: str


def register(shop: Blueprint) -> None:
    """Put the pages into the shop."""
    shop.add_url_rule("/", "catalogue", show_catalogue)
    shop.add_url_rule("/s/<session_id>/", "session", show_session)
    shop.add_url_rule("/s/<session_id>/review", "review", show_review)
    shop.add_url_rule("/s/<session_id>/done", "done", show_done)
    shop.add_url_rule("/s/<session_id>/why", "why", show_why)
    shop.add_url_rule("/s/<session_id>/<path>", "step", show_step)
    shop.add_url_rule("/r/<token>", "resume", resume)
    shop.app_context_processor(speaking)


def speaking() -> dict[str, Any]:
    """The language of the page, for its ``lang`` and for the language switch."""
    return {"page_language": page_language()}


def show_catalogue() -> ResponseReturnValue:
    """Everything on sale, and what this browser has begun."""
    locale = page_language()
    offered = []
    for release in catalogue().products():
        try:
            offered.append(_offered(release.digest, locale))
        except (UnknownReleaseError, UnreadableReleaseError) as problem:
            tell_damage(problem)  # the others can be had
    begun = owned_all()
    drafts = [_draft(each) for each in begun if each.status == "open"]
    return render_template(
        "shop/catalogue.html",
        products=offered,
        drafts=drafts[:DRAFTS_SHOWN],
        older=drafts[DRAFTS_SHOWN:],
        confirmed=[_draft(each) for each in begun if each.status != "open"],
        picture_styles=sorted({each.css for each in offered if each.css}),
    )


def _offered(digest: str, locale: str) -> Offered:
    product = catalogue().product(digest)
    words = Wording(product, locale, {})
    drawn = picture(digest, product.id)
    proposed, lowest = _first_view(catalogue(), digest, product.day_at(now()))
    return Offered(
        id=product.id,
        name=words.say(product.name),
        description=words.say(product.description),
        lowest="" if lowest is None else words.money(lowest),
        picture=drawn.draw(dict(proposed)) if drawn else Markup(""),
        parts=drawn.definitions if drawn else Markup(""),
        css=render.picture_css(product.id),
    )


@lru_cache(maxsize=256)
def _first_view(
    shelf: Catalogue, digest: str, day: datetime.date
) -> tuple[tuple[tuple[str, str], ...], int | None]:
    """What is proposed before any choice, and the lowest total."""
    product = shelf.product(digest)
    context = tuple(Choice(each.id, each.if_missing) for each in product.context)
    try:
        view = shelf.engine(digest, day).view((), context)
    except EngineError:
        return (), None
    lowest = view.lowest_total if product.prices is not None and view.lowest_exact else None
    return tuple(view.proposed.items()), lowest


def _draft(session: Any) -> Draft:
    words = Wording(session.product, page_language(), {})
    figures = summary.summary(session, words)
    return Draft(
        session_id=session.session_id,
        name=words.say(session.product.name),
        code=session.code,
        progress=gettext(
            "%(done)s of %(all)s steps done", done=figures.done, all=len(figures.steps)
        )
        if session.status == "open"
        else gettext("Confirmed"),
        total=f"{figures.prefix} {figures.total}".strip(),
    )


def show_session(session_id: str) -> ResponseReturnValue:
    """Go where the customer left off."""
    session = owned(session_id)
    if session.status != "open":
        return redirect(url_for(".done", session_id=session_id))
    step = summary.first_open_step(session)
    if step is None:
        return redirect(url_for(".review", session_id=session_id))
    return redirect(url_for(".step", session_id=session_id, path=summary.step_path(step)))


def show_step(session_id: str, path: str) -> ResponseReturnValue:
    """One step."""
    session = owned(session_id)
    step = summary.step_at(session.product, path)
    if step is None:
        abort(404)
    if session.status != "open":
        return redirect(url_for(".done", session_id=session_id))
    seq = request.args.get("preview", type=int)
    shown = None if seq is None else sessions().previewed(session, seq)
    return render.step_page(session, step, preview=shown)


def show_review(session_id: str) -> ResponseReturnValue:
    """Everything on one page."""
    session = owned(session_id)
    if session.status != "open":
        return redirect(url_for(".done", session_id=session_id))
    return render.review_page(session)


def show_done(session_id: str) -> ResponseReturnValue:
    """The finished configuration; an open one has its review first."""
    session = owned(session_id)
    if session.status == "open":
        return redirect(url_for(".review", session_id=session_id))
    return render.done_page(session)


def show_why(session_id: str) -> ResponseReturnValue:
    """Why an answer cannot be had; where it can, the question itself says so."""
    session = owned(session_id)
    slot, answer = request.args.get("slot", ""), request.args.get("answer", "")
    if session.status != "open":
        return redirect(url_for(".done", session_id=session_id))
    try:
        refusal = sessions().explain(session_id, slot, answer)
    except UnknownChoiceError:
        abort(404)
    if refusal is None:
        question = slot.partition(".")[0]
        has_it = session.view["slots"].get(slot, {}).get("answer") == answer
        flash(
            gettext("You have it.")
            if has_it
            else gettext("This can be had as it is: just choose it."),
            question,
        )
        step = render.wording(session).step_of(slot)
        if step is None:
            return redirect(url_for(".session", session_id=session_id))
        path = summary.step_path(step)
        return redirect(url_for(".step", session_id=session_id, path=path, _anchor=f"q-{question}"))
    seq = request.args.get("refusal", type=int)
    return render.why_page(session, Refusal(refusal.wanted, refusal.conflict, refusal.repairs, seq))


def resume(token: str) -> ResponseReturnValue:
    """Carry on with a configuration begun elsewhere."""
    try:
        session = sessions().resume(token)
    except UnknownSessionError:
        abort(404)
    remember(session.session_id, token)
    speak(session)
    return redirect(url_for(".session", session_id=session.session_id))
