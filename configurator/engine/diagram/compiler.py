"""Compiling a network within budgets: reduce, choose orders, conjoin, freeze.

Several elimination orders are compiled while the budget lasts and the smallest diagram
is kept. Knows nothing of products; a network too wide to compile is refused with the
rules that made it so, and the caller answers it by other means.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from configurator.engine.diagram.automata import (
    Automaton,
    AutomatonTooWideError,
    automaton_of,
)
from configurator.engine.diagram.backend import DiagramBackend, Facts, read_diagram
from configurator.engine.diagram.conjunction import (
    EmptyDiagramError,
    GrowingDiagram,
    LevelTooWideError,
    Limits,
)
from configurator.engine.diagram.frozen import FrozenDiagram, freeze
from configurator.engine.diagram.kernels import LIMIT
from configurator.engine.diagram.reduction import Reduction, reduce_network, reduce_to_nothing
from configurator.engine.diagram.relations import NeverSatisfiedError, Relation
from configurator.engine.diagram.summed import Decider, SummedDiagram
from configurator.engine.diagram.tree import Tree, elimination_order, pseudo_tree
from configurator.engine.network import AllowedTuples, Clause, LinearSum, Network

BATCH = 8
BATCH_STATES = 4096
NAMED = 8
"""How many rules a refusal names at most."""

HOPELESS = 2
"""After so many refused orders, with none compiled, no more are tried."""

PATIENCE = 0.15
"""The part of the time after which no further order is begun once one is compiled."""

SMALL = 3000
"""A diagram of fewer edges is not worth another order."""


WIDE_SUMS = (20, 6)
"""Sums over more variables may stay beside the diagram; first only the widest do."""

MODEST = 100_000
"""Nodes a diagram may have for the sake of sums that could stay beside it."""


class TooWideError(Exception):
    """The network does not compile within its budget.

    ``owners`` are the rules that made it wide, the widest first; empty where no rule can
    be blamed. ``reason`` is ``"nodes"``, ``"seconds"``, ``"states"`` (one rule alone needs
    too many) or ``"charges"`` (numbers beyond the range of the arithmetic).
    """

    def __init__(self, owners: tuple[str, ...], reason: str) -> None:
        super().__init__(f"too wide to compile ({reason}): {', '.join(owners) or 'no one rule'}")
        self.owners = owners
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CompileProgress:
    """How far a compilation is: order ``attempt`` of ``orders``, ``done`` of ``rules``."""

    attempt: int
    orders: int
    done: int
    rules: int
    nodes: int


def network_digest(network: Network) -> str:
    """A sha-256 over everything that can change an answer, names of rules left out."""
    digest = hashlib.sha256()

    def add(*parts: object) -> None:
        digest.update(json.dumps(parts).encode())

    for variable in network.variables:
        add("variable", variable.multiplicity, variable.hidden)
    for constraint in network.constraints:
        if isinstance(constraint, Clause):
            add("clause", [(name, sorted(values)) for name, values in constraint.literals])
        elif isinstance(constraint, AllowedTuples):
            add("tuples", constraint.scope, constraint.tuples)
        else:
            add("sum", constraint.scope, constraint.weights, constraint.low, constraint.high)
    for function in network.costs:
        add("cost", function.scope, function.costs, function.exact)
    return digest.hexdigest()


def compile_diagram(
    network: Network,
    *,
    max_nodes: int = 2_000_000,
    max_edges: int = 4_000_000,
    seconds: float = 120.0,
    orders: int = 4,
    progress: Callable[[CompileProgress], None] | None = None,
    decider: Callable[[], Decider] | None = None,
) -> DiagramBackend:
    """Compile ``network``; several calls give equal answers.

    Wide sums that would make the diagram large stay beside it; ``decider`` (a solver of the
    whole network where it is not given) then settles what sweeps leave open.

    ``max_nodes`` bounds the nodes of the whole, ``max_edges`` those of one level while it
    is multiplied (about 60 bytes each), ``seconds`` the whole. Raises ``TooWideError``.
    """
    deadline = time.monotonic() + seconds
    if not _numbers_fit(network):
        raise TooWideError((), "charges")
    limits = Limits(max_nodes, max_edges, deadline)
    several = _sums_to_leave_out(network)
    try:
        diagram, facts = _first_that_fits(network, several, limits, seconds, orders, progress)
    except OverflowError as error:  # a weight or a product of multiplicities
        raise TooWideError((), "charges") from error
    return backend_of(diagram, facts, decider or _searching(network))


def backend_of(
    diagram: FrozenDiagram, facts: Facts, decider: Callable[[], Decider] | None
) -> DiagramBackend:
    """What answers from a diagram, with or without sums beside it."""
    if not len(diagram.sum_limit):
        return DiagramBackend(diagram, facts)
    if decider is None:
        raise ValueError("sums stand beside this diagram; a decider is needed")
    try:
        return SummedDiagram(diagram, facts, decider)
    except OverflowError as error:
        raise TooWideError((), "charges") from error


def load_diagram(
    folder: Path, digest: str | None = None, decider: Callable[[], Decider] | None = None
) -> DiagramBackend:
    """What was saved, for the network with this digest if it is known, mapped read-only.
    ``decider`` is needed where sums stand beside the diagram. Raises ``DiagramFileError``."""
    diagram, facts = read_diagram(folder, digest)
    return backend_of(diagram, facts, decider)


def _searching(network: Network) -> Callable[[], Decider]:
    """A solver of the whole network, built when first needed."""
    found: list[Decider] = []

    def decider() -> Decider:
        from configurator.engine.sat import SatBackend

        if not found:
            found.append(SatBackend(network))
        return found[0]

    return decider


def _sums_to_leave_out(network: Network) -> list[frozenset[int]]:
    """Sets of sums to leave beside the diagram, to be tried in turn: none, the widest, all
    wide ones; only one set where the network has no wide sum."""
    tried = [frozenset[int]()]
    for width in WIDE_SUMS:
        wide = frozenset(
            number
            for number, constraint in enumerate(network.constraints)
            if isinstance(constraint, LinearSum) and len(constraint.scope) > width
        )
        if wide not in tried:
            tried.append(wide)
    return tried


def _first_that_fits(
    network: Network,
    several: list[frozenset[int]],
    limits: Limits,
    seconds: float,
    orders: int,
    progress: Callable[[CompileProgress], None] | None,
) -> tuple[FrozenDiagram, Facts]:
    """With the first set of sums left out that gives a diagram of modest size, else with
    the last."""
    modest = Limits(min(limits.nodes, MODEST), min(limits.edges, 2 * MODEST), limits.deadline)
    for aside in several[:-1]:
        try:
            return _compiled(network, aside, modest, seconds, 1, progress)
        except TooWideError as error:
            if error.reason == "seconds":
                raise
    return _compiled(network, several[-1], limits, seconds, orders, progress)


def _compiled(
    network: Network,
    aside: frozenset[int],
    limits: Limits,
    seconds: float,
    orders: int,
    progress: Callable[[CompileProgress], None] | None,
) -> tuple[FrozenDiagram, Facts]:
    """The smallest diagram of several orders, with the sums ``aside`` beside it."""
    facts = Facts(network_digest(network), 0, all(cost.exact for cost in network.costs))
    sizes = [variable.size for variable in network.variables]
    try:
        reduced = reduce_network(network, aside)
    except NeverSatisfiedError:
        return freeze(None, reduce_to_nothing(network), sizes), facts
    compilation = _Compilation(network, reduced, orders, progress)
    best: FrozenDiagram | None = None
    refusal: TooWideError | None = None
    refused = 0
    for attempt in range(orders):
        narrower = limits
        if best is not None:
            nodes = min(limits.nodes, 4 * best.nodes + 1000)
            narrower = Limits(nodes, limits.edges, limits.deadline)
        try:
            grown = compilation.attempt(attempt, narrower)
        except TooWideError as error:
            refusal = refusal or error
            refused += 1
            if error.reason == "seconds" or (best is None and refused == HOPELESS):
                break
            continue
        except EmptyDiagramError:
            best = freeze(None, reduced, sizes)
            break
        if best is None or grown.edges < best.edges:
            best = freeze(grown, reduced, sizes)
        if best.edges < SMALL or time.monotonic() > limits.deadline - seconds * (1 - PATIENCE):
            break
    if best is None:
        assert refusal is not None
        raise refusal
    return best, Facts(facts.digest, reduced.constant, facts.exact)


def _numbers_fit(network: Network) -> bool:
    """Whether every sum the loops may form stays below ``LIMIT``: one charge more than
    all together stands for each pin given up."""
    if any(sum(variable.multiplicity) >= LIMIT for variable in network.variables):
        return False
    ranges = [(min(one.costs), max(one.costs)) for one in network.costs if one.costs]
    span = sum(high - low for low, high in ranges) + 1
    least = sum(abs(low) for low, _ in ranges)
    return span * (len(network.variables) + 2) + least < LIMIT


class _Compilation:
    """One network, compiled under one order after the other."""

    def __init__(
        self,
        network: Network,
        reduced: Reduction,
        orders: int,
        progress: Callable[[CompileProgress], None] | None,
    ) -> None:
        self.network = network
        self.reduced = reduced
        self.orders = orders
        self.progress = progress
        self.scopes = [relation.scope for relation in (*reduced.relations, *reduced.charges)]

    def attempt(self, attempt: int, limits: Limits) -> GrowingDiagram:
        sizes = self.reduced.class_count
        try:
            elimination = elimination_order(sizes, self.scopes, attempt, limits.deadline)
        except TimeoutError as error:
            raise TooWideError((), "seconds") from error
        tree = pseudo_tree(len(sizes), self.scopes, elimination)
        automata = self._automata(self.reduced.relations, tree, limits)
        charges = self._automata(self.reduced.charges, tree, limits)
        diagram = GrowingDiagram(tree, list(self.reduced.living), limits)
        done, rules = 0, len(automata) + len(charges)
        for batch in _batches([*automata, *charges]):
            self._conjoin(diagram, batch, automata)
            done += len(batch)
            if self.progress is not None:
                self.progress(CompileProgress(attempt + 1, self.orders, done, rules, diagram.nodes))
        diagram.drop_unreached()
        return diagram

    def _automata(
        self, relations: tuple[Relation, ...], tree: Tree, limits: Limits
    ) -> list[Automaton]:
        built = []
        for relation in relations:
            try:
                built.append(automaton_of(relation, tree.rank, max_states=limits.edges // 8))
            except AutomatonTooWideError as error:
                raise TooWideError(self._names([relation.owner]), "states") from error
            if time.monotonic() > limits.deadline:
                raise TooWideError((), "seconds")
        built.sort(
            key=lambda one: (-int(tree.rank[one.blocks[0]]), -int(tree.rank[one.blocks[-1]]))
        )
        return built

    def _conjoin(
        self, diagram: GrowingDiagram, batch: list[Automaton], rules: list[Automaton]
    ) -> None:
        """Conjoin a batch; one that grows too wide is tried again in halves."""
        try:
            diagram.conjoin(batch)
        except LevelTooWideError as error:
            reason = "seconds" if error.late else "nodes"
            if error.late or len(batch) == 1 or diagram.nodes > diagram.limits.nodes:
                blamed = self._across(error.block, rules, diagram.tree)
                raise TooWideError(self._names(blamed), reason) from error
            middle = len(batch) // 2
            self._conjoin(diagram, batch[:middle], rules)
            self._conjoin(diagram, batch[middle:], rules)

    def _across(self, block: int, rules: list[Automaton], tree: Tree) -> list[int]:
        """The owners of the automata that are under way at ``block``, the widest first."""
        path = set()
        above = block
        while above >= 0:
            path.add(above)
            above = tree.parent[above]
        rank = int(tree.rank[block])
        across = [
            rule
            for rule in rules
            if rule.blocks[0] in path and int(tree.rank[rule.blocks[-1]]) >= rank
        ]
        across.sort(key=lambda rule: (-rule.widest, -len(rule.blocks), rule.owner))
        return [rule.owner for rule in across]

    def _names(self, owners: list[int]) -> tuple[str, ...]:
        named = dict.fromkeys(self.network.owners[owner] for owner in owners if owner >= 0)
        return tuple(named)[:NAMED]


def _batches(automata: list[Automaton]) -> list[list[Automaton]]:
    batches: list[list[Automaton]] = []
    states = 0
    for automaton in automata:
        states += automaton.states
        if not batches or len(batches[-1]) == BATCH or states > BATCH_STATES:
            batches.append([])
            states = automaton.states
        batches[-1].append(automaton)
    return batches
