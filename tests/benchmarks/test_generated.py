"""What is measured can be measured again: the same models, the same walks, equal answers."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import defusedxml.ElementTree as ElementTree
import numpy as np
import pytest

from benchmarks import figures, generated, inputs
from benchmarks.baselines import LeastChanges, OrToolsOptimum, PythonConstraintLoop, SatLoop
from benchmarks.generated import Shape
from benchmarks.plot import Series, plot
from benchmarks.publishing import given, publish
from benchmarks.walks import DifferentDomainsError, Walk, compare, follow, lead
from configurator.engine.backend import offsets_of
from configurator.engine.diagram import compile_diagram
from configurator.engine.network import LinearSum, Network

TINY = Shape(10, 4, 14, 2, reach=0.6, section=5)

DIGESTS = """
from benchmarks.generated import LOOSE, Shape, feature_model, product
from benchmarks.inputs import small
from configurator.engine.diagram import network_digest
tiny = Shape(10, 4, 14, 2, reach=0.6, section=5)
networks = [product(tiny, 1, limits) for limits in (1.6, LOOSE, None)]
networks += [feature_model(60, 1), small()]
print([network_digest(network) for network in networks])
"""


def test_the_same_under_any_hash_seed() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(printed) == 1


@pytest.mark.parametrize(
    "network",
    [
        generated.product(TINY, 1, generated.LOOSE),
        generated.product(TINY, 2, 1.25),
        generated.feature_model(40, 1),
    ],
    ids=["loose", "tight", "features"],
)
def test_all_engines_walk_alike(network: Network) -> None:
    backend = compile_diagram(network)
    mine = lead(network, lambda pins: backend.marginals(pins).valid, range(2), 6)
    assert len(mine.digests) == len(mine.questions) > 4
    for engine in (SatLoop, PythonConstraintLoop):
        other = engine(network)
        theirs = lead(network, other.domains, range(2), 6)
        assert theirs.questions == mine.questions
        compare(engine.__name__, mine, theirs)


def test_limits_are_so_many_times_the_least() -> None:
    network = generated.product(TINY, 1, 1.5)
    sums = [each for each in network.constraints[-2:] if isinstance(each, LinearSum)]
    assert [network.owners[each.owner] for each in sums] == ["sum0", "sum1"]
    before = Network(network.variables, network.constraints[:-2], network.owners)
    least = OrToolsOptimum(before, ((sums[0].scope, sums[0].weights),)).least()
    assert least is not None
    assert sums[0].high == int(np.ceil(1.5 * least))


def test_baselines_agree_with_our_totals_and_changes() -> None:
    network = generated.product(TINY, 1, 2.5)
    backend = compile_diagram(network)
    pins = lead(network, lambda pins: backend.marginals(pins).valid, [3], 4).questions[-1]
    answer = backend.marginals(pins, changes=True)
    assert answer.changes is not None
    offsets = offsets_of(tuple(variable.size for variable in network.variables))
    optimum, least = OrToolsOptimum(network), LeastChanges(network)
    for variable, each in enumerate(network.variables):
        for value in range(each.size):
            place = offsets[variable] + value
            changes = least.of(pins, (variable, value))
            assert answer.changes[place] == (-1 if changes is None else changes)
            if variable not in dict(pins):
                total = optimum.least((*pins, (variable, value)))
                assert answer.lowest[place] == (-1 if total is None else total)


def test_following_in_a_process_of_its_own(tmp_path: Path) -> None:
    network = generated.feature_model(30, 2)
    published = publish("thirty features", partial(given, network), tmp_path)
    assert published.refused is None
    assert published.network == network
    assert min(published.peak, published.arrays, published.disk, published.edges) > 0
    backend = published.load()
    mine = lead(network, lambda pins: backend.marginals(pins).valid, range(2), 5)
    taken = follow("SAT", SatLoop, network, mine, 120.0)
    assert taken.digests == mine.digests
    assert taken.median() > 0


def test_a_difference_is_an_error() -> None:
    one = Walk([(), ()], [0.1, 0.1], [0.1, 0.1], ["a", "b"])
    compare("as far as it went", one, one.only([0]))
    with pytest.raises(DifferentDomainsError, match="click 1"):
        compare("other", one, Walk([(), ()], [0.1, 0.1], [0.1, 0.1], ["a", "c"]))


def test_prices_are_for_what_is_shown() -> None:
    network = inputs.priced(generated.feature_model(20, 1), 7)
    assert [cost.scope for cost in network.costs] == [(v,) for v in range(20)]
    assert all(cost.costs[0] == 0 < cost.costs[1] or cost.costs[1] == 0 for cost in network.costs)


def test_the_plot_is_the_same_svg() -> None:
    series = (Series("ours & more", ((10, 0.02), (1000, 0.5))), Series("other", ((10, 3.0),)))
    drawn = plot("Growth", "features", "ms", series)
    assert drawn == plot("Growth", "features", "ms", series)
    root = ElementTree.fromstring(drawn)
    assert root.tag.endswith("svg")
    assert len(root.findall("{*}polyline")) == 2
    assert len(root.findall("{*}circle")) == 3


def test_rows_say_whether_the_target_is_met() -> None:
    rows = [
        figures.at_least("fast", 120.4, 100),
        figures.at_most("flat", 12.0, 10),
        figures.Row("absent", "", "skipped", None),
    ]
    lines = figures.summary(rows).splitlines()
    assert [line.split("|")[-2].strip() for line in lines[2:]] == ["met", "NOT met", "not measured"]
    assert "120x" in lines[2]
    assert ">= 100x" in lines[2]
