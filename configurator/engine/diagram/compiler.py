"""Compiling a network within budgets: reduce, choose orders, conjoin, freeze.

Several elimination orders are compiled while the budget lasts, a large diagram's best one
is varied (hill climbing), and the smallest diagram is kept. Knows nothing of products; a
network too wide to compile is refused with the rules that made it so, and the caller answers
it by other means.
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
from configurator.engine.diagram.backend import DiagramBackend, Facts, read_diagrams
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
from configurator.engine.diagram.tree import Ordering, Tree, elimination_order, pseudo_tree
from configurator.engine.diagram.twofold import LARGE, SMALLER, WHOLE, TwofoldDiagram
from configurator.engine.network import AllowedTuples, Clause, LinearSum, Network

BATCH = 8
BATCH_STATES = 4096
NAMED = 8
"""How many rules a refusal names at most."""

HOPELESS = 2
"""After so many refused orders, with none compiled, no more are tried."""

PATIENCE = 0.25
"""The part of the time after which no further order is begun once one is compiled."""

SMALL = 3000
"""A diagram of fewer edges is not worth another order."""

LARGE_ENOUGH = 300_000
"""A diagram of more edges is worth to vary its best order until it has fewer."""

VARIATIONS = 20
"""Variations for every order but the first."""

TIRED = 20
"""After so many in a row that made it no smaller there are no more."""

WIDE_SUM = 6
"""Sums over more variables may stay beside the diagram."""

NARROW = 16
"""Not those of which a diagram tells so few partial sums apart: "one of these twenty" is a
sum over many variables, but a narrow rule."""

MODEST = 300_000
"""Nodes a diagram may have for the sake of sums that could stay beside it."""

WHOLE_PATIENCE = 0.2
"""The part of the time after which it is not tried any longer."""


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
            add("tuples", constraint.scope, len(constraint.tuples))
            digest.update(constraint.rows().astype("<i8").tobytes())
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
    orders: int = 6,
    progress: Callable[[CompileProgress], None] | None = None,
    decider: Callable[[], Decider] | None = None,
) -> DiagramBackend:
    """Compile ``network``; several calls give equal answers.

    Wide sums that would make the diagram large stay beside it; ``decider`` (a solver of the
    whole network where it is not given) then settles what sweeps leave open. Where the
    diagram is modest with them too, both are kept (``twofold``).

    ``max_nodes`` bounds the nodes of the whole, ``max_edges`` those of one level while it
    is multiplied (about 60 bytes each), ``seconds`` the whole. Raises ``TooWideError``.
    """
    deadline = time.monotonic() + seconds
    if not _numbers_fit(network):
        raise TooWideError((), "charges")
    limits = Limits(max_nodes, max_edges, deadline)
    wide = frozenset(
        number
        for number, constraint in enumerate(network.constraints)
        if isinstance(constraint, LinearSum) and _is_wide(constraint)
    )
    try:
        if not wide:
            compiled = _compiled(network, frozenset(), limits, seconds, orders, progress)
            return _backend_of(compiled, None, None)
        patience = min(deadline, time.monotonic() + seconds * WHOLE_PATIENCE)
        modest = Limits(min(max_nodes, MODEST), min(max_edges, 2 * MODEST), patience)
        whole = _if_it_fits(network, modest, seconds * WHOLE_PATIENCE, orders, progress)
        if whole is None and max_nodes < MODEST:  # with more room it may fit
            owners = [network.constraints[number].owner for number in sorted(wide)]
            raise TooWideError(_named(network, owners), "nodes")
        quick = _compiled(network, wide, limits, seconds, orders, progress)
    except OverflowError as error:  # a weight or a product of multiplicities
        raise TooWideError((), "charges") from error
    return _backend_of(quick, whole, decider or _searching(network))


def _is_wide(constraint: LinearSum) -> bool:
    """Whether the sum may be left beside the diagram. Above the upper limit partial sums
    need not be told apart, nor, without one, from the lower limit up."""
    least = sum(min(row) for row in constraint.weights)
    most = sum(max(row) for row in constraint.weights)
    limit = constraint.high if constraint.high is not None else constraint.low
    told_apart = most - least if limit is None else min(most, limit) - least
    return len(constraint.scope) > WIDE_SUM and told_apart >= NARROW


Compiled = tuple[FrozenDiagram, Facts]


def _named(network: Network, owners: list[int]) -> tuple[str, ...]:
    """The first rules of some owners, each once."""
    return tuple(dict.fromkeys(network.owners[owner] for owner in owners if owner >= 0))[:NAMED]


def _if_it_fits(
    network: Network,
    modest: Limits,
    seconds: float,
    orders: int,
    progress: Callable[[CompileProgress], None] | None,
) -> Compiled | None:
    """The diagram with all sums in it, if it stays modest."""
    try:
        return _compiled(network, frozenset(), modest, seconds, orders, progress)
    except TooWideError:
        return None


def _backend_of(
    quick: Compiled, whole: Compiled | None, decider: Callable[[], Decider] | None
) -> DiagramBackend:
    """What answers from one diagram, or from a small one and the whole."""
    if not len(quick[0].sum_limit):
        return DiagramBackend(*quick)
    if whole is not None and whole[0].edges < max(LARGE, SMALLER * quick[0].edges):
        return DiagramBackend(*whole)
    if decider is None:
        raise ValueError("sums stand beside this diagram; a decider is needed")
    summed = SummedDiagram(*quick, decider)
    return summed if whole is None else TwofoldDiagram(DiagramBackend(*whole), summed)


def load_diagram(
    folder: Path, digest: str | None = None, decider: Callable[[], Decider] | None = None
) -> DiagramBackend:
    """What was saved, for the network with this digest if it is known, mapped read-only.
    ``decider`` is needed where sums stand beside the diagram. Raises ``DiagramFileError``."""
    quick, whole, facts = read_diagrams(folder, digest, WHOLE)
    return _backend_of((quick, facts), None if whole is None else (whole, facts), decider)


def _searching(network: Network) -> Callable[[], Decider]:
    """A solver of the whole network, built when first needed."""
    found: list[Decider] = []

    def decider() -> Decider:
        from configurator.engine.sat import SatBackend

        if not found:
            found.append(SatBackend(network))
        return found[0]

    return decider


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
    compilation = _Compilation(network, reduced, progress)
    best: FrozenDiagram | None = None
    refusal: TooWideError | None = None
    refused = in_vain = 0
    best_ordering = Ordering.drawn(len(reduced.class_count), 0)
    with_variations = orders + VARIATIONS * (orders - 1)
    for attempt in range(with_variations):
        if attempt < orders:
            ordering, several = Ordering.drawn(len(reduced.class_count), attempt), orders
        elif best is None or best.edges < LARGE_ENOUGH or in_vain >= TIRED:
            break
        else:
            ordering, several = best_ordering.varied(attempt), with_variations
        narrower = limits
        if best is not None:
            nodes = min(limits.nodes, 4 * best.nodes + 1000)
            narrower = Limits(nodes, limits.edges, limits.deadline)
        in_vain += 1
        try:
            grown = compilation.attempt(attempt, several, ordering, narrower)
        except TooWideError as error:
            refusal = refusal or error
            refused += 1
            if error.reason == "seconds" or (best is None and refused == HOPELESS):
                break
            continue
        except EmptyDiagramError:
            best = freeze(None, reduced, sizes)
            break
        frozen = freeze(grown, reduced, sizes)
        if best is None or frozen.edges < best.edges:
            best, best_ordering, in_vain = frozen, ordering, 0
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
        progress: Callable[[CompileProgress], None] | None,
    ) -> None:
        self.network = network
        self.reduced = reduced
        self.progress = progress
        self.scopes = [relation.scope for relation in (*reduced.relations, *reduced.charges)]

    def attempt(
        self, attempt: int, orders: int, ordering: Ordering, limits: Limits
    ) -> GrowingDiagram:
        sizes = self.reduced.class_count
        try:
            elimination = elimination_order(sizes, self.scopes, ordering, limits.deadline)
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
                self.progress(CompileProgress(attempt + 1, orders, done, rules, diagram.nodes))
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
                raise TooWideError(_named(self.network, [relation.owner]), "states") from error
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
                raise TooWideError(_named(self.network, blamed), reason) from error
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
