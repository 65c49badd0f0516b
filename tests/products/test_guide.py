"""The example of the merchandisers' guide works as it is printed."""

from __future__ import annotations

import datetime
import re

from configurator.language import load_folder
from configurator.session.checks import check_product
from tests.products.conftest import ROOT

_FILE = re.compile(r"`rules/lamp/([\w.]+)`[^\n]*\n\n```yaml\n(.*?)```", re.DOTALL)


def test_the_lamp_of_the_guide_loads_and_does_what_its_scenarios_say() -> None:
    guide = (ROOT / "docs" / "merchandisers.md").read_text("utf-8")
    files = {match[1]: match[2].encode() for match in _FILE.finditer(guide)}
    assert set(files) == {"product.yaml", "options.yaml", "rules.yaml", "prices.yaml"}
    loaded = load_folder(files)
    assert loaded.diagnostics == ()
    assert loaded.product is not None
    checked = check_product(loaded.product, datetime.date(2026, 12, 1))
    assert [each.message.in_language("en") for each in checked.diagnostics] == []
    assert len(checked.results) == 5
    assert checked.confirmation is not None
