"""What is wrong with a UVL file, in words: one function for each mistake.

Knows the sentences, not how the mistakes are found.
"""

from __future__ import annotations

from configurator.language.importers.fault import ImportModelError, both, fault
from configurator.language.importers.source import Source
from configurator.language.importers.uvl_lines import Line
from configurator.language.importers.uvl_tokens import Cursor
from configurator.model.diagnostic import Diagnostic, Span

GROUPS = frozenset(("or", "alternative", "optional", "mandatory"))


def no_section(cursor: Cursor, again: bool) -> ImportModelError:
    """A line furthest left that opens no section, or one again."""
    token = cursor.peek()
    word = token.text if token is not None else ""
    message = (
        both(f"La sección «{word}» aparece dos veces.", f'The section "{word}" stands there twice.')
        if again
        else both(
            f"«{word}» no es una sección de UVL.", f'"{word}" is not a section of a UVL file.'
        )
    )
    cure = both(
        "Las secciones son namespace, include, imports, features y constraints, sin sangría.",
        "The sections are namespace, include, imports, features and constraints, not indented.",
    )
    return ImportModelError([fault("syntax", cursor.span(), message, cure)])


def no_features(source: Source) -> ImportModelError:
    """A file without features."""
    message = both("El archivo no declara características.", "The file declares no features.")
    cure = both(
        "Añade la sección «features» con una raíz.", 'Add the section "features" with one root.'
    )
    return ImportModelError([fault("no-features", Span(source.name, 1, 1), message, cure)])


def second_root(source: Source, line: Line) -> ImportModelError:
    """A second line below ``features``: another root, or a group indented too little."""
    token = line.tokens[0]
    if token.text in GROUPS or token.text == "[":
        message = both(
            f"El grupo «{token.text}» está a la altura de la raíz.",
            f'The group "{token.text}" stands at the level of the root.',
        )
        cure = both(
            "Ponlo un nivel más adentro, bajo su característica.",
            "Indent it one level deeper, below its feature.",
        )
        return ImportModelError(
            [fault("wrong-indentation", source.span(token.offset), message, cure)]
        )
    message = both(
        f"«{token.text}» sería una segunda raíz.", f'"{token.text}" would be a second root.'
    )
    cure = both(
        "Un modelo tiene una sola raíz: ponla bajo ella.",
        "A model has one root: put it below that.",
    )
    return ImportModelError([fault("second-root", source.span(token.offset), message, cure)])


def no_group(cursor: Cursor) -> ImportModelError:
    """Something else where a group goes."""
    token = cursor.peek()
    word = token.text if token is not None else ""
    message = both(f"«{word}» está donde va un grupo.", f'"{word}" stands where a group goes.')
    cure = both(
        "Bajo una característica van grupos: mandatory, optional, or, alternative o [n..m];"
        " y las características, bajo ellos.",
        "Below a feature stand groups: mandatory, optional, or, alternative or [n..m];"
        " and features stand below those.",
    )
    return ImportModelError([fault("syntax", cursor.span(), message, cure)])


def group_among_features(span: Span) -> ImportModelError:
    """A group where a feature goes."""
    message = both(
        "Hay un grupo donde va una característica.", "A group stands where a feature goes."
    )
    cure = both("Revisa la sangría.", "Look at the indentation.")
    return ImportModelError([fault("wrong-indentation", span, message, cure)])


def empty_group(span: Span, word: str) -> ImportModelError:
    """A group without members."""
    message = both(f"El grupo «{word}» está vacío.", f'The group "{word}" is empty.')
    cure = both(
        "Pon características bajo él, más adentro.", "Put features below it, indented deeper."
    )
    return ImportModelError([fault("empty-group", span, message, cure)])


def twice(span: Span, name: str, first: Span) -> ImportModelError:
    """A name declared again."""
    place = f"{first.file}:{first.line}:{first.column}"
    message = both(
        f"«{name}» ya está declarado en {place}.", f'"{name}" is already declared at {place}.'
    )
    cure = both("Da a cada uno un nombre distinto.", "Give each a name of its own.")
    return ImportModelError([fault("duplicate-name", span, message, cure)])


def typed(span: Span, kind: str, name: str) -> Diagnostic:
    """A feature that is a number or a text."""
    return fault(
        "feature-type",
        span,
        both(
            f"«{name}» es de tipo {kind}; solo se importan características que están o no.",
            f'"{name}" is of type {kind}; only features that are there or not are imported.',
        ),
        both(
            "Quita el tipo, importa y escríbela después como variable «type: number» o «text».",
            "Remove the type, import, then write it as a variable, `type: number` or `text`.",
        ),
    )


def copied(span: Span, name: str) -> Diagnostic:
    """A feature that can be there several times."""
    return fault(
        "feature-cardinality",
        span,
        both(
            f"«{name}» puede repetirse (cardinality), y las repeticiones no se importan.",
            f'"{name}" can be repeated (cardinality), and copies are not imported.',
        ),
        both(
            f"Escribe cada copia como característica: {name}1, {name}2…",
            f"Write each copy as a feature: {name}1, {name}2…",
        ),
    )


def impossible_group(span: Span, low: int, high: int, size: int) -> Diagnostic:
    """A group whose bounds no choice meets."""
    return fault(
        "impossible-group",
        span,
        both(
            f"El grupo pide de {low} a {high} y tiene {size}.",
            f"The group asks for {low} to {high}, and has {size}.",
        ),
        both("Corrige los límites del grupo.", "Mend the bounds of the group."),
    )


def unplaced_import(span: Span, alias: str) -> Diagnostic:
    """A model that is imported and used nowhere."""
    return fault(
        "unplaced-import",
        span,
        both(
            f"«{alias}» se importa y no aparece en el árbol.",
            f'"{alias}" is imported but stands nowhere in the tree.',
        ),
        both(
            "Pon su raíz bajo un grupo de «features», o quita la importación.",
            'Put its root below a group of "features", or remove the import.',
        ),
    )


def unknown_level(span: Span, written: str) -> Diagnostic:
    """A language level that does not exist."""
    return fault(
        "unknown-level",
        span,
        both(
            f"«{written}» no es un nivel del lenguaje UVL.",
            f'"{written}" is no level of the UVL language.',
        ),
        both(
            "Los niveles son Boolean, Arithmetic y Type, con sus partes.",
            "The levels are Boolean, Arithmetic and Type, with their parts.",
        ),
    )


def too_many(span: Span, most: int) -> ImportModelError:
    """More features than the importer takes."""
    message = both(
        f"El modelo tiene más de {most} características.",
        f"The model has more than {most} features.",
    )
    return ImportModelError([fault("too-large", span, message, both("Divídelo.", "Split it."))])


def not_imported(span: Span, name: str) -> ImportModelError:
    """A dotted feature whose first part is no import."""
    message = both(f"«{name}» no está importado.", f'"{name}" is not imported.')
    cure = both(
        "Añádelo bajo «imports»; los puntos solo separan modelos importados.",
        'Add it under "imports"; dots only separate imported models.',
    )
    return ImportModelError([fault("unknown-import", span, message, cure)])


def not_the_root(span: Span, alias: str, written: str, root: str) -> ImportModelError:
    """A part of an imported model in place of its root."""
    message = both(
        f"«{written}» no es la raíz de «{alias}»; su raíz es «{root}».",
        f'"{written}" is not the root of "{alias}"; its root is "{root}".',
    )
    cure = both(f"Escribe {alias}.{root}.", f"Write {alias}.{root}.")
    return ImportModelError([fault("unknown-feature", span, message, cure)])


def unknown_feature(span: Span, name: str, near: str) -> ImportModelError:
    """A constraint over a feature that is not there."""
    message = both(
        f"«{name}» no es una característica de este modelo.",
        f'"{name}" is not a feature of this model.',
    )
    cure = (
        both(f"¿Querías decir «{near}»?", f'Did you mean "{near}"?')
        if near
        else both(
            "Declárala bajo «features» o corrige el nombre.",
            'Declare it under "features", or mend the name.',
        )
    )
    return ImportModelError([fault("unknown-feature", span, message, cure)])


def attribute_in_constraint(span: Span, name: str) -> ImportModelError:
    """An attribute used as a condition."""
    message = both(
        f"«{name}» es un atributo, y los atributos no se importan en condiciones.",
        f'"{name}" is an attribute, and attributes in constraints are not imported.',
    )
    cure = both("Usa características en la condición.", "Use features in the constraint.")
    return ImportModelError([fault("attribute-constraint", span, message, cure)])


def wrong_import(span: Span, es: str, en: str) -> ImportModelError:
    """An import that cannot be followed, for the reason given."""
    cure = both(
        "Pon el archivo junto al modelo o corrige «imports».",
        'Put the file beside the model, or mend "imports".',
    )
    return ImportModelError([fault("import", span, both(es, en), cure)])


def too_deep_below(source: Source, line: Line) -> ImportModelError:
    """A line below one that takes none."""
    message = both("Esta línea tiene demasiada sangría.", "This line is indented too far.")
    cure = both("Alinéala con la anterior.", "Align it with the one before.")
    span = source.span(line.tokens[0].offset)
    return ImportModelError([fault("wrong-indentation", span, message, cure)])
