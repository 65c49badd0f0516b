"""Defaults as proposals: accepted in step order, each valid with those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from configurator.engine.judge import Domain, Judge
from configurator.engine.lowering.held import Held
from configurator.model.product import Default, Product, Variable

Now = tuple[Mapping[str, Domain], Callable[[Held, int], bool]]
"""What is valid now: domains for conditions, and one value's validity."""


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

    def propose(
        self,
        refresh: Callable[[Sequence[tuple[Held, int]]], Now | None],
        still_open: Callable[[str, Now], bool],
    ) -> tuple[list[tuple[str, str]], Now | None]:
        """``(slot, answer)`` proposals, in order, and what is valid with all of them.

        ``refresh(accepted)`` says what is valid with the accepted proposals, ``None``
        where they do not hold together. Proposals are first accepted on trust, and what
        is valid is asked afresh only for conditions; if all hold together, each was
        valid in its turn. Else the walk is made again, asking before every variable.
        """
        trusting = self._walk(refresh, still_open, careful=False)
        if trusting is None:
            trusting = self._walk(refresh, still_open, careful=True)
        return trusting if trusting is not None else ([], None)

    def _walk(
        self,
        refresh: Callable[[Sequence[tuple[Held, int]]], Now | None],
        still_open: Callable[[str, Now], bool],
        *,
        careful: bool,
    ) -> tuple[list[tuple[str, str]], Now] | None:
        accepted: list[tuple[Held, int]] = []
        answers: list[tuple[str, str]] = []
        now = refresh(())
        stale = False
        for variable in self.variables:
            if now is None:
                return None
            if stale and (careful or self._depends(variable, now)):
                now, stale = refresh(accepted), False
                if now is None:
                    return None
            for row in self._rows(variable, now, still_open):
                together = [*accepted, *((held, value) for held, value, _ in row)]
                if careful and len(row) > 1 and refresh(together) is None:
                    continue
                accepted = together
                answers.extend((held.id, answer) for held, _, answer in row)
                stale = True
                break
        if stale:
            now = refresh(accepted)
        return None if now is None else (answers, now)

    def _depends(self, variable: Variable, now: Now) -> bool:
        """Whether what is proposed depends on what earlier proposals imply."""
        if any(row.when is not None for row in variable.defaults):
            return True
        names = [variable.id, *(f"{variable.id}.{value.id}" for value in variable.values)]
        slots = [self.held[name] for name in names if name in self.held]
        return any(held.not_asked >= 0 and now[1](held, held.not_asked) for held in slots)

    def _rows(
        self, variable: Variable, now: Now, still_open: Callable[[str, Now], bool]
    ) -> Iterable[list[tuple[Held, int, str]]]:
        """What the rows propose that apply and fit, in order."""
        domains, valid = now
        for row in variable.defaults:
            if row.when is not None and self.judge.truth(row.when, domains) is not True:
                continue
            wanted = [
                (held, value, answer)
                for held, value, answer in self._wanted(variable, row)
                if still_open(held.id, now)
            ]
            if wanted and all(valid(held, value) for held, value, _ in wanted):
                yield wanted

    def _wanted(self, variable: Variable, row: Default) -> list[tuple[Held, int, str]]:
        """A row's answers, slot by slot. A several-of's default names one value to take
        (or none of them)."""
        if variable.kind != "several of":
            held = self.held.get(variable.id)
            value = None if held is None else held.value_of(row.value)
            return [] if held is None or value is None else [(held, value, row.value)]
        found = []
        for choice in variable.values:
            held = self.held.get(f"{variable.id}.{choice.id}")
            if held is not None and held.slot is not None and not held.slot.never:
                value = int(choice.id == row.value)
                found.append((held, value, held.answers[value]))
        return found
