"""Compiling a product: lower it, choose a backend, refuse what is void."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import replace
from pathlib import Path

from configurator.engine.building import Limits, Progress, build, in_passing, stored
from configurator.engine.constraint_backend import ConstraintBackend
from configurator.engine.diagram import network_digest
from configurator.engine.engine import Engine
from configurator.engine.errors import EngineError, TooWide, said
from configurator.engine.lowering import lower
from configurator.engine.network import Network
from configurator.engine.proving import Prover
from configurator.engine.sat import SatBackend
from configurator.engine.truth import Meaning
from configurator.model.product import Product

BACKENDS = ("auto", "diagram", "sat", "sat+ortools", "python-constraint")


def compile_product(
    product: Product,
    day: datetime.date,
    *,
    backend: str = "auto",
    cache: Path | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
    wait: bool = True,
    prove: bool = False,
) -> Engine:
    """The engine of a product on one day.

    ``backend`` is ``diagram`` (compiled; raises ``EngineError`` ``too-wide`` where it does
    not compile), ``sat``, ``sat+ortools`` (lowest totals proven by OR-Tools where search
    leaves bounds; an extra), ``python-constraint`` (small products: the independent judge),
    or ``auto``: the diagram where it compiles within ``limits``, else SAT
    (``Engine.too_wide`` then says why). What is compiled is kept in ``cache`` under the
    digest of the network; a wide network is compiled in a child process, which tells its
    ``progress``. Who cannot ``wait`` for that has SAT answer in its place for now
    (``Engine.pending``). With ``prove`` it is ``sat+ortools`` that answers in place of the
    diagram. Raises ``ImportError`` where OR-Tools is wanted and not installed, and
    ``EngineError``: ``void`` where nothing at all can be ordered, ``too-wide`` where a rule
    cannot be compiled exactly, ``too-large`` where amounts cannot be added up exactly.
    """
    if backend not in BACKENDS:
        raise ValueError(f"no backend {backend!r}; there is {', '.join(BACKENDS)}")
    lowered = lower(Meaning(product, day))
    network = _taken_exactly(lowered.network)
    sat: list[SatBackend] = []

    def solver() -> SatBackend:
        if not sat:
            proves = backend == "sat+ortools" or (backend == "auto" and prove)
            sat.append(SatBackend(network, Prover(network) if proves else None))
        return sat[0]

    if backend == "python-constraint":
        judge = ConstraintBackend.of_product(lowered)
        return _not_void(Engine(lowered, judge, lambda: judge))
    if backend in ("sat", "sat+ortools"):
        return _not_void(Engine(lowered, solver(), solver))
    digest, limits = network_digest(network), limits or Limits()
    if cache is None:
        found = in_passing(network, limits, solver, progress)
        if found is None:
            with tempfile.TemporaryDirectory() as folder:  # what is mapped stays readable
                found = build(network, Path(folder), digest, limits, solver, progress)
    else:
        found = stored(cache, digest, limits, solver)
        if found is None:
            found = build(network, cache, digest, limits, solver, progress, wait=wait)
        if found is None:
            return _not_void(Engine(lowered, solver(), solver, digest=digest, pending=True))
    assert found is not None  # whoever waits gets an answer
    if not isinstance(found, TooWide):
        return _not_void(Engine(lowered, found, solver, digest=digest))
    if backend == "auto":
        return _not_void(Engine(lowered, solver(), solver, digest=digest, too_wide=found))
    names = ", ".join(found.owners[:4]) or product.id
    raise EngineError(
        "too-wide",
        said(f"No cabe en el diagrama por {names}.", f"Too wide to compile: {names}."),
        said("Usa el motor sat.", "Use the sat backend."),
        found.owners,
    )


def _taken_exactly(network: Network) -> Network:
    """Charges that are only bounded are minimised as they stand: ``engine.totals`` knows
    what they miss, and when that is all."""
    return replace(network, costs=tuple(replace(each, exact=True) for each in network.costs))


def _not_void(engine: Engine) -> Engine:
    if not engine.can_be_ordered():
        blamed = engine.void_because()
        names, day = ", ".join(blamed), engine.day.isoformat()
        if len(blamed) == 1:
            message = said(
                f"El {day} no se puede pedir nada: lo impide {names}.",
                f"Nothing can be ordered on {day}: {names} stands against it.",
            )
            help = said("Afloja esa regla.", "Loosen that rule.")
        else:
            message = said(
                f"No se puede pedir nada: {names} se contradicen el {day}.",
                f"Nothing can be ordered: {names} contradict each other on {day}.",
            )
            help = said("Afloja una de ellas.", "Loosen one of them.")
        raise EngineError("void", message, help, blamed)
    return engine
