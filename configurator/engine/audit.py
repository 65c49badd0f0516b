"""What a product says in vain: answers nobody can have, questions that decide nothing,
guards that are never or always said, rules that refuse nothing.

Such anomalies are those of feature models (Benavides, Segura, Ruiz-Cortés, "Automated
analysis of feature models 20 years later", Information Systems 35, 2010): dead and false
optional features, redundant constraints. Conditions are asked about by *probes*: questions
that are asked exactly where a condition is certainly true.

All of it is exact for a day. What holds on one day may change with the next, so what is
found has to be so on every later day on which something begins or ends, too.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Pins, offsets_of
from configurator.engine.conflict import first_conflict
from configurator.engine.engine import Engine
from configurator.engine.errors import EngineError
from configurator.engine.layout import NOT_ASKED
from configurator.engine.lowering import Lowered, lower
from configurator.engine.sat import SatBackend
from configurator.engine.sat.probe import Budget, BudgetSpentError
from configurator.engine.truth import Meaning
from configurator.model.expression import (
    And,
    Comparison,
    Condition,
    Expression,
    LowestTotal,
    Membership,
    Not,
    Read,
    Today,
    mentions,
    parts_of,
)
from configurator.model.product import (
    Guard,
    Product,
    Rule,
    Suggestion,
    Value,
    Variable,
    days_of_change,
)
from configurator.model.text import Text

DAYS = 24
"""Later days that are looked at; a product that changes more often is not judged."""

PROBES = 400
"""So many guards, and so many rules, are judged; imported models may have many thousands."""

PROPAGATIONS = 3_000_000
"""What one question may cost; about a second. Guards and rules on tight sums may need more."""

Kind = Literal[
    "dead-value",
    "always-same",
    "guard-never",
    "guard-always",
    "suggest-invalid",
    "rule-never-fires",
    "rule-redundant",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing said in vain. ``about`` is the variable, guard or rule; ``variable`` and
    ``answer`` say which answer (of which variable, where a guard suggests it); an empty
    answer of ``always-same`` is a question that is never asked. ``because`` names a minimal
    set of rules that make it so, where rules do."""

    kind: Kind
    about: str
    variable: str = ""
    answer: str = ""
    because: tuple[str, ...] = ()


_Key = tuple[str, str, str]
_Look = Callable[[], Finding | None]
"""Looks at one part of a product."""


def audit(engine: Engine) -> tuple[Finding, ...]:
    """What the engine's product says in vain from its day on; in no particular order.

    Left out are conditions on the present day or the total and those too wide to be
    compiled, and whole products that have no compiled form, or where the present day alone
    decides what is possible.
    """
    product = engine.product
    later = _later_days(product, engine.day)
    if engine.too_wide or engine.pending or len(later) > DAYS or _by_the_calendar(product):
        return ()
    try:
        today = _Day(product, engine.day, engine)
    except EngineError:
        return ()  # conditions of guards make numbers too wide that were not
    found = {key: each for key, look in today.looks.items() if (each := look())}
    for day in later if found else ():
        try:
            then = _Day(product, day, None)
        except EngineError:
            continue  # nothing can be ordered then; publishing for that day will say so
        found = {
            key: each
            for key, each in found.items()
            if key not in then.looks or _still(each, then.looks[key]())
        }
    settled = {each.about for each in found.values() if each.kind == "always-same"}
    return tuple(
        each for each in found.values() if each.kind != "dead-value" or each.about not in settled
    )


def _still(found: Finding, later: Finding | None) -> bool:
    return later is not None and (later.kind, later.answer) == (found.kind, found.answer)


def _later_days(product: Product, today: datetime.date) -> tuple[datetime.date, ...]:
    """Days after ``today`` on which something begins or is gone."""
    periods = [each.period for each in product.variables]
    periods += [value.period for each in product.variables for value in each.values]
    periods += [each.period for each in product.rules]
    periods += [each.period for each in product.tables]
    periods += [row.period for each in product.tables for row in each.rows]
    periods += [each.period for each in product.guards]
    return days_of_change(periods, today)


def _by_the_calendar(product: Product) -> bool:
    """Whether what is possible depends on the present day in other ways than through dates
    that move with it."""
    return any(
        isinstance(part, Comparison | Membership)
        and mentions(part, Today)
        and not mentions(part, Read)
        for expression in _deciding(product)
        for part in parts_of(expression)
    )


def _deciding(product: Product) -> Iterator[Expression]:
    """The expressions that decide what is possible."""
    for variable in product.variables:
        if variable.relevant_when is not None:
            yield variable.relevant_when
        if variable.computed is not None and variable.computed.term is not None:
            yield variable.computed.term
    yield from map(_condition, product.rules)
    for table in product.tables:
        for row in table.rows:
            yield from row.conditions


# --- one day ------------------------------------------------------------------------


class _Day:
    """One day of a product; ``looks`` holds what there is to look at."""

    def __init__(self, product: Product, day: datetime.date, engine: Engine | None) -> None:
        """``engine`` is that day's, where there is one. Raises ``EngineError``."""
        self._product = product
        self._day = day
        told: list[Guard | Rule] = [*_judgeable_guards(product, day)]
        told += _judgeable_rules(product, day)
        self._probes: dict[str, Guard | Rule] = {f"?{n}": each for n, each in enumerate(told)}
        self._lowered = self._with_probes()
        self._sat = SatBackend(self._lowered.network)
        self._known = {} if engine is None else _known(engine)
        self.looks = dict(self._parts())

    def _parts(self) -> Iterator[tuple[_Key, _Look]]:
        for variable in self._product.variables:
            if not variable.period.covers(self._day) or variable.kind in ("computed", "text"):
                continue
            if variable.kind != "several of":
                yield ("question", variable.id, ""), partial(self._settled, variable)
            for value in variable.values:
                if self._place(variable, value) is not None:
                    yield ("value", variable.id, value.id), partial(self._dead, variable, value)
        for probe, part in self._probes.items():
            if isinstance(part, Rule):
                yield ("rule", part.id, ""), partial(self._needless, part, probe)
                continue
            yield ("guard", part.id, ""), partial(self._said, part, probe)
            for each in part.suggest:
                key = "suggestion", part.id, each.variable
                yield key, partial(self._invalid, part, probe, each)

    def _with_probes(self) -> Lowered:
        """The product with the probes, save those whose conditions are too wide for it."""
        name = Text.of({self._product.language: "?"})
        asked = (Value("asked", name),)
        while True:
            probes = tuple(
                Variable(probe, name, "one of", asked, relevant_when=_condition(each))
                for probe, each in self._probes.items()
            )
            probed = replace(self._product, variables=(*self._product.variables, *probes))
            try:
                return lower(Meaning(probed, self._day))
            except EngineError as problem:
                wide = [
                    probe
                    for probe, each in self._probes.items()
                    if probe in problem.owners or _reads_any(_condition(each), problem.owners)
                ]
                if not wide:
                    raise
                for probe in wide:
                    del self._probes[probe]

    def _is_valid(self, slot: str, value: int) -> bool:
        """Whether a configuration has a value; yes, where that is too hard to find out."""
        answers, valid = self._known.get(slot, ((), None))
        if valid is not None and answers == self._lowered.held[slot].answers:
            return bool(valid[value])  # else a probe, or a number that a probe reads more finely
        try:
            return self._sat.core(self._pins(slot, value), budget=_budget()) is None
        except BudgetSpentError:
            return True

    def _rules_against(self, slot: str, value: int) -> tuple[str, ...]:
        """A minimal set of rules that leave no configuration with a value, which is known;
        none are named where they are too hard to find out."""
        pins, every = self._pins(slot, value), range(len(self._lowered.network.owners))
        try:
            found = self._sat.core(pins, tuple(every), budget=_budget())
        except BudgetSpentError:
            return ()
        likely = () if found is None else found[1]
        return self._named(first_conflict(every, self._sat.rules_core(pins, (), likely), likely))

    def _others_against(self, slot: str, value: int, but: str) -> tuple[str, ...] | None:
        """The same of all rules but one; ``None`` where those leave a configuration, or it is
        too hard to find out."""
        pins, owners = self._pins(slot, value), self._lowered.network.owners

        def core(first: Sequence[int], later: tuple[int, ...]) -> tuple[int, ...] | None:
            found = self._sat.core(pins, (*first, *later), budget=_budget())
            return None if found is None else found[1]

        others = tuple(at for at, owner in enumerate(owners) if owner != but)
        try:
            failing = core(others, ())
            return None if failing is None else self._named(first_conflict(others, core, failing))
        except BudgetSpentError:
            return None

    def _pins(self, slot: str, value: int) -> Pins:
        return ((self._lowered.held[slot].index, value),)

    def _named(self, owners: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(self._lowered.network.owners[each] for each in owners)

    # --- questions --------------------------------------------------------------------

    def _settled(self, variable: Variable) -> Finding | None:
        """A question of whose answers only one is left, or that is never asked."""
        held = self._lowered.held[variable.id]
        left = [value for value in range(held.size) if self._is_valid(variable.id, value)]
        if len(left) != 1 or left[0] == held.none or not held.known[left[0]]:
            return None
        others = [at for at in range(held.size) if at not in (*left, held.not_asked, held.none)]
        if not others:
            return None  # no question at all, as written
        because = self._rules_against(variable.id, others[0]) if len(others) == 1 else ()
        if left[0] == held.not_asked:
            return Finding("always-same", variable.id, because=because)
        return Finding("always-same", variable.id, variable.id, held.answers[left[0]], because)

    def _dead(self, variable: Variable, value: Value) -> Finding | None:
        """An answer, or a kind of a several-of, that no configuration has."""
        place = self._place(variable, value)
        if place is None or any(self._is_valid(place[0], at) for at in place[1]):
            return None
        because = self._rules_against(place[0], place[1][0])
        return Finding("dead-value", variable.id, variable.id, value.id, because)

    def _place(self, variable: Variable, value: Value) -> tuple[str, list[int]] | None:
        """Slot and network values of an answer; ``None`` where it is not on offer."""
        if not value.period.covers(self._day):
            return None
        if variable.kind != "several of":
            at = self._lowered.held[variable.id].value_of(value.id)
            return None if at is None else (variable.id, [at])
        slot = f"{variable.id}.{value.id}"
        answers = enumerate(self._lowered.held[slot].answers)
        taken = [at for at, answer in answers if answer not in ("0", NOT_ASKED)]
        return (slot, taken) if taken else None

    # --- guards and rules -------------------------------------------------------------

    def _said(self, guard: Guard, probe: str) -> Finding | None:
        """A guard that is never said, or always."""
        asked, not_asked = self._values_of(probe)
        if not self._is_valid(probe, asked):
            return Finding("guard-never", guard.id, because=self._rules_against(probe, asked))
        return None if self._is_valid(probe, not_asked) else Finding("guard-always", guard.id)

    def _invalid(self, guard: Guard, probe: str, suggestion: Suggestion) -> Finding | None:
        """A suggestion that no configuration has, of a guard that is said at all."""
        slot, answer = suggestion.variable, suggestion.value
        held = self._lowered.held.get(slot)
        at = None if held is None else held.value_of(answer)
        asked, _ = self._values_of(probe)
        if at is None or self._is_valid(slot, at) or not self._is_valid(probe, asked):
            return None
        because = self._rules_against(slot, at)
        return Finding("suggest-invalid", guard.id, slot, answer, because)

    def _needless(self, rule: Rule, probe: str) -> Finding | None:
        """A rule that refuses nothing, or nothing that the others leave."""
        asked, _ = self._values_of(probe)
        others = self._others_against(probe, asked, rule.id)
        if others is None:
            return None
        if not others:
            return Finding("rule-never-fires", rule.id)
        return Finding("rule-redundant", rule.id, because=others)

    def _values_of(self, probe: str) -> tuple[int, int]:
        """The values of a probe where it is asked, and where not."""
        held = self._lowered.held[probe]
        asked = next(at for at in range(held.size) if at != held.not_asked)
        return asked, held.not_asked


def _known(engine: Engine) -> dict[str, tuple[tuple[str, ...], npt.NDArray[np.bool_]]]:
    """By slot its answers, and which of them are valid before anything is chosen; nothing
    where that is not settled at once."""
    marginals = engine.backend.marginals((), settle=False)
    if not marginals.settled:
        return {}
    offsets = offsets_of(tuple(each.size for each in engine.network.variables))
    return {
        slot: (held.answers, marginals.valid[offsets[held.index] : offsets[held.index + 1]])
        for slot, held in engine.lowered.held.items()
    }


def _judgeable_guards(product: Product, day: datetime.date) -> Iterator[Guard]:
    for guard in product.guards if len(product.guards) <= PROBES else ():
        timed = mentions(guard.when, Today) or mentions(guard.when, LowestTotal)
        if guard.may_speak(day) and not timed:
            yield guard


def _judgeable_rules(product: Product, day: datetime.date) -> Iterator[Rule]:
    for rule in product.rules if len(product.rules) <= PROBES else ():
        if rule.period.covers(day) and not mentions(_condition(rule), Today):
            yield rule


def _budget() -> Budget:
    return Budget(1, PROPAGATIONS)


def _condition(part: Guard | Rule) -> Condition:
    """When a guard is said; what a rule refuses, where it is certainly true."""
    if isinstance(part, Guard):
        return part.when
    against = part.forbid if part.require is None else Not(part.require)
    assert against is not None
    return against if part.when is None else And((part.when, against))


def _reads_any(condition: Condition, variables: tuple[str, ...]) -> bool:
    return any(getattr(each, "variable", None) in variables for each in parts_of(condition))
