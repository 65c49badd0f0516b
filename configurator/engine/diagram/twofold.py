"""Two diagrams of one network: a small one with its wide sums beside it, and the whole.

Where limits are seldom reached, one sweep of the small diagram proves everything in a
fraction of the time; where it leaves anything open, the whole diagram answers. So every
answer is exact, and which of the two gave it cannot be told from the answer.
"""

from __future__ import annotations

from pathlib import Path

from configurator.engine.backend import Marginals, Pins
from configurator.engine.diagram import storage
from configurator.engine.diagram.backend import DiagramBackend, together
from configurator.engine.diagram.summed import SummedDiagram

WHOLE = "whole_"
"""What stands before the names of the whole diagram's arrays on disk."""

SMALLER = 8
LARGE = 50_000
"""A second diagram is kept where the whole has so many edges, and it so many times fewer."""


class TwofoldDiagram(DiagramBackend):
    """The whole diagram, asked only where ``quick`` does not prove an answer."""

    def __init__(self, whole: DiagramBackend, quick: SummedDiagram) -> None:
        super().__init__(whole.diagram, whole.facts)
        self.quick = quick

    def marginals(
        self,
        pins: Pins,
        *,
        changes: bool = False,
        fixed: Pins = (),
        settle: bool = True,
        totals: bool = True,
    ) -> Marginals:
        """See ``DiagramBackend``; everything is settled."""
        every = together(pins, fixed)
        hard = self.quick.proven(every, totals=totals or changes)
        if hard is None:
            hard = super().marginals(every)
        if not changes:
            return hard
        found = self.quick.proven_changes(hard, pins, fixed)
        return super().marginals(pins, changes=True, fixed=fixed) if found is None else found

    def count(self, pins: Pins, *, settle: bool = True) -> tuple[int, bool]:
        """Exact."""
        number = self.quick.count_unlimited(pins)
        return super().count(pins) if number is None else (number, True)

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        """The lexicographically smallest of the cheapest configurations, or ``None``."""
        found = DiagramBackend.cheapest(self.quick, pins)
        return found if found is None or self.quick.fits(found) else super().cheapest(pins)

    def warm(self) -> None:
        """Load or compile every loop now rather than at a customer's first click."""
        self.quick.warm_beside()
        DiagramBackend(self.diagram, self.facts).warm()
        super().count(())

    def save(self, folder: Path) -> None:
        """Write both diagrams to ``folder``, all or nothing."""
        both = {f"{WHOLE}{name}": array for name, array in self.diagram.arrays().items()}
        storage.save_arrays(folder, {**self.quick.diagram.arrays(), **both}, self.about())
