"""Hostile folders: refused quickly, within limits, with a place; never a traceback."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable

import pytest

from configurator.language import Loaded, load_safely, load_within, sandbox
from tests.language.folders import BASE, folder


def merge_bomb() -> str:
    lines = ["variables:", "  a: &a {x: 1, y: 2}"]
    for name, before in zip("bcdefgh", "abcdefg", strict=True):
        lines.append(f"  {name}: &{name} {{<<: [{', '.join([f'*{before}'] * 8)}]}}")
    return "\n".join(lines)


def alias_bomb() -> str:
    lines = ["a: &a [x, x]"]
    for name, before in zip("bcdefghij", "abcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


DOCUMENTS = {
    "brackets": ("too-large", "a: " + "[" * 30_000),
    "brackets on lines": ("too-large", "a: " + "[\n" * 30_000),
    "braces": ("too-large", "{a: " * 30_000),
    "dashes": ("too-large", "- " * 30_000),
    "indentation": ("too-large", "".join(" " * depth + "a:\n" for depth in range(2_000))),
    "question marks": ("yaml-feature", "? " * 30_000),
    "merge bomb": ("yaml-feature", merge_bomb()),
    "alias bomb": ("yaml-feature", alias_bomb()),
    "stars": ("yaml-feature", "*" * 100_000),
    "python object": ("yaml-feature", "a: !!python/object/apply:os.system ['true']"),
    "documents": ("yaml-feature", "a: 1\n---\nb: 2\n"),
    "duplicate keys": ("duplicate-id", "product: a\nproduct: b\n"),
    "digits": ("too-large", "variables:\n  x: {range: 1.." + "9" * 100_000 + "}"),
    "many digits": ("missing-key", "variables:\n  x: {range: 1.." + "9" * 3_000 + "}"),
    "NUL": ("bad-file", "product: a\0b"),
    "escape": ("bad-file", 'product: "\\e[31mred"'),
    "parentheses": ("syntax", BASE + "rules: [{id: a, require: " + "(" * 40_000 + "}]"),
    "nots": ("too-large", BASE + "rules: [{id: a, require: " + "not " * 40_000 + "bell}]"),
    "sum": ("too-large", BASE + "rules: [{id: a, require: " + "1 + " * 40_000 + "1 > 2}]"),
    "open quote": ("syntax", "a: '" + "x" * 1_000_000),
    "colons": ("syntax", "a: " * 50_000),
    "commas": ("syntax", "a: [" + "," * 500_000 + "]"),
    "spaces": ("syntax", " " * 2_000_000 + "a"),
    "unknown sections": ("too-many", "".join(f"s{n}: 1\n" for n in range(10_000))),
    "template": ("unknown-value", BASE.replace("weight: 600", "weight: 600, help: '{{7*7}}'")),
}


def left(loaded: Loaded) -> bool:
    """Whether reading took more time or memory than it may take, and was given up."""
    return any("so it was left" in each.message.in_language("en") for each in loaded.diagnostics)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_hostile_yaml_is_refused_in_time(name: str) -> None:
    code, text = DOCUMENTS[name]
    if name == "template":
        code = "unknown-name"
    loaded = load_safely({"product.yaml": text.encode("utf-8")})
    assert loaded.product is None
    assert not left(loaded)
    assert code in {each.code for each in loaded.diagnostics}, loaded.diagnostics[:3]
    assert all(each.span.line >= 1 for each in loaded.diagnostics)


BYTES = {
    "not UTF-8": {"product.yaml": b"name: \xff\xfe"},
    "UTF-16": {"product.yaml": "product: a".encode("utf-16")},
    "lone surrogate": {"product.yaml": b"name: \xed\xa0\x80"},
    "no rule file": {"picture.svg": b"<svg/>"},
    "nothing": {},
    "binary table": {**folder("rules: [{id: t, table: t.csv, kind: allowed}]"), "t.csv": b"\x00"},
    "wide table": {
        **folder("rules: [{id: t, table: t.csv, kind: allowed}]"),
        "t.csv": b"material" + b",x" * 20_000,
    },
    "long cell": {
        **folder("rules: [{id: t, table: t.csv, kind: allowed}]"),
        "t.csv": b"material\n" + b"x" * 300_000,
    },
}


@pytest.mark.parametrize("name", BYTES)
def test_hostile_bytes_are_refused_in_time(name: str) -> None:
    loaded = load_safely(BYTES[name])
    assert loaded.product is None
    assert loaded.diagnostics
    assert not left(loaded)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_command_refuses_them_alike(name: str) -> None:
    files = {"product.yaml": DOCUMENTS[name][1].encode("utf-8")}
    assert load_within(files, seconds=5) == load_safely(files)


@pytest.mark.parametrize("load", [load_safely, load_within])
def test_a_folder_beyond_all_size_is_not_read(
    load: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "MOST_BYTES", 10)
    monkeypatch.setattr(sandbox, "load_folder", None)
    loaded = load({"product.yaml": b"product: bike"})
    assert [each.code for each in loaded.diagnostics] == ["too-large"]
    assert "13" in loaded.diagnostics[0].message.in_language("en")


def endless(files: object) -> None:
    while True:
        pass


def heavy(files: object) -> None:
    # More than earlier tests can have left free in this process, which takes no new room.
    taken = [bytearray(50_000_000) for _ in range(80)]
    taken.clear()


@pytest.mark.parametrize("reading", [endless, heavy])
def test_a_command_leaves_what_takes_too_much(
    reading: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_AS)]
    with monkeypatch.context() as then:
        then.setattr(sandbox, "load_folder", reading)
        loaded = load_within({"product.yaml": b""}, seconds=1, megabytes=20)
    assert loaded.product is None
    assert [each.code for each in loaded.diagnostics] == ["too-large"]
    after = [resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_AS)]
    assert after == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    assert signal.getsignal(signal.SIGPROF) is signal.SIG_DFL
    assert load_within(folder("rules: [{id: a, require: bell}]")).product is not None


def test_a_folder_that_takes_too_long_is_left() -> None:
    endless = "product: " + "a " * 2_000_000
    loaded = load_safely({"product.yaml": endless.encode()}, seconds=1)
    assert [each.code for each in loaded.diagnostics] == ["too-large"]
    assert left(loaded)


def test_a_folder_that_takes_too_much_memory_is_left() -> None:
    heavy = "#\n" * 4_000_000
    loaded = load_safely({"product.yaml": heavy.encode()}, megabytes=20)
    assert [each.code for each in loaded.diagnostics] == ["too-large"]
    assert left(loaded)


def test_a_good_folder_comes_back_whole() -> None:
    loaded = load_safely(folder("rules: [{id: a, require: bell, because: Ring.}]"))
    assert loaded.product is not None
    assert loaded.product.rules[0].id == "a"
    assert loaded.diagnostics == ()
