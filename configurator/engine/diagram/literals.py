"""What the yes-or-no part of a network implies about pairs: fixed values, equals, exclusions.

Reads clauses, sums and tables over variables of two values. A literal is ``2 * variable + value``;
``literal ^ 1`` is its opposite. Everything found here follows from the constraints, which
all stay in force: what is missed costs size, never an answer. Nothing here knows blocks.

Equals are the strongly connected components of the implications in two-literal clauses
(Aspvall, Plass and Tarjan 1979); exclusions come from two-literal clauses and from sums
of which no two terms fit together.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from configurator.engine.diagram.relations import NeverSatisfiedError
from configurator.engine.network import AllowedTuples, Clause, LinearSum, Network, NetworkVariable

ROUNDS = 6

WIDEST_TABLE = 64
"""Widest table over two-valued variables that is looked into."""


@dataclass(slots=True)
class LiteralSum:
    """``constant + sum(gain of every true literal) <= high``, with all gains above 0."""

    gains: dict[int, int]
    high: int


@dataclass(slots=True)
class Findings:
    """``fixed`` literals; ``same[v]``: the literal that ``v = 1`` equals, where it is not
    ``v``'s own; ``clauses`` over what is left; ``cliques`` of literals of which at most
    one is true, as sums say it."""

    fixed: dict[int, int] = field(default_factory=dict)
    same: dict[int, int] = field(default_factory=dict)
    clauses: list[tuple[int, ...]] = field(default_factory=list)
    cliques: list[tuple[int, ...]] = field(default_factory=list)


def counts_once(variable: NetworkVariable) -> bool:
    """Whether each value stands for one configuration. Only such variables share blocks,
    so that the number a state stands for stays small."""
    return variable.hidden or all(count == 1 for count in variable.multiplicity)


def find(network: Network) -> Findings:
    """Everything this module can find. Raises ``NeverSatisfiedError``."""
    clauses, sums = _collect(network)
    findings = Findings()
    for _ in range(ROUNDS):
        clauses, sums = _propagated(clauses, sums, findings.fixed)
        merged = _equals(clauses)
        if not merged:
            break
        for variable, literal in merged.items():
            findings.same[variable] = literal
        for variable, literal in list(findings.same.items()):
            above = merged.get(literal >> 1)
            if above is not None:
                findings.same[variable] = above ^ (literal & 1) ^ 1
        clauses = _renamed(clauses, merged)
        sums = [_renamed_sum(each, merged) for each in sums]
    findings.clauses = clauses
    findings.cliques = _cliques_of_sums(clauses, sums)
    return findings


def _collect(network: Network) -> tuple[list[tuple[int, ...]], list[LiteralSum]]:
    two = [variable.size == 2 and counts_once(variable) for variable in network.variables]
    clauses: list[tuple[int, ...]] = []
    sums: list[LiteralSum] = []
    for constraint in network.constraints:
        if isinstance(constraint, Clause):
            clause = _clause(constraint, two)
            if clause is not None:
                clauses.append(clause)
        elif isinstance(constraint, LinearSum) and all(constraint.weights):
            for one in _sums(constraint, two):
                clause = _as_clause(one)
                if clause is None:
                    sums.append(one)
                else:
                    clauses.append(clause)
    pairs: set[tuple[int, ...]] = {clause for clause in clauses if len(clause) == 2}
    for constraint in network.constraints:
        if isinstance(constraint, AllowedTuples):
            clauses.extend(_clauses_of_table(constraint, two, pairs))
    return clauses, sums


def _clauses_of_table(
    table: AllowedTuples, two: list[bool], pairs: set[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """What a table over two-valued variables says of pairs, and the long clauses that a
    group makes: one of all variables, and of each that it needs another. Rows that the
    two-literal clauses ``pairs`` refuse do not count."""
    scope = table.scope
    if not all(two[variable] for variable in scope) or len(set(scope)) < len(scope):
        return []
    if not 2 <= len(scope) <= WIDEST_TABLE:
        return []
    rows = table.rows()
    for one, other in itertools.combinations(range(len(scope)), 2):
        for first, second in itertools.product((0, 1), repeat=2):
            if tuple(sorted((2 * scope[one] + first, 2 * scope[other] + second))) in pairs:
                rows = rows[(rows[:, one] == first) | (rows[:, other] == second)]
    found: list[tuple[int, ...]] = []
    for first, second in ((0, 0), (0, 1), (1, 0), (1, 1)):
        together = (rows == first).astype(np.int64).T @ (rows == second).astype(np.int64)
        for one, other in np.argwhere(together == 0).tolist():
            if one < other:
                pair = (2 * scope[one] + first, 2 * scope[other] + second)
                found.append(tuple(sorted(literal ^ 1 for literal in pair)))
    ones = rows.sum(axis=1)
    every = [2 * variable + 1 for variable in scope]
    if not (ones == 0).any():
        found.append(tuple(sorted(every)))
    alone = rows[ones == 1].sum(axis=0)
    for column in np.flatnonzero(alone == 0).tolist():
        needing = [*every[:column], every[column] ^ 1, *every[column + 1 :]]
        found.append(tuple(sorted(needing)))
    return found


def _clause(clause: Clause, two: list[bool]) -> tuple[int, ...] | None:
    literals: set[int] = set()
    for variable, values in clause.literals:
        if not two[variable]:
            return None
        literals.update(2 * variable + value for value in values)
    if any(literal ^ 1 in literals for literal in literals):
        return None
    return tuple(sorted(literals))


def _sums(total: LinearSum, two: list[bool]) -> Iterable[LiteralSum]:
    """Upper bounds over literals; other variables count with their least."""
    for sign, bound in ((1, total.high), (-1, total.low)):
        if bound is None:
            continue
        gains: dict[int, int] = {}
        high = sign * bound
        for variable, weights in zip(total.scope, total.weights, strict=True):
            signed = [sign * weight for weight in weights]
            high -= min(signed)
            if two[variable] and signed[0] != signed[1]:
                literal = 2 * variable + int(signed[1] > signed[0])
                gains[literal] = gains.get(literal, 0) + abs(signed[1] - signed[0])
        if sum(gains.values()) > high:
            yield LiteralSum(gains, high)


def _as_clause(total: LiteralSum) -> tuple[int, ...] | None:
    """The clause that says the same, if one does: not all literals together."""
    if not total.gains:
        return None
    whole = sum(total.gains.values())
    if whole > total.high >= whole - min(total.gains.values()):
        return tuple(sorted(literal ^ 1 for literal in total.gains))
    return None


def _propagated(
    clauses: list[tuple[int, ...]], sums: list[LiteralSum], fixed: dict[int, int]
) -> tuple[list[tuple[int, ...]], list[LiteralSum]]:
    """Unit propagation to the end; answers what the fixed literals leave open."""
    in_clauses: dict[int, list[int]] = {}
    in_sums: dict[int, list[int]] = {}
    true: set[int] = set()
    queue: deque[int] = deque()

    def learn(literal: int) -> None:
        if literal ^ 1 in true:
            raise NeverSatisfiedError
        if literal not in true:
            true.add(literal)
            queue.append(literal)

    def look(total: LiteralSum) -> None:
        left = total.high - sum(gain for lit, gain in total.gains.items() if lit in true)
        if left < 0:
            raise NeverSatisfiedError
        for literal, gain in total.gains.items():
            if gain > left and literal not in true:
                learn(literal ^ 1)

    open_literals = [len(clause) for clause in clauses]
    for number, clause in enumerate(clauses):
        if not clause:
            raise NeverSatisfiedError
        if len(clause) == 1:
            learn(clause[0])
        for literal in clause:
            in_clauses.setdefault(literal, []).append(number)
    for number, total in enumerate(sums):
        for literal in total.gains:
            in_sums.setdefault(literal, []).append(number)
        look(total)
    while queue:
        literal = queue.popleft()
        for number in in_clauses.get(literal ^ 1, ()):
            open_literals[number] -= 1
            if open_literals[number] <= 1 and not any(one in true for one in clauses[number]):
                rest = [one for one in clauses[number] if one ^ 1 not in true]
                if not rest:
                    raise NeverSatisfiedError
                if len(rest) == 1:
                    learn(rest[0])
        for number in in_sums.get(literal, ()):
            look(sums[number])
    for literal in true:
        fixed[literal >> 1] = literal & 1
    left = {
        tuple(one for one in clause if one ^ 1 not in true): None
        for clause in clauses
        if not any(one in true for one in clause)
    }
    kept = []
    for total in sums:
        high = total.high - sum(gain for lit, gain in total.gains.items() if lit in true)
        gains = {
            literal: gain
            for literal, gain in total.gains.items()
            if literal not in true and literal ^ 1 not in true
        }
        if sum(gains.values()) > high:
            kept.append(LiteralSum(gains, high))
    return list(left), kept


def _equals(clauses: list[tuple[int, ...]]) -> dict[int, int]:
    """For every variable that equals a smaller one, the literal its 1 is equal to."""
    implied: dict[int, list[int]] = {}
    for clause in clauses:
        if len(clause) == 2:
            implied.setdefault(clause[0] ^ 1, []).append(clause[1])
            implied.setdefault(clause[1] ^ 1, []).append(clause[0])
    merged: dict[int, int] = {}
    for component in _components(implied):
        if len(component) < 2:
            continue
        least = min(component)
        if least ^ 1 in component:
            raise NeverSatisfiedError
        # Each component comes twice, once with every literal opposite.
        for literal in component:
            if literal != least and literal >> 1 not in merged:
                merged[literal >> 1] = least ^ (literal & 1) ^ 1
    return merged


def _components(successors: dict[int, list[int]]) -> list[set[int]]:
    """Strongly connected components (Tarjan 1972), without recursion."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[set[int]] = []
    for root in sorted(successors):
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(successors[root]))]
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(successors.get(other, ()))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component: set[int] = set()
                    while node not in component:
                        component.add(stack.pop())
                    on_stack -= component
                    found.append(component)
    return found


def _rename(literal: int, merged: dict[int, int]) -> int:
    above = merged.get(literal >> 1)
    return literal if above is None else above ^ (literal & 1) ^ 1


def _renamed(clauses: list[tuple[int, ...]], merged: dict[int, int]) -> list[tuple[int, ...]]:
    fresh: dict[tuple[int, ...], None] = {}
    for clause in clauses:
        literals = {_rename(literal, merged) for literal in clause}
        if not any(literal ^ 1 in literals for literal in literals):
            fresh[tuple(sorted(literals))] = None
    return list(fresh)


def _renamed_sum(total: LiteralSum, merged: dict[int, int]) -> LiteralSum:
    gains: dict[int, int] = {}
    high = total.high
    for literal, gain in total.gains.items():
        renamed = _rename(literal, merged)
        gains[renamed] = gains.get(renamed, 0) + gain
    for literal in sorted(gains):
        if literal in gains and literal ^ 1 in gains:
            both = min(gains[literal], gains[literal ^ 1])
            high -= both
            gains[literal] -= both
            gains[literal ^ 1] -= both
    return LiteralSum({lit: gain for lit, gain in gains.items() if gain}, high)


def _cliques_of_sums(
    clauses: list[tuple[int, ...]], sums: list[LiteralSum]
) -> list[tuple[int, ...]]:
    """Sets of literals of which a sum lets at most one be true.

    A term that all the others imply (the group's parent, say) counts as taken.
    """
    implied: dict[int, set[int]] = {}
    for clause in clauses:
        if len(clause) == 2:
            implied.setdefault(clause[0] ^ 1, set()).add(clause[1])
            implied.setdefault(clause[1] ^ 1, set()).add(clause[0])
    nothing: set[int] = set()
    cliques = []
    for total in sums:
        members = sorted(total.gains, key=lambda literal: (-total.gains[literal], literal))
        high = total.high
        for literal in list(members):
            others = [other for other in members if other != literal]
            if others and all(literal in implied.get(other, nothing) for other in others):
                high -= total.gains[literal]
                members = others
        while len(members) > 1 and (total.gains[members[-1]] + total.gains[members[-2]] <= high):
            members.pop()
        if len(members) > 1:
            cliques.append(tuple(sorted(members)))
    return cliques
