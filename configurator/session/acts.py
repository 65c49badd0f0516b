"""What the acts of a session do: each is a function of the session and its engine.

An act says which event happens, as its kind and payload, or raises to have none. What the
event then does to the choices is said by ``state.apply`` alone. Knows neither the trail
nor the catalogue, so an act may be evaluated again on a newer session.
"""

from __future__ import annotations

from collections.abc import Callable

from configurator.engine import Engine
from configurator.guidance import consequences, consequences_json
from configurator.model.choice import Choice, Choices, without
from configurator.model.verdict import SlotView
from configurator.session.errors import (
    GuardsOpenError,
    IncompleteError,
    IrreversibleOpenError,
    NothingToFinishError,
    NothingToPreviewError,
    NothingToUndoError,
    NothingToWithdrawError,
    NotIrreversibleError,
    RepairOutdatedError,
    UndecidedError,
    UnknownGuardError,
    UnknownRepairError,
)
from configurator.session.refusal import (
    Refusal,
    choices_from_json,
    choices_json,
    refusal_from_json,
    refusal_json,
    refusal_of,
)
from configurator.session.session import Json, Session
from configurator.session.state import step_to
from configurator.session.view import has_undecided, irreversible, open_slots
from configurator.trail import Event

Act = Callable[[Session, Engine], tuple[str, Json]]
"""Kind and payload of the event that an act makes of a session."""


def choosing(wanted: Choices) -> Act:
    """Choose answers, all or none; what does not fit is refused."""

    def act(session: Session, engine: Engine) -> tuple[str, Json]:
        normal = tuple(engine.check(choice) for choice in wanted)
        slots = {choice.slot for choice in normal}
        choices = session.choices if len(slots) == 1 else without(session.choices, slots)
        for choice in normal:
            others = without(choices, {choice.slot})
            if not engine.is_possible(choices, choice, session.context):
                stands = session.choices
                refusal = refusal_of(engine, choices, choice, session.context, stands)
                return "ChoiceRefused", refusal_json(refusal, stands)
            choices = (*others, choice)
        return "ValueChosen", {
            "wanted": choices_json(normal),
            "step": step_to(session.state, choices, own=slots).json,
        }

    return act


def withdrawing(slot: str) -> Act:
    """Take back what was chosen for a slot, or for all slots of a several-of."""

    def act(session: Session, engine: Engine) -> tuple[str, Json]:
        slots = {s for s in engine.slots() if s == slot or s.startswith(f"{slot}.")}
        if not slots:
            engine.check(Choice(slot, ""))  # says that there is no such slot
        choices = without(session.choices, slots)
        if choices == session.choices:
            raise NothingToWithdrawError
        return "ChoiceWithdrawn", {
            "slot": slot,
            "step": step_to(session.state, choices).json,
        }

    return act


def undoing(session: Session, engine: Engine) -> tuple[str, Json]:
    """Take the last step back."""
    if not session.state.undo:
        raise NothingToUndoError
    return "Undone", {}


def redoing(session: Session, engine: Engine) -> tuple[str, Json]:
    """Take the step again that was taken back."""
    if not session.state.redo:
        raise NothingToUndoError
    return "Redone", {}


def resetting(session: Session, engine: Engine) -> tuple[str, Json]:
    """Take every choice back."""
    return "SessionReset", {"step": step_to(session.state, ()).json}


def accepting_repair(refused: Event | None, index: int) -> Act:
    """Make the changes that repair number ``index`` of a refusal offered."""
    refusal: Refusal | None = None
    stood: Choices = ()
    if refused is not None and refused.kind == "ChoiceRefused":
        refusal = refusal_from_json(refused.payload, refused.seq)
        stood = choices_from_json(refused.payload["choices"])

    def act(session: Session, engine: Engine) -> tuple[str, Json]:
        if refusal is None or not 0 <= index < len(refusal.repairs):
            raise UnknownRepairError
        if stood != session.choices:
            raise RepairOutdatedError
        after = refusal.repairs[index].choices
        return "RepairAccepted", {
            "refusal": refusal.seq,
            "index": index,
            "step": step_to(session.state, after, own=[refusal.wanted.slot]).json,
        }

    return act


def acknowledging(guard: str, reason: str) -> Act:
    """Confirm a guard for the answers it reads now."""

    def act(session: Session, engine: Engine) -> tuple[str, Json]:
        spoken = session.view["guards"].get(guard)
        if spoken is None:
            raise UnknownGuardError
        return "GuardAcknowledged", {"guard": guard, "reason": reason, "values": spoken["reads"]}

    return act


def acknowledging_irreversible(slots: tuple[str, ...]) -> Act:
    """Confirm that the present answers of slots cannot be taken back later."""

    def act(session: Session, engine: Engine) -> tuple[str, Json]:
        final = irreversible(session.product, session.view["slots"])
        if not slots or any(slot not in final for slot in slots):
            raise NotIrreversibleError
        answers = [[slot, final[slot]] for slot in final if slot in slots]
        return "IrreversibleAcknowledged", {"answers": answers}

    return act


def accepting_proposals(session: Session, engine: Engine) -> tuple[str, Json]:
    """Accept what is proposed, then the cheapest of the rest, as far as that leaves the
    customer every answer that is theirs alone to give; raises where nothing else is open."""
    before = engine.view(session.choices, session.context)
    still_open = open_slots(session.product, before)
    completion = engine.complete(session.choices, session.context, prefer_proposals=True)
    if completion is None:
        raise IncompleteError(still_open)
    product = session.product
    answers = {choice.slot: choice.answer for choice in completion.answers}
    asked = {slot for slot in still_open if product.variable(slot.partition(".")[0]).ask_always}
    added = tuple(
        Choice(slot, answers[slot]) for slot in still_open if slot in answers and slot not in asked
    )
    kept = tuple(each for each in before.slots if each.slot in asked and each.certainly_asked)
    while added and (closed := _closed(session, engine, added, kept)):
        conflict = engine.conflict((*session.choices, *added), closed, session.context)
        blamed = {each.slot for each in conflict.choices} & {each.slot for each in added}
        if not blamed:  # nothing that is filled in closes it
            break
        added = without(added, blamed)
    if not added:
        raise NothingToFinishError(still_open)
    after = (*session.choices, *added)
    filled = {choice.slot for choice in added}
    return "ProposalsAccepted", {"step": step_to(session.state, after, filled=filled).json}


def _closed(
    session: Session, engine: Engine, added: Choices, kept: tuple[SlotView, ...]
) -> Choice | None:
    """An answer that could be given to one of the slots ``kept``, and cannot with ``added``."""
    after = (*session.choices, *added)
    for slot in kept:
        ends = [end for each in slot.intervals for end in (each.low, each.high)]
        open_to = [each.answer for each in slot.options if each.state == "possible"]
        for answer in dict.fromkeys((*open_to, *ends)):
            wanted = Choice(slot.slot, answer)
            if not engine.is_possible(after, wanted, session.context):
                return wanted
    return None


def committing(session: Session, engine: Engine) -> tuple[str, Json]:
    """Confirm the configuration, once nothing is left to decide, answer or acknowledge."""
    answer = engine.view(session.choices, session.context)
    if not answer.complete:
        raise IncompleteError(open_slots(session.product, answer))
    if has_undecided(session.view):  # a guard or an answer may yet come of it
        raise UndecidedError
    waiting = tuple(
        guard
        for guard, spoken in session.view["guards"].items()
        if spoken["level"] == "acknowledge" and not spoken.get("acknowledged")
    )
    if waiting:
        raise GuardsOpenError(waiting)
    final = irreversible(session.product, session.view["slots"])
    known = session.view.get("irreversible", {})
    unknown = tuple(slot for slot in final if slot not in known)
    if unknown:
        raise IrreversibleOpenError(unknown)
    payload: Json = {"answers": [[s.slot, s.answer] for s in answer.slots if s.answer is not None]}
    if "price" in session.view:
        payload["price"] = session.view["price"]
    return "ConfigurationCommitted", payload


def settling(session: Session, engine: Engine) -> tuple[str, Json]:
    """Show what first answers had left undecided."""
    return "OptionsSettled", {}


def changing_locale(locale: str) -> Act:
    """Read on in another language."""

    def act(session: Session, engine: Engine) -> tuple[str, Json]:
        return "LocaleChanged", {"locale": locale}

    return act


def previewing(wanted: Choice) -> Act:
    """Show what an answer would close, force, ask and cost."""

    def act(session: Session, engine: Engine) -> tuple[str, Json]:
        found = consequences(engine, session.choices, wanted, session.context)
        if found is None:
            raise NothingToPreviewError
        shown = {**consequences_json(found), "choices": choices_json(session.choices)}
        return "ConsequencesShown", shown

    return act
