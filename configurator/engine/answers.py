"""Is this an answer to that slot? If not, what would be."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from fractions import Fraction

from configurator.engine.errors import UnknownChoiceError, said
from configurator.engine.exact import plain
from configurator.engine.layout import Grid, Layout, Slot, parse_day, parse_number
from configurator.model.choice import NONE, Choice

LATIN_END = 0x250
"""Where Unicode's blocks of Latin letters, with their digits and signs, end."""

SIGNS = "–—‘’“”„…•€"
"""What is written among Latin letters, too, and stands elsewhere in Unicode."""


def checked(layout: Layout, choice: Choice) -> Choice:
    """The choice with its answer spelled as the engine spells it.

    Raises ``UnknownChoiceError``: ``unknown-slot``, ``computed-slot``, ``unknown-value``,
    ``not-today``, ``malformed-number``, ``malformed-day``, ``out-of-range``, ``off-step``,
    ``text-length`` or ``text-letters``.
    """
    slot = layout.by_id.get(choice.slot)
    if slot is None and (parts := layout.by_variable.get(choice.slot)):
        raise _several(choice, parts)
    if slot is None and (gone := _gone(layout, choice.slot)):
        raise gone
    if slot is None:
        raise _unknown("unknown-slot", choice.slot, layout.by_id, "una pregunta", "question")
    if slot.variable.kind == "computed":
        es, en = _name(slot)
        raise UnknownChoiceError(
            "computed-slot",
            said(f"«{es}» se calcula solo.", f"“{en}” is worked out by itself."),
            said("Cambia las respuestas de las que depende.", "Change what it depends on."),
        )
    if slot.never:
        raise _not_today(_name(slot), choice.answer)
    if choice.answer == NONE and slot.optional:
        return choice
    if slot.variable.kind == "text":
        return _text(slot, choice)
    if slot.grid is not None:
        return Choice(slot.id, _on_grid(slot, slot.grid, choice.answer))
    if choice.answer not in slot.answers:
        if any(value.id == choice.answer for value in slot.variable.values):
            raise _not_today(_name(slot), choice.answer)
        raise _unknown("unknown-value", choice.answer, slot.answers, "una opción", "option")
    return choice


def checked_context(layout: Layout, choice: Choice) -> Choice:
    """A fact told by the shop. Raises ``UnknownChoiceError``."""
    told = layout.context.get(choice.slot)
    if told is None:
        raise _unknown("unknown-context", choice.slot, layout.context, "un dato", "fact")
    if choice.answer not in told.values:
        raise _unknown("unknown-value", choice.answer, told.values, "un valor", "value")
    return choice


def _on_grid(slot: Slot, grid: Grid, answer: str) -> str:
    number = parse_day(answer) if grid.days else parse_number(answer)
    position = None if number is None else grid.position(number)
    if position is None:
        raise _off_grid(slot, grid, answer, number)
    return grid.answer(position)


def _off_grid(slot: Slot, grid: Grid, answer: str, number: Fraction | None) -> UnknownChoiceError:
    """Why an answer has no place on the grid; ``number`` is what it reads as."""
    low, high = grid.answer(0), grid.answer(grid.size - 1)
    ends_es, ends_en = _measured(slot, f"{low} a {high}", f"{low} to {high}")
    es, en = _name(slot)
    if number is None and grid.days:
        return UnknownChoiceError(
            "malformed-day",
            said(f"«{answer[:40]}» no es una fecha.", f"“{answer[:40]}” is not a date."),
            said(f"Escríbela así: {low}.", f"Write it like this: {low}."),
        )
    if number is None:
        return UnknownChoiceError(
            "malformed-number",
            said(f"«{answer[:40]}» no es un número.", f"“{answer[:40]}” is not a number."),
            said(f"Escribe un número de {ends_es}.", f"Write a number from {ends_en}."),
        )
    if number < grid.number(0) or number > grid.number(grid.size - 1):
        return UnknownChoiceError(
            "out-of-range",
            said(f"«{es}» va de {ends_es}.", f"“{en}” goes from {ends_en}."),
            said("Elige dentro de esos límites.", "Choose between those ends."),
        )
    below = int((number - grid.low) // grid.step)
    near = f"{grid.answer(below)} · {grid.answer(min(below + 1, grid.size - 1))}"
    step = plain(grid.step)
    by_es, by_en = _measured(slot, f"{step} en {step}", step)
    near_es, near_en = _measured(slot, near, near)
    return UnknownChoiceError(
        "off-step",
        said(f"«{es}» va de {by_es}.", f"“{en}” goes in steps of {by_en}."),
        said(f"Lo más cercano: {near_es}.", f"The nearest: {near_en}."),
    )


def _text(slot: Slot, choice: Choice) -> Choice:
    limits = slot.variable.text
    text = unicodedata.normalize("NFC", choice.answer).strip(" ")
    if limits is None:
        return Choice(slot.id, text)
    low, high = max(limits.length[0], 1), limits.length[1]
    if not low <= len(text) <= high:
        raise UnknownChoiceError(
            "text-length",
            said(
                f"El texto tiene {len(text)} letras; puede tener de {low} a {high}.",
                f"The text has {len(text)} letters; it may have {low} to {high}.",
            ),
            said("Acórtalo o alárgalo.", "Shorten it or lengthen it."),
        )
    wrong = [letter for letter in text if not _letter_fits(letter, limits.letters)]
    if wrong:
        raise UnknownChoiceError(
            "text-letters",
            said(f"«{wrong[0]}» no se puede escribir aquí.", f"“{wrong[0]}” cannot be used here."),
            said("Usa otras letras.", "Use other letters."),
        )
    return Choice(slot.id, text)


def _letter_fits(letter: str, letters: str) -> bool:
    if not letter.isprintable():
        return False
    if letters == "digits":
        return letter.isascii() and letter.isdigit()
    if letters == "latin" and ord(letter) >= LATIN_END:
        return letter in SIGNS or unicodedata.name(letter, "").startswith("LATIN ")
    return True


def _name(slot: Slot) -> tuple[str, str]:
    """What a slot is called in Spanish and in English."""
    value_id = slot.id.partition(".")[2]
    of_value = (value.name for value in slot.variable.values if value.id == value_id)
    name = next(of_value, slot.variable.name)
    return name.in_language("es"), name.in_language("en")


def _measured(slot: Slot, es: str, en: str) -> tuple[str, str]:
    """Numbers in Spanish and in English, with the slot's unit."""
    unit = f" {slot.variable.unit}" if slot.variable.unit else ""
    comma = es if slot.grid is not None and slot.grid.days else es.replace(".", ",")
    return f"{comma}{unit}", f"{en}{unit}"


def _several(choice: Choice, parts: tuple[Slot, ...]) -> UnknownChoiceError:
    """What to write instead where a several-of is answered as if it were one question."""
    meant = f"{choice.slot}.{choice.answer}"
    part = next((slot for slot in parts if slot.id == meant), parts[0])
    like = f"{part.id}={next((count for count in part.answers if count != '0'), '1')}"
    some = ", ".join(slot.id for slot in parts[:8])
    return UnknownChoiceError(
        "unknown-slot",
        said(
            f"De «{choice.slot}» se puede elegir más de una cosa, cada una con su cantidad.",
            f"Of “{choice.slot}” several can be chosen, each with how many.",
        ),
        said(f"Elige así: {like}. Hay: {some}.", f"Choose like this: {like}. There is: {some}."),
    )


def _gone(layout: Layout, slot: str) -> UnknownChoiceError | None:
    """What to say of a value of a several-of that is not on offer on the day, and has no
    slot then."""
    name, _, part = slot.partition(".")
    if name not in layout.by_variable:
        return None
    variable = layout.product.variable(name)
    if all(value.id != part for value in variable.values):
        return None
    return _not_today((variable.name.in_language("es"), variable.name.in_language("en")), part)


def _not_today(names: tuple[str, str], answer: str) -> UnknownChoiceError:
    es, en = names
    return UnknownChoiceError(
        "not-today",
        said(
            f"«{answer}» no se ofrece ese día en «{es}».",
            f"“{answer}” is not on offer that day for “{en}”.",
        ),
        said("Elige otra opción.", "Choose another option."),
    )


def _unknown(
    code: str, word: str, known: Iterable[str], noun_es: str, noun_en: str
) -> UnknownChoiceError:
    names = list(known)
    shown = word[:40]
    near = difflib.get_close_matches(shown, names, n=1)
    if not names:
        help_es, help_en = "No hay ninguno.", "There is none."
    elif near:
        help_es, help_en = f"¿Querías decir «{near[0]}»?", f"Did you mean “{near[0]}”?"
    else:
        some = ", ".join(names[:8])
        help_es, help_en = f"Hay: {some}.", f"There is: {some}."
    return UnknownChoiceError(
        code,
        said(f"«{shown}» no es {noun_es}.", f"“{shown}” is no {noun_en} here."),
        said(help_es, help_en),
    )
