"""A product small enough to answer by trying everything, and sessions over it.

It speaks the contract of ``configurator.session`` with the errors and values of the real
one, so that pages are tested without compiling, storing or locking anything.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from configurator.engine import UnknownChoiceError
from configurator.model.choice import Choice, Choices, without
from configurator.model.expression import Constant
from configurator.model.product import (
    Default,
    Doubt,
    Evidence,
    FactType,
    Guard,
    NumberRange,
    Prices,
    Product,
    Rule,
    SeveralOf,
    Step,
    Suggestion,
    TextLimits,
    Value,
    Variable,
)
from configurator.model.text import Text
from configurator.model.verdict import Change, Conflict, Repair
from configurator.session import (
    GuardsOpenError,
    IncompleteError,
    IrreversibleOpenError,
    NothingToUndoError,
    Outcome,
    Refusal,
    RepairOutdatedError,
    SequenceConflictError,
    Session,
    SessionClosedError,
    UnknownGuardError,
)
from configurator.session.session import Started
from configurator.session.state import State, apply, step_to
from configurator.session.view import irreversible
from configurator.trail import KeyReusedError, UnknownSessionError
from configurator.trail.canonical import view_change

Json = dict[str, Any]
Answers = dict[str, str]


def both(es: str, en: str) -> Text:
    return Text.of({"es": es, "en": en})


TRUE = Constant(True)

PRODUCT = Product(
    id="kite",
    name=both("Cometa", "Kite"),
    description=both("Vuela alto.", "It flies high."),
    language="es",
    languages=("es", "en"),
    time_zone="Europe/Madrid",
    picture="picture.svg",
    digest="d" * 64,
    facts=(FactType("weight", both("Peso", "Weight"), "g", 0, False),),
    steps=(
        Step("sail", both("Vela", "Sail"), ("shape", "cloth", "span"), both("Lo grande.", "Big.")),
        Step("extras", both("Extras", "Extras"), ("tails", "bag", "name")),
    ),
    variables=(
        Variable(
            "shape",
            both("Forma", "Shape"),
            "one of",
            values=(
                Value("delta", both("Delta", "Delta"), help=both("Fácil.", "Easy.")),
                Value("box", both("Cajón", "Box"), price=2000),
                Value("ring", both("Anillo", "Ring"), price=500),
            ),
            defaults=(Default("delta"),),
            doubts=(Doubt(both("¿Cuál es fácil?", "Which is easy?"), both("Delta.", "Delta.")),),
        ),
        Variable(
            "cloth",
            both("Tela", "Cloth"),
            "one of",
            values=(
                Value("cotton", both("Algodón", "Cotton"), facts=(("weight", Fraction(1250)),)),
                Value(
                    "silk",
                    both("Seda", "Silk"),
                    price=9050,
                    irreversible=both("La seda no se devuelve.", "Silk cannot be returned."),
                ),
            ),
        ),
        Variable(
            "span",
            both("Ancho", "Span"),
            "number",
            number=NumberRange(Fraction(60), Fraction(90), Fraction(10), 0),
            unit="cm",
            price_each=10,
        ),
        Variable(
            "tails",
            both("Colas", "Tails"),
            "several of",
            values=(
                Value("long", both("Larga", "Long"), price=300),
                Value("bow", both("Lazo", "Bow"), price=100),
            ),
            several=SeveralOf((0, 2), (0, 2), (0, 3)),
        ),
        Variable(
            "bag",
            both("Bolsa", "Bag"),
            "yes or no",
            values=(Value("yes", both("yes", "yes"), price=1000), Value("no", both("no", "no"))),
            defaults=(Default("no"),),
        ),
        Variable(
            "name",
            both("Nombre bordado", "Sewn name"),
            "text",
            text=TextLimits((1, 12), "latin"),
            optional=True,
        ),
    ),
    rules=(
        Rule(
            "silk-needs-box",
            both("La seda se rasga si no va en cajón.", "Silk tears unless it is in a box."),
            require=TRUE,
        ),
        Rule(
            "wide-no-ring",
            both("Un anillo de {span} no se sostiene.", "A ring of {span} does not hold up."),
            forbid=TRUE,
        ),
        Rule(
            "box-brings-bag",
            both("El cajón viaja en bolsa.", "A box travels in a bag."),
            require=TRUE,
        ),
    ),
    guards=(
        Guard("ring-hint", "hint", TRUE, both("El anillo gira.", "A ring spins.")),
        Guard(
            "cotton-rain",
            "caution",
            TRUE,
            both("El algodón se moja.", "Cotton gets wet."),
            suggest=(Suggestion("cloth", "silk"),),
        ),
        Guard(
            "wide-wind",
            "acknowledge",
            TRUE,
            both("Con {span} tira mucho.", "At {span} it pulls hard."),
            suggest=(Suggestion("span", "70"),),
            reasons=(both("La he volado", "I flew it"),),
            evidence=Evidence(both("3 de 10 la cambian.", "3 in 10 change it.")),
        ),
    ),
    prices=Prices(base=10000, tax_rate=Fraction(21)),
)

DOMAINS: dict[str, tuple[str, ...]] = {
    "shape": ("delta", "box", "ring"),
    "cloth": ("cotton", "silk"),
    "span": ("60", "70", "80", "90"),
    "tails.long": ("0", "1", "2"),
    "tails.bow": ("0", "1", "2"),
    "bag": ("yes", "no"),
}

RULES: tuple[tuple[str, Callable[[Answers], bool]], ...] = (
    ("silk-needs-box", lambda a: a["cloth"] != "silk" or a["shape"] == "box"),
    ("wide-no-ring", lambda a: a["shape"] != "ring" or int(a["span"]) < 80),
    ("box-brings-bag", lambda a: a["shape"] != "box" or a["bag"] == "yes"),
    ("limits:tails", lambda a: int(a["tails.long"]) + int(a["tails.bow"]) <= 3),
)

ALL = tuple(
    dict(zip(DOMAINS, values, strict=True)) for values in itertools.product(*DOMAINS.values())
)
PRICE = {
    ("shape", "box"): 2000,
    ("shape", "ring"): 500,
    ("cloth", "silk"): 9050,
    ("bag", "yes"): 1000,
}


def total(answers: Answers) -> int:
    fixed = sum(PRICE.get(item, 0) for item in answers.items())
    pieces = 300 * int(answers["tails.long"]) + 100 * int(answers["tails.bow"])
    return 10000 + fixed + pieces + 10 * int(answers["span"])


def possible(choices: Choices, rules: tuple[str, ...] | None = None) -> list[Answers]:
    wanted = [(c.slot, c.answer) for c in choices if c.slot in DOMAINS]
    return [
        answers
        for answers in ALL
        if all(answers[slot] == answer for slot, answer in wanted)
        and all(rule(answers) for name, rule in RULES if rules is None or name in rules)
    ]


def fewest_changes(choices: Choices, wanted: Choice) -> list[Choices]:
    """The largest parts of ``choices`` that go with ``wanted``."""
    for size in range(len(choices) + 1):
        kept = [
            part
            for part in itertools.combinations(choices, len(choices) - size)
            if possible((*part, wanted))
        ]
        if kept:
            return kept
    return []


def conflict_of(choices: Choices, wanted: Choice) -> Conflict:
    part = choices
    for choice in choices:
        fewer = without(part, {choice.slot})
        if not possible((*fewer, wanted)):
            part = fewer
    rules = tuple(name for name, _ in RULES)
    for name in rules:
        fewer_rules = tuple(rule for rule in rules if rule != name)
        if not possible((*part, wanted), fewer_rules):
            rules = fewer_rules
    return Conflict(wanted, part, rules)


def view_of(choices: Choices, acknowledged: Json) -> Json:
    left = possible(choices)
    chosen = {choice.slot: choice.answer for choice in choices}
    lowest = min(total(answers) for answers in left)
    slots: Json = {}
    for slot, values in DOMAINS.items():
        others = without(choices, {slot})
        options: Json = {}
        fitting: dict[str, list[Answers]] = {}
        for answers in possible(others):
            fitting.setdefault(answers[slot], []).append(answers)
        for value in values:
            if value in fitting:
                state = "chosen" if chosen.get(slot) == value else "possible"
                price = min(total(answers) for answers in fitting[value])
                options[value] = {"state": state, "difference": price - lowest}
            else:
                kept = fewest_changes(others, Choice(slot, value))
                if not kept:
                    options[value] = {"state": "impossible"}
                    continue
                options[value] = {"state": "needs changes", "changes": len(others) - len(kept[0])}
        data: Json = {"variable": slot.partition(".")[0], "options": options}
        now = {answers[slot] for answers in left}
        if slot in chosen:
            data.update(state="chosen", answer=chosen[slot])
        elif len(now) == 1:
            (answer,) = now
            options[answer]["state"] = "implied"
            data.update(
                state="implied",
                answer=answer,
                origin={"choices": ["shape"], "rules": ["box-brings-bag"], "context": []},
            )
        else:
            data["state"] = "open"
            proposal = {"shape": "delta", "bag": "no"}.get(slot)
            if proposal in now:
                data["proposal"] = proposal
        slots[slot] = data
    slots["name"] = {"variable": "name", "state": "open"}
    if "name" in chosen:
        slots["name"].update(state="chosen", answer=chosen["name"])
    complete = all(data["state"] in ("chosen", "implied") for data in slots.values())
    price_json: Json = {
        "currency": "EUR",
        "tax_included": True,
        "tax_rate": "21",
        "lowest": lowest,
        "proposed": lowest + 100,
    }
    if complete:
        lines = [["base", 10000], ["span", 10 * int(left[0]["span"])]]
        lines += [[s, PRICE[s, a]] for s, a in left[0].items() if (s, a) in PRICE]
        price_json.update(total=lowest, lines=lines, net=lowest - 2000, tax=2000)
    return {
        "slots": slots,
        "count": {"number": str(len(left))},
        "guards": guards_of(chosen, slots, acknowledged),
        "steps": {
            "sail": progress(slots, ("shape", "cloth", "span")),
            "extras": progress(slots, ("tails", "bag", "name")),
        },
        "complete": complete,
        "results": {},
        "price": price_json,
    }


def guards_of(chosen: Answers, slots: Json, acknowledged: Json) -> Json:
    said: Json = {}
    if chosen.get("shape") == "ring":
        said["ring-hint"] = {"level": "hint", "at": "choice", "reads": {"shape": "ring"}}
    if chosen.get("cloth") == "cotton":
        state = slots["cloth"]["options"]["silk"]["state"]
        said["cotton-rain"] = {
            "level": "caution",
            "at": "choice",
            "reads": {"cloth": "cotton"},
            "suggest": {"cloth": {"answer": "silk", "state": state}},
        }
    if chosen.get("span") == "90":
        said["wide-wind"] = {
            "level": "acknowledge",
            "at": "choice",
            "reads": {"span": "90"},
            "suggest": {"span": {"answer": "70", "state": "possible"}},
        }
    for guard, reason in acknowledged.items():
        if guard in said:
            said[guard]["acknowledged"] = True
            if reason:
                said[guard]["reason"] = reason
    return said


def progress(slots: Json, variables: tuple[str, ...]) -> Json:
    done = [
        all(
            data["state"] in ("chosen", "implied")
            for slot, data in slots.items()
            if slot.partition(".")[0] == variable
        )
        for variable in variables
    ]
    return {"asked": len(done), "answered": sum(done)}


class FakeSessions:
    """Sessions in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Session] = {}
        self.refusals: dict[tuple[str, int], tuple[Refusal, Choices]] = {}
        self.seen: dict[tuple[str, str], tuple[object, Outcome]] = {}
        self.final: dict[str, set[str]] = {}
        self.looked: dict[tuple[str, int], Json] = {}
        self.acts: list[tuple[str, Json]] = []

    # --- finding ---

    def get(self, session_id: str) -> Session:
        if session_id not in self.kept:
            raise UnknownSessionError(session_id)
        return self.kept[session_id]

    def resume(self, token: str) -> Session:
        session_id, _, secret = token.partition(".")
        if secret != "secret":
            raise UnknownSessionError(session_id)
        return self.get(session_id)

    def start(self, product_id: str, *, locale: str, **_: Any) -> Started:
        session_id = f"s{len(self.kept) + 1:03}"  # in order, as ours are
        session = Session(
            session_id,
            "K7PM-3QXA",
            PRODUCT,
            PRODUCT.digest,
            datetime.date(2026, 11, 22),
            1,
            "0" * 64,
            replace(State(), locale=locale),
            view_of((), {}),
        )
        self.kept[session_id] = session
        return Started(session, f"{session_id}.secret")

    def explain(self, session_id: str, slot: str, answer: str) -> Refusal | None:
        session = self.get(session_id)
        self._check(slot, answer)
        wanted = Choice(slot, answer)
        choices = without(session.choices, {slot})
        if possible((*choices, wanted)):
            return None
        return self._refusal(session, choices, wanted)

    # --- acts ---

    def choose(self, session_id: str, slot: str, answer: str, **how: Any) -> Outcome:
        return self.choose_many(session_id, (Choice(slot, answer),), **how)

    def choose_many(self, session_id: str, wanted: Choices, **how: Any) -> Outcome:
        def act(session: Session) -> Choices | Refusal:
            for choice in wanted:
                self._check(choice.slot, choice.answer)
            choices = without(session.choices, {choice.slot for choice in wanted})
            for choice in wanted:
                if not possible((*choices, choice)):
                    return self._refusal(session, choices, choice)
                choices = (*choices, choice)
            return choices

        return self._act(session_id, ("choose", wanted), act, **how)

    def withdraw(self, session_id: str, slot: str, **how: Any) -> Outcome:
        def act(session: Session) -> Choices:
            gone = {c.slot for c in session.choices if c.slot.partition(".")[0] == slot}
            return without(session.choices, gone | {slot})

        return self._act(session_id, ("withdraw", slot), act, **how)

    def undo(self, session_id: str, **how: Any) -> Outcome:
        return self._act(session_id, ("undo",), lambda session: session.choices, **how)

    def redo(self, session_id: str, **how: Any) -> Outcome:
        return self._act(session_id, ("redo",), lambda session: session.choices, **how)

    def reset(self, session_id: str, **how: Any) -> Outcome:
        return self._act(session_id, ("reset",), lambda session: (), **how)

    def accept_repair(self, session_id: str, refusal: int, index: int, **how: Any) -> Outcome:
        def act(session: Session) -> Choices:
            known = self.refusals.get((session_id, refusal))
            if known is None or known[1] != session.choices or index >= len(known[0].repairs):
                raise RepairOutdatedError
            return known[0].repairs[index].choices

        return self._act(session_id, ("repair", refusal, index), act, **how)

    def acknowledge(self, session_id: str, guard: str, reason: str = "", **how: Any) -> Outcome:
        def act(session: Session) -> Choices:
            if guard not in session.view["guards"]:
                raise UnknownGuardError
            held = {g: (r, v) for g, r, v in session.state.acknowledged}
            held[guard] = (reason, ())
            state = replace(
                session.state, acknowledged=tuple((g, r, v) for g, (r, v) in held.items())
            )
            self.kept[session_id] = replace(session, state=state)
            return session.choices

        return self._act(session_id, ("acknowledge", guard, reason), act, **how)

    def acknowledge_irreversible(
        self, session_id: str, slots: tuple[str, ...], **how: Any
    ) -> Outcome:
        def act(session: Session) -> Choices:
            assert set(slots) <= set(irreversible(session.product, session.view["slots"]))
            self.final.setdefault(session_id, set()).update(slots)
            return session.choices

        return self._act(session_id, ("final", *slots), act, **how)

    def accept_proposals(self, session_id: str, **how: Any) -> Outcome:
        def act(session: Session) -> Choices:
            cheapest = min(possible(session.choices), key=total)
            proposed = {"shape": "delta", "bag": "no"}
            added = tuple(
                Choice(slot, proposed.get(slot, cheapest[slot]))
                for slot, data in session.view["slots"].items()
                if data["state"] == "open" and slot in cheapest
            )
            return (*session.choices, *added)

        return self._act(session_id, ("finish",), act, **how)

    def can_finish(self, session: Session) -> bool:
        kinds = {each.id: each.kind for each in session.product.variables}
        return any(
            data["state"] == "open" and kinds[slot.partition(".")[0]] != "text"
            for slot, data in session.view["slots"].items()
        )

    def commit(self, session_id: str, **how: Any) -> Outcome:
        def act(session: Session) -> Choices:
            if not session.view["complete"]:
                raise IncompleteError(("name",))
            waiting = tuple(
                guard
                for guard, said in session.view["guards"].items()
                if said["level"] == "acknowledge" and not said.get("acknowledged")
            )
            if waiting:
                raise GuardsOpenError(waiting)
            final = irreversible(session.product, session.view["slots"])
            if set(final) - self.final.get(session_id, set()):
                raise IrreversibleOpenError(tuple(final))
            state = replace(session.state, status="committed")
            self.kept[session_id] = replace(session, state=state)
            return session.choices

        return self._act(session_id, ("commit",), act, **how)

    def preview(self, session_id: str, slot: str, answer: str, **how: Any) -> Outcome:
        def act(session: Session) -> Choices:
            self._check(slot, answer)
            self.looked[session_id, session.seq + 1] = {"wanted": [slot, answer]}
            return session.choices

        return self._act(session_id, ("preview", slot, answer), act, **how)

    def previewed(self, session: Session, seq: int) -> Json | None:
        return self.looked.get((session.session_id, seq))

    def change_locale(self, session_id: str, locale: str, **_: Any) -> Outcome:
        session = self.get(session_id)
        state = replace(session.state, locale=locale)
        self.kept[session_id] = replace(session, state=state, seq=session.seq + 1)
        return Outcome("accepted", self.kept[session_id], {})

    # --- shared ---

    def _check(self, slot: str, answer: str) -> None:
        if slot == "name" or answer in DOMAINS.get(slot, ()):
            return
        raise UnknownChoiceError(
            "unknown-value",
            both(f"«{answer}» no está entre las opciones.", f"“{answer}” is not an option."),
            both("Elige una de las que ves.", "Choose one of those shown."),
        )

    def _refusal(self, session: Session, choices: Choices, wanted: Choice) -> Refusal:
        conflict = conflict_of(choices, wanted)
        now = session.view["price"]["lowest"]
        repairs = []
        for kept in fewest_changes(choices, wanted):
            after = (*kept, wanted)
            cheapest = min(total(answers) for answers in possible(after))
            best = min(possible(after), key=total)
            changes = tuple(
                Change(choice.slot, choice.answer, best[choice.slot])
                for choice in choices
                if choice not in kept
            )
            filled = tuple(Choice(c.slot, str(c.after)) for c in changes)
            repairs.append(Repair(changes, (*kept, *filled, wanted), cheapest, cheapest - now))
        return Refusal(wanted, conflict, tuple(repairs) if conflict.choices else ())

    def _act(
        self,
        session_id: str,
        request: tuple[object, ...],
        act: Callable[[Session], Choices | Refusal],
        *,
        expected_seq: int | None = None,
        key: str | None = None,
        actor: str = "customer",
    ) -> Outcome:
        session = self.get(session_id)
        self.acts.append((str(request[0]), {"seq": expected_seq, "key": key}))
        if key is not None and (session_id, key) in self.seen:
            before, answer = self.seen[session_id, key]
            if before != request:
                raise KeyReusedError(key)
            return replace(answer, replayed=True)
        if expected_seq is not None and expected_seq != session.seq:
            raise SequenceConflictError(session)
        if session.status != "open":
            raise SessionClosedError
        result = act(session)
        seq = session.seq + 1
        if isinstance(result, Refusal):
            result = replace(result, seq=seq)
            self.refusals[session_id, seq] = (result, session.choices)
            self.kept[session_id] = replace(session, seq=seq)
            outcome = Outcome("refused", self.kept[session_id], {}, result)
        else:
            outcome = self._accepted(session_id, session, request, result)
        if key is not None:
            self.seen[session_id, key] = (request, outcome)
        return outcome

    def _accepted(
        self, session_id: str, session: Session, request: tuple[Any, ...], choices: Choices
    ) -> Outcome:
        state = self.kept[session_id].state
        if request[0] in ("undo", "redo"):
            if not (state.undo if request[0] == "undo" else state.redo):
                raise NothingToUndoError
            state = apply(state, "Undone" if request[0] == "undo" else "Redone", {})
        else:
            wanted = {choice.slot for choice in request[1]} if request[0] == "choose" else set()
            added = {c.slot for c in choices} - {c.slot for c in state.choices}
            filled = added if request[0] == "finish" else set()
            step = step_to(state, choices, own=wanted, filled=filled)
            state = apply(state, "ValueChosen", {"step": step.json})
        held = {guard: reason for guard, reason, _ in state.acknowledged}
        view = view_of(state.choices, held)
        filled = {each.slot: each.answer for each in state.choices if each.slot in state.filled}
        if filled:
            view["filled"] = filled
        changed = view_change(session.view, view)
        after = replace(session, state=state, view=view, seq=session.seq + 1)
        self.kept[session_id] = after
        return Outcome("accepted", after, changed)
