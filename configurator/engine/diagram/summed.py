"""A diagram with sums beside it: sweeps decide what they can, a decider the rest.

The diagram knows every rule but a few wide sums (``sums``). A sweep carries the sums of the
cheapest completions it finds (``carrying``). Where one of them keeps within all limits, its
values are possible; where the least of a weighted mixture of the sums is already beyond the
same mixture of the limits, a value is not (Lagrangian relaxation: Held and Karp 1971;
Fisher, Management Science 1981; as a filter on decision diagrams: Bergman, Cire and
van Hoeve, CPAIOR 2015). Mixtures are steered towards what is still open. Whatever sweeps
leave open is *undecided* in a first answer and decided by search in a settled one.

All numbers are integers and every step is a function of the pins, so first answers are too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from configurator.engine.backend import Marginals, Pins
from configurator.engine.diagram import backend, carrying, kernels, mixing
from configurator.engine.diagram.arena import Arena
from configurator.engine.diagram.backend import DiagramBackend, Facts
from configurator.engine.diagram.branching import Branching, TooManyBranchesError
from configurator.engine.diagram.frozen import FrozenDiagram, blocks_of_slots
from configurator.engine.diagram.graph import NO_SLOTS, NO_VALUES, Graph, Parts
from configurator.engine.diagram.sums import SideSums
from configurator.engine.diagram.ties import broken_ties

Bools = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]


class Decider(Protocol):
    """Search, for what sweeps leave open."""

    def possible_with(self, pins: Pins, wanted: Bools) -> Bools:
        """Which of some values (packed) a configuration with the pins has."""
        ...

    def some(self, pins: Pins) -> tuple[int, ...] | None:
        """A configuration with the pins, one value per variable; ``None``: there is none."""
        ...


MIXTURES = 12
"""Mixtures of sums that are swept before the rest is left to search."""

SCALE = 1 << 30
"""What the limits of a mixture come to together, about."""

ROOTS = 64
"""Facts told by shops for which it is remembered what is possible at all."""

AT_ONCE = 30_000
"""Edges that a first answer may sweep for mixtures, whatever the diagram's size."""


class Carried:
    """The arrays one thread sweeps in."""

    def __init__(self, diagram: FrozenDiagram, classes: int, width: int) -> None:
        slots, states, nodes = len(diagram.slot_class), len(diagram.class_of), diagram.nodes
        rows, blocks = len(diagram.sum_limit), len(diagram.block_start) - 1
        values = int(diagram.offset[-1])
        # In the order of ``layout``: what is known of the states under some pins and a bound,
        # what a sweep works in, what is read from it for every value, what steers the next,
        # and what the mixture of a paired sweep takes besides.
        question = (states, states, states, rows, width, width)
        up = (classes, classes, slots, slots * width, nodes, nodes * width)
        down = (nodes, nodes * width, slots, slots * width, slots)
        settled = (classes, classes, states, states, states * width)
        pick_mixed = (classes, classes, slots, slots * width)
        sweep_mixed = (nodes, nodes * width, nodes, nodes * width, slots, slots * width, slots)
        self.room = Arena.room(
            (
                *question,
                *up,
                *down,
                *settled,
                blocks,
                blocks,
                blocks,
                values,
                values,
                rows,
                2 * rows,
                values + 1,
                *pick_mixed,
                *sweep_mixed,
                states,
                states,
                slots + 1,
                states,
            )
        )
        views = self.room.views
        self.active, self.bounds = views[3], (views[4], views[5])
        self.swept, self.ranked, self.heavy = views[6:22], views[22:25], views[28]
        self.opened = views[29]
        self.class_state, self.slot_cost = self.swept[1:3]
        self.up, self.down, self.lowest = self.swept[4], self.swept[6], self.swept[8]
        self.state_lowest, self.state_reached, self.state_sums = self.swept[13:]


class SummedDiagram(DiagramBackend):
    """See the module; the decider is asked for only when sweeps leave something open."""

    at_once = False

    def __init__(
        self,
        diagram: FrozenDiagram,
        facts: Facts,
        decider: Callable[[], Decider],
        *,
        plain: bool = False,
    ) -> None:
        """With ``plain`` the loops run undecorated, as a slow second engine."""
        self.sums = SideSums.packed(
            diagram.sum_use, diagram.sum_limit, diagram.block_start.astype(np.int64)
        )
        rows, limit = self.sums.rows, np.maximum(self.sums.limit, 1)
        ratio = int((self.sums.most // limit).max(initial=0)) + 1
        self._scale = min(SCALE, (kernels.LIMIT - 1) // (4 * rows * ratio))
        # The sums mixed alike (``mixing.set_multipliers``).
        self._even: Int64 = np.rint(self._scale / rows / limit).astype(np.int64)
        self._heaviest = int(self._even @ self.sums.most) + 1
        super().__init__(diagram, facts, plain=plain)
        self._decider_of = decider
        self._rooms = threading.local()
        self._blocks = diagram.block_start[:-1].astype(np.int64)
        self._nothing_extra, self._even_use = self._fixed.views[20], self._fixed.views[22]
        # Folded, which first answers may not be: those count the edges that they sweep, so
        # that they are the same whatever was asked before.
        self._settled = Parts(self._parts.whole)
        self._slot_block = blocks_of_slots(diagram)
        self._roots: dict[tuple[Pins, bool], Bools] = {}
        # Of no value is known how many changes the lightest configuration needs.
        self._no_weight = np.full(self._size, -1, dtype=np.int64)

    def _beside(self) -> tuple[Int64, ...]:
        use, used, _, fields, limit, most = self.sums.arrays
        slots = len(self.diagram.slot_class)
        even_use: Int64 = self._even @ self.sums.use
        largest = max(abs(self.floor), abs(self.floor + self.span))
        blocks = len(self.diagram.block_start) - 1
        self._ties, tied = broken_ties(even_use, self._heaviest, largest, blocks)
        return (
            use,
            used,
            fields,
            limit,
            most,
            np.zeros(slots, dtype=np.int64),
            self._even,
            even_use,
            (self.diagram.state_cost << self._ties) + tied,
            self.diagram.slot_extra << self._ties,
        )

    @property
    def _decider(self) -> Decider:
        return self._decider_of()

    # --- answers ----------------------------------------------------------------------

    def marginals(
        self,
        pins: Pins,
        *,
        changes: bool = False,
        fixed: Pins = (),
        settle: bool = True,
        totals: bool = True,
    ) -> Marginals:
        """See ``Backend``. Without ``settle`` no search is begun: what sweeps leave open is
        undecided."""
        every = backend.together(pins, fixed)
        found = self._hard(every, settle)
        if not changes:
            return found
        found = self._raised(found, every) if settle else found
        return self._with_changes(found, pins, fixed, settle)[0]

    def proven(self, pins: Pins, *, totals: bool) -> Marginals | None:
        """What ``marginals`` answers where few sweeps prove all of it, else ``None``. Lowest
        totals may be bounds unless ``totals`` are wanted: then one sweep has to prove it."""
        found = self._hard(pins, False, mix=not totals)
        if np.count_nonzero(found.undecided):
            return None
        if totals and np.count_nonzero(found.lowest_exact) < self._size:
            return None
        return found

    def proven_changes(self, hard: Marginals, pins: Pins, fixed: Pins) -> Marginals | None:
        """``hard``, all of which is proven, with the least changes and their lowest totals
        where one sweep proves all of these."""
        found, left = self._with_changes(hard, pins, fixed, False)
        return None if left else found

    def _hard(self, pins: Pins, settle: bool, *, mix: bool = True) -> Marginals:
        flat, room = self._flat(pins), self.carried()
        parts = self._settled if settle else self._parts
        graph = parts.nearest(flat)
        impossible = graph.impossible if settle else NO_VALUES
        flags = np.empty((3, self._size), dtype=np.bool_)
        lowest = np.empty(self._size, dtype=np.int64)
        budget = kernels.LIMIT if settle else max(self._parts.whole.choices, AT_ONCE)
        narrowing = self._narrows(flat)
        to_part = narrowing and graph.edges >= backend.SMALLEST
        paired = settle and graph.limited
        living, several, left, found, waiting = self._run(mixing.prove)(
            *self._fixed.arguments,
            self.sums.words,
            *graph.parts(),
            graph.roots,
            graph.slots,
            graph.states,
            impossible,
            flat,
            self.facts.constant,
            self._ties,
            mix,
            paired,
            self._scale,
            MIXTURES,
            budget,
            backend.LEFT,
            backend.LEFT if to_part else 0.0,
            graph.choices,
            *room.room.arguments,
            flags,
            lowest,
        )
        if living == mixing.NOTHING:
            return self._nothing(False)
        if narrowing and self._much_dead(graph, living):
            folding = settle and self._ties > 0
            fixed = self._fixed_slots(graph, room) if folding else NO_SLOTS
            graph = self.part(graph, kernels.LIMIT - 1, room, fixed)
        if waiting:
            turn = 1 if paired else 0
            left, found = self._mix(graph, living, turn, several, budget, flags, lowest)
        valid, undecided, exact = flags[0], flags[1], flags[2]
        new = [room.opened[:found]] if found else []
        if left:
            if settle:
                possible = self._decider.possible_with(pins, undecided)
                new.append(np.flatnonzero(undecided & ~possible))
                valid |= possible
                exact &= ~possible
                undecided = self._never
            lowest[~valid] = -1
        learned = settle and (bool(new) or graph.limited != (several > 0))
        if learned:
            impossible = np.concatenate((impossible, *new))
            impossible.setflags(write=False)
            graph = replace(graph, impossible=impossible, limited=several > 0)
        if narrowing or (learned and not self.plain):
            parts.keep(flat, graph)
        some = bool(np.count_nonzero(valid) or np.count_nonzero(undecided))
        exact = exact if self.facts.exact else self._exact
        return Marginals(some, valid, undecided, lowest, exact)

    def _fixed_slots(self, graph: Graph, room: Carried) -> Any:
        """The slots that every configuration takes, after a sweep of the graph."""
        return self._run(carrying.fixed_slots)(
            graph.slots, self._slot_block, room.lowest, len(self._blocks)
        )

    def _mix(
        self,
        graph: Graph,
        living: int,
        turn: int,
        several: int,
        budget: int,
        flags: Bools,
        lowest: Int64,
    ) -> tuple[int, int]:
        """See ``mixing.mix``; to be called after ``mixing.prove``, with what that said of the
        values."""
        answer: tuple[int, int] = self._run(mixing.mix)(
            *self._fixed.arguments,
            self.sums.words,
            *graph.parts(),
            graph.roots,
            graph.slots,
            graph.states,
            self._scale,
            turn,
            MIXTURES,
            budget,
            backend.LEFT,
            graph.choices,
            living,
            several,
            *self.carried().room.arguments,
            flags,
            lowest,
        )
        return answer

    def warm(self) -> None:
        """Load or compile every loop now rather than at a customer's first click."""
        super().warm()
        self.warm_beside()

    def warm_beside(self) -> None:
        """The same for the loops that an answer may do without."""
        whole, size = self._parts.whole, self._size
        self.proven_changes(self._hard((), False, mix=False), (), ())
        self.count_unlimited(())
        flags, sure = np.zeros((3, size), dtype=np.bool_), np.zeros(size, dtype=np.bool_)
        lowest, changes, repaired = np.zeros((3, size), dtype=np.int64)
        self._mix(whole, 0, 0, 0, -1, flags, lowest)
        light = self._lightest((), (), whole, self.bounds(()), self.carried())
        self._fixed_slots(whole, self.carried())
        self._run(mixing.read_changes)(
            light, light, flags, lowest, sure, 0, 1, 0, True, light, changes, repaired, sure
        )

    # --- sweeps -----------------------------------------------------------------------

    def carried(self) -> Carried:
        """This thread's working arrays."""
        room: Carried | None = getattr(self._rooms, "room", None)
        if room is None:
            room = self._rooms.room = Carried(self.diagram, self._classes, self.sums.width)
        return room

    def carry(
        self,
        graph: Graph,
        cost: Int64,
        extra: Any,
        most: int,
        bounds: tuple[Int64, Int64],
        room: Carried,
    ) -> int | None:
        """Sweep up and down; answers how many edges are alive, ``None`` if no configuration
        costs at most ``most``."""
        living = self._run(carrying.sweep_carrying)(
            *self._charging[:2],
            extra,
            cost,
            self.sums.used,
            self.sums.words,
            *graph.parts(),
            graph.roots,
            graph.slots,
            graph.states,
            most,
            *bounds,
            *room.swept,
        )
        return None if living < 0 else int(living)

    def _values(self, of_state: Int64) -> Int64:
        """The least over the states that carry each value; ``INFINITE`` if none."""
        answer = np.empty(self._size, dtype=np.int64)
        self._run(kernels.settle_values)(
            *self._placement, *self._reading, of_state, *self.carried().ranked, answer
        )
        return answer

    def bounds(self, active: Sequence[int]) -> tuple[Int64, Int64]:
        """What ``carrying`` compares used sums with where some rows are active."""
        rows = np.isin(np.arange(self.sums.rows), active)
        room, guard = np.empty((2, self.sums.width), dtype=np.int64)
        _, _, _, fields, limit, most = self.sums.arrays
        self._run(mixing.set_bounds)(fields, limit, most, rows, room, guard)
        return room, guard

    def binding(self, allowed: Bools) -> tuple[int, ...]:
        """The rows that some choice of allowed states could break."""
        rows = np.empty(self.sums.rows, dtype=np.bool_)
        self._run(carrying.find_binding)(
            self.sums.arrays[0],
            self._parts.whole.states,
            allowed,
            self.diagram.block_start,
            self.sums.limit,
            self.carried().heavy,
            rows,
        )
        return tuple(np.flatnonzero(rows).tolist())

    def states_with(self, variable: int, value: int) -> Bools:
        """The states in which a network variable has a value."""
        return self._allowed(((variable, value),))

    # --- changes ----------------------------------------------------------------------

    def _with_changes(
        self, hard: Marginals, pins: Pins, fixed: Pins, settle: bool
    ) -> tuple[Marginals, int]:
        """Add the least numbers of pins to give up where a sweep proves them; -2 elsewhere.
        Answers of how many values something is left open, too."""
        penalty, room, size = self.span + 1, self.carried(), self._size
        graph = self._parts.nearest(self._flat(fixed))
        answer, reached = np.empty((2, size), dtype=np.int64)
        living = self._run(mixing.prove_changes)(
            *self._fixed.arguments,
            self.sums.words,
            *graph.parts(),
            graph.roots,
            graph.slots,
            graph.states,
            self._flat((*pins, *fixed) if fixed else pins),
            len(fixed),
            penalty,
            *room.room.arguments,
            answer,
            reached,
        )
        if living == mixing.FREE:
            return self._joined(hard, super().marginals(pins, changes=True, fixed=fixed)), 0
        if living == mixing.NOTHING:
            return self._nothing(True), 0
        changes, repaired = np.empty((2, size), dtype=np.int64)
        sure = np.empty(size, dtype=np.bool_)
        read = partial(
            self._run(mixing.read_changes),
            answer,
            reached,
            np.array((hard.valid, hard.undecided, hard.lowest_exact)),
            hard.lowest,
            self._root(fixed, settle),
            self.floor,
            penalty,
            self.facts.constant,
            self.facts.exact,
        )
        others, left = read(self._no_weight, changes, repaired, sure)
        if others:
            active = tuple(np.flatnonzero(room.active).tolist())
            lightest = self._lightest(pins, fixed, graph, self.bounds(active), room)
            _, left = read(lightest, changes, repaired, sure)
        if settle:
            self._own_values(pins, fixed, changes, repaired, sure)
        return replace(hard, changes=changes, repaired_lowest=repaired, repaired_exact=sure), left

    def _joined(self, hard: Marginals, soft: Marginals) -> Marginals:
        """Where no sum can be broken whatever is given up, the diagram knows everything."""
        exact = np.broadcast_to(self._exact, hard.valid.shape)
        return replace(
            hard,
            changes=soft.changes,
            repaired_lowest=soft.repaired_lowest,
            repaired_exact=exact,
        )

    def _lightest(
        self, pins: Pins, fixed: Pins, graph: Graph, bounds: tuple[Int64, Int64], room: Carried
    ) -> Int64:
        """How many pins are given up by the configuration with each value that gives up
        fewest and, among those, uses least; -1 where that one breaks a limit."""
        given = np.zeros(len(self.diagram.class_of), dtype=np.int64)
        self._charge(pins, 1, given)
        cost = given * self._heaviest + self._even_use
        self._charge(fixed, kernels.INFINITE, cost)
        if self.carry(graph, cost, self._nothing_extra, kernels.LIMIT - 1, bounds, room) is None:
            return np.full(self._size, -1, dtype=np.int64)
        reached = self._values(room.state_reached)
        return np.where(reached < kernels.LIMIT, reached // self._heaviest, -1)

    def _root(self, fixed: Pins, settle: bool) -> Bools:
        """What is possible, or not known not to be, before anything is chosen."""
        found = self._roots.get((fixed, settle))
        if found is None:
            hard = self._hard(fixed, settle)
            found = hard.valid | hard.undecided
            if len(self._roots) > ROOTS:
                self._roots.clear()
            self._roots[fixed, settle] = found
        return found

    def _own_values(
        self, pins: Pins, fixed: Pins, changes: Int64, repaired: Int64, sure: Bools
    ) -> None:
        """Decide, for pinned variables, the other values that are not known yet: they need
        one change if that pin alone stands in their way."""
        offset = self.diagram.offset
        for pin in pins:
            own = slice(int(offset[pin[0]]), int(offset[pin[0] + 1]))
            if not (changes[own] == -2).any():
                continue
            rest = tuple(sorted((*(each for each in pins if each != pin), *fixed)))
            without = self._hard(rest, True)
            found = without.valid[own] & (changes[own] == -2)
            changes[own][found] = 1
            repaired[own][found] = without.lowest[own][found]
            sure[own][found] = without.lowest_exact[own][found]

    def _raised(self, found: Marginals, pins: Pins) -> Marginals:
        """The same with lowest totals nearer to the truth, where they are only bounds."""
        if not (found.valid & ~found.lowest_exact).any():
            return found
        # So that there is a part that is not folded: what is tried next depends on ties.
        self._hard(pins, False, mix=False)
        allowed = self._allowed(pins)
        try:
            bounds, reached = Branching(self).raised(allowed, self._parts.nearest(self._flat(pins)))
        except TooManyBranchesError:  # charges too large to be mixed with sums
            return found
        lowest = np.maximum(found.lowest, self._values(bounds) + self.facts.constant)
        met = self._values(reached) + self.facts.constant == lowest
        return replace(
            found,
            lowest=np.where(found.valid, lowest, -1),
            lowest_exact=self._exact & (found.lowest_exact | met),
        )

    # --- counting and completing ------------------------------------------------------

    def count(self, pins: Pins, *, settle: bool = True) -> tuple[int, bool]:
        """Exact where no sum can be broken any more; else at least so many are left: when
        of every block the states that use most are put aside, but not those of the cheapest
        configuration, until no sum can be broken."""
        number = self.count_unlimited(pins)
        if number is not None:
            return number, True
        found = self.cheapest(pins)
        if found is None:
            return 0, True
        allowed = self._allowed(pins)
        return self._count_of(self._light(allowed, found), pins, fewer=True), False

    def count_unlimited(self, pins: Pins) -> int | None:
        """The exact count where no sum can be broken any more, else ``None``."""
        allowed = self._allowed(pins)
        return None if self.binding(allowed) else self._count_of(allowed, pins)

    def _light(self, allowed: Bools, found: tuple[int, ...]) -> Bools:
        """Fewer states of every block, those of ``found`` among them, none of whose
        combinations breaks a sum."""
        keep = self.states_of(found)
        allowed = allowed.copy()
        block_of = np.repeat(np.arange(len(self._blocks)), np.diff(self.diagram.block_start))
        for row in self.binding(allowed):
            use, limit = self.sums.use[row], int(self.sums.limit[row])
            kept = np.maximum.reduceat(np.where(keep, use, 0), self._blocks)
            over = use - kept[block_of]
            heavy = np.flatnonzero(allowed & (over > 0))
            heavy = heavy[np.argsort(-over[heavy], kind="stable")]
            most = np.maximum.reduceat(np.where(allowed, use, 0), self._blocks)
            total = int(most.sum())
            for state in heavy.tolist():
                if total <= limit:
                    break
                allowed[state] = False
                block = int(block_of[state])
                states = slice(*self.diagram.block_start[block : block + 2].tolist())
                now = int(np.where(allowed[states], use[states], 0).max())
                total -= int(most[block]) - now
                most[block] = now
        return allowed

    def cheapest(self, pins: Pins) -> tuple[int, ...] | None:
        """The lexicographically smallest of the cheapest configurations, or ``None``. Where
        the budget of the search runs out, the cheapest that was found."""
        found = super().cheapest(pins)
        if found is None or self.fits(found):
            return found
        allowed = self._allowed(pins)
        try:
            return Branching(self).first_cheapest(allowed, self._parts.nearest(self._flat(pins)))
        except TooManyBranchesError:
            return self._decider.some(pins)

    def states_of(self, values: tuple[int, ...]) -> Bools:
        """The states of a configuration, one per block."""
        return self._allowed(tuple(enumerate(values)))

    def fits(self, values: tuple[int, ...]) -> bool:
        """Whether a configuration of the diagram keeps within every limit."""
        used = self.sums.use[:, self.states_of(values)].sum(axis=1)
        return bool((used <= self.sums.limit).all())

    def taken(self, graph: Graph, room: Carried) -> tuple[int, ...]:
        """The values of the cheapest configuration that the last sweep found, the one whose
        sums it carried."""
        diagram = self.diagram
        state_of = np.zeros(len(self._blocks), dtype=np.int64)
        waiting = [int(root) for root in graph.roots]
        while waiting:
            node = waiting.pop()
            if node == 0:
                continue
            edges = slice(int(graph.start[node]), int(graph.start[node + 1]))
            below = np.asarray(graph.target[edges])
            if graph.conjunction[node]:
                waiting.extend(below.tolist())
                continue
            slots = np.asarray(graph.slot[edges])
            best = int((room.slot_cost[slots] + room.up[below]).argmin())
            state = int(room.class_state[diagram.slot_class[slots[best]]])
            state_of[np.searchsorted(diagram.block_start, state, side="right") - 1] = state
            waiting.append(int(below[best]))
        return tuple(self._values_in(state_of))

    def _values_in(self, state_of: Int64) -> list[int]:
        """The value of every network variable, given the state of every block."""
        diagram = self.diagram
        home = diagram.block.astype(np.int64)
        state = state_of[home]
        listed = diagram.state_start.astype(np.int64) + state - diagram.block_start[home]
        odd = diagram.odd_state >= 0
        values = np.where(state == diagram.odd_state, diagram.odd_value, diagram.common_value)
        values[~odd] = diagram.state_value[listed[~odd]]
        return [int(value) for value in values]
