"""Defaults as proposals: accepted in step order, each valid with those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from configurator.engine.judge import Judge
from configurator.engine.lowering.held import Held
from configurator.engine.truth import Truth
from configurator.engine.viewing import Standing
from configurator.model.product import Default, Product, Variable

Refresh = Callable[[Sequence[tuple[Held, int, str]]], Standing | None]
"""What is valid with some proposals accepted; ``None`` where they do not hold together."""


@dataclass(frozen=True, slots=True)
class Proposer:
    """The variables with defaults, in step order."""

    judge: Judge
    variables: tuple[Variable, ...]
    held: Mapping[str, Held]

    @classmethod
    def of(cls, product: Product, judge: Judge, held: Mapping[str, Held]) -> Proposer:
        """The proposer of a product."""
        names = [name for step in product.steps for name in step.ask]
        names += [each.id for each in product.variables]
        asked = [product.variable(name) for name in dict.fromkeys(names)]
        return cls(
            judge,
            tuple(
                each
                for each in asked
                if each.defaults and not each.ask_always and each.kind != "computed"
            ),
            held,
        )

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
        accepted: list[tuple[Held, int, str]] = []
        now = refresh(())
        stale = False
        for variable in self.variables:
            if now is None:
                return None
            if stale and (careful or self._unclear(variable, now)):
                now, stale = refresh(accepted), False
                if now is None:
                    return None
            if self._asked(variable, now) is not True:
                continue
            for row in self._rows(variable, now):
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

    def _asked(self, variable: Variable, now: Standing) -> Truth:
        names = [variable.id, *(f"{variable.id}.{value.id}" for value in variable.values)]
        slots = [self.held[name] for name in names if name in self.held]
        if any(held.not_asked >= 0 and now.valid(held, held.not_asked) for held in slots):
            return self.judge.truth(variable.relevant_when, now)
        return True

    def _unclear(self, variable: Variable, now: Standing) -> bool:
        """Whether what is proposed may depend on what accepted proposals imply. What is
        certain stays so when less is valid."""
        if self._asked(variable, now) is None:
            return True
        for row in variable.defaults:
            if row.when is None:
                return False
            truth = self.judge.truth(row.when, now)
            if truth is not False:
                return truth is None
        return False

    def _rows(self, variable: Variable, now: Standing) -> Iterable[list[tuple[Held, int, str]]]:
        """What the rows propose that apply and fit, in order."""
        for row in variable.defaults:
            if row.when is not None and self.judge.truth(row.when, now) is not True:
                continue
            wanted = [
                (held, value, answer)
                for held, value, answer in self._wanted(variable, row)
                if self._open(held, now)
            ]
            if wanted and all(now.valid(held, value) for held, value, _ in wanted):
                yield wanted

    def _open(self, held: Held, now: Standing) -> bool:
        """Whether a slot that is asked has no answer yet."""
        if now.answered(held.id):
            return False
        left = [value for value in now.left(held) if value != held.not_asked]
        return len(left) > 1 or not all(held.known[value] for value in left)

    def _wanted(self, variable: Variable, row: Default) -> list[tuple[Held, int, str]]:
        """A row's answers, slot by slot; of a several-of, what is not named is not taken.
        Nothing, where an answer does not exist today."""
        if variable.kind != "several of":
            held = self.held.get(variable.id)
            value = None if held is None else held.value_of(row.value)
            return [] if held is None or value is None else [(held, value, row.value)]
        quantities, found = dict(row.taken), []
        for choice in variable.values:
            held = self.held.get(f"{variable.id}.{choice.id}")
            if held is not None and held.slot is not None and not held.slot.never:
                answer = quantities.pop(choice.id, "0")
                value = held.value_of(answer)
                if value is None:
                    return []
                found.append((held, value, answer))
        return [] if quantities else found
