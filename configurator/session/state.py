"""The state of a session as the fold of its events.

``apply`` is the only place that says what an event does to the choices; live sessions
and replays both go through it. Nothing here asks the engine anything.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from configurator.model.choice import Choice, Choices

Json = dict[str, Any]
UNDO_STEPS = 50
"""How many steps back are kept in the head; older ones stay in the trail."""


@dataclass(frozen=True)
class Step:
    """The difference between two lists of choices, so that it can be taken back.

    ``removed`` and ``added`` hold ``(index, slot, answer)``, indexes in the list they come
    from. What is in both lists keeps its order. ``filled`` are the slots whose answer
    becomes one that was filled in for the customer, or is one no longer.
    """

    removed: tuple[tuple[int, str, str], ...]
    added: tuple[tuple[int, str, str], ...]
    filled: tuple[str, ...] = ()

    @cached_property
    def json(self) -> Json:
        """The step as JSON; made once, because every event stores those before it again.
        Nobody changes it."""
        data: Json = {
            "removed": [list(each) for each in self.removed],
            "added": [list(each) for each in self.added],
        }
        if self.filled:
            data["filled"] = list(self.filled)
        return data

    @classmethod
    def from_json(cls, data: Json) -> Step:
        """The step that ``json`` tells."""
        return cls(
            tuple((index, slot, answer) for index, slot, answer in data["removed"]),
            tuple((index, slot, answer) for index, slot, answer in data["added"]),
            tuple(data.get("filled", ())),
        )

    def reversed(self) -> Step:
        """The step that takes this one back."""
        return Step(self.added, self.removed, self.filled)


def step_between(before: Choices, after: Choices) -> Step:
    """The step from one list of choices to another."""
    place = {choice: index for index, choice in enumerate(after)}
    kept: dict[Choice, None] = {}
    last = -1
    for choice in before:  # what both have, as long as it stands in the same order
        if place.get(choice, -1) > last:
            last = place[choice]
            kept[choice] = None
    return Step(
        tuple((i, c.slot, c.answer) for i, c in enumerate(before) if c not in kept),
        tuple((i, c.slot, c.answer) for i, c in enumerate(after) if c not in kept),
    )


def take_step(choices: Choices, step: Step) -> Choices:
    """The choices after ``step``."""
    gone = {(slot, answer) for _, slot, answer in step.removed}
    rest = [choice for choice in choices if (choice.slot, choice.answer) not in gone]
    for index, slot, answer in step.added:
        rest.insert(index, Choice(slot, answer))
    return tuple(rest)


@dataclass(frozen=True, slots=True)
class State:
    """Where a session stands. ``acknowledged`` maps a guard to its reason and the
    values it was confirmed for. ``final`` holds ``(slot, answer)`` pairs that were
    confirmed although they cannot be taken back later. ``filled`` are the slots, sorted,
    whose choice stands as it was filled in for the customer."""

    choices: Choices = ()
    context: Choices = ()
    undo: tuple[Step, ...] = ()
    redo: tuple[Step, ...] = ()
    acknowledged: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = ()
    final: tuple[tuple[str, str], ...] = ()
    filled: tuple[str, ...] = ()
    status: str = "open"
    locale: str = "es"
    settled: bool = False
    """Whether the customer has seen what first answers had left undecided."""

    def to_json(self) -> Json:
        """The state as JSON for the head row."""
        data: Json = {
            "choices": [[c.slot, c.answer] for c in self.choices],
            "context": [[c.slot, c.answer] for c in self.context],
            "undo": [step.json for step in self.undo],
            "redo": [step.json for step in self.redo],
            "acknowledged": {
                guard: {"reason": reason, "values": dict(values)}
                for guard, reason, values in self.acknowledged
            },
            "final": dict(self.final),
            "status": self.status,
            "locale": self.locale,
        }
        if self.filled:
            data["filled"] = list(self.filled)
        if self.settled:
            data["settled"] = True
        return data

    @classmethod
    def from_json(cls, data: Json) -> State:
        """The state that ``to_json`` wrote."""
        return cls(
            choices=tuple(Choice(slot, answer) for slot, answer in data["choices"]),
            context=tuple(Choice(slot, answer) for slot, answer in data["context"]),
            undo=tuple(Step.from_json(step) for step in data["undo"]),
            redo=tuple(Step.from_json(step) for step in data["redo"]),
            acknowledged=tuple(
                (guard, entry["reason"], tuple(sorted(entry["values"].items())))
                for guard, entry in sorted(data["acknowledged"].items())
            ),
            final=tuple(sorted(data.get("final", {}).items())),
            filled=tuple(data.get("filled", ())),
            status=data["status"],
            locale=data["locale"],
            settled=data.get("settled", False),
        )


def step_to(
    state: State, after: Choices, *, own: Collection[str] = (), filled: Collection[str] = ()
) -> Step:
    """The step from a state to other choices. The slots in ``filled`` are filled in for the
    customer; any other choice of the step makes its slot the customer's, also where one in
    ``own`` keeps its answer."""
    before = {choice.slot: choice.answer for choice in state.choices}
    answers = {choice.slot: choice.answer for choice in after}
    taken = {slot for slot in state.filled if slot in own or answers.get(slot) != before.get(slot)}
    return replace(
        step_between(state.choices, after), filled=tuple(sorted(taken.symmetric_difference(filled)))
    )


def _after(state: State, step: Step, undo: tuple[Step, ...], redo: tuple[Step, ...]) -> State:
    return replace(
        state,
        choices=take_step(state.choices, step),
        filled=tuple(sorted(set(state.filled).symmetric_difference(step.filled))),
        undo=undo,
        redo=redo,
        settled=False,
    )


def apply(state: State, kind: str, payload: Json) -> State:
    """The state after one event; raises ``ValueError`` for a kind that is not known."""
    match kind:
        case "SessionStarted":
            return State(
                context=tuple(Choice(slot, answer) for slot, answer in payload["context"]),
                locale=payload["locale"],
            )
        case (
            "ValueChosen"
            | "ChoiceWithdrawn"
            | "SessionReset"
            | "RepairAccepted"
            | "ProposalsAccepted"
        ):
            step = Step.from_json(payload["step"])
            if step == Step((), ()):
                return state
            return _after(state, step, (*state.undo, step)[-UNDO_STEPS:], ())
        case "Undone":
            step = state.undo[-1]
            return _after(state, step.reversed(), state.undo[:-1], (*state.redo, step))
        case "Redone":
            step = state.redo[-1]
            return _after(state, step, (*state.undo, step), state.redo[:-1])
        case "GuardAcknowledged":
            others = tuple(each for each in state.acknowledged if each[0] != payload["guard"])
            entry = (payload["guard"], payload["reason"], tuple(sorted(payload["values"].items())))
            return replace(state, acknowledged=tuple(sorted((*others, entry))))
        case "IrreversibleAcknowledged":
            known = dict(state.final) | dict(payload["answers"])
            return replace(state, final=tuple(sorted(known.items())))
        case "OptionsSettled":
            return replace(state, settled=True)
        case "LocaleChanged":
            return replace(state, locale=payload["locale"])
        case "ConfigurationCommitted":
            return replace(state, status="committed")
        case "ChoiceRefused" | "ConsequencesShown":
            return state
    raise ValueError(f"unknown event kind {kind!r}")
