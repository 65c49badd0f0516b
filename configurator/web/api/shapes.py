"""What the API's answers hold inside, as marshmallow schemas that describe and do nothing
else: views are written out as they were recorded, so that no replay loses anything.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate


class As(fields.Nested):
    """Something of a shape, written out as it is."""

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        return nested_obj


def _said(description: str, **more: Any) -> dict[str, Any]:
    return {"description": description, **more}


def _one_of(*names: str) -> Any:
    return fields.String(required=True, validate=validate.OneOf(names))


def _texts(**more: Any) -> Any:
    return fields.Dict(
        fields.String(), fields.String(), metadata=_said("A text by language."), **more
    )


def _pairs(description: str, **more: Any) -> Any:
    pair = fields.List(fields.String(), validate=validate.Length(equal=2))
    return fields.List(pair, metadata=_said(description), **more)


def _cents(description: str, **more: Any) -> Any:
    return fields.Integer(metadata=_said(f"{description} In cents."), **more)


class GivenAnswer(Schema):
    """A slot and the answer it has."""

    slot = fields.String(required=True)
    answer = fields.String(required=True)


# --- products -----------------------------------------------------------------------


class ContextFact(Schema):
    """A fact that the shop may tell when a session starts."""

    id = fields.String(required=True)
    values = fields.List(fields.String(), required=True)
    if_missing = fields.String(required=True)


class ProductStep(Schema):
    """A page of questions, in order."""

    id = fields.String(required=True)
    name = _texts(required=True)
    ask = fields.List(fields.String(), required=True, metadata=_said("Ids of variables."))


class ProductValue(Schema):
    """An option."""

    id = fields.String(required=True)
    name = _texts(required=True)
    price = _cents("What it costs.")
    help = _texts()
    irreversible = _texts()


class Range(Schema):
    """The numbers a question takes, as decimals with a point."""

    low = fields.String(required=True)
    high = fields.String(required=True)
    step = fields.String(required=True)


class Days(Schema):
    """The days a question takes: dates, or days counted from the session's own."""

    first = fields.Raw(required=True, metadata={"type": ["integer", "string"]})
    last = fields.Raw(required=True, metadata={"type": ["integer", "string"]})


class Several(Schema):
    """How many options may be taken, how many of each, and in all; each a low and a high."""

    pick = fields.List(fields.Integer(), required=True)
    each = fields.List(fields.Integer(), required=True)
    pieces = fields.List(fields.Integer())


class TextForm(Schema):
    """How long a text may be, and of which letters."""

    length = fields.List(fields.Integer(), required=True)
    letters = _one_of("latin", "digits", "any")


class ProductDoubt(Schema):
    """A question that customers have, and its answer."""

    ask = _texts(required=True)
    answer = _texts(required=True)
    sometimes = fields.Boolean(
        metadata=_said("Worth showing only where its number, from 1, is in view.doubts.")
    )


class ProductVariable(Schema):
    """Something to decide, or (``computed``) something that follows."""

    id = fields.String(required=True)
    name = _texts(required=True)
    kind = _one_of("one of", "yes or no", "number", "date", "several of", "text", "computed")
    optional = fields.Boolean(required=True, metadata=_said("Whether `none` is an answer to it."))
    show = _one_of("never", "result", "ask")
    ask = fields.String(
        validate=validate.OneOf(["always"]),
        metadata=_said("There where only the customer may answer: finish leaves it open."),
    )
    values = fields.List(As(ProductValue), required=True)
    unit = fields.String()
    number = As(Range)
    days = As(Days)
    several = As(Several)
    text = As(TextForm)
    price_each = _cents("What one unit costs.")
    help = _texts()
    doubts = fields.List(As(ProductDoubt))
    irreversible = _texts()


class ProductGuard(Schema):
    """What is said where an answer is likely to be regretted."""

    id = fields.String(required=True)
    level = _one_of("hint", "caution", "acknowledge")
    at = _one_of("choice", "summary")
    say = _texts(required=True)
    reasons = fields.List(_texts(), required=True)


class ProductRule(Schema):
    """A rule, a table, or a row of a table (`table#row`), and its reason."""

    id = fields.String(required=True)
    because = _texts(required=True)


class ProductLine(Schema):
    """A line of the bill. Others are `base`, `minimum`, and the slots that cost something."""

    id = fields.String(required=True)
    name = _texts(required=True)


# --- views --------------------------------------------------------------------------


class ViewOption(Schema):
    """An option of a slot as things stand."""

    state = _one_of("possible", "chosen", "implied", "needs changes", "undecided", "impossible")
    difference = _cents("How far the lowest total with it lies above price.lowest.")
    at_least = fields.Boolean(metadata=_said("The difference may be more."))
    changes = fields.Integer(metadata=_said("How many other choices would have to change."))


class Origin(Schema):
    """What an implied answer comes from."""

    choices = fields.List(fields.String(), required=True, metadata=_said("Slots chosen."))
    context = fields.List(fields.String(), required=True, metadata=_said("Facts told."))
    rules = fields.List(fields.String(), required=True, metadata=_said("Ids of rules."))
    more = fields.Boolean(metadata=_said("There are more rules than are named."))


class ViewSlot(Schema):
    """A question, or one option of a several-of (`variable.option`, answered by a number)."""

    variable = fields.String(required=True)
    state = _one_of("open", "chosen", "implied", "not asked", "undecided")
    answer = fields.String()
    maybe = fields.Boolean(metadata=_said("Open, but it may yet turn out not to be asked."))
    options = fields.Dict(fields.String(), As(ViewOption), metadata=_said("By answer."))
    intervals = _pairs("Of a wide number or date: lowest and highest of what is possible.")
    proposal = fields.String(metadata=_said("What the product proposes."))
    origin = As(Origin)


class ViewCount(Schema):
    """How many configurations are left."""

    number = fields.String(required=True, metadata=_said("Decimal digits; it can be huge."))
    at_least = fields.Boolean()


class Suggested(Schema):
    """What a guard suggests for a slot, and the state of that option."""

    answer = fields.String(required=True)
    state = fields.String(required=True)


class ViewGuard(Schema):
    """A guard that speaks now; its text is the product's, with `{slot}` for answers."""

    level = _one_of("hint", "caution", "acknowledge")
    at = _one_of("choice", "summary")
    reads = fields.Dict(
        fields.String(), fields.String(), required=True, metadata=_said("The answers it reads.")
    )
    suggest = fields.Dict(fields.String(), As(Suggested), metadata=_said("By slot."))
    acknowledged = fields.Boolean()
    reason = fields.String()


class ViewStep(Schema):
    """How many questions of a step are asked and answered; `maybe` more might be."""

    asked = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    maybe = fields.Integer()


class ViewPrice(Schema):
    """What it costs: from `lowest` while questions are open, then the bill."""

    currency = fields.String(required=True)
    tax_included = fields.Boolean(required=True)
    tax_rate = fields.String(required=True)
    lowest = _cents("The lowest total still possible.")
    at_least = fields.Boolean(metadata=_said("The lowest total may be more."))
    proposed = _cents("The total with everything proposed.")
    lines = fields.List(
        fields.List(fields.Raw(metadata={"type": ["string", "integer"]})),
        metadata=_said("Pairs of an id and cents."),
    )
    net = _cents("Without tax.")
    tax = _cents("The tax.")
    taxes = fields.List(
        fields.List(fields.Raw(metadata={"type": ["string", "integer"]})),
        metadata=_said("Where several rates apply: pairs of a rate and cents."),
    )
    total = _cents("What is paid.")


class View(Schema):
    """What the customer can see: ids, answers and cents, and never `null`."""

    slots = fields.Dict(fields.String(), As(ViewSlot), required=True)
    count = As(ViewCount, required=True)
    guards = fields.Dict(fields.String(), As(ViewGuard), required=True)
    steps = fields.Dict(fields.String(), As(ViewStep), required=True)
    complete = fields.Boolean(required=True)
    results = fields.Dict(
        fields.String(), fields.String(), required=True, metadata=_said("Computed, to be shown.")
    )
    doubts = fields.Dict(
        fields.String(),
        fields.List(fields.Integer()),
        metadata=_said("By variable, the numbers of the doubts that hold only sometimes."),
    )
    irreversible = fields.Dict(
        fields.String(), fields.String(), metadata=_said("What was confirmed as irreversible.")
    )
    filled = fields.Dict(
        fields.String(),
        fields.String(),
        metadata=_said("Answers that finish gave, until the customer chooses for their slots."),
    )
    price = As(ViewPrice)


# --- refusals and previews ----------------------------------------------------------


class RuleReason(Schema):
    """A rule that stands against it, with its reason where it gives one."""

    id = fields.String(required=True)
    because = _texts()


class ConflictShape(Schema):
    """What stands against an answer, never more than needed."""

    choices = fields.List(As(GivenAnswer), required=True)
    rules = fields.List(As(RuleReason), required=True)
    context = fields.List(As(GivenAnswer), required=True)


class RepairChange(Schema):
    """One answer that changes; without `after` it is taken back."""

    slot = fields.String(required=True)
    before = fields.String()
    after = fields.String()


class RepairShape(Schema):
    """Changes that make the wanted answer possible."""

    index = fields.Integer(required=True)
    changes = fields.List(As(RepairChange), required=True)
    choices = fields.List(As(GivenAnswer), required=True, metadata=_said("All choices then."))
    lowest = _cents("The lowest total then.")
    difference = _cents("How far that lies above the lowest total now.")


class ConsequencesShape(Schema):
    """What choosing an answer would do. What is absent does not happen."""

    wanted = fields.List(fields.String(), required=True, metadata=_said("Slot and answer."))
    closes = _pairs("Options of open questions that would need changes.")
    forces = _pairs("Answers that would newly follow by themselves.")
    asks = fields.List(fields.String(), metadata=_said("Variables that would be asked."))
    skips = fields.List(fields.String(), metadata=_said("Variables no longer asked."))
    guards = fields.List(fields.String(), metadata=_said("Guards that would be said."))
    difference = _cents("How the lowest total would move.")
    at_least = fields.Boolean()


class Acknowledged(Schema):
    """The reason a guard was confirmed with, and the answers it was confirmed for."""

    reason = fields.String(required=True)
    values = fields.Dict(fields.String(), fields.String(), required=True)


class FieldError(Schema):
    """A field of the request that is not as expected."""

    field = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)
