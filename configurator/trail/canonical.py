"""One value, one sequence of bytes: canonical JSON and changes between views.

The bytes follow RFC 8785 (JSON Canonicalization Scheme) for a subset of JSON: no floats,
whole numbers within ±2^53, keys and texts in Unicode's normal form C. Changes are JSON
merge patches (RFC 7396); a view therefore never holds ``null``.
Knows nothing of events or databases.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any

import orjson

from configurator.memory import Memory
from configurator.trail.errors import NotCanonicalError

Json = dict[str, Any]

LARGEST = 2**53
"""Whole numbers up to here are exact in every JSON reader."""

LARGE = 16
"""Members from which on it is worth to keep what each of them came to."""

KEPT = 16_000_000
"""Bytes for which that is kept: of the views of some thousand sessions of usual products."""

_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_LESS_THAN_LARGEST = orjson.OPT_STRICT_INTEGER
"""Refuses what is beyond it, and itself."""
_DIGITS = b"-0123456789"
_IN_LISTS_AND_FLOATS = bytes.maketrans(b"[e", b",.")
_FLOAT_IN_LIST, _FLOAT_OF_KEY = b",.", b'":.'
"""How a float stands in JSON without its digits; so may what a text holds."""

_BEYOND_BMP = re.compile("[\U00010000-\U0010ffff]")


def canonical_json(value: Any) -> bytes:
    """The canonical UTF-8 bytes of ``value``.

    Texts are brought to normal form C. Raises ``NotCanonicalError`` for floats, numbers
    beyond ``LARGEST``, keys that are not text in normal form C, unpaired surrogates and
    anything that is not JSON.
    """
    try:
        try:
            data = _sorted(value, _LESS_THAN_LARGEST)
            bare = b"," + data.translate(_IN_LISTS_AND_FLOATS, _DIGITS)
            floats = _FLOAT_IN_LIST in bare or _FLOAT_OF_KEY in bare
            exact = not floats and orjson.loads(data) == value
        except TypeError:  # a number may be too large
            data, exact = _sorted(value), False
    except (TypeError, ValueError, RecursionError) as problem:
        raise NotCanonicalError(str(problem)) from problem
    if not exact:
        _check_exact(value)
    return _normal_form(data, value)


def digest(value: Any) -> str:
    """SHA-256, in hex, of the canonical bytes of ``value``."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def encode_checked(value: Any) -> bytes:
    """The canonical bytes of a value known to be exact: for what was read from canonical
    bytes, or came out of it by changes that were."""
    try:
        data = _sorted(value)
    except (TypeError, ValueError) as problem:
        raise NotCanonicalError(str(problem)) from problem
    return _normal_form(data, value)


class Encoder:
    """Encodes views that share most of their parts with the view before: what the members
    of a large object came to is kept, so that those that stay are not read again. They are
    known by being the same objects: nobody changes them."""

    def __init__(self) -> None:
        # What is kept holds on to the objects, so that their ids stay their own.
        self._kept: Memory[int, tuple[Json, list[bytes]]] = Memory(KEPT)

    def encode(self, view: Json, before: Json) -> bytes:
        """What ``encode_checked`` gives for ``view``; quicker for what ``before``, encoded
        here too, shares with it."""
        try:
            members = [
                self._large(name, member, before.get(name))
                if type(member) is dict and len(member) >= LARGE
                else _named(name, member)
                for name, member in sorted(view.items())
            ]
        except (TypeError, ValueError) as problem:
            raise NotCanonicalError(str(problem)) from problem
        return _normal_form(b"{%b}" % b",".join(members), view)

    def _large(self, name: str, member: Json, before: Json | None) -> bytes:
        names = list(member)
        known = self._kept.get(id(before))
        if known is not None and names == list(known[0]):
            parts = [
                part if new is old else _named(key, new)
                for (key, new), old, part in zip(
                    member.items(), known[0].values(), known[1], strict=True
                )
            ]
        else:
            if names != sorted(names):
                return _named(name, member)
            parts = [_named(key, new) for key, new in member.items()]
        data = b"%b:{%b}" % (orjson.dumps(name), b",".join(parts))
        self._kept.keep(id(member), (member, parts), len(data))
        return data


def _named(name: str, member: Any) -> bytes:
    """A member as it stands in an object."""
    return _sorted({name: member})[1:-1]


def _sorted(value: Any, options: int = 0) -> bytes:
    """JSON without spaces, keys sorted by code point; raises ``TypeError`` for what is
    not JSON or holds half of a surrogate pair."""
    return orjson.dumps(value, option=_PLAIN | orjson.OPT_SORT_KEYS | options)


def _check_exact(value: Any) -> None:
    """Raise ``NotCanonicalError`` where ``value`` is outside the subset: the slow way,
    for what reading back does not settle."""
    if isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str):
                raise NotCanonicalError(f"key {key!r} is not text")
            _check_exact(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _check_exact(member)
    elif isinstance(value, int):
        if not -LARGEST <= value <= LARGEST:
            raise NotCanonicalError(f"{value} is beyond 2^53; write it as text")
    elif value is not None and not isinstance(value, str):
        raise NotCanonicalError(f"{type(value).__name__} is not exact JSON")


def _normal_form(data: bytes, value: Any) -> bytes:
    """The canonical bytes of ``value``, whose JSON with keys sorted by code point is
    ``data``."""
    if data.isascii():
        return data
    text = data.decode()
    # RFC 8785 sorts keys by UTF-16 code units; code points sort alike up to U+FFFF.
    if _BEYOND_BMP.search(text) or not unicodedata.is_normalized("NFC", text):
        return orjson.dumps(_normal(value), option=_PLAIN)
    return data


def _normal(value: Any) -> Any:
    """``value`` with texts in normal form C and keys in the order of RFC 8785."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        for key in value:
            if not unicodedata.is_normalized("NFC", key):
                raise NotCanonicalError(f"key {key!r} is not in normal form C")
        return {key: _normal(value[key]) for key in sorted(value, key=_utf16)}
    if isinstance(value, (list, tuple)):
        return [_normal(member) for member in value]
    return value


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def view_change(before: Json, after: Json) -> Json:
    """The merge patch from one view to another; empty where nothing changed.

    Raises ``NotCanonicalError`` where ``after`` holds ``null`` as a member.
    """
    change: Json = {}
    for key, new in after.items():
        old = before.get(key)
        if old is new and new is not None:
            continue  # views share what did not change
        if new is None:
            raise NotCanonicalError(f"{key!r} is null; leave it out")
        if type(new) is dict:
            inner = view_change(old if type(old) is dict else {}, new)
            if inner or type(old) is not dict:
                change[key] = inner
        elif key not in before or not _same(old, new):
            change[key] = new
    for key in before:
        if key not in after:
            change[key] = None
    return change


def apply_change(view: Json, change: Json) -> Json:
    """The view after a merge patch. The given view stays as it is; the result shares
    what did not change with it."""
    result = dict(view)
    for key, new in change.items():
        if new is None:
            result.pop(key, None)
        elif type(new) is dict:
            old = result.get(key)
            result[key] = apply_change(old if type(old) is dict else {}, new)
        else:
            result[key] = new
    return result


def _same(old: Any, new: Any) -> bool:
    """Equal as JSON: unlike in Python, ``1``, ``1.0`` and ``true`` differ."""
    if type(old) is not type(new) or old != new:
        return False
    if type(new) is list:
        return all(map(_same, old, new))
    if type(new) is dict:
        return all(_same(old[key], member) for key, member in new.items())
    return True
