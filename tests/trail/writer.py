"""A process that writes choices and says so: one line per acknowledged choice.

``python -m tests.trail.writer URL SESSION NAME FIRST COUNT EXPECTING``: keys are NAME-n.
With EXPECTING it writes only on the event it has just seen, again and again until its
choice is in; otherwise it takes whatever place it gets.
"""

from __future__ import annotations

import sys

from configurator.trail import SequenceConflictError, Trail, TrailUnavailableError, connect
from tests.trail.sessions import Clock, choose


def main(url: str, session_id: str, name: str, first: int, count: int, expecting: bool) -> None:
    trail = Trail(connect(url), Clock())
    for number in range(first, first + count):
        while True:
            expected = trail.head(session_id).seq if expecting else None
            try:
                key = f"{name}-{number}"
                written = choose(trail, session_id, f"s{name}", str(number), key, expected)
                break
            except (SequenceConflictError, TrailUnavailableError):
                continue
        sys.stdout.write(f"{number} {written.event.seq} {written.event.hash}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    url, session_id, name, first, count, expecting = sys.argv[1:]
    main(url, session_id, name, int(first), int(count), expecting == "expecting")
