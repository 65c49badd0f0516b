"""The loops of a click with sums beside the diagram: sweeps that carry what is used up.

As in ``kernels``, with one more thing per node: the sums of the cheapest completion found
there, so that one sweep tells not only the lowest total with every slot but also whether
the configuration that reaches it keeps within every limit.

Sums are packed: ``width`` integers, each with a field per sum and a guard bit above every
field. ``room - used`` keeps all guard bits of ``guard`` exactly where no field of ``used``
is larger than its limit (Lamport, "Multiple byte processing with full-word instructions",
CACM 1975). Knows nothing of multipliers or of what a total means.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from configurator.engine.diagram.jit import kernel
from configurator.engine.diagram.kernels import INFINITE, LIMIT, Numbers, total_of

Words = Any
"""A tuple of ``width`` numbers. Only its length counts: it is known when a loop is compiled,
so that the inner loops over words disappear where there is one word, as there mostly is."""


@kernel
def pick_states(
    class_of: Numbers,
    slot_class: Numbers,
    slot_extra: Numbers,
    state_cost: Numbers,
    state_used: Numbers,
    words: Words,
    slots: Numbers,
    states: Numbers,
    class_cost: Numbers,
    class_state: Numbers,
    slot_cost: Numbers,
    slot_used: Numbers,
) -> None:
    """The cheapest of ``states`` of every class, and from it the charge and the use of each
    of ``slots``."""
    width = len(words)
    for index in range(len(class_cost)):
        class_cost[index] = INFINITE
        class_state[index] = -1
    for place in range(len(states)):
        state = states[place]
        home = class_of[state]
        if state_cost[state] < class_cost[home]:
            class_cost[home] = state_cost[state]
            class_state[home] = state
    for place in range(len(slots)):
        index = slots[place]
        home = slot_class[index]
        charged = class_cost[home]
        if charged < LIMIT:
            slot_cost[index] = charged + slot_extra[index]
            taken = class_state[home]
            for word in range(width):
                slot_used[index * width + word] = state_used[taken * width + word]
        else:
            slot_cost[index] = INFINITE


@kernel
def sweep_up_carrying(
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    cost: Numbers,
    used: Numbers,
    words: Words,
    up: Numbers,
    up_used: Numbers,
) -> None:
    """``up[x]``: the lowest total below node ``x``; ``up_used[x]``: what it uses up.

    The first word, mostly the only one, is kept in registers."""
    width = len(words)
    up[0] = 0
    for word in range(width):
        up_used[word] = 0
    for node in range(1, len(start) - 1):
        first = 0
        if conjunction[node]:
            total = 0
            for edge in range(start[node], start[node + 1]):
                below = target[edge]
                total = min(INFINITE, total + up[below])
                first += up_used[below * width]
            up[node] = total
            for word in range(1, width):
                sums = 0
                for edge in range(start[node], start[node + 1]):
                    sums += up_used[target[edge] * width + word]
                up_used[node * width + word] = sums
        else:
            best = INFINITE
            taken = start[node]
            for edge in range(start[node], start[node + 1]):
                below = target[edge]
                chosen = slot[edge]
                whole = cost[chosen] + up[below]
                sums = used[chosen * width] + up_used[below * width]
                better = whole < best
                best = whole if better else best
                first = sums if better else first
                taken = edge if better else taken
            up[node] = best
            if best < LIMIT:
                for word in range(1, width):
                    up_used[node * width + word] = (
                        used[slot[taken] * width + word] + up_used[target[taken] * width + word]
                    )
        up_used[node * width] = first


@kernel
def sweep_down_carrying(
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    cost: Numbers,
    used: Numbers,
    words: Words,
    total: int,
    most: int,
    room: Numbers,
    guard: Numbers,
    up: Numbers,
    up_used: Numbers,
    down: Numbers,
    down_used: Numbers,
    lowest: Numbers,
    lowest_used: Numbers,
    reached: Numbers,
) -> int:
    """``lowest[s]``: the lowest total with slot ``s`` where it is at most ``most``, and
    ``lowest_used[s]`` what it uses; ``reached[s]``: the lowest total of a configuration with
    slot ``s`` seen to keep within every limit. Answers how many edges of choice nodes lie on
    a whole of at most ``most``."""
    width = len(words)
    for index in range(len(lowest)):
        lowest[index] = INFINITE
        reached[index] = INFINITE
    count = len(start) - 1
    for node in range(count):
        down[node] = INFINITE
    for index in range(len(roots)):
        down[roots[index]] = total - up[roots[index]]
    for word in range(width):
        sums = 0
        for index in range(len(roots)):
            sums += up_used[roots[index] * width + word]
        for index in range(len(roots)):
            place = roots[index] * width + word
            down_used[place] = sums - up_used[place]
    first_room = room[0]
    first_guard = guard[0]
    living = 0
    for step in range(1, count):
        node = count - step
        above = down[node]
        if above + up[node] > most:
            continue
        here = node * width
        first_above = down_used[here]
        if conjunction[node]:
            whole = above + up[node]
            first_whole = first_above + up_used[here]
            for edge in range(start[node], start[node + 1]):
                below = target[edge]
                rest = whole - up[below]
                if rest < down[below]:
                    down[below] = rest
                    down_used[below * width] = first_whole - up_used[below * width]
                    for word in range(1, width):
                        down_used[below * width + word] = (
                            down_used[here + word]
                            + up_used[here + word]
                            - up_used[below * width + word]
                        )
        else:
            for edge in range(start[node], start[node + 1]):
                taken = slot[edge]
                below = target[edge]
                partial = above + cost[taken]
                whole = partial + up[below]
                if whole > most:
                    continue
                living += 1
                first = first_above + used[taken * width]
                if partial < down[below]:
                    down[below] = partial
                    down_used[below * width] = first
                    for word in range(1, width):
                        down_used[below * width + word] = (
                            down_used[here + word] + used[taken * width + word]
                        )
                # ``reached`` is never below ``lowest``.
                if whole < reached[taken]:
                    first += up_used[below * width]
                    fits = (first_room - first) & first_guard == first_guard
                    lower = whole < lowest[taken]
                    if lower:
                        lowest[taken] = whole
                        lowest_used[taken * width] = first
                    for word in range(1, width):
                        sums = (
                            down_used[here + word]
                            + used[taken * width + word]
                            + up_used[below * width + word]
                        )
                        if lower:
                            lowest_used[taken * width + word] = sums
                        if (room[word] - sums) & guard[word] != guard[word]:
                            fits = False
                    if fits:
                        reached[taken] = whole
    return living


@kernel
def clear_states(
    class_slot: Numbers, class_reached: Numbers, state_lowest: Numbers, state_reached: Numbers
) -> None:
    """Nothing is known of any state."""
    for index in range(len(class_slot)):
        class_slot[index] = -1
        class_reached[index] = INFINITE
    for state in range(len(state_lowest)):
        state_lowest[state] = INFINITE
        state_reached[state] = INFINITE


@kernel
def settle_states_carrying(
    class_of: Numbers,
    slot_class: Numbers,
    class_cost: Numbers,
    class_state: Numbers,
    lowest: Numbers,
    lowest_used: Numbers,
    reached: Numbers,
    state_cost: Numbers,
    state_used: Numbers,
    words: Words,
    slots: Numbers,
    states: Numbers,
    most: int,
    room: Numbers,
    guard: Numbers,
    class_slot: Numbers,
    class_reached: Numbers,
    state_lowest: Numbers,
    state_reached: Numbers,
    state_sums: Numbers,
) -> None:
    """From slots to states: lowest total (``INFINITE`` beyond ``most``), the sums of the
    configuration that has it, and the lowest total seen to keep within every limit. So far
    ``class_slot`` is -1 and the other three that are named for what they tell ``INFINITE``."""
    width = len(words)
    for place in range(len(slots)):
        index = slots[place]
        home = slot_class[index]
        best = class_slot[home]
        if lowest[index] < LIMIT and (best < 0 or lowest[index] < lowest[best]):
            class_slot[home] = index
        if reached[index] < class_reached[home]:
            class_reached[home] = reached[index]
    for place in range(len(states)):
        state = states[place]
        home = class_of[state]
        best = class_slot[home]
        if best < 0 or state_cost[state] >= LIMIT:
            continue
        whole = lowest[best] - class_cost[home] + state_cost[state]
        if whole > most:
            continue
        state_lowest[state] = whole
        swapped = class_state[home]
        fits = True
        for word in range(width):
            sums = (
                lowest_used[best * width + word]
                - state_used[swapped * width + word]
                + state_used[state * width + word]
            )
            state_sums[state * width + word] = sums
            if (room[word] - sums) & guard[word] != guard[word]:
                fits = False
        if state == swapped:
            state_reached[state] = class_reached[home]
        elif fits:
            state_reached[state] = whole


@kernel
def fixed_slots(slots: Numbers, slot_block: Numbers, lowest: Numbers, blocks: int) -> Numbers:
    """Which of the ``slots`` have a lowest total as the only ones of their block."""
    several = np.zeros(blocks, dtype=np.int64)
    for place in range(len(slots)):
        several[slot_block[slots[place]]] += lowest[slots[place]] < LIMIT
    fixed = np.empty(len(slots), dtype=np.uint32)
    number = 0
    for place in range(len(slots)):
        index = slots[place]
        if lowest[index] < LIMIT and several[slot_block[index]] == 1:
            fixed[number] = index
            number += 1
    return fixed[:number].copy()


@kernel
def find_binding(
    use: Numbers,
    states: Numbers,
    allowed: Numbers,
    block_start: Numbers,
    limit: Numbers,
    most: Numbers,
    binding: Numbers,
) -> bool:
    """``binding[j]``: whether some choice of allowed states, one per block, uses more of row
    ``j`` than its limit; answers whether any row is. All that is allowed stands in
    ``states``, in order. ``use[state, j]`` is never negative; ``most`` is working room."""
    rows = len(limit)
    for row in range(rows):
        most[row] = 0
        most[rows + row] = 0
    home = 0
    for place in range(len(states)):
        state = states[place]
        if state >= block_start[home + 1]:
            while state >= block_start[home + 1]:
                home += 1
            for row in range(rows):
                most[row] += most[rows + row]
                most[rows + row] = 0
        if allowed[state]:
            for row in range(rows):
                most[rows + row] = max(most[rows + row], use[state, row])
    found = False
    for row in range(rows):
        binding[row] = most[row] + most[rows + row] > limit[row]
        found |= binding[row]
    return found


@kernel
def sweep_carrying(
    class_of: Numbers,
    slot_class: Numbers,
    slot_extra: Numbers,
    state_cost: Numbers,
    state_used: Numbers,
    words: Words,
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    slots: Numbers,
    states: Numbers,
    most: int,
    room: Numbers,
    guard: Numbers,
    class_cost: Numbers,
    class_state: Numbers,
    slot_cost: Numbers,
    slot_used: Numbers,
    up: Numbers,
    up_used: Numbers,
    down: Numbers,
    down_used: Numbers,
    lowest: Numbers,
    lowest_used: Numbers,
    reached: Numbers,
    class_slot: Numbers,
    class_reached: Numbers,
    state_lowest: Numbers,
    state_reached: Numbers,
    state_sums: Numbers,
) -> int:
    """Up and down with what is used up, from the charges of all states to the lowest totals
    with each. Answers how many edges are alive, -1 if no configuration costs at most
    ``most``. One call costs less than five."""
    pick_states(
        class_of,
        slot_class,
        slot_extra,
        state_cost,
        state_used,
        words,
        slots,
        states,
        class_cost,
        class_state,
        slot_cost,
        slot_used,
    )
    sweep_up_carrying(start, conjunction, slot, target, slot_cost, slot_used, words, up, up_used)
    total = total_of(roots, up)
    if total > most:
        return -1
    living = sweep_down_carrying(
        start,
        conjunction,
        slot,
        target,
        roots,
        slot_cost,
        slot_used,
        words,
        total,
        most,
        room,
        guard,
        up,
        up_used,
        down,
        down_used,
        lowest,
        lowest_used,
        reached,
    )
    clear_states(class_slot, class_reached, state_lowest, state_reached)
    settle_states_carrying(
        class_of,
        slot_class,
        class_cost,
        class_state,
        lowest,
        lowest_used,
        reached,
        state_cost,
        state_used,
        words,
        slots,
        states,
        most,
        room,
        guard,
        class_slot,
        class_reached,
        state_lowest,
        state_reached,
        state_sums,
    )
    return living
