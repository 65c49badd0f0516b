"""Records a history that later releases must go on verifying and replaying:
``python -m tests.histories.record``, once for each release, on its own code.

One session of the small product in which everything happens once, as it stands in the
database, with the rule folder it is pinned to.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import text

from configurator import __version__
from configurator.app import create_services
from configurator.settings import Settings
from tests.conftest import LAMP, files_of

FOLDER = Path(__file__).parent


def record() -> None:
    """Write the history of this release beside this file."""
    files = files_of(LAMP)
    with tempfile.TemporaryDirectory() as folder:
        services = create_services(
            Settings(Path(folder), f"sqlite:///{folder}/configurator.db", "for histories only")
        )
        services.catalogue.publish(files, by="tests")
        session_id = everything(services.sessions)
        with services.trail._engine.connect() as connection:
            history = {
                "files": {name: content.decode() for name, content in files.items()},
                "head": rows(connection, "select * from session_head", session_id)[0],
                "events": rows(connection, "select * from event", session_id),
            }
    written = json.dumps(history, ensure_ascii=False, indent=1)
    (FOLDER / f"{__version__}.json").write_text(f"{written}\n", encoding="utf-8")


def everything(sessions: Any) -> str:
    """Let everything happen once that a customer can do; the session's id."""
    here: str = sessions.start("lamp", locale="en").session.session_id
    sessions.choose(here, "mount", "clamp")
    refused = sessions.choose(here, "arm", "long")
    sessions.accept_repair(here, refused.refusal.seq, 0)
    sessions.preview(here, "arm", "short")
    sessions.choose(here, "arm", "short")
    sessions.choose(here, "width", "200")
    sessions.acknowledge(here, "short-on-wide-desk", "It stands in the middle.")
    sessions.choose(here, "colour", "red")
    sessions.withdraw(here, "colour")
    sessions.undo(here)
    sessions.redo(here)
    sessions.change_locale(here, "es")
    sessions.reset(here)
    sessions.undo(here)
    sessions.accept_proposals(here)
    sessions.commit(here)
    return here


def rows(connection: Any, query: str, session_id: str) -> list[dict[str, Any]]:
    """Rows of a session, their bytes in base 64."""
    found = connection.execute(text(f"{query} where session_id = :id"), {"id": session_id})
    return [
        {
            name: {"base64": base64.b64encode(value).decode()}
            if isinstance(value, bytes)
            else value
            for name, value in row._mapping.items()
        }
        for row in found
    ]


if __name__ == "__main__":
    record()
