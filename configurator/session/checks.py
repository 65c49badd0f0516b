"""What a rule folder must pass before a release of it can go live."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

from configurator.engine import Engine, EngineError, compile_product
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


def check_product(
    product: Product, today: datetime.date, cache: Path | None = None
) -> tuple[tuple[ScenarioResult, ...], tuple[Diagnostic, ...]]:
    """Compile a product for ``today`` and run its scenarios.

    Returns every scenario's result, and diagnostics: what cannot be compiled, and each
    scenario that failed. What is compiled is kept in ``cache``, where one is given.
    """
    with tempfile.TemporaryDirectory() as passing:
        engines = DraftEngines(product, cache or Path(passing))
        try:
            engines(today)
        except EngineError as problem:
            stop = Diagnostic(problem.code, "stop", NOWHERE, problem.message, problem.help)
            return (), (stop,)
        results = run_scenarios(product, engines, today)
    return results, failed_scenarios(results)
