"""The loops of a click: sweeps over the flat arrays, charges in, lowest totals out.

Knows nothing of networks, files or threads. Every function works in place on arrays of
64-bit integers (or, undecorated, on plain lists) and keeps to the subset of Python that
Numba compiles. A total of ``INFINITE`` means "impossible"; anything from ``LIMIT`` up is
read as such, so that one impossible charge may be added to another without overflow.

Layout: node 0 is TRUE. The edges of node ``x`` are ``start[x] .. start[x + 1] - 1``. In a
choice node exactly one edge is taken: it fixes the slot ``slot[e]`` and goes on to
``target[e]``. In a conjunction node all ``target[e]`` hold together. Targets have lower
numbers than the nodes that refer to them, so one loop upwards and one downwards suffice
(Mateescu, Dechter and Marinescu 2008, section 6; Amilhastre, Fargier and Marquis 2002).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from configurator.engine.diagram.jit import kernel

INFINITE = 1 << 60
LIMIT = 1 << 59

FIXED = 2
"""Marks a slot that every whole takes."""

MERGED = 20_000
"""Nodes of a graph up to which equal ones are made one: later it takes longer than it saves."""

PRIME = (1 << 61) - 1
"""What hashes are taken modulo."""

Numbers = Any
"""A one-dimensional array or list of integers."""


@kernel
def sweep_up(
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    cost: Numbers,
    up: Numbers,
) -> None:
    """``up[x]``: the lowest total of what hangs below node ``x``."""
    up[0] = 0
    for node in range(1, len(start) - 1):
        if conjunction[node]:
            total = 0
            for edge in range(start[node], start[node + 1]):
                below = up[target[edge]]
                if below >= LIMIT:
                    total = INFINITE
                    break
                total += below
            up[node] = total
        else:
            best = INFINITE
            for edge in range(start[node], start[node + 1]):
                whole = cost[slot[edge]] + up[target[edge]]
                if whole < best:
                    best = whole
            up[node] = best if best < LIMIT else INFINITE


@kernel
def total_of(roots: Numbers, up: Numbers) -> int:
    """The lowest total of the whole, after ``sweep_up``; ``INFINITE`` if there is none."""
    total = 0
    for index in range(len(roots)):
        below = up[roots[index]]
        if below >= LIMIT:
            return INFINITE
        total += below
    return total


@kernel
def sweep_down(
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    cost: Numbers,
    total: int,
    up: Numbers,
    down: Numbers,
    lowest: Numbers,
) -> int:
    """``down[x]``: the lowest total of what stands beside and above ``x``; ``lowest[s]``:
    the lowest total of a whole that takes slot ``s``. ``total`` is finite. Answers how many
    edges of choice nodes lie on some finite whole."""
    for index in range(len(lowest)):
        lowest[index] = INFINITE
    count = len(start) - 1
    for node in range(count):
        down[node] = INFINITE
    for index in range(len(roots)):
        down[roots[index]] = total - up[roots[index]]
    living = 0
    for step in range(1, count):
        node = count - step
        above = down[node]
        if above >= LIMIT or up[node] >= LIMIT:
            continue
        # Unconditional minima: as branches they would be mispredicted too often.
        if conjunction[node]:
            whole = above + up[node]
            for edge in range(start[node], start[node + 1]):
                below = target[edge]
                down[below] = min(down[below], whole - up[below])
        else:
            for edge in range(start[node], start[node + 1]):
                taken = slot[edge]
                below = target[edge]
                partial = above + cost[taken]
                whole = partial + up[below]
                living += whole < LIMIT
                down[below] = min(down[below], partial)
                lowest[taken] = min(lowest[taken], whole)
    return living


@kernel
def is_same(
    first: int, last: int, other: int, other_last: int, slot: Numbers, target: Numbers
) -> bool:
    """Whether two ranges of edges are the same."""
    if last - first != other_last - other:
        return False
    for step in range(last - first):
        if slot[first + step] != slot[other + step] or target[first + step] != target[other + step]:
            return False
    return True


@kernel
def compact(
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    cost: Numbers,
    most: int,
    up: Numbers,
    down: Numbers,
    state_lowest: Numbers,
    fixed: Numbers,
) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers, Numbers, Numbers, int]:
    """What lies on a whole of at most ``most``, in the same order: new arrays, laid out as
    the five that are given, the slots and states that are left, and how many edges stand in
    choice nodes.

    ``fixed`` slots are those that every whole takes. Each stands at one edge then, of a root
    of its own; what had nothing else to choose, or to hold together, is left out, and of nodes
    that became equal there is one (Bryant, IEEE Transactions on Computers 1986)."""
    count = len(start) - 1
    renamed = np.empty(count, dtype=np.uint32)
    start_kept = np.empty(count + len(fixed) + 1, dtype=np.uint32)
    conjunction_kept = np.empty(count + len(fixed), dtype=np.uint8)
    slot_kept = np.empty(len(slot) + len(fixed), dtype=np.uint32)
    target_kept = np.empty(len(slot) + len(fixed), dtype=np.uint32)
    roots_kept = np.empty(len(roots) + len(fixed), dtype=np.uint32)
    stands = np.zeros(len(cost), dtype=np.uint8)
    renamed[0] = 0
    start_kept[0] = 0
    start_kept[1] = 0
    conjunction_kept[0] = conjunction[0]
    for place in range(len(fixed)):
        stands[fixed[place]] = FIXED
        slot_kept[place] = fixed[place]
        target_kept[place] = 0
        conjunction_kept[place + 1] = 0
        start_kept[place + 2] = place + 1
        roots_kept[place] = place + 1
    folding = len(fixed) > 0
    merging = folding and count < MERGED
    mask = 1
    while merging and mask < 2 * count:
        mask = 2 * mask + 1
    known = np.zeros(mask + 1, dtype=np.uint32)
    nodes = 1 + len(fixed)
    edges = len(fixed)
    choices = edges
    for node in range(1, count):
        if up[node] >= LIMIT or down[node] >= LIMIT or up[node] + down[node] > most:
            continue
        above = down[node]
        first = edges
        if conjunction[node]:
            for edge in range(start[node], start[node + 1]):
                slot_kept[edges] = slot[edge]
                target_kept[edges] = renamed[target[edge]]
                edges += target_kept[edges] > 0 or not folding
            alone = edges - first < 2
        else:
            for edge in range(start[node], start[node + 1]):
                if above + cost[slot[edge]] + up[target[edge]] <= most:
                    slot_kept[edges] = slot[edge]
                    target_kept[edges] = renamed[target[edge]]
                    stands[slot[edge]] |= 1
                    edges += 1
            alone = edges - first == 1 and stands[slot_kept[first]] & FIXED
        if folding and alone:
            renamed[node] = target_kept[first] if edges > first else 0
            edges = first
            continue
        if merging:
            key = int(conjunction[node])
            for edge in range(first, edges):
                key = (key * 31 + slot_kept[edge] * 40_503 + target_kept[edge]) % PRIME
            place = key & mask
            other = known[place]
            while other > 0 and not (
                conjunction_kept[other] == conjunction[node]
                and is_same(
                    start_kept[other], start_kept[other + 1], first, edges, slot_kept, target_kept
                )
            ):
                place = (place + 1) & mask
                other = known[place]
            if other > 0:
                renamed[node] = other
                edges = first
                continue
            known[place] = nodes
        if not conjunction[node]:
            choices += edges - first
        renamed[node] = nodes
        conjunction_kept[nodes] = conjunction[node]
        nodes += 1
        start_kept[nodes] = edges
    rooted = len(fixed)
    for index in range(len(roots)):
        roots_kept[rooted] = renamed[roots[index]]
        rooted += roots_kept[rooted] > 0 or not folding
    slots = np.empty(len(cost), dtype=np.uint32)
    several = 0
    for taken in range(len(cost)):
        slots[several] = taken
        several += stands[taken] > 0
    states = np.empty(len(state_lowest), dtype=np.uint32)
    left = 0
    for state in range(len(state_lowest)):
        states[left] = state
        left += state_lowest[state] <= most
    return (
        start_kept[: nodes + 1].copy(),
        conjunction_kept[:nodes].copy(),
        slot_kept[:edges].copy(),
        target_kept[:edges].copy(),
        roots_kept[:rooted].copy(),
        slots[:several].copy(),
        states[:left].copy(),
        choices,
    )


@kernel
def first_wrong(offset: Numbers, pins: Numbers) -> int:
    """The first pin on a variable or value that there is not; -1 if there is none."""
    for index in range(len(pins) // 2):
        variable = pins[2 * index]
        if variable < 0 or variable >= len(offset) - 1:
            return index
        value = pins[2 * index + 1]
        if value < 0 or value >= offset[variable + 1] - offset[variable]:
            return index
    return -1


@kernel
def charge_pins(
    block: Numbers,
    block_start: Numbers,
    state_start: Numbers,
    state_value: Numbers,
    odd_state: Numbers,
    odd_value: Numbers,
    common_value: Numbers,
    pins: Numbers,
    penalty: int,
    hard: int,
    cost: Numbers,
) -> None:
    """Add ``penalty`` to every state of a block in which a pin does not hold; ``INFINITE``
    for the last ``hard`` pins. ``pins`` are variables and values by turns.

    A variable whose values are spread over the states of its block lists them in
    ``state_value``; one that has ``odd_value`` in just one state names it in ``odd_state``.
    """
    soft = len(pins) // 2 - hard
    for index in range(len(pins) // 2):
        variable = pins[2 * index]
        wanted = pins[2 * index + 1]
        charge = penalty if index < soft else INFINITE
        home = block[variable]
        first = block_start[home]
        odd = odd_state[variable]
        listed = state_start[variable]
        for state in range(first, block_start[home + 1]):
            if odd < 0:
                value = state_value[listed + state - first]
            elif state == odd:
                value = odd_value[variable]
            else:
                value = common_value[variable]
            if value != wanted:
                charged = cost[state] + charge
                cost[state] = charged if charged < LIMIT else INFINITE


@kernel
def charge_slots(
    class_of: Numbers,
    slot_class: Numbers,
    slot_extra: Numbers,
    state_cost: Numbers,
    class_cost: Numbers,
    slot_cost: Numbers,
) -> None:
    """The cheapest state of every class, and from it the charge of every slot."""
    for index in range(len(class_cost)):
        class_cost[index] = INFINITE
    for state in range(len(class_of)):
        home = class_of[state]
        if state_cost[state] < class_cost[home]:
            class_cost[home] = state_cost[state]
    for index in range(len(slot_cost)):
        charged = class_cost[slot_class[index]]
        slot_cost[index] = charged + slot_extra[index] if charged < LIMIT else INFINITE


@kernel
def settle_states(
    class_of: Numbers,
    slot_class: Numbers,
    class_cost: Numbers,
    lowest: Numbers,
    class_lowest: Numbers,
    state_cost: Numbers,
    state_lowest: Numbers,
) -> None:
    """From the lowest total of every slot to that of every state (``INFINITE`` if none)."""
    for index in range(len(class_lowest)):
        class_lowest[index] = INFINITE
    for index in range(len(slot_class)):
        home = slot_class[index]
        if lowest[index] < class_lowest[home]:
            class_lowest[home] = lowest[index]
    for state in range(len(class_of)):
        home = class_of[state]
        if class_lowest[home] < LIMIT and state_cost[state] < LIMIT:
            state_lowest[state] = class_lowest[home] - class_cost[home] + state_cost[state]
        else:
            state_lowest[state] = INFINITE


@kernel
def settle_values(
    block: Numbers,
    block_start: Numbers,
    state_start: Numbers,
    state_value: Numbers,
    odd_state: Numbers,
    odd_value: Numbers,
    common_value: Numbers,
    offset: Numbers,
    alone: Numbers,
    several: Numbers,
    ranked: Numbers,
    state_lowest: Numbers,
    block_best: Numbers,
    block_second: Numbers,
    block_winner: Numbers,
    answer: Numbers,
) -> None:
    """From the lowest total of every state to that of every value (``INFINITE`` if none).

    Most values are read from the one state that carries them (``alone``); ``several`` are
    the variables with other values, ``ranked`` the blocks of such variables with an odd
    state. The value that a variable has in all states but one gets the block's best total,
    or the second best where the best one is the odd state itself.
    """
    for index in range(len(answer)):
        state = alone[index]
        answer[index] = state_lowest[state] if state >= 0 else INFINITE
    for index in range(len(ranked)):
        home = ranked[index]
        best = INFINITE
        second = INFINITE
        winner = -1
        for state in range(block_start[home], block_start[home + 1]):
            whole = state_lowest[state]
            if whole < best:
                second = best
                best = whole
                winner = state
            elif whole < second:
                second = whole
        block_best[home] = best
        block_second[home] = second
        block_winner[home] = winner
    for index in range(len(several)):
        variable = several[index]
        home = block[variable]
        base = offset[variable]
        odd = odd_state[variable]
        if odd >= 0:
            if block_winner[home] == odd:
                answer[base + common_value[variable]] = block_second[home]
            else:
                answer[base + common_value[variable]] = block_best[home]
        else:
            first = block_start[home]
            listed = state_start[variable]
            for state in range(first, block_start[home + 1]):
                place = base + state_value[listed + state - first]
                if state_lowest[state] < answer[place]:
                    answer[place] = state_lowest[state]


@kernel
def read_hard(answer: Numbers, constant: int, valid: Numbers, lowest: Numbers) -> None:
    """Valid values and their lowest totals, where pins could not be given up."""
    for index in range(len(answer)):
        if answer[index] < LIMIT:
            valid[index] = True
            lowest[index] = answer[index] + constant
        else:
            valid[index] = False
            lowest[index] = -1


@kernel
def read_soft(
    answer: Numbers,
    constant: int,
    floor: int,
    penalty: int,
    valid: Numbers,
    lowest: Numbers,
    changes: Numbers,
    repaired: Numbers,
) -> None:
    """Take totals apart in which every pin given up counts as ``penalty``; ``floor`` is
    below every total, ``floor + penalty`` above every total without pins given up."""
    for index in range(len(answer)):
        if answer[index] < LIMIT:
            above = answer[index] - floor
            given_up = 0
            if above >= penalty:
                given_up = above // penalty
            repaired[index] = answer[index] - given_up * penalty + constant
            changes[index] = given_up
            valid[index] = given_up == 0
            lowest[index] = repaired[index] if given_up == 0 else -1
        else:
            valid[index] = False
            lowest[index] = -1
            changes[index] = -1
            repaired[index] = -1


@kernel
def sweep(
    class_of: Numbers,
    slot_class: Numbers,
    slot_extra: Numbers,
    state_cost: Numbers,
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    class_cost: Numbers,
    slot_cost: Numbers,
    up: Numbers,
    down: Numbers,
    lowest: Numbers,
    class_lowest: Numbers,
    state_lowest: Numbers,
) -> tuple[int, int]:
    """Up and down, from the charges of all states to the lowest total with each; the lowest
    total of the whole, and how many edges are alive. One call costs less than five."""
    charge_slots(class_of, slot_class, slot_extra, state_cost, class_cost, slot_cost)
    sweep_up(start, conjunction, slot, target, slot_cost, up)
    total = total_of(roots, up)
    living = 0
    if total < LIMIT:
        living = sweep_down(
            start, conjunction, slot, target, roots, slot_cost, total, up, down, lowest
        )
        settle_states(
            class_of, slot_class, class_cost, lowest, class_lowest, state_cost, state_lowest
        )
    return total, living


@kernel
def charging_of(fixed: Numbers, at: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Classes of states and slots, extra charges of slots and charges of states, out of a
    diagram's arrays laid end to end (``arena``)."""
    return (
        fixed[at[0] : at[1]],
        fixed[at[1] : at[2]],
        fixed[at[2] : at[3]],
        fixed[at[3] : at[4]],
    )


@kernel
def placement_of(
    fixed: Numbers, at: Numbers
) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers, Numbers, Numbers]:
    """Where the values went (``charge_pins``), out of the same."""
    return (
        fixed[at[4] : at[5]],
        fixed[at[5] : at[6]],
        fixed[at[6] : at[7]],
        fixed[at[7] : at[8]],
        fixed[at[8] : at[9]],
        fixed[at[9] : at[10]],
        fixed[at[10] : at[11]],
    )


@kernel
def reading_of(fixed: Numbers, at: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Where an answer reads its values (``settle_values``), out of the same."""
    return (
        fixed[at[11] : at[12]],
        fixed[at[12] : at[13]],
        fixed[at[13] : at[14]],
        fixed[at[14] : at[15]],
    )


@kernel
def click(
    fixed: Numbers,
    fixed_at: Numbers,
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    pins: Numbers,
    penalty: int,
    hard: int,
    room: Numbers,
    at: Numbers,
) -> tuple[int, int]:
    """From pins to the lowest total with every value: all of the above in one call, because
    a call costs as much as a thousand edges. Answers as ``sweep`` does. ``fixed`` are the
    diagram's arrays and ``room`` the working ones, laid end to end (``arena``)."""
    class_of, slot_class, slot_extra, state_cost = charging_of(fixed, fixed_at)
    placement = placement_of(fixed, fixed_at)
    cost = room[at[0] : at[1]]
    state_lowest = room[at[7] : at[8]]
    for state in range(len(cost)):
        cost[state] = state_cost[state]
    charge_pins(*placement, pins, penalty, hard, cost)
    total, living = sweep(
        class_of,
        slot_class,
        slot_extra,
        cost,
        start,
        conjunction,
        slot,
        target,
        roots,
        room[at[1] : at[2]],
        room[at[2] : at[3]],
        room[at[3] : at[4]],
        room[at[4] : at[5]],
        room[at[5] : at[6]],
        room[at[6] : at[7]],
        state_lowest,
    )
    if total < LIMIT:
        settle_values(
            *placement,
            *reading_of(fixed, fixed_at),
            state_lowest,
            room[at[8] : at[9]],
            room[at[9] : at[10]],
            room[at[10] : at[11]],
            room[at[11] : at[12]],
        )
    return total, living
