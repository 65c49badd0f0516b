"""Answers from a compiled diagram: valid values, lowest totals, changes, counts, cheapest.

Reads frozen arrays and nothing else, so it is safe in any number of threads; each thread
keeps its own working arrays. Every answer is computed from the pins alone. Nothing here
knows how the diagram came to be.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Marginals, Pins
from configurator.engine.diagram import kernels, storage
from configurator.engine.diagram.apart import Apart, apart
from configurator.engine.diagram.arena import Arena
from configurator.engine.diagram.cheapest import Swept, smallest_cheapest
from configurator.engine.diagram.counting import count_allowed, count_models
from configurator.engine.diagram.frozen import FrozenDiagram, alone_in, blocks_of_slots
from configurator.engine.diagram.graph import NO_SLOTS, Graph, Parts, hash_pins
from configurator.engine.diagram.jit import undecorated
from configurator.memory import Memory

Bools = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]

WORTH = 4096
"""Edges of a diagram from which on it is worth to remember what pins leave of it."""

SMALLEST = 512
"""Edges of a part from which on it is worth to leave out what more pins closed."""

LEFT = 0.75
"""It is left out where at most this share of the edges is still alive."""

MARKED = 6
"""Counting looks for what is alive at each so many pins: it does so for nothing else."""

COUNTS = 1 << 22
"""Bytes for which the counts of parts are kept."""

_ARRAYS = ("start", "conjunction", "slot", "target", "roots", "slots", "states")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a diagram besides its arrays.

    ``digest`` is the network's; ``constant`` is charged to every configuration;
    ``exact`` is false where some charge is only a lower bound.
    """

    digest: str
    constant: int
    exact: bool


class Sweeping(Protocol):
    """What a sweep leaves behind, whatever it carried."""

    up: Any
    down: Any
    slot_cost: Any
    state_lowest: Any


class _Working:
    """The arrays one thread sweeps in."""

    def __init__(self, diagram: FrozenDiagram, classes: int) -> None:
        states, slots = len(diagram.class_of), len(diagram.slot_class)
        blocks, values = len(diagram.block_start) - 1, int(diagram.offset[-1])
        nodes = diagram.nodes
        # As the loops take them; the first is what each state costs.
        sweep = (states, classes, slots, nodes, nodes, slots, classes, states)
        self.room = Arena.room((*sweep, blocks, blocks, blocks, values, slots))
        self.swept = self.room.views[:8]
        _, counted, self.slot_cost, self.up, self.down, lowest, _, self.state_lowest = self.swept
        self.answer, self.slot_weight = self.room.views[11:]
        # As counting takes them; a sweep's arrays say what is alive.
        self.counts = np.empty(nodes)
        self.counted = (
            counted,
            self.slot_weight,
            np.empty(slots),
            self.counts,
            self.up,
            self.down,
            self.slot_cost,
            lowest,
            self.state_lowest,
        )


class DiagramBackend:
    """The compiled backend behind the ``Backend`` protocol."""

    name = "diagram"
    at_once = True

    def __init__(self, diagram: FrozenDiagram, facts: Facts, *, plain: bool = False) -> None:
        """With ``plain`` the loops run undecorated, as a slow second engine."""
        self.diagram = diagram
        self.facts = facts
        self.plain = plain
        self._local = threading.local()
        self._classes = 1 + int(
            max(diagram.class_of.max(initial=0), diagram.slot_class.max(initial=0))
        )
        self.floor, self.span = totals_of(diagram)
        view: Any = (lambda array: array.tolist()) if plain else (lambda array: array)
        whole = diagram.graph
        self._parts = Parts(
            replace(whole, **{name: view(getattr(whole, name)) for name in _ARRAYS})
        )
        # In the order in which ``kernels`` and ``mixing`` take them out again.
        self._fixed = Arena.of(
            (
                diagram.class_of,
                diagram.slot_class,
                diagram.slot_extra,
                diagram.state_cost,
                diagram.block,
                diagram.block_start,
                diagram.state_start,
                diagram.state_value,
                diagram.odd_state,
                diagram.odd_value,
                diagram.common_value,
                diagram.offset,
                *alone_in(diagram),
                *self._beside(),
            )
        )
        views = self._fixed.views
        self._charging, self._placement, self._reading = views[:4], views[4:11], views[11:15]
        self._counts: Memory[tuple[bool, Pins], int] = Memory(COUNTS)
        self._no_pins: Any = [] if plain else np.zeros(0, dtype=np.int64)
        # Every answer shares these two, so they are read-only.
        self._size = int(diagram.offset[-1])
        self._never = np.zeros(self._size, dtype=bool)
        self._exact = np.full(self._size, facts.exact)
        self._never.setflags(write=False)
        self._exact.setflags(write=False)

    def _beside(self) -> tuple[Int64, ...]:
        """More arrays that loops take together with the diagram's."""
        return ()

    def marginals(
        self,
        pins: Pins,
        *,
        changes: bool = False,
        fixed: Pins = (),
        settle: bool = True,
        totals: bool = True,
    ) -> Marginals:
        """Exact valid values and lowest totals; with ``changes`` also minimal changes.

        ``fixed`` are more pins, never given up. With ``changes`` the other pins are soft
        in the same single sweep: giving one up costs more than all charges together, so
        the lowest total holds both the least number of pins given up and the lowest price
        at that number.
        """
        if changes:
            penalty, flat, hard = self.span + 1, self._flat((*pins, *fixed)), self._flat(fixed)
        else:
            penalty, flat = kernels.INFINITE, self._flat(together(pins, fixed))
            hard = flat
        work = self._working()
        graph = self._parts.nearest(hard)
        total, living = self._run(kernels.click)(
            *self._fixed.arguments,
            *graph.parts(),
            graph.roots,
            flat,
            penalty,
            len(fixed),
            *work.room.arguments,
        )
        if total >= kernels.LIMIT:
            return self._nothing(changes)
        self._narrowed(hard, graph, kernels.LIMIT - 1, work, living)
        constant, size = self.facts.constant, self._size
        valid, lowest = self._room(size, np.bool_), self._room(size)
        if not changes:
            self._run(kernels.read_hard)(work.answer, constant, valid, lowest)
            return Marginals(
                True,
                np.asarray(valid, dtype=bool),
                self._never,
                np.asarray(lowest, dtype=np.int64),
                self._exact,
            )
        given_up, repaired = self._room(size), self._room(size)
        self._run(kernels.read_soft)(
            work.answer, constant, self.floor, penalty, valid, lowest, given_up, repaired
        )
        return Marginals(
            total - self.floor < penalty,
            np.asarray(valid, dtype=bool),
            self._never,
            np.asarray(lowest, dtype=np.int64),
            self._exact,
            np.asarray(given_up, dtype=np.int64),
            np.asarray(repaired, dtype=np.int64),
        )

    def count(self, pins: Pins, *, settle: bool = True) -> tuple[int, bool]:
        """How many configurations are left, exactly (``True``)."""
        if self.plain or self._parts.whole.edges < WORTH:
            return self._count_of(self._allowed(pins), pins), True
        largest = self._apart.variables
        within = tuple(pin for pin in pins if pin[0] in largest)
        beside = tuple(pin for pin in pins if pin[0] not in largest)
        return self._count_beside(beside) * self._count_within(within), True

    def _count_within(self, pins: Pins) -> int:
        """In how many ways the largest part can be had with pins in it."""
        known = self._counts.get((True, pins))
        if known is None:
            number = self._count_of(self._allowed(pins), pins, only=self._apart.root)
            known = self._counts.keep((True, pins), number, _weight_of(pins, number))
        return known

    def _count_beside(self, pins: Pins) -> int:
        """In how many ways all the other parts can be had with pins in them."""
        known = self._counts.get((False, pins))
        if known is None:
            work, rest = self._working(), self._apart.rest
            number = 0
            if self._count(rest, self._allowed(pins), False, work) >= 0:
                numbers = _numbers(rest, work)
                number = count_models(rest, numbers, work.slot_weight, plain=False)
            known = self._counts.keep((False, pins), number, _weight_of(pins, number))
        return known

    def _count_of(
        self, allowed: Bools, pins: Pins, *, fewer: bool = False, only: int | None = None
    ) -> int:
        """How many configurations of allowed states there are: of those with the pins, or of
        ``fewer``; or how many of ``only`` the part under one root, by its place. What the
        pins leave is remembered."""
        flat, work = self._flat(pins), self._working()
        graph = self._parts.nearest(flat)
        narrowing = not fewer and self._narrows(flat)
        marking = narrowing and graph.edges >= SMALLEST and len(pins) % MARKED == 0
        living = self._count(graph, allowed, marking, work)
        if living < 0:
            return 0
        numbers = _numbers(graph, work)
        if narrowing:
            graph = self._narrowed(flat, graph, kernels.LIMIT - 1, work, living)
        if only is not None:
            numbers = [numbers[only]]
            graph = replace(graph, roots=graph.roots[only : only + 1])
        return count_models(graph, numbers, work.slot_weight, plain=self.plain)

    def _count(self, graph: Graph, allowed: Bools, marking: bool, work: _Working) -> int:
        """Count at every node; answers as ``count_allowed`` does."""
        living: int = self._run(count_allowed)(
            *self._charging[:2],
            self.diagram.state_weight,
            allowed,
            *graph.parts(),
            graph.roots,
            marking,
            *work.counted,
        )
        return living

    @cached_property
    def _apart(self) -> Apart:
        """The largest part and the rest."""
        return apart(self.diagram, self._parts.whole, self.part)

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        """The lexicographically smallest of the cheapest configurations, or ``None``."""
        work = self._working()
        total, graph = self._sweep(self._charged(pins, kernels.INFINITE), work, pins)
        if total >= kernels.LIMIT:
            return None
        swept = Swept(
            total,
            work.up[: graph.nodes],
            work.down[: graph.nodes],
            work.slot_cost,
            work.state_lowest,
        )
        return smallest_cheapest(self.diagram, graph, swept, plain=self.plain)

    def warm(self) -> None:
        """Load or compile every loop now rather than at a customer's first click."""
        pins = ((0, 0),) if len(self.diagram.offset) > 1 else ()
        self.marginals(())
        self.marginals(pins, changes=True)
        self.count(())
        self.cheapest(())
        work = self._working()
        total, graph = self._sweep(self._charged((), kernels.INFINITE), work, ())
        if total < kernels.LIMIT and not self.plain:
            self.part(graph, kernels.LIMIT - 1, work)
            hash_pins(self._no_pins, 0, self._no_pins)

    def about(self) -> dict[str, object]:
        """What is written beside the arrays."""
        facts = self.facts
        return {"network": facts.digest, "constant": facts.constant, "exact": facts.exact}

    def save(self, folder: Path) -> None:
        """Write the diagram to ``folder``, all or nothing."""
        storage.save_arrays(folder, self.diagram.arrays(), self.about())

    def _run(self, loop: Any) -> Any:
        return undecorated(loop) if self.plain else loop

    def _working(self) -> _Working:
        work = getattr(self._local, "work", None)
        if work is None:
            work = self._local.work = _Working(self.diagram, self._classes)
        return work

    def _charge(self, pins: Pins, penalty: int, cost: Any) -> None:
        self._run(kernels.charge_pins)(*self._placement, self._flat(pins), penalty, 0, cost)

    def _flat(self, pins: Pins) -> Any:
        """Variables and values by turns, for a loop; this thread's last pins are kept, as one
        click asks several things of them. Raises ``ValueError`` for a variable or a value that
        there is not."""
        known: tuple[Pins, Any] = getattr(self._local, "flat", ((), self._no_pins))
        if known[0] == pins:
            return known[1]
        if not pins:
            return self._no_pins
        numbers = itertools.chain.from_iterable(pins)
        flat = list(numbers) if self.plain else np.fromiter(numbers, np.int64, 2 * len(pins))
        wrong = self._run(kernels.first_wrong)(self._reading[0], flat)
        if wrong >= 0:
            variable, value = pins[wrong]
            exists = 0 <= variable < len(self.diagram.block)
            no = f"variable {variable} has no value {value}" if exists else ""
            raise ValueError(no or f"there is no variable {variable}")
        self._local.flat = pins, flat
        return flat

    def _charged(self, pins: Pins, penalty: int) -> Int64:
        cost = self.diagram.state_cost.copy()
        self._charge(pins, penalty, cost)
        return cost

    def _allowed(self, pins: Pins) -> Bools:
        """The states in which every pin holds."""
        cost: Int64 = np.zeros(len(self.diagram.class_of), dtype=np.int64)
        self._charge(pins, kernels.INFINITE, cost)
        return cost < kernels.LIMIT

    def _sweep(self, cost: Any, work: _Working, hard: Pins) -> tuple[int, Graph]:
        """Both sweeps, over what the ``hard`` pins leave; answers the lowest total without
        the constant (or ``INFINITE``) and the graph that was swept."""
        flat = self._flat(hard)
        graph = self._parts.nearest(flat)
        total, living = self._run(kernels.sweep)(
            *self._charging[:3], cost, *graph.parts(), graph.roots, *work.swept[1:]
        )
        if total < kernels.LIMIT:
            self._narrowed(flat, graph, kernels.LIMIT - 1, work, living)
        return (total if total < kernels.LIMIT else kernels.INFINITE), graph

    def _narrows(self, hard: Int64) -> bool:
        """Whether it is worth to remember what such pins leave."""
        return not self.plain and len(hard) > 0 and self._parts.whole.edges >= WORTH

    def _narrowed(
        self, hard: Int64, graph: Graph, most: int, swept: Sweeping, living: int
    ) -> Graph:
        """The graph, or where much of it is dead its living part; remembered for the pins."""
        if not self._narrows(hard):
            return graph
        if self._much_dead(graph, living):
            graph = self.part(graph, most, swept)
        # Also where the part is small already: the next choice looks for these pins.
        self._parts.keep(hard, graph)
        return graph

    def _much_dead(self, graph: Graph, living: int) -> bool:
        """Whether it is worth to make a part of what is alive."""
        return graph.edges >= SMALLEST and living < LEFT * graph.choices

    def part(self, graph: Graph, most: int, swept: Sweeping, fixed: Any = NO_SLOTS) -> Graph:
        """What lies on a whole of at most ``most`` after a sweep, as a graph of its own. All
        of it takes the ``fixed`` slots."""
        *arrays, choices = self._run(kernels.compact)(
            *graph.parts(),
            graph.roots,
            swept.slot_cost,
            most,
            swept.up,
            swept.down,
            swept.state_lowest,
            fixed,
        )
        for array in arrays:
            array.setflags(write=False)
        start, conjunction, slot, target, roots, slots, states = arrays
        return Graph(
            start,
            conjunction,
            slot,
            target,
            roots,
            choices,
            slots,
            states,
            graph.impossible,
            graph.limited,
        )

    def _nothing(self, changes: bool) -> Marginals:
        none = np.full(self._size, -1, dtype=np.int64)
        if not changes:
            return Marginals(False, self._never, self._never, none, self._exact)
        return Marginals(
            False, self._never, self._never, none, self._exact, none.copy(), none.copy()
        )

    def _room(self, size: int, kind: Any = np.int64) -> Any:
        return [0] * size if self.plain else np.empty(size, dtype=kind)


def _numbers(graph: Graph, work: _Working) -> list[float]:
    """The counts of all roots in floating point."""
    return [float(work.counts[root]) for root in graph.roots]


def _weight_of(pins: Pins, number: int) -> int:
    """Roughly the bytes that a count takes that is kept for its pins."""
    return 256 + 8 * len(pins) + number.bit_length() // 8


def together(pins: Pins, fixed: Pins) -> Pins:
    """All pins, sorted."""
    return tuple(sorted((*pins, *fixed))) if fixed else pins


def read_diagrams(
    folder: Path, digest: str | None, prefix: str
) -> tuple[FrozenDiagram, FrozenDiagram | None, Facts]:
    """A saved diagram, mapped read-only, and the one stored beside it under names with the
    ``prefix``, if any. ``digest`` is the network's, if it is known.

    Raises ``DiagramFileError`` if the folder is damaged, from another version or of
    another network.
    """
    names = FrozenDiagram.__slots__
    others = tuple(f"{prefix}{name}" for name in names)
    arrays, about = storage.load_arrays(folder, (names, (*names, *others)))
    facts = storage.facts_of(folder, about, {"network": str, "constant": int, "exact": bool})
    if digest is not None and facts["network"] != digest:
        raise storage.DiagramFileError(
            folder, "it belongs to another network; compile this network again"
        )
    known = Facts(facts["network"], facts["constant"], facts["exact"])
    first = FrozenDiagram(**{name: arrays[name] for name in names})
    if len(arrays) == len(names):
        return first, None, known
    return first, FrozenDiagram(**{n: arrays[o] for n, o in zip(names, others, strict=True)}), known


def totals_of(diagram: FrozenDiagram) -> tuple[int, int]:
    """A bound below every total (without the constant) and the span from there upwards."""
    floor = span = 0
    bounds = diagram.block_start.tolist()
    extra = np.zeros(len(bounds), dtype=np.int64)
    np.maximum.at(extra, blocks_of_slots(diagram), diagram.slot_extra)
    for block, (first, last) in enumerate(itertools.pairwise(bounds)):
        if last > first:
            least = int(diagram.state_cost[first:last].min())
            floor += least
            span += int(diagram.state_cost[first:last].max()) - least
        span += int(extra[block])
    return floor, span
