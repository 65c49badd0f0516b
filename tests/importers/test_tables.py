"""XCSP 2.1 and CLib in, tables out."""

from __future__ import annotations

import datetime
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.engine import compile_product
from configurator.language import load_folder
from configurator.language.importers.write_tables import merged
from tests.importers.helpers import imported, refused, rules_of

CAR = """
    <instance>
    <presentation name="car" format="XCSP 2.1"/>
    <domains nbDomains="2">
    <domain name="D0" nbValues="4">0..2 5</domain>
    <domain name="D1" nbValues="2" optional="-1">-1 0</domain>
    </domains>
    <variables nbVariables="2">
    <variable name="v0" domain="D0"/>
    <variable name="v_1" domain="D1"/>
    </variables>
    <relations>
    <relation name="R0" arity="2" semantics="supports">0 0|1 0|2 0|5 0|5 -1|9 0</relation>
    <relation name="R1" arity="1" nbTuples="1" semantics="conflicts">2</relation>
    <relation name="R2" arity="2" nbTuples="0" semantics="supports"></relation>
    <relation name="R3" arity="2" nbTuples="0" semantics="conflicts"></relation>
    </relations>
    <constraints>
    <constraint name="c0" arity="2" scope="v0 v_1" reference="R0"/>
    <constraint name="c1" arity="1" scope="v0" reference="R1"/>
    <constraint name="c2" arity="2" scope="v0 v_1" reference="R2"/>
    <constraint name="c3" arity="2" scope="v0 v_1" reference="R3"/>
    </constraints>
    </instance>
"""


def xcsp(domain: str = "0 1", variable: str = 'name="v" domain="D"', rest: str = "") -> str:
    return (
        f'<instance><domains><domain name="D">{domain}</domain></domains>\n'
        f"<variables><variable {variable}/></variables>\n{rest}</instance>"
    )


def relation(text: str, attributes: str = 'arity="1" semantics="supports"') -> str:
    return f'<relations><relation name="R" {attributes}>{text}</relation></relations>\n'


def test_domains_keep_their_values_and_the_joker_is_one_of_them(tmp_path: Path) -> None:
    options = imported(tmp_path, CAR, "car.xml")["options.yaml"]
    assert options == (
        "variables:\n"
        "  v0:\n"
        "    values: {0: {}, 1: {}, 2: {}, 5: {}}\n"
        "  v-1:\n"
        "    name: v_1\n"
        "    values:\n"
        "      -1: {name: {en: Without this option (-1), es: Sin esta opción (-1)}}\n"
        "      0: {}\n"
    )


def test_supports_are_allowed_tables_and_conflicts_forbidden_ones(tmp_path: Path) -> None:
    files = imported(tmp_path, CAR, "car.xml")
    assert rules_of(files) == {
        "c0": ["table tables/c0.csv", "kind allowed"],
        "c1": ["table tables/c1.csv", "kind forbidden"],
        "c2": ['forbid "v0 in [0, 1, 2, 5]"'],
    }
    assert files["tables/c0.csv"] == "v0,v-1\n*,0\n5,-1\n"
    assert files["tables/c1.csv"] == "v0\n2\n"
    assert "«v0» y «v_1» solo se combinan como dice la tabla «c0»." in files["rules.yaml"]


@given(st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=1, unique=True))
def test_joined_rows_say_exactly_what_the_rows_said(rows: list[tuple[str, str, str]]) -> None:
    joined = merged(rows)
    expanded = [each for row in joined for each in itertools.product(*row)]
    assert sorted(expanded) == sorted(rows)
    assert len(joined) <= len(rows)


CLIB = {
    "variables": {"Engine": ["K4M", "F9Q"], "Country": ["ES", "NO"], "Doors": ["3", "5"]},
    "tables": [
        {"name": "rule001", "scope": ["Engine", "Country"], "allowed": [["K4M", "ES"]]},
        {"name": "rule002", "scope": ["Engine", "Doors"], "forbidden": [["F9Q", "3"]]},
    ],
}


def test_clib(tmp_path: Path) -> None:
    files = imported(tmp_path, json.dumps(CLIB), "megane.json")
    assert files["tables/rule001.csv"] == "Engine,Country\nK4M,ES\n"
    assert files["tables/rule002.csv"] == "Engine,Doors\nF9Q,3\n"
    assert (
        "  Country:\n    values:\n      ES: {}\n      v-NO: {name: NO}\n" in (files["options.yaml"])
    )
    assert "  Doors:\n    values: {3: {}, 5: {}}\n" in files["options.yaml"]


def test_values_that_are_equal_as_numbers_stay_apart(tmp_path: Path) -> None:
    model = {
        "variables": {"a": ["1", "01"], "b": ["x", "y"], "c": ["-1", "1"]},
        "tables": [{"name": "t", "scope": ["a", "b"], "allowed": [["1", "x"], ["01", "y"]]}],
    }
    files = imported(tmp_path, json.dumps(model), "model.json")
    assert files["tables/t.csv"] == "a,b\nv-1,x\nv-01,y\n"
    assert "  c:\n    values: {-1: {}, 1: {}}\n" in files["options.yaml"]
    loaded = load_folder({name: text.encode() for name, text in files.items()})
    assert loaded.product is not None
    assert compile_product(loaded.product, datetime.date(2026, 9, 1)).view(()).count.number == 4


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("<instance/>", ("syntax", 1, 1)),
        (xcsp(domain="0..x"), ("faulty-instance", 1, 20)),
        (xcsp(domain=""), ("faulty-instance", 1, 20)),
        (xcsp(domain="0..999999999"), ("faulty-instance", 1, 20)),
        (xcsp(domain="9" * 30), ("faulty-instance", 1, 20)),
        (xcsp(variable='name="v" domain="E"'), ("faulty-instance", 2, 12)),
        (xcsp(rest=relation("0|1", 'arity="1" semantics="maybe"')), ("faulty-instance", 3, 12)),
        (xcsp(rest=relation("0|1", 'arity="1" semantics="soft"')), ("not-extension", 3, 12)),
        (xcsp(rest=relation("0 1|1")), ("faulty-instance", 3, 12)),
        (xcsp(rest=relation("0", 'semantics="supports"')), ("faulty-instance", 3, 12)),
        (
            xcsp(rest="<predicates><predicate name='P'/></predicates>"),
            ("not-extension", 3, 13),
        ),
        (
            xcsp(
                rest="<constraints><constraint scope='v' reference='global:allDifferent'/>"
                "</constraints>"
            ),
            ("not-extension", 3, 14),
        ),
        (
            xcsp(rest="<constraints><constraint scope='v' reference='R'/></constraints>"),
            ("faulty-instance", 3, 14),
        ),
        (
            xcsp(
                rest=relation("0")
                + "<constraints><constraint scope='v v' reference='R'/></constraints>"
            ),
            ("faulty-instance", 4, 14),
        ),
        (
            xcsp(
                rest=relation("0 0", 'arity="2" semantics="supports"')
                + "<constraints><constraint scope='v' reference='R'/></constraints>"
            ),
            ("faulty-instance", 4, 14),
        ),
    ],
)
def test_xcsp_that_is_refused(tmp_path: Path, text: str, place: tuple[str, int, int]) -> None:
    assert refused(tmp_path, text, "model.xml") == [place]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "syntax"),
        ("[" * 100_000, "too-deep"),
        ("[]", "faulty-instance"),
        ('{"variables": {"a": ["x", "x"]}}', "faulty-instance"),
        ('{"variables": {"a": ["x"], "a": ["y"]}}', "duplicate-name"),
        ('{"variables": {"a": ["x"]}, "tables": 1}', "faulty-instance"),
        ('{"variables": {"a": ["x"]}, "tables": [1]}', "faulty-instance"),
        (
            '{"variables": {"a": ["x"]}, "tables": [{"scope": ["b"], "allowed": []}]}',
            "faulty-instance",
        ),
        (
            '{"variables": {"a": ["x"]}, "tables": [{"scope": ["a"], "allowed": [["x", "x"]]}]}',
            "faulty-instance",
        ),
    ],
)
def test_clib_that_is_refused(tmp_path: Path, text: str, code: str) -> None:
    assert [each[0] for each in refused(tmp_path, text, "model.json")] == [code]
