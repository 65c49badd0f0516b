"""Truth on valid domains: what is certain before everything is answered.

An atom over one slot is true if it holds for each of its valid answers, false if for
none, else open; an atom over several goes by lowest and highest worth; the rest is the
table of three-valued logic (docs/engine.md, "Truth").
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter

from configurator.engine.layout import NOT_ASKED, Grid
from configurator.engine.reading import Reading
from configurator.engine.truth import Answers, Meaning, Truth, TruthOf, arithmetic
from configurator.memory import Memory
from configurator.model.expression import (
    And,
    Arithmetic,
    Comparison,
    Condition,
    Constant,
    Extreme,
    Fact,
    Has,
    LowestTotal,
    Membership,
    Negative,
    Not,
    Or,
    Pieces,
    Read,
    SumOfFact,
    Term,
    mentions,
)

TRIED = 4096
"""Combinations of answers tried one by one before bounds are used."""

NAMED = 3
"""How many valid answers are named before a slot counts as open."""

Named = tuple[tuple[str, str], ...]
"""Slots, each with its answer, a few valid ones joined by ``|``, or ``…``."""

Mark = bytes | str
"""What tells a slot's domain from others."""

KEPT = 1 << 22
"""Bytes for which verdicts are kept (see ``weight_of``)."""

BESIDE = 128
"""Bytes that a kept verdict takes besides its marks."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The valid answers of one slot: listed ones, and runs of a grid.

    ``skipped``: it may be not asked.
    """

    answers: tuple[str, ...] = ()
    grid: Grid | None = None
    runs: tuple[tuple[int, int], ...] = ()
    skipped: bool = False

    def size(self) -> int:
        """How many answers, counting "not asked"."""
        return len(self.answers) + sum(b - a + 1 for a, b in self.runs) + self.skipped

    def every(self) -> Iterable[str]:
        """Every valid answer; "not asked" last."""
        yield from self.answers
        if self.grid is not None:
            for first, last in self.runs:
                for position in range(first, last + 1):
                    yield self.grid.answer(position)
        if self.skipped:
            yield NOT_ASKED

    def ends(self) -> Iterable[str]:
        """Every listed answer, the two ends of each run, and "not asked"."""
        yield from self.answers
        if self.grid is not None:
            for run in self.runs:
                yield from (self.grid.answer(position) for position in run)
        if self.skipped:
            yield NOT_ASKED


def _named(domain: Domain) -> str:
    return "|".join(domain.every()) if domain.size() <= NAMED else "…"


Domains = Mapping[str, Domain]


class MarkedDomains(Mapping[str, Domain]):
    """Domains that tell one from the other without listing them.

    ``marks`` has something for every slot that is equal wherever the slot's domain is.
    """

    marks: Mapping[str, Mark]


def weight_of(marks: Mapping[str, Mark], slots: Iterable[str]) -> int:
    """Roughly how many bytes are kept with the marks of some slots."""
    return BESIDE + sum(len(marks[slot]) for slot in slots)


class _Watched(Mapping[str, Domain]):
    """Domains that note which of them are read. What was read, and only that, decides; so
    a verdict holds wherever that is the same."""

    def __init__(self, domains: Domains, read: dict[str, None]) -> None:
        self._domains = domains
        self.read = read

    def __getitem__(self, slot: str) -> Domain:
        self.read[slot] = None
        return self._domains[slot]

    def __iter__(self) -> Iterator[str]:
        return iter(self._domains)

    def __len__(self) -> int:
        return len(self._domains)


@dataclass(frozen=True, slots=True)
class _Reads:
    """What a condition reads: slots, and perhaps the lowest total. ``marks`` picks the marks
    of the slots. The condition is kept, so that its id stays its own."""

    condition: Condition
    slots: tuple[str, ...]
    marks: Callable[[Mapping[str, Mark]], Hashable]
    total: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest and highest worth; ``sure`` says it is never open. ``ids`` lists what it can
    be where it is not a number. ``low`` is ``None`` where it has no number at all."""

    low: Fraction | float | None
    high: Fraction | float | None
    sure: bool
    ids: tuple[object, ...] = ()


class Judge:
    """Judges the conditions of one product."""

    def __init__(self, meaning: Meaning, reading: Reading) -> None:
        self._meaning = meaning
        self._reading = reading
        self._slots: dict[int, tuple[object, tuple[str, ...]]] = {}
        self._meant: dict[int, tuple[object, Condition]] = {}
        self._tests: dict[int, tuple[object, TruthOf, dict[str, Truth]]] = {}
        self._read: dict[int, _Reads] = {}
        self._kept: Memory[tuple[int, int | None, Hashable], tuple[Truth]] = Memory(KEPT)
        self._named: Memory[tuple[int, Hashable], Named] = Memory(KEPT)
        self._lock = threading.Lock()

    def truth(
        self, condition: Condition | None, domains: Domains, lowest_total: int | None = None
    ) -> Truth:
        """Whether a condition is certain; ``None`` is open.

        ``domains`` holds every slot and context variable that may be read;
        ``lowest_total`` is in cents.
        """
        if condition is None:
            return True
        # Asking an abstract class whether it is one takes longer than all the rest.
        marks: Mapping[str, Mark] | None = getattr(domains, "marks", None)
        if marks is None:
            return self._truth(condition, domains, lowest_total)
        reads = self._reads(condition)
        worth = lowest_total if reads.total else None
        known = self._kept.get((id(condition), worth, reads.marks(marks)))
        if known is None:
            watched = _Watched(domains, dict.fromkeys(reads.slots))
            found = self._truth(condition, watched, lowest_total)
            if len(watched.read) > len(reads.slots):  # by way of a computed number, perhaps
                with self._lock:
                    before = self._reads(condition).slots
                    reads = _reads_of(condition, (*before, *watched.read), reads.total)
                    self._read[id(condition)] = reads
            key = (id(condition), worth, reads.marks(marks))
            known = self._kept.keep(key, (found,), weight_of(marks, reads.slots))
        return known[0]

    def named(self, condition: Condition, domains: MarkedDomains) -> Named:
        """What is left of the slots a condition reads, in the order they are met."""
        reads = self._reads(condition)
        key = id(condition), reads.marks(domains.marks)
        known = self._named.get(key)
        if known is None:
            known = tuple((slot, _named(domains[slot])) for slot in self._slots_of(condition))
            known = self._named.keep(key, known, weight_of(domains.marks, reads.slots))
        return known

    def reads_total(self, condition: Condition) -> bool:
        """Whether the lowest total takes part."""
        return self._reads(condition).total

    def slots(self, condition: Condition) -> tuple[str, ...]:
        """The slots a condition reads, in the order they are met."""
        return self._slots_of(condition)

    def reads(self, condition: Condition) -> tuple[str, ...]:
        """The same, and what judging it has shown to be read besides."""
        return self._reads(condition).slots

    def _reads(self, condition: Condition) -> _Reads:
        found = self._read.get(id(condition))
        if found is None:
            found = _reads_of(
                condition, self._slots_of(condition), mentions(condition, LowestTotal)
            )
            self._read[id(condition)] = found
        return found

    def _truth(self, condition: Condition, domains: Domains, lowest_total: int | None) -> Truth:
        if isinstance(condition, Constant):
            return condition.value
        if isinstance(condition, Not):
            inner = self._truth(condition.condition, domains, lowest_total)
            return None if inner is None else not inner
        if isinstance(condition, And | Or):
            decisive = isinstance(condition, Or)
            result: Truth = not decisive
            for part in condition.conditions:
                truth = self._truth(part, domains, lowest_total)
                if truth is decisive:
                    return decisive
                if truth is None:
                    result = None
            return result
        if isinstance(condition, Has):
            return self._truth(self._written_out(condition), domains, lowest_total)
        slots = self._slots_of(condition)
        if all(domains[slot].size() == 1 for slot in slots) or len(slots) == 1:
            return self._tried(condition, slots, domains, lowest_total)
        if isinstance(condition, Membership):
            return self._truth(self._written_out(condition), domains, lowest_total)
        if isinstance(condition, Comparison):
            return self._compared(condition, domains, lowest_total)
        return self._tried(condition, slots, domains, lowest_total)

    def _written_out(self, node: Has | Membership) -> Condition:
        """The comparisons a test means, always the same objects."""
        found = self._meant.get(id(node))
        if found is None:
            found = self._meant[id(node)] = (node, self._meaning.written_out(node))
        return found[1]

    def _slots_of(self, node: Condition | Term) -> tuple[str, ...]:
        found = self._slots.get(id(node))
        if found is None:  # the node is kept, so that its id stays its own
            found = self._slots[id(node)] = (node, self._reading.slots(node))
        return found[1]

    def _tried(
        self,
        atom: Condition,
        slots: tuple[str, ...],
        domains: Domains,
        lowest_total: int | None,
    ) -> Truth:
        if not slots and isinstance(atom, Comparison):
            return self._compared(atom, domains, lowest_total)
        if len(slots) == 1:
            return self._tried_on_one(atom, slots[0], domains[slots[0]])
        test = self._meaning.condition(atom)
        seen: Truth = None
        for first, row in enumerate(itertools.product(*(domains[s].every() for s in slots))):
            truth = test(dict(zip(slots, row, strict=True)))
            if truth is None or (first and truth is not seen):
                return None
            seen = truth
        return seen

    def _tried_on_one(self, atom: Condition, slot: str, domain: Domain) -> Truth:
        """Tried on every valid answer; what an answer gives is remembered."""
        known = self._tests.get(id(atom))
        if known is None:  # the atom is kept, so that its id stays its own
            known = self._tests[id(atom)] = (atom, self._meaning.condition(atom), {})
        _, test, truths = known
        if domain.size() > 4 * TRIED:
            return None
        seen: Truth = None
        for first, answer in enumerate(domain.every()):
            if answer not in truths:
                truths[answer] = test({slot: answer})
            truth = truths[answer]
            if truth is None or (first and truth is not seen):
                return None
            seen = truth
        return seen

    def _compared(self, atom: Comparison, domains: Domains, lowest_total: int | None) -> Truth:
        left = self.bounds(atom.left, domains, lowest_total)
        right = self.bounds(atom.right, domains, lowest_total)
        if not left.sure or not right.sure:
            return None
        if atom.operator in ("=", "!="):
            equal = _equal(left, right)
            return equal if equal is None or atom.operator == "=" else not equal
        if left.ids or right.ids or left.low is None or right.low is None:
            return None
        assert left.high is not None
        assert right.high is not None
        if atom.operator in ("<", ">="):
            less = True if left.high < right.low else False if left.low >= right.high else None
            return less if less is None or atom.operator == "<" else not less
        within = True if left.high <= right.low else False if left.low > right.high else None
        return within if within is None or atom.operator == "<=" else not within

    # --- bounds -----------------------------------------------------------------------

    def bounds(self, term: Term, domains: Domains, lowest_total: int | None = None) -> Bounds:
        """The lowest and highest worth of a term, never too narrow."""
        if isinstance(term, LowestTotal):
            if lowest_total is None:
                return Bounds(None, None, False)
            return Bounds(Fraction(lowest_total, 100), math.inf, True)
        slots = self._slots_of(term)
        if isinstance(term, Read) and len(slots) == 1:
            found = _of_grid(domains[slots[0]])
            if found is not None:
                return found
        if math.prod(domains[slot].size() for slot in slots) <= TRIED:
            return self._tried_bounds(term, slots, domains)
        if isinstance(term, Negative):
            inner = self.bounds(term.term, domains)
            if inner.low is None or inner.high is None:
                return inner
            return Bounds(-inner.high, -inner.low, inner.sure)
        if isinstance(term, Arithmetic):
            return _combined(
                term.operator, self.bounds(term.left, domains), self.bounds(term.right, domains)
            )
        if isinstance(term, Fact):
            return self._fact_bounds(term, domains)
        if isinstance(term, Read):
            return self._computed_bounds(term, domains)
        if isinstance(term, Extreme):
            parts = [self.bounds(each, domains) for each in term.terms]
            lows = [each.low for each in parts if each.low is not None]
            highs = [each.high for each in parts if each.high is not None]
            if len(lows) < len(parts):
                return Bounds(None, None, False)
            pick = min if term.function == "min" else max
            return Bounds(pick(lows), pick(highs), all(each.sure for each in parts))
        if isinstance(term, SumOfFact | Pieces):
            return self._sum_bounds(term, domains)
        return Bounds(-math.inf, math.inf, False)

    def _tried_bounds(self, term: Term, slots: tuple[str, ...], domains: Domains) -> Bounds:
        worth_of = self._meaning.term(term)
        numbers: list[Fraction] = []
        ids: dict[object, None] = {}
        sure = True
        for row in itertools.product(*(domains[slot].every() for slot in slots)):
            worth = worth_of(dict(zip(slots, row, strict=True)))
            if worth is None:
                sure = False
            elif isinstance(worth, Fraction):
                numbers.append(worth)
            else:
                ids[worth] = None
        if not numbers:
            return Bounds(None, None, sure and bool(ids), tuple(ids))
        return Bounds(min(numbers), max(numbers), sure, tuple(ids))

    def _computed_bounds(self, term: Read, domains: Domains) -> Bounds:
        variable = self._meaning.product.variable(term.variable)
        source = variable.computed
        if source is None or source.term is None:
            return Bounds(-math.inf, math.inf, False)
        inner = self.bounds(source.term, domains)
        if inner.low is None or inner.high is None:
            return inner
        slack = 0 if source.rounding is None else Fraction(1, 10**source.decimals)
        sure = inner.sure and variable.relevant_when is None
        return Bounds(inner.low - slack, inner.high + slack, sure)

    def _fact_bounds(self, term: Fact, domains: Domains) -> Bounds:
        """A fact that a wide number has once per unit."""
        each = self._meaning.each_of(term.variable, term.fact)
        number = None if each is None else _of_grid(domains[term.variable])
        if each is None or number is None:
            return Bounds(-math.inf, math.inf, False)
        found = _combined("*", number, Bounds(each, each, True))
        variable = self._meaning.product.variable(term.variable)
        if variable.times is not None:
            found = _combined("*", found, self.bounds(variable.times, domains))
        return found

    def _sum_bounds(self, term: SumOfFact | Pieces, domains: Domains) -> Bounds:
        """Slot by slot: exact where no ``times`` ties slots together. What a number adds is
        linear, so its ends tell."""
        worth_of = self._meaning.number(term)
        slots = self._slots_of(term)
        for variable in self._meaning.product.variables:
            if (
                isinstance(term, SumOfFact)
                and variable.times is not None
                and self._meaning.has_fact(variable.id, term.fact)
            ):
                return Bounds(-math.inf, math.inf, True)
        low = high = Fraction(0)
        sure = True
        empty: Answers = {}
        base = worth_of(empty) or Fraction(0)
        for slot in slots:
            parts = []
            for answer in domains[slot].ends():
                alone = worth_of({slot: answer}) if isinstance(term, SumOfFact) else None
                if isinstance(term, Pieces):
                    alone = Fraction(int(answer)) if answer else None
                if alone is None:
                    sure, alone = False, base
                parts.append(alone)
            low += min(parts)
            high += max(parts)
        return Bounds(low, high, sure or isinstance(term, SumOfFact))


def _reads_of(condition: Condition, slots: Iterable[str], total: bool) -> _Reads:
    each = tuple(dict.fromkeys(slots))
    return _Reads(condition, each, itemgetter(*each) if each else _no_marks, total)


def _no_marks(marks: Mapping[str, Mark]) -> Hashable:
    """The marks of no slots."""
    return None


def _of_grid(domain: Domain) -> Bounds | None:
    """The ends of a number that has only runs."""
    if domain.grid is None or domain.answers or not domain.runs:
        return None
    low = domain.grid.number(domain.runs[0][0])
    high = domain.grid.number(max(last for _, last in domain.runs))
    return Bounds(low, high, not domain.skipped)


def _combined(operator: str, left: Bounds, right: Bounds) -> Bounds:
    ends = [left.low, left.high, right.low, right.high]
    sure = left.sure and right.sure and not left.ids and not right.ids
    if any(each is None for each in ends):
        return Bounds(None, None, False)
    exact = [each for each in ends if isinstance(each, Fraction)]
    if len(exact) < 4:
        return Bounds(-math.inf, math.inf, sure and operator != "/")
    if operator == "/" and exact[2] <= 0 <= exact[3]:
        return Bounds(-math.inf, math.inf, False)
    results = [arithmetic(operator, a, b) for a in exact[:2] for b in exact[2:]]
    numbers = [each for each in results if each is not None]
    return Bounds(min(numbers), max(numbers), sure)


def _equal(left: Bounds, right: Bounds) -> Truth:
    """Disjoint: false; both single and the same: true; else open."""
    if left.low is None and right.low is None:
        if len(left.ids) == len(right.ids) == 1 and left.ids == right.ids:
            return True
        return None if set(left.ids) & set(right.ids) else False
    apart = left.low is None or right.low is None
    if not apart:
        assert left.low is not None
        assert left.high is not None
        assert right.low is not None
        assert right.high is not None
        apart = left.high < right.low or right.high < left.low
        single = left.low == left.high == right.low == right.high
        if single and not left.ids and not right.ids:
            return True
    if not apart:
        return None
    return None if set(left.ids) & set(right.ids) else False
