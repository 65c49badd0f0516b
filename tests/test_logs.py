"""The log: one event per line, and nobody's values in it."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from configurator import logs

SECRET = "a customer's token"
NAME = "configurator.somewhere"


class Terminal(io.StringIO):
    """Standard error that somebody looks at."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@contextmanager
def beginning(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, *handlers: logging.Handler
) -> Iterator[io.StringIO]:
    """A process that has just set up its log, with ``handlers`` that were there before; gives
    its standard error."""
    root, before, known = logging.getLogger(), structlog.get_config(), structlog.is_configured()
    running = root.handlers[:]
    written = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root.handlers[:] = handlers
    structlog.reset_defaults()
    logs.set_up()
    try:
        yield written
    finally:
        root.handlers[:] = running
        structlog.reset_defaults()
        if known:
            structlog.configure(**before)


def fail(token: str) -> None:
    """Fail while a secret is at hand."""
    assert token
    raise RuntimeError("unforeseen")


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("library", [False, True])
def test_a_traceback_says_where_and_not_with_which_values(
    terminal: bool, library: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with beginning(terminal, monkeypatch) as written:
        # Flask logs what nobody has foreseen under the name of the application.
        log = logging.getLogger("configurator") if library else structlog.get_logger(NAME)
        try:
            fail(SECRET)
        except RuntimeError as problem:
            log.error("it failed", exc_info=problem)
    text = written.getvalue()
    assert "in fail" in text
    assert "RuntimeError: unforeseen" in text
    assert SECRET not in text
    if not terminal:
        line = json.loads(text)
        assert (line["event"], line["level"]) == ("it failed", "error")
        assert line["logger"] == ("configurator" if library else NAME)
        assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("terminal", [False, True])
def test_what_somebody_wrote_stays_within_its_line(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with beginning(terminal, monkeypatch) as written:
        structlog.get_logger(NAME).warning("refused", name="eve\nall is well \x1b[2J")
    assert written.getvalue().count("\n") == 1
    assert "\x1b[2J" not in written.getvalue()


def test_who_has_set_up_the_log_before_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = io.StringIO()
    with beginning(False, monkeypatch, logging.StreamHandler(theirs)) as written:
        logs.set_up()
        structlog.get_logger(NAME).info("published", by="mar")
    assert written.getvalue() == ""
    assert "published" in theirs.getvalue()
    assert "mar" in theirs.getvalue()


def test_what_libraries_say_in_passing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with beginning(False, monkeypatch) as written:
        logging.getLogger("alembic").info("Context impl SQLiteImpl.")
        structlog.get_logger(NAME).debug("of no concern")
    assert written.getvalue() == ""
