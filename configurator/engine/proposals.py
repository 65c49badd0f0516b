"""Defaults as proposals: accepted in step order, each valid with those before it.

What a variable proposes depends on the slots it reads alone, and most of these stay as they
were from one choice to the next. So it is looked up by their marks, and worked out only where
these have not been met before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from configurator.engine.judge import Judge, Mark, weight_of
from configurator.engine.lowering.held import Held
from configurator.engine.truth import Truth
from configurator.engine.viewing import Standing
from configurator.memory import Memory
from configurator.model.expression import Condition
from configurator.model.product import Default, Product, Variable

Wanted = tuple[Held, int, str]
"""A slot, the network value proposed for it, and the answer that is."""

KEPT = 1 << 22
"""Bytes for which it is kept what a variable proposes (see ``weight_of``)."""

Refresh = Callable[[Sequence[Wanted]], Standing | None]
"""What is valid with some proposals accepted; ``None`` where they do not hold together."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One default of a variable, slot by slot."""

    when: Condition | None
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True)
class _Asked:
    """A variable with defaults: the ``slots`` they answer, and its slots that may be not
    asked."""

    relevant_when: Condition | None
    slots: tuple[Held, ...]
    skippable: tuple[Held, ...]
    rows: tuple[_Row, ...]

    @cached_property
    def only(self) -> str:
        """The name of its slot, where it is only one."""
        return self.slots[0].id if len(self.slots) == 1 else ""

    def conditions(self) -> Iterator[Condition]:
        """What decides whether it is asked, and which row applies."""
        every = (self.relevant_when, *(row.when for row in self.rows))
        return (each for each in every if each is not None)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a variable proposes under some marks: the rows that apply and fit, in order.
    ``unclear``: whether that may depend on what accepted proposals imply."""

    unclear: bool
    fitting: tuple[list[Wanted], ...]


_NOTHING = _Found(False, ())


class Proposer:
    """The variables with defaults, in step order."""

    def __init__(self, product: Product, judge: Judge, held: Mapping[str, Held]) -> None:
        names = [name for step in product.steps for name in step.ask]
        names += [each.id for each in product.variables]
        asked = [product.variable(name) for name in dict.fromkeys(names)]
        found = [
            _asked(each, held)
            for each in asked
            if each.defaults and not each.ask_always and each.kind != "computed"
        ]
        self._judge = judge
        self._variables = tuple(each for each in found if each.slots)
        self._marks: list[Callable[[Mapping[str, Mark]], Hashable]]
        self._marks = [itemgetter(*self._reads(each)) for each in self._variables]
        self._kept: Memory[tuple[int, Hashable], _Found] = Memory(KEPT)

    def propose(self, refresh: Refresh) -> tuple[list[tuple[str, str]], Standing | None]:
        """``(slot, answer)`` proposals, in order, and what is valid with all of them.

        Proposals are first accepted on trust, and what is valid is asked afresh only
        where a condition cannot be judged otherwise; if all hold together, each was valid
        in its turn. Else the walk is made again, asking before every variable.
        """
        found = self._walk(refresh, careful=False) or self._walk(refresh, careful=True)
        return found if found is not None else ([], None)

    def _walk(
        self, refresh: Refresh, *, careful: bool
    ) -> tuple[list[tuple[str, str]], Standing] | None:
        accepted: list[Wanted] = []
        now = refresh(())
        stale = False
        for number, variable in enumerate(self._variables):
            if now is None:
                return None
            if variable.only in now.answers:
                continue
            found = self._found(number, now)
            if stale and found is not _NOTHING and (careful or found.unclear):
                now, stale = refresh(accepted), False
                if now is None:
                    return None
                found = self._found(number, now)
            for row in found.fitting:
                together = [*accepted, *row]
                if careful and len(row) > 1 and refresh(together) is None:
                    continue
                for held, _, answer in row:
                    now.accept(held.id, answer)
                accepted, stale = together, True
                break
        if stale:
            now = refresh(accepted)
        return None if now is None else ([(held.id, a) for held, _, a in accepted], now)

    def _found(self, number: int, now: Standing) -> _Found:
        """What a variable proposes; ``_NOTHING`` where there is nothing left to propose."""
        known = self._kept.get((number, self._marks[number](now.marks)))
        if known is None:
            variable, known = self._variables[number], _NOTHING
            if any(_open(held, now) for held in variable.slots):
                fitting = tuple(self._fitting(variable, now))
                known = _Found(self._unclear(variable, now), fitting)
            # Judging may have shown more that is read: by way of a computed number, perhaps.
            reads = self._reads(variable)
            marks = self._marks[number] = itemgetter(*reads)
            self._kept.keep((number, marks(now.marks)), known, weight_of(now.marks, reads))
        return known

    def _reads(self, variable: _Asked) -> Collection[str]:
        """All slots that a variable reads, as far as is known."""
        own = [held.id for held in (*variable.slots, *variable.skippable)]
        read = [name for each in variable.conditions() for name in self._judge.reads(each)]
        return dict.fromkeys((*own, *read))

    def _is_asked(self, variable: _Asked, now: Standing) -> Truth:
        for held in variable.skippable:
            if held.id not in now.answers and now.left[held.id][held.not_asked]:
                return self._judge.truth(variable.relevant_when, now)
        return True

    def _unclear(self, variable: _Asked, now: Standing) -> bool:
        """Whether what is proposed may depend on what accepted proposals imply. What is
        certain stays so when less is valid, and so does what is open once all it reads is
        decided, as is an order of ``none``."""
        if self._is_asked(variable, now) is None:
            return True
        for row in variable.rows:
            if row.when is None:
                return False
            truth = self._judge.truth(row.when, now)
            if truth is True:
                return False
            if truth is None and not self._decided(row.when, now):
                return True
        return False

    def _decided(self, condition: Condition, now: Standing) -> bool:
        return all(
            slot in now.answers or now.left[slot].count(1) == 1
            for slot in self._judge.slots(condition)
        )

    def _fitting(self, variable: _Asked, now: Standing) -> Iterable[list[Wanted]]:
        """What the rows propose that apply and fit, in order."""
        for row in variable.rows:
            wanted = [each for each in row.wanted if _open(each[0], now)]
            if (
                wanted
                and all(now.left[held.id][value] for held, value, _ in wanted)
                and self._is_asked(variable, now) is True
                and self._judge.truth(row.when, now) is True
            ):
                yield wanted


def _open(held: Held, now: Standing) -> bool:
    """Whether a slot that is asked has no answer yet."""
    if held.id in now.answers:
        return False
    left = now.left[held.id]
    asked = left.count(1)
    if held.not_asked >= 0:
        asked -= left[held.not_asked]
    if asked != 1:
        return asked > 1
    only = left.find(1)
    return not held.known[left.find(1, only + 1) if only == held.not_asked else only]


def _asked(variable: Variable, held: Mapping[str, Held]) -> _Asked:
    names = [variable.id, *(f"{variable.id}.{value.id}" for value in variable.values)]
    rows = tuple(_Row(row.when, _wanted(variable, row, held)) for row in variable.defaults)
    slots = {each.id: each for row in rows for each, _, _ in row.wanted}
    return _Asked(
        variable.relevant_when,
        tuple(slots.values()),
        tuple(held[name] for name in names if name in held and held[name].not_asked >= 0),
        rows,
    )


def _wanted(variable: Variable, row: Default, held: Mapping[str, Held]) -> tuple[Wanted, ...]:
    """A row's answers, slot by slot; of a several-of, what is not named is not taken.
    Nothing, where an answer does not exist today."""
    if variable.kind != "several of":
        own = held.get(variable.id)
        value = None if own is None else own.value_of(row.value)
        return () if own is None or value is None else ((own, value, row.value),)
    quantities, found = dict(row.taken), []
    for choice in variable.values:
        own = held.get(f"{variable.id}.{choice.id}")
        if own is not None and own.slot is not None and not own.slot.never:
            answer = quantities.pop(choice.id, "0")
            value = own.value_of(answer)
            if value is None:
                return ()
            found.append((own, value, answer))
    return () if quantities else tuple(found)
