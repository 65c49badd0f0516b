"""What the API takes and answers, as marshmallow schemas; OpenAPI is made from them.

Error messages are codes (see ``problems``), put into words in the asker's language.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from configurator.web.api import shapes
from configurator.web.locale import LOCALES

LARGEST_INTEGER = 2**53 - 1


class Integral(fields.Field[int]):
    """A whole number however JSON spells it: ``5`` and ``5.0`` are 5; ``5.5``,
    ``2.5e-42``, ``true`` and ``"5"`` are none.

    With ``text`` (query strings) the digits of a text are read instead. Numbers lie
    between ``low`` and ``high``, both within what JSON carries exactly.
    """

    default_error_messages = {  # noqa: RUF012
        "whole": "whole",
        "range": "range",
        "required": "required",
        "null": "whole",
    }

    def __init__(
        self, *, low: int = 0, high: int = LARGEST_INTEGER, text: bool = False, **more: Any
    ) -> None:
        metadata = {"type": "integer", "minimum": low, "maximum": high, **more.pop("metadata", {})}
        super().__init__(metadata=metadata, **more)
        self.low = low
        self.high = high
        self.text = text

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        number = self._number(value)
        if not self.low <= number <= self.high:
            raise self.make_error("range")
        return number

    def _number(self, value: Any) -> int:
        if self.text:
            if isinstance(value, str) and value.isascii() and value.isdigit():
                return int(value) if len(value) <= 16 else self.high + 1
            raise self.make_error("whole")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("whole")
        if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
            raise self.make_error("whole")
        return int(value)


class Words(fields.Field[str]):
    """A text that can be stored and sent: no lone surrogates, no control characters."""

    default_error_messages = {  # noqa: RUF012
        "text": "text",
        "letters": "letters",
        "empty": "empty",
        "short": "short {number}",
        "long": "long {number}",
        "required": "required",
        "null": "text",
    }

    def __init__(self, *, longest: int, shortest: int = 1, **more: Any) -> None:
        metadata = {
            "type": "string",
            "minLength": shortest,
            "maxLength": longest,
            "pattern": r"^[^\u0000-\u001F\u007F-\u009F]*$",
            **more.pop("metadata", {}),
        }
        super().__init__(metadata=metadata, **more)
        self.longest = longest
        self.shortest = shortest

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        if not isinstance(value, str):
            raise self.make_error("text")
        if not value and self.shortest:
            raise self.make_error("empty")
        if len(value) < self.shortest:
            raise self.make_error("short", number=self.shortest)
        if len(value) > self.longest:
            raise self.make_error("long", number=self.longest)
        if any(_unstorable(letter) for letter in value):
            raise self.make_error("letters")
        return value


def _unstorable(letter: str) -> bool:
    code = ord(letter)
    return code < 32 or 0x7F <= code < 0xA0 or 0xD800 <= code <= 0xDFFF


class Strict(Schema):
    """A body that has just the fields it declares."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE

    error_messages = {"unknown": "unknown", "type": "object"}  # noqa: RUF012


_OBJECT: dict[str, Any] = {"type": "object", "null": "object", "required": "required"}
_LIST: dict[str, Any] = {"invalid": "list", "null": "list", "required": "required"}


def _language(value: str) -> None:
    if value not in LOCALES:
        raise ValidationError("language")


def _distinct(answers: list[dict[str, str]]) -> None:
    """Whoever answers a slot twice in one request means one of the two: nobody knows which."""
    slots = [each["slot"] for each in answers]
    for slot in slots:
        if slots.count(slot) > 1:
            raise ValidationError(f"twice {slot}")


class Answer(Strict):
    """One slot and an answer to it."""

    slot = Words(longest=200, required=True)
    answer = Words(longest=2000, required=True)


class Act(Strict):
    """What every act may carry."""

    expected_seq = Integral(
        low=1,
        metadata={"description": "The seq the act is based on; if it moved on, 409."},
    )


class Choose(Act):
    """Choose one answer."""

    slot = Words(longest=200, required=True)
    answer = Words(longest=2000, required=True)


class ChooseMany(Act):
    """Choose several answers as one act."""

    choices = fields.List(
        fields.Nested(Answer, error_messages=_OBJECT),
        required=True,
        validate=[
            validate.Length(1, error="empty"),
            validate.Length(max=500, error="long {max}"),
            _distinct,
        ],
        error_messages=_LIST,
    )


class Withdraw(Act):
    """Take a choice back."""

    slot = Words(longest=200, required=True)


class AcceptRepair(Act):
    """Accept a repair of an earlier refusal."""

    refusal_seq = Integral(low=1, required=True)
    index = Integral(low=0, high=99, required=True)


class Acknowledge(Act):
    """Confirm a guard."""

    guard = Words(longest=200, required=True)
    reason = Words(longest=500, shortest=0, load_default="")


class AcknowledgeIrreversible(Act):
    """Confirm what cannot be taken back later."""

    slots = fields.List(
        Words(longest=400),
        required=True,
        validate=[validate.Length(1, error="empty"), validate.Length(max=500, error="long {max}")],
        error_messages=_LIST,
    )


class ChangeLanguage(Act):
    """Read on in another language."""

    language = Words(longest=5, required=True, validate=_language, metadata={"enum": list(LOCALES)})


class Start(Strict):
    """Start a session."""

    product = Words(longest=200, required=True)
    language = Words(longest=5, validate=_language, metadata={"enum": list(LOCALES)})
    context = fields.List(
        fields.Nested(Answer, error_messages=_OBJECT),
        validate=[validate.Length(max=50, error="long {max}"), _distinct],
        error_messages=_LIST,
    )


class WriteHeaders(Schema):
    """The header that makes an act safe to repeat."""

    idempotency_key = Words(
        longest=200,
        data_key="Idempotency-Key",
        metadata={"description": "Any text of your own, new for each act, the same for a retry."},
    )


class StartHeaders(Schema):
    """The header that makes a start safe to repeat; nobody else may guess it."""

    idempotency_key = Words(
        shortest=16,
        longest=200,
        data_key="Idempotency-Key",
        metadata={
            "description": "A random text, such as a UUID, new for each start, the same for a "
            "retry. Keep it like the token: who sends it gets the token."
        },
    )


class Question(Schema):
    """Which option to explain."""

    slot = Words(longest=200, required=True)
    answer = Words(longest=2000, required=True)


class Page(Schema):
    """Which part of the trail to list."""

    after = Integral(text=True, load_default=0)
    limit = Integral(text=True, low=1, high=200, load_default=100)


_PATCH = {"description": "From the view before to this one: a JSON merge patch (RFC 7396)."}


# --- answers ------------------------------------------------------------------------


class Dated(Schema):
    """A release of a product."""

    digest = fields.String(required=True)
    number = fields.Integer(required=True)


class ProductSummary(Schema):
    """A product on sale."""

    id = fields.String(required=True)
    name = fields.Dict(fields.String(), fields.String(), required=True)
    release = fields.Nested(Dated, required=True)


class ProductList(Schema):
    """Every product on sale."""

    products = fields.List(fields.Nested(ProductSummary), required=True)


class ProductDetail(ProductSummary):
    """A product with its questions and their options."""

    description = fields.Dict(fields.String(), fields.String())
    languages = fields.List(fields.String(), required=True)
    currency = fields.String()
    context = fields.List(shapes.As(shapes.ContextFact), required=True)
    steps = fields.List(shapes.As(shapes.ProductStep), required=True)
    variables = fields.List(shapes.As(shapes.ProductVariable), required=True)
    guards = fields.List(shapes.As(shapes.ProductGuard), required=True)
    rules = fields.List(shapes.As(shapes.ProductRule), required=True)
    lines = fields.List(shapes.As(shapes.ProductLine), required=True)


class SessionState(Schema):
    """A session as it stands after event ``seq``."""

    session_id = fields.String(required=True)
    code = fields.String(required=True)
    product = fields.String(required=True)
    release = fields.String(required=True)
    day = fields.String(required=True)
    language = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["open", "committed"]))
    seq = fields.Integer(required=True)
    hash = fields.String(required=True)
    choices = fields.List(shapes.As(shapes.GivenAnswer), required=True)
    context = fields.List(shapes.As(shapes.GivenAnswer), required=True)
    can_undo = fields.Boolean(required=True)
    can_redo = fields.Boolean(required=True)
    acknowledged = fields.Dict(fields.String(), shapes.As(shapes.Acknowledged), required=True)
    view = shapes.As(shapes.View, required=True)


class StartedSession(Schema):
    """A new session and the token that opens it."""

    token = fields.String(required=True)
    session = fields.Nested(SessionState, required=True)


class RefusalAnswer(Schema):
    """Why an answer cannot be had now, and what would repair it."""

    wanted = shapes.As(shapes.GivenAnswer, required=True)
    seq = fields.Integer()
    conflict = shapes.As(shapes.ConflictShape, required=True)
    repairs = fields.List(shapes.As(shapes.RepairShape), required=True)


class ActAnswer(Schema):
    """What became of an act: a refusal is an answer too."""

    kind = fields.String(required=True, validate=validate.OneOf(["accepted", "refused"]))
    seq = fields.Integer(required=True)
    change = fields.Dict(required=True, metadata=_PATCH)
    refusal = fields.Nested(RefusalAnswer)
    consequences = shapes.As(shapes.ConsequencesShape)
    session = fields.Nested(SessionState, required=True)


class Explanation(Schema):
    """Whether an answer can be had, and why not."""

    possible = fields.Boolean(required=True)
    refusal = fields.Nested(RefusalAnswer)


class EventRecord(Schema):
    """One event of the trail."""

    event_id = fields.String(required=True)
    seq = fields.Integer(required=True)
    kind = fields.String(required=True)
    version = fields.Integer(required=True)
    at = fields.String(required=True)
    actor = fields.String(required=True)
    release = fields.String(required=True)
    engine_version = fields.String(required=True)
    language = fields.String(required=True)
    payload = fields.Dict(required=True)
    change = fields.Dict(metadata=_PATCH)
    view_digest = fields.String(required=True)
    previous_hash = fields.String(required=True)
    hash = fields.String(required=True)


class EventPage(Schema):
    """A part of the trail, and where the next part starts."""

    events = fields.List(fields.Nested(EventRecord), required=True)
    next_after = fields.Integer()


class ReplayedStep(Schema):
    """One event and the session as it stood after it."""

    event = fields.Nested(EventRecord, required=True)
    session = fields.Nested(SessionState, required=True)


class TrailCheck(Schema):
    """Whether the trail is whole."""

    ok = fields.Boolean(required=True)
    first_bad_seq = fields.Integer()
    reason = fields.Dict(fields.String(), fields.String())
