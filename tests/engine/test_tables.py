"""Allowed tables in every form: written out, as a chain, row by row; and as clauses.

See docs/engine.md, "Lowering" and "Backends".
"""

from __future__ import annotations

import datetime
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import configurator.engine.lowering.tables as tables_module
import configurator.engine.sat.encoding as encoding_module
from configurator.engine import EngineError, compile_product
from configurator.engine.diagram import compile_diagram
from configurator.engine.lowering.emitter import Emitter
from configurator.engine.lowering.formula import Formula, Literal
from configurator.engine.lowering.tables import some_of
from configurator.engine.network import AllowedTuples, Network, NetworkVariable, PackedTuples
from configurator.engine.sat import SatBackend
from configurator.language import load_folder
from tests.engine.networks import solutions

Cells = tuple[frozenset[int] | None, ...]


@st.composite
def sheets(draw: st.DrawFn) -> tuple[tuple[int, ...], list[Cells]]:
    """Sizes of columns, and rows of sets of values; ``None`` is anything."""
    sizes = tuple(draw(st.lists(st.integers(2, 4), min_size=1, max_size=5)))
    cell = [
        st.none() | st.frozensets(st.integers(0, size - 1), min_size=1, max_size=size)
        for size in sizes
    ]
    return sizes, draw(st.lists(st.tuples(*cell), min_size=1, max_size=6))


def meant(sizes: tuple[int, ...], rows: list[Cells]) -> list[tuple[int, ...]]:
    """The tuples that some row allows."""
    return [
        values
        for values in itertools.product(*map(range, sizes))
        if any(
            all(cell is None or value in cell for cell, value in zip(row, values, strict=True))
            for row in rows
        )
    ]


def lowered(sizes: tuple[int, ...], rows: list[Cells]) -> Network:
    """The network ``some_of`` makes of the rows."""
    emitter = Emitter()
    for place, size in enumerate(sizes):
        emitter.add_variable(f"x{place}", (1,) * size)
    owner = emitter.owner("table")
    formulas: list[list[Formula]] = [
        [
            Literal(place, cell) if len(cell) < sizes[place] else True
            for place, cell in enumerate(row)
            if cell is not None
        ]
        for row in rows
    ]
    some_of(emitter, formulas, owner, "table")
    return Network(tuple(emitter.variables), tuple(emitter.constraints), tuple(emitter.owners), ())


@pytest.mark.parametrize(("expanded", "chained"), [(10**6, 10**6), (0, 10**6), (0, 0)])
@given(sheet=sheets())
def test_every_form_of_a_table_allows_the_same(
    expanded: int, chained: int, sheet: tuple[tuple[int, ...], list[Cells]]
) -> None:
    sizes, rows = sheet
    right = meant(sizes, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables_module, "EXPANDED", expanded)
        patch.setattr(tables_module, "CHAINED", chained)
        network = lowered(sizes, rows)
    # Hidden variables are functions of the others: each configuration comes once.
    assert math.prod(variable.size for variable in network.variables) < 10**7
    number, exact = compile_diagram(network).count(())
    assert exact
    assert number == len(right)
    if math.prod(variable.size for variable in network.variables) < 20_000:
        assert [row[: len(sizes)] for row in solutions(network)] == right


@given(sheet=sheets())
def test_large_tables_as_clauses_say_the_same(sheet: tuple[tuple[int, ...], list[Cells]]) -> None:
    sizes, rows = sheet
    right = meant(sizes, rows)
    table = PackedTuples(np.array(right).reshape(len(right), len(sizes)))
    variables = tuple(NetworkVariable(f"x{k}", (1,) * size) for k, size in enumerate(sizes))
    network = Network(variables, (AllowedTuples(tuple(range(len(sizes))), table, 0),), ("t",), ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding_module, "TUPLES", 0)
        patch.setattr(encoding_module, "CONFLICTS", -1)
        backend = SatBackend(network)
    for values in itertools.product(*map(range, sizes)):
        pins = tuple(enumerate(values))
        assert backend.marginals(pins).consistent is (values in right)


def test_packed_tuples_read_like_tuples() -> None:
    packed = PackedTuples(np.array([[0, 1], [2, 3]]))
    assert list(packed) == [(0, 1), (2, 3)]
    assert (0, 1) in packed
    assert (1, 0) not in packed
    assert packed[1] == (2, 3)
    assert packed[:1] == PackedTuples(np.array([[0, 1]]))
    assert hash(packed) == hash(PackedTuples(np.array([[0, 1], [2, 3]])))
    with pytest.raises(ValueError, match="read-only"):
        packed.array[0, 0] = 5


def test_a_table_no_form_fits_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables_module, "EXPANDED", 0)
    monkeypatch.setattr(tables_module, "CHAINED", 0)
    monkeypatch.setattr(tables_module, "NAMED_ROWS", 1)
    options = "variables:\n" + "".join(
        f"  q{k}: {{values: {{a: {{}}, b: {{}}}}}}\n" for k in range(3)
    )
    loaded = load_folder(
        {
            "product.yaml": b"product: t\nname: T\nlanguage: en\n"
            b"steps: [{id: s, name: S, ask: [q0, q1, q2]}]\n",
            "options.yaml": options.encode(),
            "rules.yaml": b"rules:\n"
            b"  - {id: fits, table: tables/t.csv, kind: allowed, because: Not built.}\n",
            "tables/t.csv": b"q0,q1,q2\na,*,b\n*,b,a\n",
        }
    )
    assert loaded.product is not None, loaded.diagnostics
    with pytest.raises(EngineError) as refused:
        compile_product(loaded.product, datetime.date(2026, 1, 15))
    assert refused.value.code == "too-wide"
    assert "fits" in refused.value.message.in_language("en")
