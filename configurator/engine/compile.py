"""Compiling a product: lower it, choose a backend, refuse what is void."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from configurator.engine.backend import Backend
from configurator.engine.constraint_backend import ConstraintBackend
from configurator.engine.engine import Engine
from configurator.engine.errors import EngineError, said
from configurator.engine.lowering import Lowered, lower
from configurator.engine.network import Network
from configurator.engine.sat import SatBackend
from configurator.engine.truth import Meaning
from configurator.model.product import Product

BACKENDS = ("auto", "diagram", "sat", "python-constraint")


def compile_product(
    product: Product,
    day: datetime.date,
    *,
    backend: str = "auto",
    cache: Path | None = None,
) -> Engine:
    """The engine of a product on one day.

    ``backend`` is ``diagram`` (compiled; raises ``EngineError`` ``too-wide`` where it does
    not compile), ``sat``, ``python-constraint`` (small products: the independent judge),
    or ``auto``: the diagram where it compiles, else SAT. Diagrams are kept in ``cache``
    under the digest of the network. Raises ``EngineError`` ``void`` where nothing at all
    can be ordered, and ``too-wide`` where a rule cannot be compiled exactly.
    """
    if backend not in BACKENDS:
        raise ValueError(f"no backend {backend!r}; there is {', '.join(BACKENDS)}")
    lowered = lower(Meaning(product, day))
    network = _taken_exactly(lowered.network)
    sat: list[SatBackend] = []

    def reasoner() -> SatBackend:
        if not sat:
            sat.append(SatBackend(network))
        return sat[0]

    chosen: Backend
    if backend == "python-constraint":
        judge = ConstraintBackend.of_product(lowered)
        return _not_void(Engine(lowered, judge, lambda: judge))
    if backend == "sat":
        chosen = SatBackend(network)
        sat.append(chosen)
    else:
        chosen = _diagram(lowered, network, cache, backend == "auto", reasoner)
    return _not_void(Engine(lowered, chosen, reasoner))


def _taken_exactly(network: Network) -> Network:
    """Charges that are only bounded are minimised as they stand: ``engine.totals`` knows
    what they miss, and when that is all."""
    return replace(network, costs=tuple(replace(each, exact=True) for each in network.costs))


def _diagram(
    lowered: Lowered,
    network: Network,
    cache: Path | None,
    may_fall_back: bool,
    sat: Callable[[], SatBackend],
) -> Backend:
    """The compiled backend; imported only here, so that SAT works without it."""
    if find_spec("configurator.engine.diagram") is None:
        return sat()
    from configurator.engine.diagram import (
        DiagramFileError,
        TooWideError,
        compile_diagram,
        load_diagram,
        network_digest,
    )

    digest = network_digest(network)
    folder = None if cache is None else cache / digest
    if folder is not None and folder.exists():
        try:
            return load_diagram(folder, digest, sat)
        except DiagramFileError:
            folder = cache / digest if cache is not None else None  # compiled anew, replaced
    try:
        compiled = compile_diagram(network, decider=sat)
    except TooWideError as error:
        if may_fall_back:
            return sat()
        names = ", ".join(error.owners[:4]) or lowered.meaning.product.id
        raise EngineError(
            "too-wide",
            said(f"No cabe en el diagrama por {names}.", f"Too wide to compile: {names}."),
            said("Usa el motor sat.", "Use the sat backend."),
            error.owners,
        ) from error
    if folder is not None:
        compiled.save(folder)
    return compiled


def _not_void(engine: Engine) -> Engine:
    if not engine.can_be_ordered():
        blamed = engine.void_because()
        names = ", ".join(blamed)
        raise EngineError(
            "void",
            said(
                f"No se puede pedir nada: {names} se contradicen el {engine.day.isoformat()}.",
                f"Nothing can be ordered: {names} contradict each other on "
                f"{engine.day.isoformat()}.",
            ),
            said("Afloja una de ellas.", "Loosen one of them."),
            blamed,
        )
    return engine
