"""What a rule folder must pass before a release of it can go live."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import dataclass
from pathlib import Path

from configurator.catalogue import CheckProgress, Stage, Telling
from configurator.engine import Engine, EngineError, Limits, TooWide, compile_product
from configurator.engine.confirmation import Confirmation, confirm
from configurator.model.diagnostic import NOWHERE, Diagnostic, Span
from configurator.model.product import Product
from configurator.model.text import Text
from configurator.session.gaps import lookup_gaps
from configurator.session.lints import said_in_vain, warned_proposals
from configurator.session.scenarios import ScenarioResult, failed_scenarios, run_scenarios


class DraftEngines:
    """The engines of one draft, one per day, compiled when first asked for. Days on which
    the same holds share what was compiled, through ``cache``."""

    def __init__(
        self, product: Product, cache: Path, limits: Limits | None, tell: Telling | None
    ) -> None:
        self._product = product
        self._cache = cache
        self._limits = limits
        self._tell = tell
        self._by_day: dict[datetime.date, Engine] = {}

    def __call__(self, day: datetime.date) -> Engine:
        """The engine of that day."""
        if day not in self._by_day:
            tell = self._tell
            self._by_day[day] = compile_product(
                self._product,
                day,
                cache=self._cache,
                limits=self._limits,
                progress=tell
                and (lambda now: tell(CheckProgress("compiling", now.done, now.rules))),
            )
        return self._by_day[day]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found: every scenario's result, what stops or is doubtful, and what
    a second engine confirmed (``None`` where the product could not be compiled)."""

    results: tuple[ScenarioResult, ...]
    diagnostics: tuple[Diagnostic, ...]
    confirmation: Confirmation | None


def check_product(
    product: Product,
    today: datetime.date,
    cache: Path | None = None,
    *,
    limits: Limits | None = None,
    tell: Telling | None = None,
) -> Checked:
    """Compile a product for ``today``, have a second engine confirm it, run its scenarios.

    What is compiled is kept in ``cache``, where one is given; ``tell`` hears how far it is.
    """

    def now(stage: Stage) -> None:
        if tell is not None:
            tell(CheckProgress(stage))

    with tempfile.TemporaryDirectory() as passing:
        engines = DraftEngines(product, cache or Path(passing), limits, tell)
        try:
            now("compiling")
            engine = engines(today)
            engine.check_orderable()
            now("confirming")
            confirmation = confirm(engine)
        except EngineError as problem:
            stop = Diagnostic(
                problem.code,
                "stop",
                _place(product, problem.owners),
                problem.message,
                problem.help,
            )
            return Checked((), (stop,), None)
        found = (
            *lookup_gaps(product, engine),
            *said_in_vain(product, engine),
            *warned_proposals(product, engine),
        )
        now("scenarios")
        results = run_scenarios(product, engines, today)
    doubts = () if engine.too_wide is None else (not_compiled(product, engine.too_wide),)
    return Checked(results, (*doubts, *found, *failed_scenarios(results)), confirmation)


_WHY = {
    "nodes": ("it would grow too large", "sería demasiado grande"),
    "seconds": ("compiling takes too long", "compilarlo tarda demasiado"),
    "memory": ("compiling needs too much memory", "compilarlo necesita demasiada memoria"),
    "states": ("one rule alone is too wide", "una sola regla es demasiado ancha"),
    "charges": (
        "its amounts are too large to add up quickly",
        "sus importes son demasiado grandes para sumarlos deprisa",
    ),
    "disk": ("it cannot be stored", "no se puede guardar"),
    "died": (
        "the compiling process ended without a word, perhaps for want of memory",
        "el proceso que compila terminó sin avisar, quizá por falta de memoria",
    ),
}


_SPLIT = Text.of(
    {
        "en": "Split such rules into ones that read fewer questions, or give numbers "
        "fewer steps. Whoever runs the service can allow more time and memory.",
        "es": "Divide esas reglas en otras que lean menos preguntas, o da menos pasos a "
        "los números. Quien lleva el servicio puede permitir más tiempo y memoria.",
    }
)
_MAKE_ROOM = Text.of(
    {
        "en": "Whoever runs the service has to make room in the folder of compiled products, or "
        "let the service write there; then publish it again.",
        "es": "Quien lleva el servicio tiene que hacer sitio en la carpeta de productos "
        "compilados, o dejar que el servicio escriba en ella; después, publícalo otra vez.",
    }
)


def not_compiled(product: Product, why: TooWide) -> Diagnostic:
    """The warning that a product goes live on the slower engine, at the widest rule."""
    english, spanish = _WHY[why.reason]
    if why.owners:
        names = ", ".join(why.owners)
        english += f". Widest here: {names}"
        spanish += f". Lo más ancho aquí: {names}"
    return Diagnostic(
        "not-compiled",
        "warn",
        _place(product, why.owners),
        Text.of(
            {
                "en": f"This product has no compiled form: {english}. Its answers stay exact, "
                "but come from a slower engine; what is not known at once is shown as being "
                "checked, and lowest prices may say “at least”.",
                "es": f"Este producto no tiene forma compilada: {spanish}. Sus respuestas siguen "
                "siendo exactas, pero las da un motor más lento; lo que no se sabe al momento "
                "se muestra como en comprobación, y los precios mínimos pueden decir «al menos».",
            }
        ),
        _MAKE_ROOM if why.reason == "disk" else _SPLIT,
    )


def _place(product: Product, owners: tuple[str, ...]) -> Span:
    """Where the first of the owners that is found stands."""
    spans = {
        **{each.id: each.span for each in (product.prices.lines if product.prices else ())},
        **{each.id: each.span for each in product.variables},
        **{each.id: each.span for each in product.tables},
        **{each.id: each.span for each in product.rules},
    }
    for owner in owners:
        name = owner.removeprefix("limits:").partition("#")[0]
        if name in spans:
            return spans[name]
    return NOWHERE
