"""Arrays laid end to end are found again where the loops take them out."""

from __future__ import annotations

import numpy as np
import pytest

from configurator.engine.diagram import compile_diagram, compiler, kernels, layout
from configurator.engine.diagram.arena import Arena
from configurator.engine.diagram.frozen import alone_in
from configurator.engine.diagram.summed import SummedDiagram
from tests.engine.test_diagram_sums import budgeted


def test_views_are_the_arrays() -> None:
    arrays = [np.arange(3, dtype=np.uint32), np.zeros(0, dtype=np.int32), np.ones((2, 2), np.uint8)]
    arena = Arena.of(arrays)
    assert [view.tolist() for view in arena.views] == [[0, 1, 2], [], [1, 1, 1, 1]]
    assert not arena.arguments[0].flags.writeable
    assert Arena.of([]).views == ()


def test_working_arrays_do_not_overlap() -> None:
    arena = Arena.room((2, 0, 3))
    for number, view in enumerate(arena.views):
        view[:] = number
    assert arena.arguments[0].tolist() == [0, 0, 2, 2, 2]
    assert [len(view) for view in arena.views] == [2, 0, 3]


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> SummedDiagram:
    for name, value in (("WIDE_SUM", 0), ("NARROW", 0), ("MODEST", -1)):
        monkeypatch.setattr(compiler, name, value)
    backend = compile_diagram(budgeted(1, 20, 3, 1.1), orders=1)
    assert isinstance(backend, SummedDiagram)
    return backend


def test_loops_take_out_what_was_laid_in(beside: SummedDiagram) -> None:
    diagram, arguments = beside.diagram, beside._fixed.arguments
    taken = (
        *kernels.charging_of(*arguments),
        *kernels.placement_of(*arguments),
        *kernels.reading_of(*arguments),
    )
    names: tuple[str, ...] = (
        "class_of",
        "slot_class",
        "slot_extra",
        "state_cost",
        "block",
        "block_start",
    )
    names += ("state_start", "state_value", "odd_state", "odd_value", "common_value", "offset")
    given = [*(getattr(diagram, name) for name in names), *alone_in(diagram)]
    for got, wanted in zip(taken, given, strict=True):
        assert np.array_equal(got, wanted)
    use, used, fields, limit, most, nothing = layout.sums_of(*arguments)
    assert np.array_equal(use, diagram.sum_use.T)
    assert np.array_equal(used, beside.sums.used)
    assert np.array_equal(fields, np.stack(beside.sums.arrays[3]))
    assert np.array_equal(limit, diagram.sum_limit)
    assert np.array_equal(most, beside.sums.most)
    assert nothing.tolist() == [0] * len(diagram.slot_class)
    even, even_use = layout.mixture_of(*arguments)
    assert np.array_equal(even @ diagram.sum_use, even_use)
    tied, extra = layout.tied_of(*arguments)
    assert np.array_equal(tied >> beside._ties, diagram.state_cost)
    assert len(set(tied.tolist())) == len(tied)
    assert np.array_equal(extra, diagram.slot_extra << beside._ties)


def test_loops_work_where_the_backend_reads(beside: SummedDiagram) -> None:
    room = beside.carried()
    views, arguments = room.room.views, room.room.arguments
    taken = (
        *layout.question_of(*arguments),
        *layout.swept_of(*arguments),
        *layout.ranked_of(*arguments),
        *layout.answers_of(*arguments),
        *layout.paired_of(*arguments),
        *layout.open_of(*arguments),
    )
    for got, wanted in zip(taken, views, strict=True):
        assert len(got) == len(wanted)
        assert got.size == 0 or np.shares_memory(got, wanted)
    assert room.state_lowest is views[19]
    assert room.state_reached is views[20]
    assert room.state_sums is views[21]
