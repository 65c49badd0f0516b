"""What a reason costs: solver questions per minimal conflict, and the time of repairs.

On seeded walks of random choices, options that are no longer valid are asked for; each
conflict is what the engine tells the customer, minimal over choices, facts and rules.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from pysat.solvers import Solver

from benchmarks import inputs
from benchmarks.figures import Row
from configurator.engine import Engine, compile_product
from configurator.engine.sat import probe
from configurator.model.choice import Choice, Choices

ASKED = 60
"""Refused choices each product is asked about."""

CHOSEN = 12
"""Choices made before one is refused, at the most."""


@contextmanager
def counted() -> Iterator[list[int]]:
    """Counts the answers of all solvers in its one cell, those about the whole product and
    those about few of its clauses."""
    cell = [0]
    asking, solving = probe.ask, Solver.solve

    def ask(*arguments: Any) -> bool | None:
        cell[0] += 1
        return asking(*arguments)

    def solve(solver: Any, *arguments: Any, **options: Any) -> Any:
        cell[0] += 1
        return solving(solver, *arguments, **options)

    with mock.patch.object(probe, "ask", ask), mock.patch.object(Solver, "solve", solve):
        yield cell


def refused(engine: Engine, seed: int) -> tuple[Choices, Choice] | None:
    """Random choices and an option they rule out; ``None`` where they rule none out."""
    randomness = random.Random(seed)
    computed = {each.id for each in engine.product.variables if each.kind == "computed"}
    choices: Choices = ()
    for _ in range(randomness.randint(2, CHOSEN)):
        view = engine.view(choices)
        open_slots = [
            slot
            for slot in view.slots
            if slot.state == "open" and slot.options and slot.variable not in computed
        ]
        if not open_slots:
            break
        slot = randomness.choice(open_slots)
        possible = [option.answer for option in slot.options if option.state == "possible"]
        if possible:
            choices = (*choices, Choice(slot.slot, randomness.choice(possible)))
    chosen = {choice.slot for choice in choices}
    ruled_out = [
        Choice(slot.slot, option.answer)
        for slot in engine.view(choices).slots
        for option in slot.options
        if slot.slot not in chosen
        and slot.variable not in computed
        and option.state == "needs changes"
    ]
    return (choices, randomness.choice(ruled_out)) if ruled_out else None


def measure(title: str, path: Path) -> Row:
    """One line: questions and milliseconds per conflict, milliseconds per three repairs."""
    engine = compile_product(inputs.product_of(path), inputs.DAY)
    questions: list[int] = []
    conflicts: list[float] = []
    repairs: list[float] = []
    sizes: list[int] = []
    seed = 0
    while len(questions) < ASKED and seed < 4 * ASKED:
        seed += 1
        found = refused(engine, seed)
        if found is None:
            continue
        choices, wanted = found
        with counted() as cell:
            begin = time.perf_counter()
            conflict = engine.conflict(choices, wanted)
            conflicts.append((time.perf_counter() - begin) * 1000)
            questions.append(cell[0])
        sizes.append(len(conflict.choices) + len(conflict.rules))
        begin = time.perf_counter()
        engine.repairs(choices, wanted, (), 3)
        repairs.append((time.perf_counter() - begin) * 1000)
    name = f"{title}: solver questions per conflict"
    if not questions:
        return Row(name, "<= 3", "nothing was refused", None)
    median = _of(questions, 50)
    print(
        f"  {title:<16} {len(questions):3d} conflicts of {_of(sizes, 50):.0f} (most {max(sizes)})"
        f"  solver questions: median {median:.0f}, p99 {_of(questions, 99):.0f}"
        f"  conflict {_of(conflicts, 50):.2f} / {_of(conflicts, 99):.2f} ms"
        f"  3 repairs {_of(repairs, 50):.2f} / {_of(repairs, 99):.2f} ms"
    )
    return Row(name, "<= 3", f"median {median:.0f}, p99 {_of(questions, 99):.0f}", median <= 3)


def _of(numbers: list[int] | list[float], percent: int) -> float:
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def run() -> list[Row]:
    """The shipped bicycle and, where they are at hand, real models."""
    print("what a minimal conflict and three repairs cost (median / p99)")
    rows = [measure("trail-bike", Path(__file__).parents[1] / "rules" / "trail-bike")]
    for name in ("renault-medium", "busybox"):
        path = inputs.real(name)
        if path is None:
            print(f"  {name}: skipped, the real models are not here (set CONFIGURATOR_MODELS)")
            rows.append(Row(f"{name}: solver questions per conflict", "<= 3", "not here", None))
        else:
            rows.append(measure(name, path))
    return rows
