"""XML as a tree whose elements know their line and column.

Knows no vocabulary. Document types, entities and external references are refused, so
that a small file cannot grow while it is read.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler

from defusedxml import DefusedXmlException
from defusedxml.sax import make_parser

from configurator.language.importers.fault import ImportModelError, both, fault
from configurator.language.importers.feature_model import MOST_DEPTH
from configurator.language.importers.source import Source
from configurator.model.diagnostic import Span

MOST_ELEMENTS = 500_000


@dataclass(slots=True)
class Element:
    """An element, where its tag starts."""

    name: str
    attributes: dict[str, str]
    span: Span
    pieces: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text directly inside, joined; it starts on the line of the tag."""
        return "".join(self.pieces)

    def below(self, name: str) -> list[Element]:
        """The children of that name."""
        return [child for child in self.children if child.name == name]


def parse_markup(source: Source) -> Element:
    """The root element; raises ``ImportModelError`` for anything but plain XML."""
    handler = _Handler(source.name)
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(handler)
    try:
        parser.parse(io.BytesIO(source.text.encode()))
    except DefusedXmlException:
        message = both(
            "El archivo declara un tipo de documento o entidades.",
            "The file declares a document type or entities.",
        )
        cure = both("Quita la línea <!DOCTYPE …>.", "Remove the line <!DOCTYPE …>.")
        raise ImportModelError([fault("xml-entities", handler.span(), message, cure)]) from None
    except SAXParseException as problem:
        span = Span(source.name, problem.getLineNumber() or 1, (problem.getColumnNumber() or 0) + 1)
        message = both("El XML está mal formado aquí.", "The XML is not well-formed here.")
        cure = both(
            "Ciérralo todo y escribe & como &amp; y < como &lt;.",
            "Close everything, and write & as &amp; and < as &lt;.",
        )
        raise ImportModelError([fault("syntax", span, message, cure)]) from None
    except (SAXException, LookupError, ValueError) as problem:
        if isinstance(problem, ImportModelError):
            raise
        message = both("Esto no se puede leer como XML.", "This cannot be read as XML.")
        cure = both("Guárdalo como XML en UTF-8.", "Save it as XML in UTF-8.")
        raise ImportModelError([fault("syntax", handler.span(), message, cure)]) from None
    if handler.root is None:
        message = both("El archivo está vacío.", "The file is empty.")
        cure = both("Guarda el modelo otra vez.", "Save the model again.")
        raise ImportModelError([fault("syntax", Span(source.name, 1, 1), message, cure)])
    return handler.root


class _Handler(ContentHandler):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.root: Element | None = None
        self.open: list[Element] = []
        self.elements = 0
        self.locator: Any = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802 (SAX's name)
        self.locator = locator

    def span(self) -> Span:
        """Where the parser is."""
        if self.locator is None or self.locator.getLineNumber() is None:
            return Span(self.name, 1, 1)
        return Span(
            self.name, self.locator.getLineNumber(), (self.locator.getColumnNumber() or 0) + 1
        )

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 (SAX's name)
        element = Element(name, dict(attrs.items()), self.span())
        self.elements += 1
        if self.elements > MOST_ELEMENTS or len(self.open) > MOST_DEPTH:
            message = both(
                "El XML tiene demasiados elementos o niveles.",
                "The XML has too many elements or levels.",
            )
            cure = both("Divide el modelo.", "Split the model.")
            raise ImportModelError([fault("too-large", element.span, message, cure)])
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def endElement(self, name: str) -> None:  # noqa: N802 (SAX's name)
        self.open.pop()

    def characters(self, content: str) -> None:
        self.open[-1].pieces.append(content)
