"""The loops of a click with sums beside the diagram: the first sweep, and mixtures of sums.

One call each, because many small ones would take longer than the sweeps themselves; the
sweep is that of ``carrying``, the reason for mixtures stands in ``summed``. All numbers
that decide are whole numbers; weights are not, and only say which mixture is tried next.
"""

from __future__ import annotations

import numpy as np

from configurator.engine.diagram.carrying import (
    Words,
    find_binding,
    sweep_carrying,
)
from configurator.engine.diagram.jit import kernel
from configurator.engine.diagram.kernels import (
    INFINITE,
    LIMIT,
    Numbers,
    charge_pins,
    compact,
    settle_values,
)

NOTHING = -1
"""Instead of living edges: no configuration is left."""


@kernel
def set_bounds(
    fields: Numbers,
    limit: Numbers,
    heaviest: Numbers,
    active: Numbers,
    room: Numbers,
    guard: Numbers,
) -> None:
    """``room`` and ``guard`` of each packed integer (see ``carrying``); rows that are not
    active fit whatever they come to. ``fields[j]``: word, shift and bits of row ``j``."""
    for word in range(len(room)):
        room[word] = 0
        guard[word] = 0
    for row in range(len(limit)):
        word = fields[row, 0]
        shift = fields[row, 1]
        top = 1 << (shift + fields[row, 2] - 1)
        bound = limit[row] if active[row] else heaviest[row]
        room[word] += top + (max(bound, 0) << shift)
        guard[word] += top


@kernel
def set_multipliers(
    limit: Numbers, active: Numbers, weights: Numbers, scale: int, multipliers: Numbers
) -> None:
    """Whole multipliers whose limits come to about ``scale`` together, in proportion to the
    weights; 0 for rows that are not active."""
    total = 0.0
    for row in range(len(limit)):
        if active[row]:
            total += weights[row]
    for row in range(len(limit)):
        multipliers[row] = 0
        if active[row]:
            share = scale * (weights[row] / total)
            multipliers[row] = int(np.rint(share / max(limit[row], 1)))


@kernel
def steer(
    fields: Numbers,
    limit: Numbers,
    active: Numbers,
    words: Words,
    states: Numbers,
    allowed: Numbers,
    proven: Numbers,
    state_sums: Numbers,
    turn: int,
    weights: Numbers,
) -> None:
    """Weigh more what the cheapest completions of open states use too much of, by turns
    on average and for the first of them (multiplicative weights: Arora, Hazan and Kale,
    2012; the growth is a rational one, the same on every machine)."""
    width = len(words)
    growth = 10.0
    for _ in range((turn - 1) // 3):
        growth *= 0.7
    rows = 0
    total = 0.0
    for row in range(len(limit)):
        if not active[row]:
            continue
        word = fields[row, 0]
        shift = fields[row, 1]
        mask = (1 << fields[row, 2]) - 1
        used = 0
        counted = 0
        for place in range(len(states)):
            state = states[place]
            if allowed[state] and not proven[state]:
                used += (state_sums[state * width + word] >> shift) & mask
                counted += 1
                if turn % 2 == 0:
                    break
        step = growth * (used / (max(limit[row], 1) * max(counted, 1)) - 1.0)
        step = min(max(step, -1.5), 1.5)
        if step > 0:
            weights[row] *= 1 + step + step * step / 2
        else:
            weights[row] /= 1 - step + step * step / 2
        rows += 1
        total += weights[row]
    for row in range(len(limit)):
        if active[row]:
            weights[row] = max(weights[row] * rows / total, 1e-3)


@kernel
def first_sweep(
    class_of: Numbers,
    slot_class: Numbers,
    slot_extra: Numbers,
    state_cost: Numbers,
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
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    slots: Numbers,
    states: Numbers,
    pins: Numbers,
    state_use: Numbers,
    state_used: Numbers,
    words: Words,
    fields: Numbers,
    limit: Numbers,
    heaviest: Numbers,
    constant: int,
    cost: Numbers,
    allowed: Numbers,
    proven: Numbers,
    active: Numbers,
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
    block_best: Numbers,
    block_second: Numbers,
    block_winner: Numbers,
    answer: Numbers,
    answer_reached: Numbers,
    valid: Numbers,
    undecided: Numbers,
    exact: Numbers,
    value_lowest: Numbers,
) -> tuple[int, bool]:
    """Pins in, what one sweep proves out: which values are valid or still ``undecided``, the
    lowest totals of both (``value_lowest``) and whether those are reached.

    Answers how many edges are alive, or ``NOTHING``; and whether some value is open."""
    for state in range(len(cost)):
        cost[state] = state_cost[state]
    charge_pins(
        block,
        block_start,
        state_start,
        state_value,
        odd_state,
        odd_value,
        common_value,
        pins,
        INFINITE,
        0,
        cost,
    )
    for row in range(len(limit)):
        active[row] = True
    set_bounds(fields, limit, heaviest, active, room, guard)
    living = sweep_carrying(
        class_of,
        slot_class,
        slot_extra,
        cost,
        state_used,
        words,
        start,
        conjunction,
        slot,
        target,
        roots,
        slots,
        states,
        LIMIT - 1,
        room,
        guard,
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
    )
    if living < 0:
        return NOTHING, False
    for state in range(len(cost)):
        allowed[state] = state_lowest[state] < LIMIT
        proven[state] = state_reached[state] < LIMIT
    settle_values(
        block,
        block_start,
        state_start,
        state_value,
        odd_state,
        odd_value,
        common_value,
        offset,
        alone,
        several,
        ranked,
        state_lowest,
        block_best,
        block_second,
        block_winner,
        answer,
    )
    settle_values(
        block,
        block_start,
        state_start,
        state_value,
        odd_state,
        odd_value,
        common_value,
        offset,
        alone,
        several,
        ranked,
        state_reached,
        block_best,
        block_second,
        block_winner,
        answer_reached,
    )
    is_open = False
    for index in range(len(answer)):
        whole = answer[index]
        valid[index] = answer_reached[index] < LIMIT
        undecided[index] = whole < LIMIT and not valid[index]
        exact[index] = whole >= LIMIT or answer_reached[index] == whole
        value_lowest[index] = whole + constant if whole < LIMIT else -1
        is_open |= undecided[index]
    return living, is_open


@kernel
def mix(
    class_of: Numbers,
    slot_class: Numbers,
    slot_extra: Numbers,
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
    start: Numbers,
    conjunction: Numbers,
    slot: Numbers,
    target: Numbers,
    roots: Numbers,
    slots: Numbers,
    states: Numbers,
    state_use: Numbers,
    state_used: Numbers,
    words: Words,
    fields: Numbers,
    limit: Numbers,
    heaviest: Numbers,
    scale: int,
    turns: int,
    budget: int,
    sparse: float,
    choices: int,
    living: int,
    cost: Numbers,
    allowed: Numbers,
    proven: Numbers,
    active: Numbers,
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
    block_best: Numbers,
    block_second: Numbers,
    block_winner: Numbers,
    answer: Numbers,
    answer_reached: Numbers,
    weights: Numbers,
    multipliers: Numbers,
    heavy: Numbers,
    valid: Numbers,
    undecided: Numbers,
    exact: Numbers,
    value_lowest: Numbers,
) -> tuple[bool, bool]:
    """Sweep mixtures of the sums until every value is decided, at most ``turns`` of them and
    ``budget`` edges: ``valid`` values and those still ``undecided``. Answers whether some are
    undecided, and whether some are undecided or valid. ``exact`` and ``value_lowest`` of those
    that turn out impossible are set to match.

    ``living`` of the ``choices`` edges of choice nodes were alive after the first sweep.
    Where a share smaller than ``sparse`` is, the living ones are copied and swept instead."""
    rows = len(limit)
    for row in range(rows):
        weights[row] = 1.0
    swept = living
    is_open = True
    for turn in range(turns):
        bound = find_binding(state_use, states, allowed, block_start, limit, heavy, active)
        if bound and swept + living > budget:
            break
        if not bound:
            for state in range(len(allowed)):
                proven[state] = allowed[state]
            living = 0
        else:
            if turn:
                steer(
                    fields,
                    limit,
                    active,
                    words,
                    states,
                    allowed,
                    proven,
                    state_sums,
                    turn,
                    weights,
                )
            set_multipliers(limit, active, weights, scale, multipliers)
            set_bounds(fields, limit, heaviest, active, room, guard)
            most = 0
            for row in range(rows):
                most += multipliers[row] * limit[row]
            for place in range(len(states)):
                state = states[place]
                cost[state] = 0 if allowed[state] else INFINITE
                for row in range(rows):
                    cost[state] += multipliers[row] * state_use[state, row]
            living = sweep_carrying(
                class_of,
                slot_class,
                slot_extra,
                cost,
                state_used,
                words,
                start,
                conjunction,
                slot,
                target,
                roots,
                slots,
                states,
                most,
                room,
                guard,
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
            )
            for state in range(len(allowed)):
                allowed[state] = allowed[state] and living >= 0 and state_lowest[state] < LIMIT
                proven[state] = proven[state] or (living >= 0 and state_reached[state] < LIMIT)
            swept += living
        # Of all states with a value the one that is known best says what it is.
        for state in range(len(allowed)):
            cost[state] = (0 if proven[state] else 1) if allowed[state] else INFINITE
        settle_values(
            block,
            block_start,
            state_start,
            state_value,
            odd_state,
            odd_value,
            common_value,
            offset,
            alone,
            several,
            ranked,
            cost,
            block_best,
            block_second,
            block_winner,
            answer,
        )
        is_open = False
        for index in range(len(answer)):
            valid[index] = answer[index] == 0
            undecided[index] = answer[index] == 1
            is_open |= undecided[index]
        if not is_open:
            break
        if living < sparse * choices:
            start, conjunction, slot, target, roots, slots, states = compact(
                start,
                conjunction,
                slot,
                target,
                roots,
                slot_cost,
                most,
                up,
                down,
                state_lowest,
            )
            choices = living
    some = False
    for index in range(len(valid)):
        some |= valid[index] or undecided[index]
        if not valid[index]:
            exact[index] = True
            if not undecided[index]:
                value_lowest[index] = -1
    return is_open, some
