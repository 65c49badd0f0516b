"""The shop's pages, put together: words, guards, questions, picture and summary.

Every page of a configuration is rendered from its product and its view alone, so that
what a customer saw can be rendered again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from flask import (
    current_app,
    get_flashed_messages,
    make_response,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from configurator.model.product import Step
from configurator.session import Refusal, Session, has_undecided
from configurator.web.shop import bill, summary
from configurator.web.shop.conflict import conflict_page
from configurator.web.shop.guards import said_guards, still_to_acknowledge
from configurator.web.shop.owner import tokens
from configurator.web.shop.preview import preview_of
from configurator.web.shop.questions import Questions
from configurator.web.shop.services import picture, sessions
from configurator.web.shop.texts import gettext
from configurator.web.shop.wording import Wording, asked


def wording(session: Session) -> Wording:
    """The words of a configuration."""
    return Wording(session.product, session.locale, summary.standing_answers(session.view))


def frame(session: Session, words: Wording, step: Step | None) -> dict[str, Any]:
    """What the frame of every page of a configuration shows."""
    shown = picture(session.release, session.product_id)
    answers = summary.drawn_answers(session.view)
    label = summary.described(session, words)
    figures = summary.summary(session, words, step.id if step else "")
    position = next((i for i, each in enumerate(figures.steps) if each.current), -1)
    following = figures.steps[position + 1] if position + 1 < len(figures.steps) else None
    return {
        "session": session,
        "words": words,
        "product_name": words.say(session.product.name),
        "summary": figures,
        "picture_parts": shown.definitions if shown else "",
        "stage": shown.draw(answers, label=label) if shown else "",
        "thumbnail": shown.draw(answers) if shown else "",
        "picture_css": picture_css(session.product_id),
        "following": following if step is not None else None,
        "step": next((each for each in figures.steps if each.current), None),
        "new_key": lambda: secrets.token_urlsafe(12),
        "resume_link": url_for(
            "shop.resume", token=tokens().get(session.session_id, ""), _external=True
        )
        if session.session_id in tokens()
        else "",
    }


def picture_css(product_id: str) -> str:
    """The address of the colours of a product's picture; empty where it has none."""
    name = f"css/pictures-{product_id}.css"
    folder = current_app.static_folder
    exists = folder is not None and (Path(folder) / name).is_file()
    return url_for("static", filename=name) if exists else ""


def step_page(
    session: Session,
    step: Step,
    *,
    notice: Iterable[str] = (),
    about: str = "",
    said: str = "",
    trouble: dict[str, str] | None = None,
    preview: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """A step with its questions; for htmx only the parts that change, with what is
    ``said`` aloud. A ``notice`` stands at the question it is ``about``, as does a message
    kept from the act before, else on top; ``trouble`` (slot, message, help, given) stands
    beside its question. ``preview`` is what a choice would do, as the trail keeps it."""
    words = wording(session)
    guards = said_guards(session, words)
    shown = picture(session.release, session.product_id)
    questions = Questions(session, words, guards, shown, summary.drawn_answers(session.view))
    asked = questions.of_step(step)
    ids = {question.id for question in asked}
    notices = [(about, text) for text in notice]
    if not is_partial():
        notices = [*_messages(), *notices]
    parts = frame(session, words, step)
    parts.update(
        at=summary.step_path(step),
        step_name=words.say(step.name),
        step_help=words.say(step.help),
        questions=asked,
        checking=session.status == "open" and has_undecided(session.view),
        notice=tuple(text for place, text in notices if place not in ids),
        notice_at={
            each: " ".join(text for place, text in notices if place == each)
            for each, _ in notices
            if each in ids
        },
        said=said or " ".join(text for _, text in notices),
        trouble=trouble or {},
        preview=None if preview is None else preview_of(preview, words),
    )
    template = "shop/step_update.html" if is_partial() else "shop/step.html"
    return make_response(render_template(template, **parts), status)


def review_page(session: Session, *, notice: Iterable[str] = (), status: int = 200) -> Response:
    """Everything on one page, before the order."""
    words = wording(session)
    guards = said_guards(session, words, collected=True)
    steps = bill.answers_by_step(session, words)
    page = render_template(
        "shop/review.html",
        **frame(session, words, None),
        at="review",
        steps=steps,
        filled=sum(row.origin == "filled" for step in steps for row in step.rows),
        bill=bill.bill(session, words),
        guards=guards,
        waiting=still_to_acknowledge(guards),
        irreversible=bill.irreversible(session, words),
        first_open=summary.first_open_step(session),
        finishable=not session.view["complete"] and sessions().can_finish(session),
        step_path=summary.step_path,
        notice=tuple(notice),
    )
    return make_response(page, status)


def why_page(
    session: Session, refusal: Refusal, *, notice: Iterable[str] = (), status: int = 200
) -> Response:
    """Why an option cannot be had now, and what it would take."""
    words = wording(session)
    step = words.step_of(refusal.wanted.slot)
    conflict = conflict_page(session.product, session.view, refusal, words)
    shown = picture(session.release, session.product_id)
    answers = summary.drawn_answers(session.view)
    thumbs = {
        cause.slot: shown.draw(answers, focus=cause.slot)
        for cause in conflict.causes
        if shown and shown.shows(cause.slot)
    }
    page = render_template(
        "shop/why.html",
        **frame(session, words, step),
        at=summary.step_path(step) if step else "",
        conflict=conflict,
        thumbs=thumbs,
        refusal_seq=refusal.seq,
        notice=tuple(notice),
    )
    return make_response(page, status)


def done_page(session: Session) -> Response:
    """The finished configuration."""
    words = wording(session)
    page = render_template(
        "shop/done.html",
        **frame(session, words, None),
        steps=bill.answers_by_step(session, words),
        bill=bill.bill(session, words),
        guards=said_guards(session, words),
    )
    return make_response(page)


def _messages() -> list[tuple[str, str]]:
    """What the act before left to be said, each with the question it is about."""
    return cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))


def is_partial() -> bool:
    """Whether htmx asks for the parts of a page that change."""
    return request.headers.get("HX-Request") == "true"


def total_said(session: Session) -> str:
    """The total in a sentence; empty where there is none."""
    figures = summary.summary(session, wording(session))
    amount = f"{figures.prefix} {figures.total}".strip()
    return gettext("Total %(amount)s.", amount=amount) if figures.total else ""


def spoken(session: Session, change: dict[str, Any], slot: str) -> str:
    """What a choice of ``slot`` did, for the live region: the answer (of a several-of that
    was closed the whole of it), the total, what follows, new guards."""
    words = wording(session)
    slots = change.get("slots") or {}
    parts = [
        f"{asked(row.name, row.answer)}."
        for step in bill.answers_by_step(session, words)
        for row in step.rows
        if row.slot == slot and slot not in session.view["slots"]
    ]
    for choice in () if parts else session.choices[-1:]:
        if choice.slot in slots:
            parts.append(f"{words.choice(choice.slot, choice.answer)}.")
    parts.extend(filter(None, [total_said(session)]))
    brought = [
        words.quoted(slot, session.view["slots"][slot]["answer"])
        for slot, data in slots.items()
        if data and data.get("state") == "implied" and "origin" in session.view["slots"][slot]
    ]
    if brought:
        parts.append(gettext("It brings: %(list)s.", list=", ".join(brought[:4])))
    # A change without what a guard reads is one of its suggestions: said before.
    new = {g for g, data in (change.get("guards") or {}).items() if data and "reads" in data}
    for guard in said_guards(session, words):
        if guard.id not in new or guard.acknowledged or guard.at != "choice":
            continue
        parts.append(f"{guard.level_name}: {guard.sentence}")
        if guard.slot.partition(".")[0] == slot.partition(".")[0]:
            parts.append(gettext("It is below your choice."))
    return " ".join(parts)
