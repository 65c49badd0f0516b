"""How the service writes its log: one event per line, on standard error.

On a terminal these are lines to read; anywhere else each is one JSON object, for whatever
collects them. A traceback says where, never with which values: those may be a customer's
token or a password.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.stdlib import ProcessorFormatter
from structlog.types import Processor


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what is standard error at the moment of writing."""

    @property
    def stream(self) -> TextIO:
        """Standard error."""
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        """Ignored: the base class sets what it was made with."""


def set_up() -> None:
    """Send what this package and the libraries log to one place in one shape; asked again,
    it changes nothing. Where somebody has given the root logger handlers, those stay the
    only ones."""
    if structlog.is_configured():
        return
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.getLogger("configurator").setLevel(logging.INFO)
    root = logging.getLogger()
    if not root.handlers:
        handler = _StandardError()
        handler.setFormatter(_formatter(shared, readable=sys.stderr.isatty()))
        root.addHandler(handler)


def _formatter(shared: list[Processor], *, readable: bool) -> logging.Formatter:
    rendering: list[Processor]
    if readable:
        # Texts are quoted, so that none of them can pass for a line of its own.
        rendering = [ConsoleRenderer(exception_formatter=plain_traceback, repr_native_str=True)]
    else:
        rendering = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[ProcessorFormatter.remove_processors_meta, *rendering],
    )
