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
    charging_of,
    compact,
    placement_of,
    reading_of,
    settle_values,
)
from configurator.engine.diagram.layout import (
    answers_of,
    question_of,
    ranked_of,
    sums_of,
    swept_of,
    tied_of,
)
from configurator.engine.diagram.paired import settle_pairs, sweep_pairs

NOTHING = -1
"""Instead of living edges: no configuration is left."""

FREE = -2
"""Instead of living edges: no sum can be broken."""


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
def prove(
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
    pins: Numbers,
    constant: int,
    ties: int,
    mixing: bool,
    paired: bool,
    scale: int,
    turns: int,
    budget: int,
    sparse: float,
    waiting: float,
    choices: int,
    working: Numbers,
    at: Numbers,
    flags: Numbers,
    value_lowest: Numbers,
) -> tuple[int, int, int, int, bool]:
    """Pins in, what one sweep proves out: which values are valid (``flags[0]``) or still
    undecided (``flags[1]``), the lowest totals of both (``value_lowest``) and whether those are
    reached (``flags[2]``). What is known to be ``impossible`` is neither. With ``paired`` the
    same sweep mixes all sums alike. With ``mixing`` then ``mix`` for what is open still; but
    not if a smaller share of the ``choices`` edges than ``waiting`` is alive, so that a part
    can be made of them first. The lowest ``ties`` bits of what is charged only break ties.

    Answers how many edges are alive, or ``NOTHING``; how many values the charges alone left
    open, how many are so still and how many were found impossible (see ``mix``); and whether
    mixtures are still to be swept."""
    valid, undecided, exact = flags[0], flags[1], flags[2]
    placement = placement_of(fixed, fixed_at)
    reading = reading_of(fixed, fixed_at)
    class_of, slot_class = charging_of(fixed, fixed_at)[:2]
    state_tied, extra_tied = tied_of(fixed, fixed_at)
    state_used, fields, limit, heaviest = sums_of(fixed, fixed_at)[1:5]
    cost, allowed, proven, active, room, guard = question_of(working, at)
    ranked = ranked_of(working, at)
    answer, answer_reached, _, _, opened = answers_of(working, at)
    alone = reading[1]
    state_lowest, state_reached = swept_of(working, at)[13:15]
    for state in range(len(cost)):
        cost[state] = state_tied[state]
    charge_pins(*placement, pins, INFINITE, 0, cost)
    for row in range(len(limit)):
        active[row] = True
    set_bounds(fields, limit, heaviest, active, room, guard)
    if paired:
        living = sweep_pairs(
            fixed,
            fixed_at,
            words,
            start,
            conjunction,
            slot,
            target,
            roots,
            slots,
            states,
            impossible,
            working,
            at,
        )
    else:
        living = sweep_carrying(
            class_of,
            slot_class,
            extra_tied,
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
            *swept_of(working, at),
        )
    if living < 0:
        return NOTHING, 0, 0, 0, False
    for state in range(len(cost)):
        allowed[state] = state_lowest[state] < LIMIT
        proven[state] = state_reached[state] < LIMIT
    settle_values(*placement, *reading, state_lowest, *ranked, answer)
    settle_values(*placement, *reading, state_reached, *ranked, answer_reached)
    for place in range(len(impossible)):
        answer[impossible[place]] = INFINITE
        state = alone[impossible[place]]
        if state >= 0:
            allowed[state] = False
    several = 0
    for index in range(len(answer)):
        whole = answer[index]
        valid[index] = answer_reached[index] < LIMIT
        undecided[index] = whole < LIMIT and not valid[index]
        exact[index] = whole >= LIMIT or answer_reached[index] == whole
        value_lowest[index] = (whole >> ties) + constant if whole < LIMIT else -1
        opened[several] = index
        several += undecided[index]
    left = several
    if several and paired:
        settle_pairs(fixed, fixed_at, words, slots, states, working, at)
        left = settle_open(
            placement, reading, ranked, allowed, proven, cost, answer, opened, several, flags
        )
        if not left:
            return living, several, 0, close_open(opened, several, flags, value_lowest), False
    if not left or not mixing or living < waiting * choices:
        return living, several, left, 0, left > 0 and mixing
    left, found = mix(
        fixed,
        fixed_at,
        words,
        start,
        conjunction,
        slot,
        target,
        roots,
        slots,
        states,
        scale,
        1 if paired else 0,
        turns,
        budget,
        sparse,
        choices,
        living,
        several,
        working,
        at,
        flags,
        value_lowest,
    )
    return living, several, left, found, False


@kernel
def settle_open(
    placement: tuple[Numbers, Numbers, Numbers, Numbers, Numbers, Numbers, Numbers],
    reading: tuple[Numbers, Numbers, Numbers, Numbers],
    ranked: tuple[Numbers, Numbers, Numbers],
    allowed: Numbers,
    proven: Numbers,
    cost: Numbers,
    answer: Numbers,
    opened: Numbers,
    several: int,
    flags: Numbers,
) -> int:
    """What is known of the states, said of the first ``several`` of the ``opened`` values that
    are undecided still; answers how many remain so. Of all states with a value the one that
    is known best says what it is."""
    valid, undecided = flags[0], flags[1]
    alone = reading[1]
    shared = False
    for place in range(several):
        state = alone[opened[place]]
        shared |= state < 0
        if state >= 0:
            answer[opened[place]] = (0 if proven[state] else 1) if allowed[state] else INFINITE
    if shared:
        for state in range(len(allowed)):
            cost[state] = (0 if proven[state] else 1) if allowed[state] else INFINITE
        settle_values(*placement, *reading, cost, *ranked, answer)
    left = 0
    for place in range(several):
        index = opened[place]
        if undecided[index]:
            valid[index] = answer[index] == 0
            undecided[index] = answer[index] == 1
            left += undecided[index]
    return left


@kernel
def close_open(opened: Numbers, several: int, flags: Numbers, value_lowest: Numbers) -> int:
    """Answers how many of the first ``several`` of the ``opened`` values turned out to be
    impossible, and puts those first. ``value_lowest`` and whether it is reached are set to
    match."""
    valid, undecided, exact = flags[0], flags[1], flags[2]
    found = 0
    for place in range(several):
        index = opened[place]
        if not valid[index]:
            exact[index] = True
            if not undecided[index]:
                value_lowest[index] = -1
                opened[found] = index
                found += 1
    return found


@kernel
def mix(
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
    scale: int,
    first_turn: int,
    turns: int,
    budget: int,
    sparse: float,
    choices: int,
    living: int,
    several: int,
    working: Numbers,
    at: Numbers,
    flags: Numbers,
    value_lowest: Numbers,
) -> tuple[int, int]:
    """Sweep mixtures of the sums until every value is decided, at most ``turns`` of them (of which
    ``first_turn`` are done) and ``budget`` edges; to be called after ``prove``, with what that
    said of the values: ``several`` of them were open. Answers how many are still, and how many
    were found impossible (``close_open``).

    ``living`` of the ``choices`` edges of choice nodes were alive after the first sweep.
    Where a share smaller than ``sparse`` is, the living ones are copied and swept instead."""
    placement = placement_of(fixed, fixed_at)
    reading = reading_of(fixed, fixed_at)
    class_of, slot_class = charging_of(fixed, fixed_at)[:2]
    block_start = placement[1]
    state_use, state_used, fields, limit, heaviest, nothing = sums_of(fixed, fixed_at)
    cost, allowed, proven, active, room, guard = question_of(working, at)
    swept_in = swept_of(working, at)
    slot_cost, up, down = swept_in[2], swept_in[4], swept_in[6]
    state_lowest, state_reached, state_sums = swept_in[13:]
    ranked = ranked_of(working, at)
    answer, _, multipliers, heavy, opened = answers_of(working, at)
    rows = len(limit)
    weights = np.ones(rows)
    swept = living
    most = 0
    left = several
    for turn in range(first_turn, turns):
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
                nothing,
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
                *swept_in,
            )
            for state in range(len(allowed)):
                if living < 0 or state_lowest[state] >= LIMIT:
                    allowed[state] = False
                if living >= 0 and state_reached[state] < LIMIT:
                    proven[state] = True
            swept += living
        left = settle_open(
            placement, reading, ranked, allowed, proven, cost, answer, opened, several, flags
        )
        if not left:
            break
        if living < sparse * choices:
            start, conjunction, slot, target, roots, slots, states, choices = compact(
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
                slots[:0],
            )
    return left, close_open(opened, several, flags, value_lowest)


@kernel
def prove_changes(
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
    pins: Numbers,
    hard: int,
    penalty: int,
    working: Numbers,
    at: Numbers,
    answer: Numbers,
    reached: Numbers,
) -> int:
    """A sweep in which every pin but the last ``hard`` may be given up for ``penalty``: for
    every value the lowest total with it, and of those seen to keep within every limit.

    Answers how many edges are alive, ``NOTHING``, or ``FREE`` where no sum can be broken
    whatever is given up. ``active`` of ``working`` says which rows can be."""
    placement = placement_of(fixed, fixed_at)
    reading = reading_of(fixed, fixed_at)
    class_of, slot_class, slot_extra, state_cost = charging_of(fixed, fixed_at)
    state_use, state_used, fields, limit, heaviest = sums_of(fixed, fixed_at)[:5]
    cost, allowed, _, active, room, guard = question_of(working, at)
    for state in range(len(cost)):
        cost[state] = state_cost[state]
    charge_pins(*placement, pins, penalty, hard, cost)
    for state in range(len(cost)):
        allowed[state] = cost[state] < LIMIT
    heavy = answers_of(working, at)[3]
    if not find_binding(state_use, states, allowed, placement[1], limit, heavy, active):
        return FREE
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
        *swept_of(working, at),
    )
    if living < 0:
        return NOTHING
    ranked = ranked_of(working, at)
    state_lowest, state_reached = swept_of(working, at)[13:15]
    settle_values(*placement, *reading, state_lowest, *ranked, answer)
    settle_values(*placement, *reading, state_reached, *ranked, reached)
    return living


@kernel
def read_changes(
    answer: Numbers,
    reached: Numbers,
    flags: Numbers,
    hard_lowest: Numbers,
    root: Numbers,
    floor: int,
    penalty: int,
    constant: int,
    exact: bool,
    lightest: Numbers,
    changes: Numbers,
    repaired: Numbers,
    sure: Numbers,
) -> tuple[int, int]:
    """Take apart what ``prove_changes`` found, beside what ``prove`` did (``flags``: valid,
    undecided, whether the lowest total is reached; ``hard_lowest``): ``changes``, the lowest
    total with so many (``repaired``) and whether that is reached (``sure``). A number of changes
    counts where a configuration within every limit gives up so many: the one reached, or the
    ``lightest``. What is not in ``root`` is impossible whatever is given up.

    Answers how many do not count, and of how many values something is left open."""
    valid, undecided, hard_exact = flags[0], flags[1], flags[2]
    others = 0
    left = 0
    for index in range(len(answer)):
        changes[index] = -1
        repaired[index] = -1
        sure[index] = exact
        if valid[index]:
            changes[index] = 0
            repaired[index] = hard_lowest[index]
            sure[index] = hard_exact[index]
        elif undecided[index]:
            changes[index] = -2
        elif root[index] and answer[index] < LIMIT:
            given_up = max(answer[index] - floor, 0) // penalty
            at_least = max(reached[index] - floor, 0) // penalty
            if given_up > 0 and (at_least == given_up or lightest[index] == given_up):
                changes[index] = given_up
                repaired[index] = answer[index] - given_up * penalty + constant
                sure[index] = exact and reached[index] == answer[index]
            else:
                changes[index] = -2
                others += given_up > 0
        if changes[index] == -2 or (changes[index] >= 0 and not sure[index]):
            left += 1
    return others, left
