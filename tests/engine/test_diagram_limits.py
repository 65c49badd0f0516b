"""What does not compile is refused in time, naming the rules that made it wide."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from configurator.engine.diagram import CompileProgress, TooWideError, compile_diagram
from configurator.engine.network import (
    Clause,
    Constraint,
    CostFunction,
    LinearSum,
    Network,
    NetworkVariable,
)
from tests.engine.test_diagram_oracle import random_network


def wide_sum(count: int, values: int = 4) -> LinearSum:
    random = np.random.default_rng(7)
    weights = tuple(tuple(int(w) for w in random.integers(0, 10**6, values)) for _ in range(count))
    return LinearSum(tuple(range(count)), weights, None, 5 * 10**5 * count, 1)


def test_one_sum_alone_can_be_too_wide() -> None:
    variables = tuple(NetworkVariable(f"v{v}", (1,) * 60) for v in range(6))
    small = Clause(((0, frozenset({1})), (1, frozenset({2}))), 0)
    network = Network(variables, (small, wide_sum(6, 60)), ("small", "weight"))
    with pytest.raises(TooWideError) as refusal:
        compile_diagram(network, max_edges=80_000)
    assert refusal.value.owners == ("weight",)
    assert refusal.value.reason == "states"


def test_a_sum_over_many_variables_stays_beside_the_diagram() -> None:
    variables = tuple(NetworkVariable(f"v{v}", (1,) * 4) for v in range(30))
    small = Clause(((0, frozenset({1})), (1, frozenset({2}))), 0)
    network = Network(variables, (small, wide_sum(30)), ("small", "weight"))
    backend = compile_diagram(network, max_edges=80_000)
    assert len(backend.diagram.sum_limit) == 1
    assert backend.marginals(()).valid.all()


def test_rules_that_are_wide_together_are_named() -> None:
    random = np.random.default_rng(1)
    constraints: list[Constraint] = []
    for owner in range(200):
        scope = sorted(random.choice(60, 3, replace=False).tolist())
        literals = tuple((v, frozenset({int(random.integers(0, 2))})) for v in scope)
        constraints.append(Clause(literals, owner))
    variables = tuple(NetworkVariable(f"v{v}", (1, 1)) for v in range(60))
    owners = tuple(f"rule-{owner}" for owner in range(200))
    with pytest.raises(TooWideError) as refusal:
        compile_diagram(Network(variables, tuple(constraints), owners), max_nodes=2_000)
    assert refusal.value.reason == "nodes"
    assert 1 <= len(refusal.value.owners) <= 8
    assert set(refusal.value.owners) <= set(owners)
    assert refusal.value.owners[0] in str(refusal.value)


def test_no_time_is_no_diagram() -> None:
    with pytest.raises(TooWideError) as refusal:
        compile_diagram(random_network(1, 40, 4, 60), seconds=0.0)
    assert refusal.value.reason == "seconds"


def test_charges_beyond_the_arithmetic_are_refused() -> None:
    costs = (CostFunction((0,), (0, 1 << 58), "gold"),)
    with pytest.raises(TooWideError) as refusal:
        compile_diagram(Network((NetworkVariable("v", (1, 1)),), (), (), costs))
    assert refusal.value.reason == "charges"


def test_progress_is_told() -> None:
    seen: list[CompileProgress] = []
    compile_diagram(random_network(2, 40, 4, 60), orders=1, progress=seen.append)
    assert seen
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[-1].done == seen[-1].rules


def test_answers_stay_within_their_arrays(tmp_path: Path) -> None:
    """The loops again, compiled with bounds checks, in a process of their own."""
    script = """
from configurator.engine.diagram import backend as module
from configurator.engine.diagram import compile_diagram, compiler
from tests.engine.test_diagram_oracle import random_network
from tests.engine.test_diagram_sums import budgeted, heavier

for seed in range(3):
    backend = compile_diagram(random_network(seed, 30, 5, 45), orders=1)
    for pins in ((), ((0, 0),), ((0, 1), (4, 1), (9, 0))):
        backend.marginals(pins, changes=True)
        backend.marginals(pins)
        backend.count(pins)
        backend.cheapest(pins)
compiler.WIDE_SUM, compiler.NARROW = 0, 0
compiler.MODEST, module.WORTH, module.SMALLEST = -1, 1, 1
module.LEFT, module.MARKED = 1.1, 1
for seed in range(3):
    backend = compile_diagram(budgeted(seed, 20, 3, 1.1), orders=1)
    for pins in ((), ((0, 0),), ((0, 0), (1, 1))):
        for settle in (False, True):
            backend.marginals(pins, changes=True, settle=settle)
        backend.count(pins)
        backend.cheapest(pins)
for bits in (0, 14):
    backend = compile_diagram(heavier(budgeted(4, 24, 3, 1.3), bits), orders=1)
    pins, offset = (), backend.diagram.offset.tolist()
    for variable in range(16):
        valid = backend.marginals(pins).valid
        backend.marginals(pins, settle=False)
        here = valid[offset[variable] : offset[variable + 1]]
        pins = (*pins, (variable, int(here.argmax())))
    parts = [part for _, part in backend._settled._kept.values()]
    assert len(parts) > 8 and any(part.limited for part in parts)
    assert any(len(part.roots) > len(backend.diagram.roots) for part in parts)
print("within")
"""
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": str(root),
    }
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == "within", run.stderr


def test_nothing_is_left_to_compile_after_warming() -> None:
    """In a process of its own, where no other test has called the loops yet."""
    script = """
from configurator.engine.diagram import backend as module
from configurator.engine.diagram import (
    apart, carrying, cheapest, compile_diagram, compiler, counting, graph, kernels, mixing, paired
)
from configurator.engine.diagram.twofold import TwofoldDiagram
from tests.engine.test_diagram_oracle import random_network
from tests.engine.test_diagram_sums import budgeted

def compiled():
    modules = (apart, carrying, cheapest, counting, graph, kernels, mixing, paired)
    loops = [loop for each in modules for loop in vars(each).values() if hasattr(loop, "py_func")]
    return {loop.py_func.__name__: len(loop.signatures) for loop in loops}

def ask(backend):
    backend.warm()
    warm = compiled()
    for pins in ((), ((0, 0),), ((0, 0), (1, 1)), ((0, 0), (1, 1), (2, 0))):
        for settle in (False, True):
            backend.marginals(pins, changes=True, settle=settle)
            backend.marginals(pins, settle=settle)
        backend.count(pins)
        backend.cheapest(pins)
    return {name for name, number in compiled().items() if number != warm[name]}

module.WORTH, module.SMALLEST, module.LEFT, module.MARKED = 1, 1, 1.1, 1
wide = compiler.WIDE_SUM, compiler.NARROW
compiler.WIDE_SUM, compiler.NARROW, compiler.SMALLER, compiler.LARGE = 0, 0, 0, 0
pair = compile_diagram(budgeted(2, 12, 2, 1.0), orders=1)
assert isinstance(pair, TwofoldDiagram)
print(ask(pair))
compiler.WIDE_SUM, compiler.NARROW = wide
print(ask(compile_diagram(random_network(1, 30, 5, 45), orders=1)))
compiler.WIDE_SUM, compiler.NARROW, compiler.MODEST = 0, 0, -1
print(ask(compile_diagram(budgeted(1, 20, 3, 1.1), orders=1)))
"""
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.split("\n") == ["set()", "set()", "set()", ""], run.stdout + run.stderr
