"""A product's picture: a layered SVG that follows the answers.

``rules/<product>/picture.svg`` is written by merchandisers, so it is untrusted: only
shapes get through, nothing that could run, load or style. A group with
``data-when="wheels=29 brakes=disc-hydraulic|disc-mechanical"`` is a layer: it is drawn
when every test holds. ``data-focus="fork: 380 100 330 330; wheels: 20 230 370 370"`` on
the root says which part of the picture shows an option of a question.

All layers are sent once per page, as definitions; each drawing refers to those it
needs. Knows nothing of rules, sessions or requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from markupsafe import Markup, escape

_SVG = "{http://www.w3.org/2000/svg}"

_SHAPE_NAMES = (
    "g path circle ellipse rect line polyline polygon text tspan defs linearGradient "
    "radialGradient stop clipPath mask pattern symbol use"
)
SHAPES = frozenset(_SHAPE_NAMES.split())

_ATTRIBUTE_NAMES = (
    "id class d points x y x1 y1 x2 y2 cx cy r rx ry dx dy fx fy width height viewBox "
    "transform fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap "
    "stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset opacity color offset "
    "stop-color stop-opacity gradientUnits gradientTransform spreadMethod clip-path clip-rule "
    "mask maskUnits clipPathUnits patternUnits patternTransform preserveAspectRatio "
    "text-anchor font-family font-size font-weight letter-spacing paint-order href data-when "
    "vector-effect display visibility"
)
ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())

PICTURE = "picture.svg"
"""What the picture of a folder is called that names none."""

PICTURE_BYTES = 512 * 1024
DEEPEST = 40
MOST_SHAPES = 20_000
"""Elements a browser may have to draw, each counted again wherever it is referred to."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9][A-Za-z0-9-]*)?")
_ID = re.compile(r"[\w.:-]+")
_REFERENCE = re.compile(r"url\(\s*+['\"]?([^()'\"\s]*+)['\"]?\s*+\)")
"""Gives nothing back once read, so that no picture takes long."""
_BOX = re.compile(r"-?[0-9.]+( -?[0-9.]+){3}")


_SILENT = frozenset(("title", "desc", "metadata", "version", "role"))
"""What a drawing program writes and nobody misses."""


class PictureError(ValueError):
    """The file is no picture that can be shown.

    ``problem`` is why, as the catalogue of messages calls it; ``word`` what of the file is
    meant, and ``place`` its line and column, from 1, where that is known.
    """

    def __init__(self, problem: str, word: str = "", place: tuple[int, int] = (1, 1)) -> None:
        super().__init__(f"{problem}: {word}" if word else problem)
        self.problem = problem
        self.word = word
        self.place = place


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the drawing: drawn under ``tests``, either a definition of its own or a
    group with parts inside."""

    tests: tuple[tuple[str, tuple[str, ...]], ...]
    name: str
    opening: str
    parts: tuple[_Part, ...]


class Picture:
    """One picture, made safe, ready to be drawn for any answers."""

    def __init__(self, svg: bytes, name: str) -> None:
        """Read ``svg``; ``name`` (a product id) keeps its ids apart from other pictures'.

        Raises ``PictureError`` for what is not an SVG or could do more than draw.
        """
        if not _NAME.fullmatch(name):
            raise PictureError("bad-name", name)
        if len(svg) > PICTURE_BYTES:
            raise PictureError("bad-picture/size")
        try:
            root = fromstring(svg, forbid_dtd=True)
        except ParseError as problem:
            line, column = problem.position
            raise PictureError("bad-picture", place=(max(line, 1), column + 1)) from problem
        except DefusedXmlException as problem:
            raise PictureError("bad-picture/doctype", "<!DOCTYPE") from problem
        except ValueError as problem:
            raise PictureError("bad-picture") from problem
        if root.tag != f"{_SVG}svg":
            raise PictureError("bad-picture/not-svg")
        if _draws_too_much(root):
            raise PictureError("bad-picture/shapes")
        self.name = name
        self.tests: set[tuple[str, str]] = set()
        """Every slot and answer that a layer waits for."""
        self.left_out = _left_out(root)
        """Elements (``<style>``) and attributes (``style=``) that are not shown, sorted."""
        self.box = _box(root.get("viewBox", ""))
        self._focus = dict(_focus(root.get("data-focus", "")))
        self._definitions: list[str] = []
        self._parts = tuple(
            part for child in root if (part := self._part(child, DEEPEST)) is not None
        )

    @property
    def definitions(self) -> Markup:
        """Every layer once, hidden; stands on the page before any drawing."""
        return Markup(  # noqa: S704 - built from checked names and escaped values only
            '<svg class="picture-parts" aria-hidden="true" focusable="false"><defs>'
            f"{''.join(self._definitions)}</defs></svg>"
        )

    @property
    def focused(self) -> frozenset[str]:
        """The slots whose options are shown by a part of the picture."""
        return frozenset(self._focus)

    def shows(self, slot: str) -> bool:
        """Whether a part of the picture is about the options of ``slot``."""
        return slot in self._focus

    def draw(
        self, answers: Mapping[str, str], *, label: str = "", focus: str | None = None
    ) -> Markup:
        """The drawing for ``answers`` (slot → answer), as inline SVG.

        ``label`` is what a reader hears (none: decoration). ``focus`` is a slot: only the
        part of the picture about it. The whole picture carries its answers as ``data-``
        attributes, for styles that need more than layers.
        """
        data = ""
        if focus is None:
            # Names hold letters, digits, hyphens and dots only: nothing to escape.
            data = "".join(
                f' data-{slot.replace(".", "-")}="{answer}"'
                for slot, answer in sorted(answers.items())
                if _NAME.fullmatch(slot) and _NAME.fullmatch(answer)
            )
        role = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
        box = self._focus.get(focus or "", self.box)
        drawn = "".join(self._drawn(part, answers) for part in self._parts)
        return Markup(  # noqa: S704 - built from checked names and escaped values only
            f'<svg class="picture picture-{self.name}" viewBox="{box}" {role} '
            f'focusable="false"{data}>{drawn}</svg>'
        )

    def _drawn(self, part: _Part, answers: Mapping[str, str]) -> str:
        if not all(answers.get(slot, "") in values for slot, values in part.tests):
            return ""
        if not part.parts:
            return f'<use href="#{part.name}"/>'
        return f"{part.opening}{''.join(self._drawn(each, answers) for each in part.parts)}</g>"

    # --- reading -----------------------------------------------------------------

    def _part(self, element: Element, depth: int) -> _Part | None:
        tag = _tag(element)
        if tag is None or depth == 0:
            return None
        if tag == "defs":
            self._definitions.extend(_markup(child, self.name, depth - 1) for child in element)
            return None
        tests = _tests(element.get("data-when", ""))
        self.tests |= {(slot, answer) for slot, answers in tests for answer in answers}
        if tag == "g" and any(
            "data-when" in each.attrib for each in element.iter() if each is not element
        ):
            parts = tuple(
                part for child in element if (part := self._part(child, depth - 1)) is not None
            )
            return _Part(tests, "", f"<g{_attributes(element, self.name, own_id=False)}>", parts)
        markup = _markup(element, self.name, depth)
        if not markup:
            return None
        name = f"{self.name}-layer-{len(self._definitions)}"
        self._definitions.append(f'<g id="{name}">{markup}</g>')
        return _Part(tests, name, "", ())


def _draws_too_much(root: Element) -> bool:
    """Whether what refers to what refers to more comes to more than a browser can draw."""
    named: dict[str, Element] = {}
    for element in root.iter():
        named.setdefault(f"#{element.get('id')}", element)
    leads_to = {
        element: [*element, *(named[target] for target in _targets(element) if target in named)]
        for element in root.iter()
    }
    count, left = 0, [root]
    while left and count + len(left) <= MOST_SHAPES:
        count += 1
        left.extend(leads_to[left.pop()])
    return bool(left)


def _targets(element: Element) -> Iterator[str]:
    """What an element refers to, as it spells it."""
    for name, value in element.attrib.items():
        yield from [value] if name.endswith("href") else _REFERENCE.findall(value)


def _left_out(root: Element) -> tuple[str, ...]:
    found: set[str] = set()
    for element in root.iter():
        space, _, tag = element.tag.rpartition("}")
        if f"{space}}}" != _SVG:
            continue
        if element is root:
            continue
        if tag not in SHAPES and tag not in _SILENT:
            found.add(f"<{tag}>")
        found |= {f"{name}=" for name in element.attrib if _is_missed(name)}
    return tuple(sorted(found))


def _is_missed(attribute: str) -> bool:
    known = attribute in ATTRIBUTES or attribute in _SILENT or attribute.startswith("aria-")
    return not known and "}" not in attribute


def _tag(element: Element) -> str | None:
    """The local name of an element that may be shown, else ``None``."""
    tag = element.tag
    if not isinstance(tag, str) or not tag.startswith(_SVG):
        return None
    local = tag[len(_SVG) :]
    return local if local in SHAPES else None


def _markup(element: Element, prefix: str, depth: int) -> str:
    tag = _tag(element)
    if tag is None or depth == 0:
        return ""
    inside = "".join(
        [str(escape(element.text or "")) if tag in ("text", "tspan") else ""]
        + [
            _markup(child, prefix, depth - 1)
            + (str(escape(child.tail or "")) if tag in ("text", "tspan") else "")
            for child in element
        ]
    )
    attributes = _attributes(element, prefix)
    return f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"


def _attributes(element: Element, prefix: str, *, own_id: bool = True) -> str:
    kept = []
    for name, value in element.attrib.items():
        name = name.rpartition("}")[2] if name.endswith("}href") else name
        if name not in ATTRIBUTES or name == "data-when":
            continue
        if name == "id":
            if own_id and _ID.fullmatch(value):
                kept.append(f' id="{prefix}-{escape(value)}"')
        elif name == "href":
            if _is_inside(value):
                kept.append(f' href="#{prefix}-{escape(value[1:])}"')
        elif (safe := _safe_value(value, prefix)) is not None:
            kept.append(f' {name}="{escape(safe)}"')
    return "".join(kept)


def _safe_value(value: str, prefix: str) -> str | None:
    """The value, its references kept within the picture; ``None`` if one leaves it."""
    if "url" not in value.lower() and "\\" not in value:
        return value
    if not all(map(_is_inside, _REFERENCE.findall(value))):
        return None
    inner = _REFERENCE.sub(lambda match: f"url(#{prefix}-{match.group(1)[1:]})", value)
    rest = _REFERENCE.sub("", value).lower()
    return None if "url" in rest or "\\" in value else inner


def _is_inside(target: str) -> bool:
    """Whether a reference is to something in the picture, spelled as its id is."""
    return target.startswith("#") and _ID.fullmatch(target[1:]) is not None


def _tests(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """``"a=b|c d=e"`` as tests; raises ``PictureError`` for what is none."""
    tests = []
    for test in text.split():
        slot, equals, values = test.partition("=")
        names = tuple(values.split("|"))
        if not equals or not _NAME.fullmatch(slot) or not all(map(_NAME.fullmatch, names)):
            raise PictureError("bad-picture/when", test)
        tests.append((slot, names))
    return tuple(tests)


def _box(text: str) -> str:
    box = " ".join(text.replace(",", " ").split())
    if not _BOX.fullmatch(box):
        raise PictureError("bad-picture/box", text)
    return box


def _focus(text: str) -> list[tuple[str, str]]:
    found = []
    for entry in filter(None, (each.strip() for each in text.split(";"))):
        slot, _, box = entry.partition(":")
        if not _NAME.fullmatch(slot.strip()):
            raise PictureError("bad-picture/focus", entry)
        found.append((slot.strip(), _box(box)))
    return found
