from __future__ import annotations

import hashlib
import json
import unicodedata
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.trail import canonical
from configurator.trail.canonical import (
    LARGEST,
    apply_change,
    canonical_json,
    digest,
    encode_checked,
    view_change,
)
from configurator.trail.errors import NotCanonicalError

texts = st.text(st.characters(exclude_categories=["Cs"])).map(
    lambda text: unicodedata.normalize("NFC", text)
)
numbers = st.integers(-LARGEST, LARGEST)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=25,
)
leaves = st.booleans() | numbers | texts | st.lists(st.booleans() | numbers | texts, max_size=3)
views = st.dictionaries(
    st.sampled_from(["a", "b", "c", "ñ"]) | texts,
    st.recursive(
        leaves,
        lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
        max_leaves=15,
    ),
    max_size=5,
)


def reference(value: Any) -> bytes:
    """RFC 8785 written down once more, the plain way."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        members = (reference(key) + b":" + reference(value[key]) for key in keys)
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(reference(member) for member in value) + b"]"
    return json.dumps(value, ensure_ascii=False).encode()


def strictly_equal(a: Any, b: Any) -> bool:
    return canonical_json(a) == canonical_json(b)


@given(values)
def test_bytes_are_those_of_rfc_8785_and_read_back(value: Any) -> None:
    data = canonical_json(value)
    assert data == reference(value)
    assert json.loads(data) == value
    assert canonical_json(json.loads(data)) == data
    assert encode_checked(value) == data
    assert digest(value) == hashlib.sha256(data).hexdigest()


@given(st.dictionaries(texts, values, min_size=2), st.randoms())
def test_the_order_of_making_does_not_show(value: dict[str, Any], random: Any) -> None:
    keys = list(value)
    random.shuffle(keys)
    assert canonical_json({key: value[key] for key in keys}) == canonical_json(value)


def test_keys_sort_by_utf_16_code_units() -> None:
    # The example of RFC 8785, 3.2.3, with a private-use character for the one that is
    # not in normal form C.
    keys = ["\u20ac", "\r", "\ue000", "1", "\U0001f600", "\u0080", "\u00f6"]
    found = list(json.loads(canonical_json(dict.fromkeys(keys, 0))))
    assert found == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ue000"]


def test_texts_are_brought_to_normal_form_c() -> None:
    assert canonical_json({"a": "n\u0303"}) == '{"a":"ñ"}'.encode()
    assert digest(["n\u0303"]) == digest(["ñ"])


def test_control_characters_are_escaped_in_lower_case() -> None:
    assert canonical_json('\x1f\x7f\n"\\/€') == '"\\u001f\x7f\\n\\"\\\\/€"'.encode()


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (LARGEST, b"9007199254740992"),
        (-LARGEST, b"-9007199254740992"),
        ((1, "2"), b'[1,"2"]'),
        ({"a": ("x", Colour.RED)}, b'{"a":["x","red"]}'),
        ("1" * 40, b'"' + b"1" * 40 + b'"'),
        ({"a": "1.5", "b": "1e5"}, b'{"a":"1.5","b":"1e5"}'),
        ({"a": ",1.5", "b": f":-{10**20}"}, b'{"a":",1.5","b":":-100000000000000000000"}'),
        ([-(10**15), 10**15 - 1], b"[-1000000000000000,999999999999999]"),
    ],
)
def test_what_is_exact_is_written(value: Any, written: bytes) -> None:
    assert canonical_json(value) == written


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        {"a": [0.5]},
        float("nan"),
        float("inf"),
        LARGEST + 1,
        [-LARGEST - 1],
        pytest.param(10**5000, id="thousands of digits"),
        {1: "a"},
        {"1": "a", 1: "b"},
        {None: 1},
        {True: 1},
        {"a": 1, 2: 3},
        {"n\u0303": 1},
        "\ud800",
        {"\udfff": 1},
        {"a": {1, 2}},
        b"bytes",
        object(),
    ],
)
def test_what_is_not_exact_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonicalError):
        canonical_json(value)


@given(
    values,
    st.floats() | st.integers(LARGEST + 1, 2**70) | st.integers(-(2**70), -LARGEST - 1),
)
def test_what_is_not_exact_is_found_wherever_it_is(around: Any, inexact: float) -> None:
    for value in ([around, inexact], [inexact, around], {"a": around, "b": [[inexact]]}):
        with pytest.raises(NotCanonicalError):
            canonical_json(value)


def test_the_time_of_an_event_is_not_taken_for_a_float(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    monkeypatch.setattr(canonical, "_check_exact", looked.append)
    canonical_json({"n": 12, "count": "1" * 20, "server_time": "2026-11-22T09:30:00.000000Z"})
    assert looked == []
    canonical_json({"n": 12.0})
    assert looked == [{"n": 12.0}]


@given(views, views)
def test_a_change_leads_from_one_view_to_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    untouched = canonical_json(before)
    change = view_change(before, after)
    assert strictly_equal(apply_change(before, change), after)
    assert canonical_json(before) == untouched
    assert strictly_equal(apply_change(before, json.loads(canonical_json(change))), after)
    assert (change == {}) is strictly_equal(before, after)
    assert view_change(after, after) == {}


def test_python_equality_does_not_hide_a_change() -> None:
    assert view_change({"a": 1}, {"a": True}) == {"a": True}
    assert view_change({"a": [1, [0]]}, {"a": [1, [False]]}) == {"a": [1, [False]]}
    assert view_change({"a": [{"b": 1}]}, {"a": [{"b": True}]}) == {"a": [{"b": True}]}


def test_a_change_names_only_what_changed() -> None:
    before = {"slots": {"a": {"state": "open", "answer": "x"}, "b": {"state": "open"}}, "n": 1}
    after = {"slots": {"a": {"state": "chosen"}, "b": {"state": "open"}, "c": {}}, "n": 1}
    assert view_change(before, after) == {
        "slots": {"a": {"state": "chosen", "answer": None}, "c": {}}
    }


@pytest.mark.parametrize("after", [{"a": None}, {"a": {"b": None}}, {"z": {"y": {"x": None}}}])
def test_a_view_never_holds_null(after: dict[str, Any]) -> None:
    with pytest.raises(NotCanonicalError):
        view_change({"a": {"b": 1}}, after)
    with pytest.raises(NotCanonicalError):
        view_change({"a": None}, after)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7396, appendix A, as far as targets are objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_changes_are_merge_patches(
    target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    assert apply_change(target, patch) == result
