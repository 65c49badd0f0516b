"""The desk's pages: find a configuration by its code, see how it went, replay it.

Everything here only reads. What a page shows of a step comes from the trail; what the
verification shows beside it is computed afresh from the pinned release.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from babel import UnknownLocaleError
from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, get_locale
from markupsafe import Markup

from configurator import __version__
from configurator.catalogue import CatalogueError
from configurator.engine import EngineError, UnknownChoiceError
from configurator.session import Session
from configurator.session.refusal import refusal_from_json
from configurator.session.state import State
from configurator.trail import (
    BadCodeError,
    DamagedSessionError,
    ReplayStep,
    UnknownSessionError,
    Verification,
    digest,
    normalise,
)
from configurator.web.access import (
    requires,
    services,
    staff_name,
    staff_only,
    tell_damage,
    throttle,
)
from configurator.web.desk import narration
from configurator.web.desk.difference import Difference, agreement_of, differences, written_by
from configurator.web.desk.fates import fates, on_review
from configurator.web.desk.moments import add_filters
from configurator.web.desk.screen import Painter
from configurator.web.shop.amounts import DATE_LOCALES
from configurator.web.shop.preview import preview_of
from configurator.web.shop.render import picture_css
from configurator.web.shop.services import picture
from configurator.web.shop.summary import drawn_answers

Json = dict[str, Any]
log = structlog.get_logger(__name__)

LOOK_UPS = "30 per minute"
AROUND = 3
"""How many steps before and after the present one the replay lists."""

_NONSENSE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    UnknownChoiceError,
    UnknownLocaleError,
)
"""What comes of telling steps that nobody wrote."""

blueprint = Blueprint("desk", __name__, url_prefix="/desk")
staff_only(blueprint)
add_filters(blueprint)


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the timeline tells it."""

    seq: int
    kind: str
    mark: str
    time: str
    actor: str
    sentence: str
    says_guard: bool


@dataclass(frozen=True, slots=True)
class Story:
    """A configuration and everything that happened to it, with the check of its chain."""

    session: Session
    steps: tuple[ReplayStep, ...]
    check: Verification


@blueprint.get("/")
@requires("support", "admin")
def find() -> ResponseReturnValue:
    """The form that asks for a code."""
    return render_template("desk/find.html", code="", problem=None)


@blueprint.post("/")
@requires("support", "admin")
def look_up() -> ResponseReturnValue:
    """Go to the configuration of a code, however it was spoken or typed."""
    throttle(LOOK_UPS, "desk-find", staff_name())
    spoken = request.form.get("code", "")[:100]
    try:
        session_id = services().trail.id_of(normalise(spoken))
    except (BadCodeError, UnknownSessionError) as problem:
        status = 404 if isinstance(problem, UnknownSessionError) else 422
        return render_template("desk/find.html", code=spoken, problem=problem), status
    return redirect(url_for("desk.show", session_id=session_id), 303)


@blueprint.get("/configurations/<session_id>")
@requires("support", "admin")
def show(session_id: str) -> ResponseReturnValue:
    """How it went: the timeline, the guards and their fate, how it stands now."""
    return _told(session_id, _show)


def _show(story: Story) -> ResponseReturnValue:
    painter = Painter(story.session.product, _language(), story.session.view)
    guards = [(said, painter.sentence(said.guard, said.reads)) for said in fates(story.steps)]
    return render_template(
        "desk/show.html",
        session=story.session,
        release=services().catalogue.release(story.session.release),
        check=story.check,
        timeline=_timeline(story.steps, story.session),
        at_choice=[(said, sentence) for said, sentence in guards if not said.on_review],
        on_review=[(said, sentence) for said, sentence in guards if said.on_review],
        chosen=[painter.words.choice(each.slot, each.answer) for each in story.session.choices],
        total=painter.total(story.session.view.get("price", {})),
        started=story.steps[0].event.server_time if story.steps else None,
        language=narration.language_name(story.session.locale),
    )


@blueprint.get("/configurations/<session_id>/steps")
@requires("support", "admin")
def step_at(session_id: str) -> ResponseReturnValue:
    """Where the slider leads: to the step it was set to."""
    wanted = request.args.get("seq", "1")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= 9):
        abort(404)
    return redirect(url_for("desk.step", session_id=session_id, seq=int(wanted)), 303)


@blueprint.get("/configurations/<session_id>/steps/<seq>")
@requires("support", "admin")
def step(session_id: str, seq: str) -> ResponseReturnValue:
    """One step exactly as the customer saw it, and what it changed."""
    if not (seq.isascii() and seq.isdigit() and len(seq) <= 9):
        abort(404)
    return _told(session_id, partial(_step, int(seq) - 1))


def _step(place: int, story: Story) -> ResponseReturnValue:
    if not 0 <= place < len(story.steps):
        abort(404)
    here = story.steps[place]
    before = story.steps[place - 1].view if place else {}
    changes = differences(before, here.view)
    product = story.session.product
    staff_words = Painter(product, _language(), here.view)
    timeline = _timeline(story.steps, story.session)
    marks = [(told.seq, kind) for told in timeline if (kind := _sought(told))]
    recomputed = _recomputed(story, place)
    return render_template(
        "desk/step.html",
        session=story.session,
        release=services().catalogue.release(story.session.release),
        check=story.check,
        here=timeline[place],
        last=len(story.steps),
        near=timeline[max(0, place - AROUND) : place + AROUND + 1],
        marks=marks,
        following={kind: seq for seq, kind in reversed(marks) if seq > here.event.seq},
        told=narration.told(changes, Painter(product, _language(), before), staff_words),
        screen=_customers_screen(story, place, changes),
        picture_css=picture_css(story.session.product_id),
        screen_language=here.event.locale,
        language=narration.language_name(here.event.locale),
        recorded_digest=here.event.view_digest,
        agreement=agreement_of(here, recomputed),
        written_by=written_by(here),
        version=__version__,
        apart=narration.told(
            differences(here.view, recomputed or here.view),
            staff_words,
            Painter(product, _language(), recomputed or here.view),
        ),
    )


@blueprint.get("/configurations/<session_id>/verification")
@requires("support", "admin")
def verify(session_id: str) -> ResponseReturnValue:
    """Every step: is its link of the chain whole, and does the pinned release still
    compute the view that was recorded?"""
    return _told(session_id, _verification)


def _verification(story: Story) -> ResponseReturnValue:
    rows = []
    states = services().sessions.states(story.steps)
    for place, told in enumerate(_timeline(story.steps, story.session)):
        event = story.steps[place].event
        recomputed = _recomputed(story, place, states[place])
        again = None if recomputed is None else digest(recomputed)
        agreement = agreement_of(story.steps[place], recomputed)
        rows.append((told, event.view_digest, again, event.hash, agreement))
    return render_template(
        "desk/verification.html",
        session=story.session,
        check=story.check,
        rows=rows,
        apart=sum(agreement in (None, "other") for *_, agreement in rows),
    )


def _told(session_id: str, page: Callable[[Story], ResponseReturnValue]) -> ResponseReturnValue:
    """A page of a configuration, told from its steps alone; 404 where there is none.

    Where the trail is not whole, what stands in it from there on may not be what anybody
    wrote. It is told as far as it makes sense, else up to the last step that is proven,
    else the answer is a page of what there is.
    """
    rooms = services()
    if not session_id.isprintable():
        abort(404)
    try:
        check, steps = rooms.trail.told(session_id)
    except UnknownSessionError:
        abort(404)
    log.info("trail read", by=staff_name(), session=session_id)
    proven = steps if check.first_bad_seq is None else steps[: check.first_bad_seq - 1]
    problem: DamagedSessionError | CatalogueError = DamagedSessionError("no step can be read")
    for told in (steps, proven):
        try:
            if told:
                return page(Story(rooms.sessions.as_told(told), told, check))
        except (DamagedSessionError, CatalogueError) as untold:
            problem = untold
        except _NONSENSE:
            if check.ok:
                raise
    tell_damage(problem)
    events = [each.event for each in proven]
    return render_template("desk/damaged.html", check=check, problem=problem, events=events)


def _recomputed(story: Story, place: int, state: State | None = None) -> Json | None:
    """The view after the step at ``place``, computed afresh; ``None`` where the pinned
    release can no longer be compiled or asked. What was recorded is shown all the same.
    ``state`` is the one after that step, where it is known."""
    steps = story.steps[: place + 1]
    try:
        told = services().sessions.as_told(steps, state)
        view: Json = services().sessions.recompute(told, steps)
    except (EngineError, CatalogueError, UnknownChoiceError) as problem:
        log.error("view not recomputed", session=story.session.session_id, exc_info=problem)
        return None
    return view


def _customers_screen(story: Story, place: int, changes: Sequence[Difference]) -> Markup:
    """The customer's page after the step at ``place``, in the customer's language."""
    here = story.steps[place]
    with force_locale(here.event.locale):
        painter = Painter(story.session.product, here.event.locale, here.view)
        refusal = None
        if here.event.kind == "ChoiceRefused":
            refusal = painter.refusal(refusal_from_json(here.event.payload, here.event.seq))
        preview = None
        if here.event.kind == "ConsequencesShown":
            preview = preview_of(here.event.payload, painter.words)
        drawn = None  # the page of a refusal has no room for it
        if refusal is None:
            drawn = picture(story.session.release, story.session.product_id)
        return Markup(  # noqa: S704 - rendered by an autoescaping template
            render_template(
                "desk/screen.html",
                screen=painter.screen(changes if place else ()),
                refusal=refusal,
                preview=preview,
                picture_parts=drawn.definitions if drawn else "",
                stage=drawn.draw(drawn_answers(here.view)) if drawn else "",
                opening=not place,
            )
        )


def _timeline(steps: Sequence[ReplayStep], session: Session) -> list[Told]:
    timeline = []
    known: set[str] = set()
    for each in steps:
        painter = Painter(session.product, _language(), each.view)
        spoken: Json = each.view.get("guards", {})
        guards = {guard for guard, said in spoken.items() if not on_review(said)}
        timeline.append(
            Told(
                seq=each.event.seq,
                kind=each.event.kind,
                mark=narration.MARKS.get(each.event.kind, "info"),
                time=each.event.server_time,
                actor=narration.actor_name(each.event.actor),
                sentence=narration.sentence(each.event, painter),
                says_guard=bool(guards - known),
            )
        )
        known = guards
    return timeline


def _sought(told: Told) -> str | None:
    """What support looks for in a replay that this step is."""
    if told.kind == "ChoiceRefused":
        return "refusal"
    if told.kind == "ConsequencesShown":
        return "why"
    return "guard" if told.says_guard else None


def _language() -> str:
    language = str(get_locale())
    return language if language in DATE_LOCALES else "en"
