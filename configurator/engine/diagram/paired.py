"""Two sweeps in one: what is charged, and beside it all sums mixed alike.

Where the cheapest configurations break limits, a click needs both, and to follow every edge
once costs two thirds of following it twice. As in ``carrying``, whose settling follows; of
each pair of arrays the first belongs to the charges, the second to the mixture.
"""

from __future__ import annotations

import numpy as np

from configurator.engine.diagram.carrying import (
    Words,
    clear_states,
    settle_states_carrying,
)
from configurator.engine.diagram.jit import kernel
from configurator.engine.diagram.kernels import (
    INFINITE,
    LIMIT,
    Numbers,
    charging_of,
    reading_of,
    total_of,
)
from configurator.engine.diagram.layout import (
    mixture_of,
    open_of,
    paired_of,
    question_of,
    sums_of,
    swept_of,
    tied_of,
)

ONE = np.uint64(1)
"""Unsigned, as all that is found by ``ONE`` and ``width`` then is: an array need not look
whether it is asked for a place counted from its end."""


@kernel
def pick_pairs(
    class_of: Numbers,
    slot_class: Numbers,
    slot_extra: Numbers,
    state_cost: Numbers,
    state_mixed: Numbers,
    state_used: Numbers,
    words: Words,
    slots: Numbers,
    states: Numbers,
    impossible: Numbers,
    class_cost: Numbers,
    class_state: Numbers,
    slot_cost: Numbers,
    slot_used: Numbers,
    class_mixed: Numbers,
    class_lightest: Numbers,
    slot_mixed: Numbers,
    slot_light: Numbers,
) -> None:
    """The cheapest and the lightest of ``states`` of every class, and from them the charge,
    the mixture and the use of each of ``slots``. What costs too much is not mixed; nor are
    ``impossible`` states."""
    width = len(words)
    for index in range(len(class_cost)):
        class_cost[index] = INFINITE
        class_mixed[index] = INFINITE
        class_state[index] = 0
        class_lightest[index] = 0
    for place in range(len(states)):
        state = states[place]
        if state_cost[state] < LIMIT:
            home = class_of[state]
            if state_cost[state] < class_cost[home]:
                class_cost[home] = state_cost[state]
                class_state[home] = state
            if state_mixed[state] < class_mixed[home] and not impossible[state]:
                class_mixed[home] = state_mixed[state]
                class_lightest[home] = state
    for place in range(len(slots)):
        index = slots[place]
        home = slot_class[index]
        charged = class_cost[home]
        slot_cost[index] = charged + slot_extra[index] if charged < LIMIT else INFINITE
        slot_mixed[index] = class_mixed[home]
        for word in range(width):
            slot_used[index * width + word] = state_used[class_state[home] * width + word]
            slot_light[index * width + word] = state_used[class_lightest[home] * width + word]


@kernel
def sweep_up_paired(
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    cost: Numbers,
    used: Numbers,
    mixed: Numbers,
    light: Numbers,
    words: Words,
    up: Numbers,
    up_used: Numbers,
    up_mixed: Numbers,
    up_light: Numbers,
) -> None:
    """``up[x]``: the lowest total below node ``x``, ``up_used[x]`` what it uses up;
    ``up_mixed[x]`` and ``up_light[x]``: the same of the lightest mixture."""
    width = np.uint64(len(words))
    up[0] = 0
    up_mixed[0] = 0
    for word in range(width):
        up_used[word] = 0
        up_light[word] = 0
    for node in range(ONE, np.uint64(len(start)) - ONE):
        first = 0
        first_light = 0
        here = node * width
        if conjunction[node]:
            total = 0
            sums = 0
            for edge in range(start[node], start[node + ONE]):
                below = target[edge]
                total = min(INFINITE, total + up[below])
                sums = min(INFINITE, sums + up_mixed[below])
                first += up_used[below * width]
                first_light += up_light[below * width]
            up[node] = total
            up_mixed[node] = sums
            for word in range(ONE, width):
                total = 0
                sums = 0
                for edge in range(start[node], start[node + ONE]):
                    total += up_used[target[edge] * width + word]
                    sums += up_light[target[edge] * width + word]
                up_used[here + word] = total
                up_light[here + word] = sums
        else:
            best = INFINITE
            lightest = INFINITE
            taken = start[node]
            taken_light = start[node]
            for edge in range(start[node], start[node + ONE]):
                below = target[edge]
                chosen = slot[edge]
                whole = cost[chosen] + up[below]
                sums = used[chosen * width] + up_used[below * width]
                better = whole < best
                best = whole if better else best
                first = sums if better else first
                taken = edge if better else taken
                whole = mixed[chosen] + up_mixed[below]
                sums = light[chosen * width] + up_light[below * width]
                better = whole < lightest
                lightest = whole if better else lightest
                first_light = sums if better else first_light
                taken_light = edge if better else taken_light
            up[node] = best
            up_mixed[node] = lightest
            for word in range(ONE, width):
                up_used[here + word] = (
                    used[slot[taken] * width + word] + up_used[target[taken] * width + word]
                )
                up_light[here + word] = (
                    light[slot[taken_light] * width + word]
                    + up_light[target[taken_light] * width + word]
                )
        up_used[here] = first
        up_light[here] = first_light


@kernel
def sweep_down_paired(
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    cost: Numbers,
    used: Numbers,
    mixed: Numbers,
    light: Numbers,
    words: Words,
    total: int,
    total_mixed: int,
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
    up_mixed: Numbers,
    up_light: Numbers,
    down_mixed: Numbers,
    down_light: Numbers,
    least: Numbers,
    least_used: Numbers,
    fitting: Numbers,
) -> int:
    """``lowest``, ``lowest_used`` and ``reached`` as ``carrying`` has them; ``least``,
    ``least_used`` and ``fitting``: the same of the mixture, of which nothing beyond ``most``
    is of interest. Answers how many edges of choice nodes lie on a whole."""
    width = np.uint64(len(words))
    for index in range(len(lowest)):
        lowest[index] = INFINITE
        reached[index] = INFINITE
        least[index] = INFINITE
        fitting[index] = INFINITE
    count = np.uint64(len(start)) - ONE
    for place in range(count):
        down[place] = INFINITE
        down_mixed[place] = INFINITE
    for index in range(len(roots)):
        down[roots[index]] = total - up[roots[index]]
        down_mixed[roots[index]] = total_mixed - up_mixed[roots[index]]
    for word in range(width):
        sums = 0
        mixture = 0
        for index in range(len(roots)):
            sums += up_used[roots[index] * width + word]
            mixture += up_light[roots[index] * width + word]
        for index in range(len(roots)):
            place = roots[index] * width + word
            down_used[place] = sums - up_used[place]
            down_light[place] = mixture - up_light[place]
    first_room = room[0]
    first_guard = guard[0]
    living = 0
    for step in range(ONE, count):
        node = count - step
        above = down[node]
        if above + up[node] >= LIMIT:
            continue
        here = node * width
        first_above = down_used[here]
        above_mixed = down_mixed[node]
        light_above = down_light[here]
        if conjunction[node]:
            whole = above + up[node]
            mixture = above_mixed + up_mixed[node]
            first_whole = first_above + up_used[here]
            light_whole = light_above + up_light[here]
            for edge in range(start[node], start[node + ONE]):
                below = target[edge]
                place = below * width
                rest = whole - up[below]
                if rest < down[below]:
                    down[below] = rest
                    down_used[place] = first_whole - up_used[place]
                    for word in range(ONE, width):
                        down_used[place + word] = (
                            down_used[here + word] + up_used[here + word] - up_used[place + word]
                        )
                rest = mixture - up_mixed[below]
                if rest < down_mixed[below]:
                    down_mixed[below] = rest
                    down_light[place] = light_whole - up_light[place]
                    for word in range(ONE, width):
                        down_light[place + word] = (
                            down_light[here + word] + up_light[here + word] - up_light[place + word]
                        )
        else:
            for edge in range(start[node], start[node + ONE]):
                taken = slot[edge]
                below = target[edge]
                partial = above + cost[taken]
                whole = partial + up[below]
                if whole >= LIMIT:
                    continue
                living += 1
                place = below * width
                chosen = taken * width
                first = first_above + used[chosen]
                if partial < down[below]:
                    down[below] = partial
                    down_used[place] = first
                    for word in range(ONE, width):
                        down_used[place + word] = down_used[here + word] + used[chosen + word]
                # ``reached`` is never below ``lowest``.
                if whole < reached[taken]:
                    first += up_used[place]
                    fits = (first_room - first) & first_guard == first_guard
                    lower = whole < lowest[taken]
                    if lower:
                        lowest[taken] = whole
                        lowest_used[chosen] = first
                    for word in range(ONE, width):
                        sums = down_used[here + word] + used[chosen + word] + up_used[place + word]
                        if lower:
                            lowest_used[chosen + word] = sums
                        if (room[word] - sums) & guard[word] != guard[word]:
                            fits = False
                    if fits:
                        reached[taken] = whole
                partial = above_mixed + mixed[taken]
                whole = partial + up_mixed[below]
                if whole > most:
                    continue
                first = light_above + light[chosen]
                if partial < down_mixed[below]:
                    down_mixed[below] = partial
                    down_light[place] = first
                    for word in range(ONE, width):
                        down_light[place + word] = down_light[here + word] + light[chosen + word]
                if whole < fitting[taken]:
                    first += up_light[place]
                    fits = (first_room - first) & first_guard == first_guard
                    lower = whole < least[taken]
                    if lower:
                        least[taken] = whole
                        least_used[chosen] = first
                    for word in range(ONE, width):
                        sums = (
                            down_light[here + word] + light[chosen + word] + up_light[place + word]
                        )
                        if lower:
                            least_used[chosen + word] = sums
                        if (room[word] - sums) & guard[word] != guard[word]:
                            fits = False
                    if fits:
                        fitting[taken] = whole
    return living


@kernel
def most_mixed(fixed: Numbers, at: Numbers) -> int:
    """What the limits come to, the sums mixed alike."""
    limit = sums_of(fixed, at)[3]
    even = mixture_of(fixed, at)[0]
    most = 0
    for row in range(len(limit)):
        most += even[row] * limit[row]
    return most


@kernel
def sweep_pairs(
    fixed: Numbers,
    fixed_at: Numbers,
    words: Words,
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    slots: Numbers,
    states: Numbers,
    impossible: Numbers,
    working: Numbers,
    at: Numbers,
) -> int:
    """As ``sweep_carrying``, and with it what ``settle_pairs`` reads."""
    class_of, slot_class = charging_of(fixed, fixed_at)[:2]
    extra_tied = tied_of(fixed, fixed_at)[1]
    state_used = sums_of(fixed, fixed_at)[1]
    state_mixed = mixture_of(fixed, fixed_at)[1]
    alone = reading_of(fixed, fixed_at)[1]
    cost, allowed, _, _, room, guard = question_of(working, at)
    (
        class_cost,
        class_state,
        slot_cost,
        slot_used,
        up,
        up_used,
        down,
        down_used,
        lowest,
        lowest_used,
        reached,
        class_slot,
        class_reached,
        state_lowest,
        state_reached,
        state_sums,
    ) = swept_of(working, at)
    (
        class_mixed,
        class_lightest,
        slot_mixed,
        slot_light,
        up_mixed,
        up_light,
        down_mixed,
        down_light,
        least,
        least_used,
        fitting,
    ) = paired_of(working, at)
    barred = allowed
    for state in range(len(barred)):
        barred[state] = 0
    for place in range(len(impossible)):
        state = alone[impossible[place]]
        if state >= 0:
            barred[state] = 1
    pick_pairs(
        class_of,
        slot_class,
        extra_tied,
        cost,
        state_mixed,
        state_used,
        words,
        slots,
        states,
        barred,
        class_cost,
        class_state,
        slot_cost,
        slot_used,
        class_mixed,
        class_lightest,
        slot_mixed,
        slot_light,
    )
    sweep_up_paired(
        start,
        conjunction,
        slot,
        target,
        slot_cost,
        slot_used,
        slot_mixed,
        slot_light,
        words,
        up,
        up_used,
        up_mixed,
        up_light,
    )
    total = total_of(roots, up)
    if total >= LIMIT:
        return -1
    living = sweep_down_paired(
        start,
        conjunction,
        slot,
        target,
        roots,
        slot_cost,
        slot_used,
        slot_mixed,
        slot_light,
        words,
        total,
        total_of(roots, up_mixed),
        most_mixed(fixed, fixed_at),
        room,
        guard,
        up,
        up_used,
        down,
        down_used,
        lowest,
        lowest_used,
        reached,
        up_mixed,
        up_light,
        down_mixed,
        down_light,
        least,
        least_used,
        fitting,
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
        cost,
        state_used,
        words,
        slots,
        states,
        LIMIT - 1,
        room,
        guard,
        class_slot,
        class_reached,
        state_lowest,
        state_reached,
        state_sums,
    )
    return living


@kernel
def settle_pairs(
    fixed: Numbers,
    fixed_at: Numbers,
    words: Words,
    slots: Numbers,
    states: Numbers,
    working: Numbers,
    at: Numbers,
) -> None:
    """What the mixture of ``sweep_pairs`` says of states that are allowed and not proven; sets
    both for those."""
    class_of, slot_class = charging_of(fixed, fixed_at)[:2]
    state_used = sums_of(fixed, fixed_at)[1]
    state_mixed = mixture_of(fixed, fixed_at)[1]
    _, allowed, proven, _, room, guard = question_of(working, at)
    swept = swept_of(working, at)
    # What the charges of classes were is not asked any more.
    class_open, class_slot, class_reached, state_sums = swept[0], swept[11], swept[12], swept[15]
    pairs = paired_of(working, at)
    class_mixed, class_lightest = pairs[:2]
    least, least_used, fitting = pairs[8:]
    state_least, state_fitting, open_slots, open_states = open_of(working, at)
    for index in range(len(class_open)):
        class_open[index] = 0
    several = 0
    for place in range(len(states)):
        state = states[place]
        if allowed[state] and not proven[state]:
            home = class_of[state]
            class_open[home] = 1
            class_slot[home] = -1
            class_reached[home] = INFINITE
            state_least[state] = INFINITE
            state_fitting[state] = INFINITE
            open_states[several] = state
            several += 1
    few = 0
    for place in range(len(slots)):
        open_slots[few] = slots[place]
        few += class_open[slot_class[slots[place]]]
    settle_states_carrying(
        class_of,
        slot_class,
        class_mixed,
        class_lightest,
        least,
        least_used,
        fitting,
        state_mixed,
        state_used,
        words,
        open_slots[:few],
        open_states[:several],
        most_mixed(fixed, fixed_at),
        room,
        guard,
        class_slot,
        class_reached,
        state_least,
        state_fitting,
        state_sums,
    )
    for place in range(several):
        state = open_states[place]
        allowed[state] = state_least[state] < LIMIT
        proven[state] = state_fitting[state] < LIMIT
