"""What a rule folder must pass before a release of it can go live."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import dataclass
from pathlib import Path

from configurator.engine import Engine, EngineError, compile_product
from configurator.engine.confirmation import Confirmation, confirm
from configurator.model.diagnostic import NOWHERE, Diagnostic
from configurator.model.product import Product
from configurator.session.scenarios import ScenarioResult, failed_scenarios, run_scenarios


class DraftEngines:
    """The engines of one draft, one per day, compiled when first asked for. Days on which
    the same holds share what was compiled, through ``cache``."""

    def __init__(self, product: Product, cache: Path) -> None:
        self._product = product
        self._cache = cache
        self._by_day: dict[datetime.date, Engine] = {}

    def __call__(self, day: datetime.date) -> Engine:
        """The engine of that day."""
        if day not in self._by_day:
            self._by_day[day] = compile_product(self._product, day, cache=self._cache)
        return self._by_day[day]


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found: every scenario's result, what stops, and what a second
    engine confirmed (``None`` where the product could not be compiled)."""

    results: tuple[ScenarioResult, ...]
    diagnostics: tuple[Diagnostic, ...]
    confirmation: Confirmation | None


def check_product(product: Product, today: datetime.date, cache: Path | None = None) -> Checked:
    """Compile a product for ``today``, have a second engine confirm it, run its scenarios.

    What is compiled is kept in ``cache``, where one is given.
    """
    with tempfile.TemporaryDirectory() as passing:
        engines = DraftEngines(product, cache or Path(passing))
        try:
            confirmation = confirm(engines(today))
        except EngineError as problem:
            stop = Diagnostic(problem.code, "stop", NOWHERE, problem.message, problem.help)
            return Checked((), (stop,), None)
        results = run_scenarios(product, engines, today)
    return Checked(results, failed_scenarios(results), confirmation)
