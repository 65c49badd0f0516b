"""Exact counts: one sweep upwards modulo several primes, put together at the roots.

Knows nothing of pins or charges: it is told how many configurations each slot stands for.
Counts run to thousands of digits, so each node's count is kept modulo as many 50-bit
primes as a first sweep in floating point (or, for the largest, in logarithms) says are
needed, and the Chinese remainder theorem gives the number itself. Parts that share no
rule are multiplied as Python integers.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from configurator.engine.diagram.graph import Graph
from configurator.engine.diagram.jit import kernel, undecorated
from configurator.engine.diagram.kernels import INFINITE, sweep_down

Int64 = npt.NDArray[np.int64]

BITS_PER_PRIME = 49.9

EXACT = 2.0**53
"""Below it, floating point holds every whole number."""


@kernel
def count_allowed(
    class_of: Any,
    slot_class: Any,
    state_weight: Any,
    allowed: Any,
    start: Any,
    conjunction: Any,
    slot: Any,
    target: Any,
    roots: Any,
    marking: bool,
    class_weight: Any,
    slot_weight: Any,
    times: Any,
    counts: Any,
    up: Any,
    down: Any,
    slot_cost: Any,
    slot_lowest: Any,
    state_lowest: Any,
) -> int:
    """``counts[x]``: node ``x``'s configurations of allowed states in floating point, infinite
    where too many; ``slot_weight[s]``: how many answers slot ``s`` stands for, 0 where none
    of its states is allowed; ``times[s]``: the same in floating point.
    Answers how many edges of choice nodes lie on a configuration; -1 if there is none.

    Counts below 2**53 are exact: whatever goes into one is no larger than it. What lies on no
    configuration adds 0, so a part's counts are those of the whole to the last bit.

    With ``marking`` the last arrays are those of a sweep of ``kernels`` that charges nothing:
    0 for what lies on a configuration, else ``INFINITE``. Without, the answer may be too large.
    """
    for index in range(len(class_weight)):
        class_weight[index] = 0
    for state in range(len(class_of)):
        if allowed[state]:
            class_weight[class_of[state]] += state_weight[state]
    for index in range(len(slot_weight)):
        slot_weight[index] = class_weight[slot_class[index]]
        times[index] = float(slot_weight[index])
    nodes = len(start) - 1
    counts[0] = 1.0
    for node in range(1, nodes):
        if conjunction[node]:
            total = 1.0
            for edge in range(start[node], start[node + 1]):
                below = counts[target[edge]]
                total = 0.0 if below == 0.0 or total == 0.0 else total * below
        else:
            total = 0.0
            for edge in range(start[node], start[node + 1]):
                several, below = times[slot[edge]], counts[target[edge]]
                if several > 0.0:
                    total += several * below
        counts[node] = total
    for index in range(len(roots)):
        if counts[roots[index]] == 0.0:
            return -1
    if not marking:
        return len(slot)
    for index in range(len(slot_weight)):
        slot_cost[index] = 0 if slot_weight[index] > 0 else INFINITE
    for state in range(len(class_of)):
        state_lowest[state] = 0 if allowed[state] else INFINITE
    for node in range(nodes):
        up[node] = 0 if counts[node] > 0.0 else INFINITE
    return sweep_down(start, conjunction, slot, target, roots, slot_cost, 0, up, down, slot_lowest)


@kernel
def count_logarithms(
    start: Any, conjunction: Any, slot: Any, target: Any, weight_log: Any, answer: Any
) -> None:
    """``answer[x]``: the base-2 logarithm of node ``x``'s count, below -1 if it is 0."""
    answer[0] = 0.0
    for node in range(1, len(answer)):
        if conjunction[node]:
            total = 0.0
            for edge in range(start[node], start[node + 1]):
                below = answer[target[edge]]
                if below < -0.5:
                    total = -1e9
                    break
                total += below
            answer[node] = total
        else:
            highest = -1e9
            scaled = 0.0
            for edge in range(start[node], start[node + 1]):
                weight = weight_log[slot[edge]]
                below = answer[target[edge]]
                if weight < -0.5 or below < -0.5:
                    continue
                term = weight + below
                if term > highest:
                    if term - highest < 1000.0:
                        scaled = scaled * 2.0 ** (highest - term) + 1.0
                    else:
                        scaled = 1.0
                    highest = term
                elif highest - term < 1000.0:
                    scaled += 2.0 ** (term - highest)
            answer[node] = highest + np.log2(scaled) if scaled > 0.0 else -1e9


@kernel
def count_residues(
    start: Any,
    conjunction: Any,
    slot: Any,
    target: Any,
    weight: Any,
    prime: Any,
    inverse: Any,
    answer: Any,
) -> None:
    """``answer[x * k + q]``: the count of node ``x`` modulo ``prime[q]``, ``k`` primes.

    Products use the quotient estimated in floating point, off by one at most for primes
    below 2**50 (the low 64 bits of both products are exact, so their difference is).
    """
    width = len(prime)
    for q in range(width):
        answer[q] = 1
    for node in range(1, len(answer) // width):
        base = node * width
        both = conjunction[node]
        for q in range(width):
            answer[base + q] = 1 if both else 0
        for edge in range(start[node], start[node + 1]):
            below = int(target[edge]) * width
            left = base if both else int(slot[edge]) * width
            for q in range(width):
                a = answer[left + q] if both else weight[left + q]
                b = answer[below + q]
                modulus = prime[q]
                quotient = int(float(a) * float(b) * inverse[q])
                product = a * b - quotient * modulus
                if product < 0:
                    product += modulus
                elif product >= modulus:
                    product -= modulus
                if both:
                    answer[base + q] = product
                else:
                    total = answer[base + q] + product
                    answer[base + q] = total - modulus if total >= modulus else total


def _is_prime(number: int) -> bool:
    """Miller and Rabin, certain below 3.3e24 with these bases (Sorenson and Webster)."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if any(number % base == 0 for base in bases):
        return number in bases
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in bases:
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


@lru_cache(maxsize=64)
def _largest_primes(chunks: int) -> tuple[int, ...]:
    found: list[int] = []
    number = 2**50
    while len(found) < 16 * chunks:
        number -= 1
        if _is_prime(number):
            found.append(number)
    return tuple(found)


def primes(count: int) -> tuple[int, ...]:
    """The ``count`` largest primes below 2**50."""
    return _largest_primes((count + 15) // 16)[:count]


@lru_cache(maxsize=64)
def _recombination(count: int) -> tuple[int, tuple[int, ...]]:
    """The product of the first ``count`` primes and the factor of each residue."""
    chosen = primes(count)
    product = math.prod(chosen)
    return product, tuple(product // p * pow(product // p, -1, p) for p in chosen)


def count_models(graph: Graph, numbers: list[float], weights: Int64, *, plain: bool) -> int:
    """The number of configurations: per slot ``weights`` of them, product over the roots,
    of which ``numbers`` are the counts in floating point.

    With ``plain`` the graph is made of lists and the loops run undecorated.
    """
    if all(number < EXACT for number in numbers):
        return math.prod(int(number) for number in numbers)
    arrays, roots, nodes = graph.parts(), graph.roots, graph.nodes
    sizes = _sizes(graph, numbers, weights, plain=plain)
    width = max(1, math.ceil((max(sizes, default=0.0) + 1.0) / BITS_PER_PRIME))
    chosen = np.array(primes(width), dtype=np.int64)
    residues = (weights[:, None] % chosen).reshape(-1)
    inverses = 1.0 / chosen
    if plain:
        kept: Any = [0] * (nodes * width)
        lists = (residues.tolist(), chosen.tolist(), inverses.tolist())
        undecorated(count_residues)(*arrays, *lists, kept)
    else:
        kept = np.empty(nodes * width, dtype=np.int64)
        count_residues(*arrays, residues, chosen, inverses, kept)
    product, factors = _recombination(width)
    powers: dict[int, int] = {}
    for root, size in zip(roots, sizes, strict=True):
        base = int(root) * width
        if size < BITS_PER_PRIME - 1.0:
            value = int(kept[base])
        else:
            terms = zip(kept[base : base + width], factors, strict=True)
            value = sum(int(residue) * factor for residue, factor in terms) % product
        powers[value] = powers.get(value, 0) + 1
    return math.prod(value**power for value, power in powers.items())


def _sizes(graph: Graph, numbers: list[float], weights: Int64, *, plain: bool) -> list[float]:
    """The base-2 logarithm of each root's count; none is 0."""
    if all(math.isfinite(number) for number in numbers):
        return [math.log2(number) for number in numbers]
    logs = [math.log2(weight) if weight > 0 else -1e9 for weight in weights.tolist()]
    answer: Any = [0.0] * graph.nodes if plain else np.empty(graph.nodes)
    in_logarithms = undecorated(count_logarithms) if plain else count_logarithms
    in_logarithms(*graph.parts(), logs if plain else np.array(logs), answer)
    return [float(answer[root]) for root in graph.roots]
