"""A second opinion before a release goes live: python-constraint against the backend.

A small product is confirmed whole. Of a large one, random sub-products are: all but a
few neighbouring questions are answered at random, and what the open ones may still be is
listed one by one from the product's own expressions, in which neither the lowering nor
the backend had a hand. See docs/engine.md, "The judge".
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import numpy as np

from configurator.engine.backend import Backend, Pins, offsets_of
from configurator.engine.constraint_backend import ConstraintBackend, SearchTooLongError
from configurator.engine.engine import Engine
from configurator.engine.errors import EngineError, TooWide, said
from configurator.engine.network import scope_of

SUB_PRODUCTS = 12
"""How many sub-products of a large product are confirmed."""

LARGE = 1000
"""Beyond so many questions two sub-products have to do: each reads every rule."""

SEARCHED_WHOLE = 25
"""A product of more questions is never searched whole, however few configurations it has."""

LEFT = 4000
"""How many combinations of answers a sub-product has at the most."""

EFFORT = 200_000
"""How often a product that is listed whole may ask its conditions."""

RANDOM_CHOICES = 40
"""How many random choices a sub-product starts from."""

BUSIEST = 200
"""Questions with more rules than this lead to no neighbours."""

QUESTIONS = 6
"""How many further choices are compared in each sub-product."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What was confirmed, and what by: ``whole``, or so many sub-products; configurations
    listed, and states in which every valid value, lowest total and count was equal.

    ``engine`` answers customers, from the form compiled under ``digest``; where it is not
    the diagram, ``too_wide`` may say why. ``judge`` is the second engine; ``milliseconds``
    is how long it took.
    """

    whole: bool
    sub_products: int
    configurations: int
    states: int
    engine: str
    judge: str
    digest: str
    milliseconds: int
    too_wide: TooWide | None = None


def confirm(engine: Engine, *, seed: int = 0) -> Confirmation:
    """Compare an engine's backend with python-constraint, the same way for the same seed.

    Raises ``EngineError`` ``unconfirmed`` where they differ: then the engine is wrong, not
    the product, and nothing may go live on it.
    """
    begin = time.perf_counter()
    backend, network = engine.backend, engine.network
    sizes = tuple(variable.size for variable in network.variables)
    shown = [index for index, variable in enumerate(network.variables) if not variable.hidden]
    randomness = random.Random(seed)
    product = ConstraintBackend.of_product(engine.lowered)
    whole = _can_be_listed(engine, product)
    sub_products = SUB_PRODUCTS if len(engine.searched) <= LARGE else 2
    configurations = states = 0
    joined = {} if whole else _joined(engine)
    for _ in range(1 if whole else sub_products):
        within: Pins = () if whole else _narrowed(engine, sizes, joined, randomness)
        judge = product if whole else product.inside(within)
        configurations += judge.number()
        questions: list[Pins] = [()]
        for _ in range(QUESTIONS):
            index = randomness.choice(shown)
            if index not in dict(within):
                questions.append(((index, randomness.randrange(sizes[index])),))
        for question in questions:
            _compare(engine, backend, judge, within, question, shown)
            states += 1
    return Confirmation(
        whole,
        0 if whole else sub_products,
        configurations,
        states,
        backend.name,
        ConstraintBackend.name,
        engine.digest,
        round((time.perf_counter() - begin) * 1000),
        engine.too_wide,
    )


def _can_be_listed(engine: Engine, judge: ConstraintBackend) -> bool:
    """Whether a product is small enough to be listed whole: by its questions, by its
    configurations, and by what finding them takes."""
    if len(engine.searched) > SEARCHED_WHOLE:
        return False
    listed = _listed(engine)
    if listed is None or listed > LEFT:
        return False
    try:
        judge.number(EFFORT)
    except SearchTooLongError:
        return False
    return True


def _listed(engine: Engine) -> int | None:
    """How many configurations would be listed, each piece of a wide number once; ``None``
    where nobody knows."""
    number, exact = engine.backend.count(())
    if not exact:
        return None
    for variable in engine.network.variables:
        if not variable.hidden:
            number = -(-number // max(variable.multiplicity))
    return number


def _narrowed(
    engine: Engine,
    sizes: tuple[int, ...],
    joined: dict[int, dict[tuple[int, ...], None]],
    randomness: random.Random,
) -> Pins:
    """A random configuration in which a few neighbouring questions are left open."""
    offsets = offsets_of(sizes)
    pins: dict[int, int] = {}
    searched = list(engine.searched)
    waiting = randomness.sample(searched, min(len(searched), RANDOM_CHOICES))
    valid = engine.backend.marginals((), settle=False).valid
    batch = 1
    while waiting:
        # Several choices at a time, as long as they go together.
        drawn = dict(pins)
        for index in waiting[:batch]:
            left = np.flatnonzero(valid[offsets[index] : offsets[index + 1]])
            if len(left):  # else it is not decided yet
                drawn[index] = int(randomness.choice(left.tolist()))
        found = engine.backend.marginals(tuple(sorted(drawn.items())), settle=False)
        if batch > 1 and not found.valid.any():
            batch //= 2
            continue
        waiting = waiting[batch:]
        pins, valid, batch = drawn, found.valid, 2 * batch
    configuration = engine.backend.cheapest(tuple(sorted(pins.items())))
    if configuration is None:
        raise _unconfirmed("cheapest")
    still_open = _neighbours(engine, sizes, joined, randomness)
    return tuple((index, configuration[index]) for index in searched if index not in still_open)


def _joined(engine: Engine) -> dict[int, dict[tuple[int, ...], None]]:
    """Which sets of variables each variable shares a rule with."""
    joined: dict[int, dict[tuple[int, ...], None]] = {}
    for constraint in engine.network.constraints:
        scope = scope_of(constraint)
        for index in scope:
            joined.setdefault(index, {})[scope] = None
    return joined


def _neighbours(
    engine: Engine,
    sizes: tuple[int, ...],
    joined: dict[int, dict[tuple[int, ...], None]],
    randomness: random.Random,
) -> dict[int, None]:
    """Questions that rules join, gathered around a random one while few combinations of
    their answers have to be tried."""
    searched = set(engine.searched)
    first = randomness.choice(engine.searched)
    found: dict[int, None] = {}
    seen: set[int] = set()
    waiting = [first]
    combinations = 1
    while waiting:
        index = waiting.pop(randomness.randrange(len(waiting)))
        if index in seen or combinations * sizes[index] > LEFT:
            continue
        seen.add(index)
        if index in searched:
            found[index] = None
            combinations *= sizes[index]
        scopes = joined.get(index, {})
        if len(scopes) <= BUSIEST:
            waiting += [each for scope in scopes for each in scope]
        waiting = waiting[-BUSIEST:]
    return found


def _compare(
    engine: Engine,
    backend: Backend,
    judge: ConstraintBackend,
    within: Pins,
    question: Pins,
    shown: list[int],
) -> None:
    pins = tuple(sorted((*within, *question)))
    found, right = backend.marginals(pins), judge.marginals(pins)
    offsets = offsets_of(tuple(variable.size for variable in engine.network.variables))
    for index in shown:
        place = slice(int(offsets[index]), int(offsets[index + 1]))
        decided = ~found.undecided[place]
        same_valid = np.array_equal(found.valid[place][decided], right.valid[place][decided])
        exact = found.valid[place] & found.lowest_exact[place]
        same_lowest = np.array_equal(found.lowest[place][exact], right.lowest[place][exact])
        if not (same_valid and same_lowest):
            raise _unconfirmed(engine.network.variables[index].name)
    number, exact_count = backend.count(pins)
    if exact_count and number != judge.count(pins)[0]:
        raise _unconfirmed("count")


def _unconfirmed(where: str) -> EngineError:
    return EngineError(
        "unconfirmed",
        said(
            f"El segundo motor da otra respuesta en {where}.",
            f"The second engine answers differently at {where}.",
        ),
        said(
            "No es culpa de tus reglas: avisa a quien lleva el servicio y no publiques todavía.",
            "This is no mistake of your rules: tell whoever runs the service, and do not "
            "publish yet.",
        ),
        (where,),
    )
