"""Lowering: the whole product, on one day, as a constraint network.

Order of things: survey (what is read how), slots to variables, definitions (relevance,
computed numbers: background), rules and tables (owned), charges.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction

from configurator.engine.errors import EngineError, said, too_wide
from configurator.engine.exact import plain
from configurator.engine.layout import NOT_ASKED, Layout, Slot
from configurator.engine.lowering.charges import WideCharge, lower_charges
from configurator.engine.lowering.conditions import Conditions
from configurator.engine.lowering.emitter import Emitter
from configurator.engine.lowering.formula import (
    Literal,
    conjunction,
    disjunction,
    normal_sum,
)
from configurator.engine.lowering.held import Held
from configurator.engine.lowering.survey import TABULATED, Survey
from configurator.engine.lowering.tables import allowed_rows, forbidden_row, looked_up
from configurator.engine.network import Network
from configurator.engine.pricing import Pricing
from configurator.engine.reading import Reading
from configurator.engine.truth import Answers, Meaning, Worth
from configurator.model.product import Rule, SeveralOf, Table, Variable


@dataclass(frozen=True, slots=True)
class Lowered:
    """A product as a network, and the way back.

    ``held`` maps slots and context variables to network variables; computed numbers
    that were looked through (``opened``) are missing. ``wide`` lists the charges that
    the network only bounds.
    """

    network: Network
    meaning: Meaning
    pricing: Pricing
    held: dict[str, Held]
    opened: frozenset[str]
    wide: tuple[WideCharge, ...]
    reading: Reading


def lower(meaning: Meaning) -> Lowered:
    """Lower a product; raises ``EngineError`` (``too-wide``, ``too-large``) where that cannot
    be exact."""
    return _Lowering(meaning).run()


class _Lowering:
    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._product = meaning.product
        self._layout: Layout = meaning.layout
        self._pricing = Pricing(meaning)
        self._survey = Survey(meaning, self._pricing)
        self._reading = self._survey.reading
        self._emitter = Emitter()
        self._held: dict[str, Held] = {}
        self._conditions = Conditions(meaning, self._reading, self._held, self._emitter, TABULATED)

    def run(self) -> Lowered:
        self._hold_slots()
        self._hold_context()
        computed = [each for each in self._product.variables if each.kind == "computed"]
        for variable in self._by_dependency(computed):
            self._define(variable)
        for variable in self._product.variables:
            self._define_relevance(variable)
        for rule in self._product.rules:
            self._lower_rule(rule)
        for table in self._product.tables:
            self._lower_table(table)
        for variable in self._product.variables:
            self._limit(variable)
        costs, wide = lower_charges(self._meaning, self._pricing, self._survey, self._held)
        network = Network(
            tuple(self._emitter.variables),
            tuple(self._emitter.constraints),
            tuple(self._emitter.owners),
            costs,
        )
        return Lowered(
            network,
            self._meaning,
            self._pricing,
            self._held,
            frozenset(self._survey.opened),
            wide,
            self._reading,
        )

    # --- variables --------------------------------------------------------------------

    def _hold_slots(self) -> None:
        for slot in self._layout.slots:
            if slot.variable.kind == "computed":
                continue
            held = self._survey.hold(slot, len(self._emitter.sizes))
            if not held.answers:
                raise _nothing_left(slot)
            self._add(held)

    def _hold_context(self) -> None:
        for told in self._product.context:
            values = told.values or (told.if_missing,)
            self._add(
                Held(
                    told.id,
                    len(self._emitter.sizes),
                    None,
                    values,
                    (True,) * len(values),
                    ((),) * len(values),
                    -1,
                    -1,
                    (1,) * len(values),
                )
            )

    def _add(self, held: Held) -> None:
        index = self._emitter.add_variable(held.id, held.multiplicity, hidden=held.computed)
        assert index == held.index
        self._held[held.id] = held

    # --- definitions ------------------------------------------------------------------

    def _by_dependency(self, computed: list[Variable]) -> list[Variable]:
        """Computed numbers after those they follow from."""
        names = {each.id: each for each in computed if each.id not in self._survey.opened}
        done: dict[str, Variable] = {}
        while len(done) < len(names):
            ready = [
                name
                for name in names
                if name not in done
                and all(b in done or b not in names for b in self._reading.behind(name))
            ]
            if not ready:
                raise ValueError("computed numbers depend on one another in a ring")
            done.update((name, names[name]) for name in ready)
        return list(done.values())

    def _define(self, variable: Variable) -> None:
        """A computed number: a function of its inputs."""
        slots = self._reading.behind(variable.id)
        inputs = [self._held[slot] for slot in slots]
        if math.prod(each.size for each in inputs) <= TABULATED:
            self._tabulate(variable, inputs)
            return
        table = next(
            (each for each in self._product.tables if each.id == _lookup_of(variable)), None
        )
        if table is None:
            widest = max(inputs, key=lambda each: each.size)
            raise too_wide(
                variable.id,
                (
                    f"“{variable.id}” se calcula con demasiadas combinaciones.",
                    f"“{variable.id}” is computed over too many combinations.",
                ),
                (
                    f"Da a “{widest.id}” un paso (step) mayor.",
                    f"Give “{widest.id}” a bigger step.",
                ),
            )
        self._chain(variable, table)

    def _tabulate(self, variable: Variable, inputs: list[Held]) -> None:
        read = self._meaning.read(variable.id)
        results: dict[tuple[int, ...], Worth] = {}
        for row in itertools.product(*(range(each.size) for each in inputs)):
            answers: Answers = {h.id: h.answers[k] for h, k in zip(inputs, row, strict=True)}
            results[row] = read(answers)
        held = self._hold_computed(variable, list(results.values()))
        values = {answer: i for i, answer in enumerate(held.answers)}
        spelled = self._meaning.spelled
        scope = (*(each.index for each in inputs), held.index)
        self._emitter.allow(
            scope,
            frozenset((*row, values[spelled(worth)]) for row, worth in results.items()),
        )

    def _hold_computed(self, variable: Variable, results: list[Worth]) -> Held:
        numbers = sorted({each for each in results if isinstance(each, Fraction)})
        names = sorted({each for each in results if isinstance(each, str)})
        answers = [*(plain(each) for each in numbers), *names]
        missing = any(each is None for each in results) or not answers
        if missing:
            answers.append(NOT_ASKED)
        held = Held(
            variable.id,
            len(self._emitter.sizes),
            self._layout.by_id[variable.id],
            tuple(answers),
            (True,) * len(answers),
            ((),) * len(answers),
            len(answers) - 1 if missing else -1,
            -1,
            (1,) * len(answers),
            computed=True,
        )
        self._add(held)
        return held

    def _chain(self, variable: Variable, table: Table) -> None:
        """A look-up over wide columns: row by row."""
        self._conditions.subject = table.id
        column = table.sets.index(variable.id)
        rows = self._meaning.live_rows(table)
        worth = [self._meaning.worth_of(variable.id, row.sets[column]) for row in rows]
        held = self._hold_computed(variable, [*worth, None])
        result = held
        if variable.relevant_when is not None:
            hidden = self._emitter.add_variable(
                f"found:{variable.id}", (1,) * held.size, hidden=True
            )
            asked = self._conditions.certainly(variable.relevant_when)
            sizes = self._emitter.sizes
            empty = Literal(held.index, frozenset((held.not_asked,)))
            self._emitter.require(disjunction((asked, empty), sizes))
            skipped = self._conditions.denied(asked)
            for value in range(held.size):
                others = Literal(hidden, frozenset(range(held.size)) - {value})
                same = Literal(held.index, frozenset((value,)))
                self._emitter.require(disjunction((skipped, others, same), sizes))
        else:
            hidden = result.index
        values = {answer: i for i, answer in enumerate(held.answers)}
        spelled = self._meaning.spelled
        looked_up(
            self._conditions,
            self._emitter,
            [(row, values[spelled(each)]) for row, each in zip(rows, worth, strict=True)],
            hidden,
            held.not_asked,
        )

    def _define_relevance(self, variable: Variable) -> None:
        """Not asked, exactly where the relevance is not certainly true."""
        if variable.relevant_when is None or variable.kind == "computed":
            return
        slots = self._layout.by_variable[variable.id]
        if not slots or slots[0].never:
            return
        self._conditions.subject = variable.id
        asked = self._conditions.certainly(variable.relevant_when)
        sizes = self._emitter.sizes
        first = self._held[slots[0].id]
        skipped = Literal(first.index, frozenset((first.not_asked,)))
        answered = self._conditions.denied(skipped)
        self._emitter.require(disjunction((skipped, asked), sizes))
        self._emitter.require(disjunction((answered, self._conditions.denied(asked)), sizes))
        for slot in slots[1:]:
            held = self._held[slot.id]
            also = Literal(held.index, frozenset((held.not_asked,)))
            self._emitter.require(disjunction((answered, also), sizes))
            self._emitter.require(disjunction((skipped, self._conditions.denied(also)), sizes))

    # --- rules ------------------------------------------------------------------------

    def _lower_rule(self, rule: Rule) -> None:
        if not rule.period.covers(self._meaning.day):
            return
        self._conditions.subject = rule.id
        owner = self._emitter.owner(rule.id)
        if rule.forbid is not None:
            wrong = conjunction(
                (self._conditions.certainly(rule.when), self._conditions.certainly(rule.forbid))
            )
            self._emitter.require(self._conditions.denied(wrong), owner)
        if rule.require is not None:
            excused = self._conditions.denied(self._conditions.certainly(rule.when))
            kept = self._conditions.possibly(rule.require)
            self._emitter.require(disjunction((excused, kept), self._emitter.sizes), owner)

    def _lower_table(self, table: Table) -> None:
        if table.kind == "lookup" or not table.period.covers(self._meaning.day):
            return
        self._conditions.subject = table.id
        rows = self._meaning.live_rows(table)
        if table.kind == "allowed":
            allowed_rows(self._conditions, self._emitter, rows, self._emitter.owner(table.id))
            return
        for row in rows:
            name = f"{table.id}#{row.id}" if row.id else table.id
            forbidden_row(self._conditions, self._emitter, row, self._emitter.owner(name))

    def _limit(self, variable: Variable) -> None:
        """How many kinds and pieces a several-of may have."""
        limits = variable.several
        if limits is None or not variable.period.covers(self._meaning.day):
            return
        held = [self._held[slot.id] for slot in self._layout.by_variable[variable.id]]
        if not held:
            self._limit_nothing(variable, limits)
            return
        self._bound(variable, held, limits.pick, kinds=True)
        if limits.pieces is not None:
            self._bound(variable, held, limits.pieces, kinds=False)

    def _limit_nothing(self, variable: Variable, limits: SeveralOf) -> None:
        """Of what has no value left nothing can be taken, so it may have to go unasked."""
        least = max(limits.pick[0], limits.pieces[0] if limits.pieces is not None else 0)
        if least > 0:
            self._conditions.subject = variable.id
            asked = self._conditions.certainly(variable.relevant_when)
            owner = self._emitter.owner(f"limits:{variable.id}")
            self._emitter.require(self._conditions.denied(asked), owner)

    def _bound(
        self, variable: Variable, held: list[Held], limits: tuple[int, int], *, kinds: bool
    ) -> None:
        low, high = limits
        weights = []
        for place, each in enumerate(held):
            skipped = low if place == 0 else 0  # not asked: any bound is met
            weights.append(
                [
                    skipped
                    if answer == NOT_ASKED
                    else (int(answer != "0") if kinds else int(answer))
                    for answer in each.answers
                ]
            )
        formula = normal_sum([each.index for each in held], weights, low, high)
        if formula is not True:
            self._emitter.require(formula, self._emitter.owner(f"limits:{variable.id}"))


def _lookup_of(variable: Variable) -> str | None:
    return variable.computed.lookup if variable.computed is not None else None


def _nothing_left(slot: Slot) -> Exception:
    return EngineError(
        "void",
        said(
            f"“{slot.id}” no tiene ninguna respuesta ese día.", f"“{slot.id}” has no answer then."
        ),
        said("Revisa las fechas de sus valores.", "Look at the dates of its values."),
        (slot.id,),
    )
