"""Models drawn by kind (``benchmarks.models``): diagram, SAT, the judge and an encoding of
the models' own text that shares nothing with the engine agree.
"""

from __future__ import annotations

import datetime
import itertools
import json
import random
import re

import numpy as np
import pytest
from pysat.card import CardEnc, EncType
from pysat.solvers import Glucose4

from benchmarks import models
from configurator.engine import EngineError, compile_product
from configurator.engine.backend import offsets_of
from configurator.engine.confirmation import confirm
from configurator.engine.diagram import DiagramBackend, compile_diagram
from configurator.engine.lowering import lower
from configurator.engine.sat import SatBackend
from configurator.engine.truth import Meaning
from configurator.language import load_folder
from configurator.language.importers import import_model
from configurator.model.product import Product

DAY = datetime.date(2026, 1, 15)
SMALL = {"sums": 6, "numbers": 50, "domains": 6, "wildcards": 5, "tables": 30}


def product_of(model: models.Model, tmp_path: pytest.TempPathFactory) -> Product:
    """The product a model becomes by importing or reading it."""
    folder = tmp_path.mktemp("model")
    path = model.write(folder)
    loaded = load_folder(dict(model.files) if model.folder else import_model(path))
    assert loaded.product is not None, loaded.diagnostics[:3]
    return loaded.product


@pytest.mark.parametrize("kind", sorted(models.KINDS))
def test_backends_agree_on_small_models_of_every_kind(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    size = SMALL.get(kind, 14)
    product = product_of(models.KINDS[kind](size, 1), tmp_path_factory)
    lowered = lower(Meaning(product, DAY))
    network = lowered.network
    compiled = compile_diagram(network, orders=1)
    plain = (
        DiagramBackend(compiled.diagram, compiled.facts, plain=True)
        if isinstance(compiled, DiagramBackend) and compiled.diagram.edges < 3_000
        else None
    )
    solver = SatBackend(network)
    offsets = offsets_of(tuple(variable.size for variable in network.variables))
    pins: tuple[tuple[int, int], ...] = ()
    randomness = random.Random(kind)
    for _ in range(4):
        found, wanted = compiled.marginals(pins), solver.marginals(pins)
        assert not wanted.undecided.any()
        assert np.array_equal(found.valid, wanted.valid)
        if plain is not None:
            again = plain.marginals(pins, changes=True)
            assert np.array_equal(again.valid, found.valid)
            assert plain.count(pins) == compiled.count(pins)
        shown = [
            v
            for v, variable in enumerate(network.variables)
            if not variable.hidden and found.valid[offsets[v] : offsets[v + 1]].sum() > 1
        ]
        if not shown:
            break
        variable = randomness.choice(shown)
        values = np.flatnonzero(found.valid[offsets[variable] : offsets[variable + 1]])
        pins = tuple(sorted((*pins, (variable, int(randomness.choice(values.tolist()))))))


@pytest.mark.parametrize("kind", sorted(set(models.KINDS) - {"unsatisfiable"}))
def test_the_judge_confirms_small_models_of_every_kind(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    product = product_of(models.KINDS[kind](SMALL.get(kind, 14), 2), tmp_path_factory)
    assert confirm(compile_product(product, DAY)).configurations > 0


def test_what_nobody_can_order_is_void_by_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    product = product_of(models.unsatisfiable(200, 3), tmp_path_factory)
    with pytest.raises(EngineError) as refused:
        compile_product(product, DAY)
    assert refused.value.code == "void"


def test_a_single_configuration_is_implied_whole(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    engine = compile_product(product_of(models.single(300, 1), tmp_path_factory), DAY)
    assert engine.backend.count(()) == (1, True)


# --- against encodings of the models' own text -------------------------------------------


def splot_clauses(text: str) -> tuple[int, list[list[int]]]:
    """SXFM as clauses: feature ``F<n>`` is solver variable ``n + 1``."""
    clauses: list[list[int]] = [[1]]
    above: list[tuple[int, str, list[int]]] = []  # indent, feature or bounds, members
    groups: list[tuple[int, tuple[int, int], list[int]]] = []
    top = 0
    tree, _, constraints = text.partition("</feature_tree>")
    for line in tree.splitlines():
        match = re.fullmatch(r"(\t*)(:[rmog]?) (.*)", line)
        if match is None:
            continue
        indent, mark = len(match[1]), match[2]
        while above and above[-1][0] >= indent:
            above.pop()
        if mark == ":g":
            low, high = re.findall(r"[\d*]+", match[3])
            members: list[int] = []
            parent = int(above[-1][1])
            groups.append((parent, (int(low), -1 if high == "*" else int(high)), members))
            above.append((indent, str(parent), members))
            continue
        feature = int(re.findall(r"\d+", match[3])[0]) + 1
        top = max(top, feature)
        if above:
            parent = int(above[-1][1])
            clauses.append([-feature, parent])
            if mark == ":m":
                clauses.append([-parent, feature])
            if mark == ":":
                above[-1][2].append(feature)
        above.append((indent, str(feature), []))
    for line in constraints.splitlines():
        if line.startswith("c") and ":" in line:
            words = line.split(":")[1].split(" or ")
            clauses.append(
                [(-1 if "~" in word else 1) * (int(word.strip(" ~_")) + 1) for word in words]
            )
    last = top
    for parent, (low, high), members in groups:
        for bound, make in ((low, CardEnc.atleast), (high, CardEnc.atmost)):
            if bound < 0 or (make is CardEnc.atleast and bound == 0) or bound >= len(members) > 0:
                if make is CardEnc.atleast and bound > 0:
                    clauses += [[-parent, member] for member in members]
                continue
            encoded = make(members, bound=bound, top_id=last, encoding=EncType.seqcounter)
            last = max(last, encoded.nv)
            clauses += [[-parent, *clause] for clause in encoded.clauses]
    return top, clauses


def test_a_large_feature_model_against_its_own_clauses(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    model = models.splot_tree(2_000, 5)
    (text,) = model.files.values()
    top, clauses = splot_clauses(text.decode())
    lowered = lower(Meaning(product_of(model, tmp_path_factory), DAY))
    compiled = compile_diagram(lowered.network, orders=1)
    names = [f"F{number}" for number in range(top)]
    offsets = offsets_of(tuple(variable.size for variable in lowered.network.variables))

    def literal(number: int, answer: str) -> int:
        return number + 1 if answer == "yes" else -number - 1

    randomness = random.Random(5)
    pins: dict[int, int] = {}
    assumed: list[int] = []
    with Glucose4(bootstrap_with=clauses) as solver:
        for _ in range(6):
            valid = compiled.marginals(tuple(sorted(pins.items()))).valid
            still_open = []
            for number in range(top):
                held = lowered.held[names[number]]
                here = valid[offsets[held.index] : offsets[held.index + 1]]
                if here.all():
                    still_open.append(number)
                if here.all() and randomness.random() > 0.2:  # most of the time goes here
                    continue
                for value, answer in enumerate(held.answers):
                    assert solver.solve([*assumed, literal(number, answer)]) is bool(here[value])
            number = randomness.choice(still_open)
            value = randomness.randrange(2)
            pins[lowered.held[names[number]].index] = value
            assumed.append(literal(number, lowered.held[names[number]].answers[value]))


def test_large_tables_against_their_own_rows(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = models.tables(2_000, 4)
    (text,) = model.files.values()
    data = json.loads(text)
    product = product_of(model, tmp_path_factory)
    lowered = lower(Meaning(product, DAY))
    compiled = compile_diagram(lowered.network, orders=1)
    offsets = offsets_of(tuple(variable.size for variable in lowered.network.variables))
    literal: dict[tuple[str, str], int] = {}
    for name, values in data["variables"].items():
        for value in values:
            literal[name, value] = len(literal) + 1
    clauses: list[list[int]] = []
    for name, values in data["variables"].items():
        clauses.append([literal[name, value] for value in values])
        pairs = itertools.combinations(values, 2)
        clauses += [[-literal[name, one], -literal[name, two]] for one, two in pairs]
    last = len(literal)
    for table in data["tables"]:
        rows = range(last + 1, last + 1 + len(table["allowed"]))
        last = rows.stop - 1
        supports: dict[int, list[int]] = {
            literal[name, value]: [] for name in table["scope"] for value in data["variables"][name]
        }
        for row, values in zip(rows, table["allowed"], strict=True):
            for name, value in zip(table["scope"], values, strict=True):
                clauses.append([-row, literal[name, value]])
                supports[literal[name, value]].append(row)
        clauses += [[-chosen, *having] for chosen, having in supports.items()]
    randomness = random.Random(1)
    pins: dict[int, int] = {}
    with Glucose4(bootstrap_with=clauses) as solver:
        for _ in range(3):
            valid = compiled.marginals(tuple(sorted(pins.items()))).valid
            names = {lowered.held[name].index: name for name in data["variables"]}
            assumed = [
                literal[names[index], lowered.held[names[index]].answers[value]]
                for index, value in pins.items()
            ]
            still_open = []
            for name in data["variables"]:
                held = lowered.held[name]
                here = valid[offsets[held.index] : offsets[held.index + 1]]
                for value, answer in enumerate(held.answers):
                    assert solver.solve([*assumed, literal[name, answer]]) is bool(here[value])
                if here.sum() > 1:
                    still_open.append((held.index, np.flatnonzero(here).tolist()))
            if not still_open:
                break
            index, values_left = randomness.choice(still_open)
            pins[index] = randomness.choice(values_left)
