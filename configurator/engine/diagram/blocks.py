"""Fewer, larger variables: which network variables share a block, and in which states.

Fixed variables share a block of one state. Literals of which at most one is true become
one block with a state for each and one for "none of them", which is how alternatives and
their group's parent become one variable; a variable that is decided by which of them is
true joins them. A variable that is a function of another stands in that one's block.
Every state left out is one that the constraints refuse anyway. Nothing here knows
diagrams.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.literals import Findings, counts_once, find
from configurator.engine.diagram.placement import Listed, Odd, Placement, place
from configurator.engine.network import AllowedTuples, Network

Int64 = npt.NDArray[np.int64]

SMALLEST_GROUP = 3

MOST_PAIRS = 64
"""Widest table scope in which functions are looked for."""


@dataclass(frozen=True, slots=True)
class _Function:
    """A variable's value for each value of ``source``."""

    source: int
    values: Int64


def find_blocks(network: Network) -> Placement:
    """Lay out ``network`` in as few blocks as these findings allow.

    Raises ``NeverSatisfiedError``.
    """
    findings = find(network)
    groups = _groups(findings)
    parents = _parents(findings, groups)
    grouped = {member >> 1 for group in groups for member in group} | set(parents)
    functions = {
        variable: _Function(literal >> 1, np.array([1, 0] if literal & 1 == 0 else [0, 1]))
        for variable, literal in findings.same.items()
    }
    for variable, function in _functions_of_tables(network):
        if variable in grouped or variable in findings.fixed or variable in functions:
            continue
        if not counts_once(network.variables[variable]):
            continue
        source = function.source
        while source in functions:
            source = functions[source].source
        if source != variable:
            functions[variable] = function
    return _laid_out(network, findings.fixed, groups, parents, functions)


def _groups(findings: Findings) -> list[tuple[int, ...]]:
    """Disjoint sets of literals of which at most one is true, the largest found first.

    Which value of a variable is "yes" is not known here: an exclusion of two literals may
    as well be an implication. Three that exclude each other are a choice.
    """
    excluded: dict[int, set[int]] = {}
    for clause in findings.clauses:
        if len(clause) == 2:
            excluded.setdefault(clause[0] ^ 1, set()).add(clause[1] ^ 1)
            excluded.setdefault(clause[1] ^ 1, set()).add(clause[0] ^ 1)
    for clique in findings.cliques:
        for member in clique:
            excluded.setdefault(member, set()).update(clique)
            excluded[member].discard(member)
    used: set[int] = set()
    groups: list[tuple[int, ...]] = []

    def take(members: list[int]) -> None:
        if len(members) >= SMALLEST_GROUP:
            groups.append(tuple(sorted(members)))
            used.update(member >> 1 for member in members)

    def clique_among(candidates: list[int]) -> list[int]:
        chosen: list[int] = []
        for candidate in sorted(candidates, key=lambda lit: (-len(excluded[lit]), lit)):
            if candidate >> 1 not in used and all(other in excluded[candidate] for other in chosen):
                chosen.append(candidate)
        return chosen

    for clause in sorted(findings.clauses, key=lambda c: (-len(c), c)):
        free = [literal for literal in clause if literal >> 1 not in used]
        members = clique_among([literal for literal in free if literal in excluded])
        if 2 * len(members) >= len(free):
            take(members)
    for clique in sorted(findings.cliques, key=lambda c: (-len(c), c)):
        take([member for member in clique if member >> 1 not in used])
    for seed in sorted(excluded, key=lambda lit: (-len(excluded[lit]), lit)):
        if seed >> 1 not in used:
            take([seed, *clique_among(sorted(excluded[seed]))])
    return groups


@dataclass(frozen=True, slots=True)
class _Parent:
    """A variable that has ``value`` just where one of ``members`` of ``group`` is true."""

    group: int
    members: tuple[int, ...]
    value: int


def _parents(findings: Findings, groups: list[tuple[int, ...]]) -> dict[int, _Parent]:
    home = {member: number for number, group in enumerate(groups) for member in group}
    grouped = {member >> 1 for member in home}
    pairs = {clause for clause in findings.clauses if len(clause) == 2}
    parents: dict[int, _Parent] = {}
    for clause in findings.clauses:
        for literal in clause:
            variable = literal >> 1
            if variable in grouped or variable in parents:
                continue
            members = tuple(other for other in clause if other != literal)
            homes = {home.get(member, -1) for member in members}
            if len(homes) != 1 or -1 in homes:
                continue
            # The clause says: not the literal, then some member. Needed besides: each
            # member excludes the literal.
            if all(tuple(sorted((member ^ 1, literal ^ 1))) in pairs for member in members):
                parents[variable] = _Parent(home[members[0]], members, (literal & 1) ^ 1)
    return parents


def _functions_of_tables(network: Network) -> list[tuple[int, _Function]]:
    """Variables whose value follows from one other in some table, in a fixed order."""
    found: list[tuple[int, _Function]] = []
    for table in network.constraints:
        if not isinstance(table, AllowedTuples) or not table.tuples:
            continue
        if len(set(table.scope)) < len(table.scope) or len(table.scope) > MOST_PAIRS:
            continue
        rows = table.rows()
        counts = [len(np.unique(rows[:, column])) for column in range(rows.shape[1])]
        for source in range(rows.shape[1]):
            size = network.variables[table.scope[source]].size
            for column in range(rows.shape[1]):
                if column == source or counts[column] > counts[source]:
                    continue
                values = np.zeros(size, dtype=np.int64)
                values[rows[:, source]] = rows[:, column]
                if (values[rows[:, source]] == rows[:, column]).all():
                    found.append((table.scope[column], _Function(table.scope[source], values)))
    return found


def _laid_out(
    network: Network,
    fixed: dict[int, int],
    groups: list[tuple[int, ...]],
    parents: dict[int, _Parent],
    functions: dict[int, _Function],
) -> Placement:
    sizes: list[int] = []
    where: dict[int, Listed | Odd] = {}
    if fixed:
        sizes.append(1)
        for variable, value in fixed.items():
            where[variable] = Listed(0, np.array([value], dtype=np.int64))
    first_group = len(sizes)
    for group in groups:
        # State 0 is "none of them"; member k is true in state k + 1.
        for index, member in enumerate(group):
            where[member >> 1] = Odd(len(sizes), index + 1, member & 1, member & 1 ^ 1)
        sizes.append(len(group) + 1)
    for variable, parent in parents.items():
        group = groups[parent.group]
        block = first_group + parent.group
        if len(parent.members) == len(group):
            where[variable] = Odd(block, 0, parent.value ^ 1, parent.value)
        else:
            states = [parent.value ^ 1] * (len(group) + 1)
            for member in parent.members:
                states[group.index(member) + 1] = parent.value
            where[variable] = Listed(block, np.array(states, dtype=np.int64))
    for variable, known in enumerate(network.variables):
        if variable not in where and variable not in functions:
            where[variable] = Listed(len(sizes), np.arange(known.size, dtype=np.int64))
            sizes.append(known.size)
    for variable in functions:
        chain = [variable]
        while chain[-1] not in where:
            chain.append(functions[chain[-1]].source)
        for dependent in reversed(chain[:-1]):
            function = functions[dependent]
            source = where[function.source]
            where[dependent] = _follow(source, function.values, sizes[source.block])
    return place(sizes, [where[variable] for variable in range(len(network.variables))])


def _follow(source: Listed | Odd, values: Int64, size: int) -> Listed | Odd:
    """Where a variable stands whose value is a function of that of another."""
    if isinstance(source, Listed):
        return Listed(source.block, values[source.values])
    odd, common = int(values[source.odd_value]), int(values[source.common_value])
    if odd == common:
        return Listed(source.block, np.full(size, common, dtype=np.int64))
    return Odd(source.block, source.state, odd, common)
