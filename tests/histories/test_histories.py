"""What earlier releases recorded is verified, replayed and asked again for ever."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from configurator import __version__
from configurator.app import Services
from configurator.trail import digest
from configurator.trail.database import writing
from configurator.trail.tables import event, session_head
from configurator.web.desk.difference import differences
from tests.histories.record import FOLDER

HISTORIES = sorted(FOLDER.glob("*.json"))
MENDED = {"0.1.0": {"count"}}
"""What a release showed wrongly, so that it is computed otherwise today. 0.1.0 counted a chosen
wide number as all that no rule tells apart."""


@pytest.fixture(params=HISTORIES, ids=lambda path: path.stem)
def history(request: pytest.FixtureRequest) -> Any:
    path: Path = request.param
    return json.loads(path.read_text(encoding="utf-8"), object_hook=_bytes)


def _bytes(member: dict[str, Any]) -> Any:
    return base64.b64decode(member["base64"]) if list(member) == ["base64"] else member


def test_there_is_one_of_each_earlier_release() -> None:
    assert [path.stem for path in HISTORIES] == ["0.1.0"]


def test_a_history_is_whole_and_tells_what_was_seen(services: Services, history: Any) -> None:
    files = {name: content.encode() for name, content in history["files"].items()}
    published = services.catalogue.publish(files, by="tests")
    assert published.release is not None, published.diagnostics
    with writing(services.trail._engine) as connection:
        connection.execute(insert(session_head), history["head"])
        connection.execute(insert(event), history["events"])
    session_id = history["head"]["session_id"]
    verification, steps = services.trail.told(session_id)
    assert verification.ok, verification.reason
    assert verification.hash == history["head"]["hash"]
    assert len(steps) == len(history["events"])
    for place, step in enumerate(steps, start=1):
        assert step.matches, step.event.kind
        assert step.event.release == published.release.digest
        then = services.sessions.as_told(steps[:place])
        again = services.sessions.recompute(then, steps)
        if digest(again) != step.event.view_digest:
            # Written in another form by another version; but it says the same.
            by = step.event.engine_version.partition("+")[0]
            assert by != __version__
            other = {each.aspect for each in differences(step.view, again)}
            assert other <= MENDED[by], step.event.kind
    now = services.sessions.get(session_id)
    assert (now.status, now.locale) == ("committed", "es")
    assert now.choices == services.sessions.as_told(steps).choices
