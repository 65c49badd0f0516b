"""UVL in, rules out: what a small model becomes, and what is refused where."""

from __future__ import annotations

from pathlib import Path

import pytest

from configurator.language.importers import ImportModelError, import_model
from tests.importers.helpers import imported, model_file, refused, rules_of, written

BIKE = """
    features
        Bike {abstract}
            mandatory
                Frame {Weight 2.50, Price 300}
                    alternative
                        Steel
                        "Carbon fibre" {Weight 1.1, new}
            optional
                Lights // front and back
                    or
                        Front
                        Back
            [1..2]
                Bell
                Rack
                Basket
    constraints
        Basket => Rack
        !("Carbon fibre" & Rack)
        Bell | Front | Back
"""


def test_a_feature_is_a_yes_or_no_under_its_name(tmp_path: Path) -> None:
    options = imported(tmp_path, BIKE)["options.yaml"]
    assert "  Bike: {type: yes or no}\n" in options
    assert "  Carbon-fibre: {name: Carbon fibre, type: yes or no, weight: 1.1, new: yes}\n" in (
        options
    )
    assert "  Frame: {type: yes or no, weight: 2.5, price-fact: 300}\n" in options


def test_numbers_become_facts_with_as_many_decimals_as_they_need(tmp_path: Path) -> None:
    product = imported(tmp_path, BIKE)["product.yaml"]
    assert "attributes:\n  weight: {name: Weight, decimals: 1}\n" in product
    assert "  price-fact: {name: Price}\n  new: {type: yes or no}\n" in product


def test_the_tree_becomes_rules(tmp_path: Path) -> None:
    assert rules_of(imported(tmp_path, BIKE)) == {
        "Bike-always": ["require Bike"],
        "Bike-includes": ["require Frame"],
        "Bike-1-to-2": ["require Bell + Rack + Basket in 1..2"],
        "Frame-parts": ["when Steel or Carbon-fibre", "require Frame"],
        "Frame-exactly-one": ["when Frame", "require Steel + Carbon-fibre = 1"],
        "Lights-parts": ["when Front or Back", "require Lights"],
        "Lights-one-or-more": ["when Lights", "require Front or Back"],
        "Basket-needs-Rack": ["when Basket", "require Rack"],
        "Carbon-fibre-excludes-Rack": ["forbid Carbon-fibre and Rack"],
        "Bell-or-Front-or-Back-always": ["require Bell or Front or Back"],
    }


def test_reasons_are_sentences_in_both_languages(tmp_path: Path) -> None:
    rules = imported(tmp_path, BIKE)["rules.yaml"]
    assert (
        "  - id: Basket-needs-Rack\n"
        "    when: Basket\n"
        "    require: Rack\n"
        "    because:\n"
        "      en: “Basket” needs “Rack”.\n"
        "      es: «Basket» necesita «Rack».\n"
        "    source: model.uvl, line 18\n"
    ) in rules


def test_pages_follow_the_branches_below_the_root(tmp_path: Path) -> None:
    product = imported(tmp_path, BIKE)["product.yaml"]
    assert product.endswith(
        "steps:\n"
        "  - id: Bike\n    name: Bike\n    ask: [Bike, Bell, Rack, Basket]\n"
        "  - id: Frame\n    name: Frame\n    ask: [Frame, Steel, Carbon-fibre]\n"
        "  - id: Lights\n    name: Lights\n    ask: [Lights, Front, Back]\n"
    )


@pytest.mark.parametrize(
    ("bounds", "requirement"),
    [
        ("[2]", "A + B + C = 2"),
        ("[0..2]", "A + B + C <= 2"),
        ("[2..*]", "A + B + C >= 2"),
        ("[2..9]", "A + B + C >= 2"),
        ("[1..*]", "A or B or C"),
        ("[1..1]", "A + B + C = 1"),
        ("[3..3]", "A and B and C"),
    ],
)
def test_group_cardinalities(tmp_path: Path, bounds: str, requirement: str) -> None:
    rules = rules_of(imported(tmp_path, f"features\n R\n  {bounds}\n   A\n   B\n   C\n"))
    assert list(rules.values()) == [["require R"], [f"require {requirement}"]]


@pytest.mark.parametrize(
    ("constraint", "rule"),
    [
        ("A => B", ["when A", "require B"]),
        ("A => !B", ["forbid A and B"]),
        ("!A | B", ["when A", "require B"]),
        ("!A | !B", ["forbid A and B"]),
        ("!A", ["forbid A"]),
        ("!!A", ["require A"]),
        ("!(A | B)", ["forbid A", "forbid B"]),
        ("A & B", ["require A", "require B"]),
        ("A & B => C | D", ["when A and B", "require C or D"]),
        ("A => B & C", ["when A", "require B and C"]),
        ("A | B => C", ["when A or B", "require C"]),
        ("A <=> B", ["require A <=> B"]),
        ("A => B => C", ["when A => B", "require C"]),
        ("A <=> B => C", ["require A <=> B => C"]),
        ("A | B & C", ["require A or B and C"]),
        ("(A | B) & C", ["require A or B", "require C"]),
        ("A & (B | !C) | D", ["require A and (B or not C) or D"]),
        ("!(A => B) | C", ["when A => B", "require C"]),
        ("!A & B | C", ["require not A and B or C"]),
    ],
)
def test_constraints(tmp_path: Path, constraint: str, rule: list[str]) -> None:
    features = "features\n R\n  optional\n" + "".join(f"   {name}\n" for name in "ABCD")
    rules = rules_of(imported(tmp_path, f"{features}constraints\n {constraint}\n"))
    assert [line for lines in list(rules.values())[1:] for line in lines] == rule


def test_constraints_in_attributes_hold_like_the_others(tmp_path: Path) -> None:
    files = imported(
        tmp_path,
        """
        features
            R
                optional
                    A {constraint A => B, colour 'red, blue'}
                    B {constraints [B => C, !C | A]}
                    C
        """,
    )
    assert list(rules_of(files)) == ["R-always", "A-needs-B", "B-needs-C", "C-needs-A"]
    assert "  # colour: red, blue\n  A: {type: yes or no}\n" in files["options.yaml"]


def test_names_become_legal_ids_and_stay_readable(tmp_path: Path) -> None:
    options = imported(
        tmp_path,
        """
        features
            "Tamaño & cía"
                optional
                    "2,1MP"
                    Yes
                    a_b
                    "a b"
                    a__b
                    A_B
                    "a-b"
                    "§§"
        """,
    )["options.yaml"].splitlines()[1:]
    assert [line.split(":")[0].strip() for line in options] == [
        "Tamaño-cía",
        "f-2-1MP",
        "f-Yes",
        "a-b-2",
        "a-b-3",
        "a-b-4",
        "A-B-5",
        "a-b",
        "f",
    ]
    assert '  f-2-1MP: {name: "2,1MP", type: yes or no}' in options
    assert "  a-b: {type: yes or no}" in options


def test_comments_blanks_brackets_and_line_ends_leave_no_trace(tmp_path: Path) -> None:
    tidy = "features\n\tA {x 1}\n\t\tor\n\t\t\tB\n\t\t\tC\nconstraints\n\tB => C\n"
    messy = (
        "// a model\r\nfeatures // here\r\n\r\n\tA {\r\n  x 1 }\r\n\t/* or\r\n*/\r\n"
        "\t\tor\r\n\t\t\tB // b\r\n  \r\n\t\t\tC\r\nconstraints\r\n  // none\r\n\t(B\r\n) => C"
    )
    one, other = tmp_path / "one", tmp_path / "other"
    first, second = imported(one, tidy), imported(other, messy)
    assert first["options.yaml"] == second["options.yaml"]
    assert first["product.yaml"] == second["product.yaml"]
    assert rules_of(first) == rules_of(second)


def test_imports_hang_the_other_model_below(tmp_path: Path) -> None:
    written(tmp_path, "parts/Size.uvl", "features\n Size\n  alternative\n   Big\n   Small\n")
    files = imported(
        tmp_path,
        """
        imports
            parts.Size as size
        features
            Pizza
                mandatory
                    size.Size
                optional
                    Crust
        constraints
            Crust => size.Big
        """,
    )
    assert "  size-Big: {name: size.Big, type: yes or no}\n" in files["options.yaml"]
    rules = rules_of(files)
    assert rules["Pizza-includes"] == ["require size-Size"]
    assert rules["Crust-needs-size-Big"] == ["when Crust", "require size-Big"]
    assert "    source: parts/Size.uvl, line 2\n" in files["rules.yaml"]


def test_rings_of_imports_are_shown(tmp_path: Path) -> None:
    written(tmp_path, "b.uvl", "imports\n a\nfeatures\n B\n  optional\n   a.A\n")
    path = written(tmp_path, "a.uvl", "imports\n b\nfeatures\n A\n  optional\n   b.B\n")
    with pytest.raises(ImportModelError) as caught:
        import_model(path)
    (ring,) = caught.value.diagnostics
    assert "a.uvl → b.uvl → a.uvl" in ring.message.in_language("en")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("features\n A\n  or\n   12B\n", [("illegal-name", 4, 4)]),
        ('features\n "A.B"\n', [("illegal-name", 2, 2)]),
        ("features\n A\n  optional\n   or\n", [("illegal-name", 4, 4)]),
        ("features\n A\n  or\n   B\n   C\n    or\n     B\n", [("duplicate-name", 7, 6)]),
        ("features\n A\nconstraints\n B | C\n", [("unknown-feature", 4, 2)]),
        ("features\n A\n or\n  B\n", [("wrong-indentation", 3, 2)]),
        ("features\n A\n   or\n    B\n  C\n", [("wrong-indentation", 5, 3)]),
        ("features\n A\n B\n", [("second-root", 3, 2)]),
        ("features\n A\n  B\n", [("syntax", 3, 3)]),
        ("features\n A\n  or\n", [("empty-group", 3, 3)]),
        ("features\n A\n  [2..1]\n   B\n   C\n", [("impossible-group", 3, 3)]),
        ("features\n A\n  [3..*]\n   B\n   C\n", [("impossible-group", 3, 3)]),
        ("features\n A\n  [1.5]\n   B\n   C\n", [("syntax", 3, 4)]),
        ("features\n A\n  optional\n   x.B\n", [("unknown-import", 4, 4)]),
        ("imports\n x\nfeatures\n A\n  optional\n   x.B\n", [("import", 2, 2)]),
        ('imports\n "../x" as x\nfeatures\n A\n', [("illegal-name", 2, 2)]),
        ("imports\n x\nfeatures\n A\n", [("unplaced-import", 2, 2)]),
        ("include\n Boolean.everything\nfeatures\n A\n", [("unknown-level", 2, 2)]),
        ("include\n  Boolean.*\n  Type\nfeatures\n Integer A\n", [("feature-type", 5, 2)]),
        ("feature\n A\n", [("syntax", 1, 1)]),
        ("features\n A\nfeatures\n B\n", [("syntax", 3, 1)]),
        ("namespace x\n", [("no-features", 1, 1)]),
        ("features\n A {x\n", [("syntax", 2, 4)]),
        ("features\n A {x =}\n", [("syntax", 2, 7)]),
        ("features\n A 'x\n", [("syntax", 2, 4)]),
        ("features\n A\n/* x", [("syntax", 3, 1)]),
        ("features\n A\nconstraints\n A &\n", [("syntax", 4, 5)]),
        ("features\n A\nconstraints\n (A\n", [("syntax", 4, 2)]),
        ("features\n A\nconstraints\n A A\n", [("syntax", 4, 4)]),
        ("features\n A {n 1}\nconstraints\n A.n\n", [("attribute-constraint", 4, 2)]),
        ("features\n A {n " + "9" * 99 + "}\n", [("number-too-long", 2, 7)]),
        ("features\n A cardinality [2..*]\n", [("feature-cardinality", 2, 4)]),
        ("features\n A\nconstraints\n A == 'x'\n", [("string-constraint", 4, 7)]),
        ("features\n A\nconstraints\n A.x + 1 > 2\n", [("arithmetic-constraint", 4, 6)]),
        ("features\n A\nconstraints\n sum(x) > 2\n", [("aggregate-function", 4, 2)]),
        ("features\n A\nconstraints\n len(A) > 2\n", [("string-constraint", 4, 2)]),
        ("features\n A\nconstraints\n floor(A) > 2\n", [("numeric-function", 4, 2)]),
        ("features\n A {constraint A.x > 1}\n", [("arithmetic-constraint", 2, 20)]),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, places: list[tuple[str, int, int]]) -> None:
    assert refused(tmp_path, text) == places


def test_all_faults_of_a_model_come_together(tmp_path: Path) -> None:
    text = """
        features
            A
                optional
                    String B
                    C cardinality [1..3]
        constraints
            C => D
            sum(Price) > 3
            C => E
        """
    assert [code for code, *_ in refused(tmp_path, text)] == [
        "feature-type",
        "feature-cardinality",
        "unknown-feature",
        "aggregate-function",
        "unknown-feature",
    ]


def test_a_slip_of_the_pen_is_guessed(tmp_path: Path) -> None:
    path = written(tmp_path, "m.uvl", "features\n Frame\nconstraints\n Frmae\n")
    with pytest.raises(ImportModelError) as caught:
        import_model(path)
    (unknown,) = caught.value.diagnostics
    assert unknown.help is not None
    assert unknown.help.in_language("es") == "¿Querías decir «Frame»?"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("illegalname", "illegal-name"),
        ("missingreference", "unknown-feature"),
        ("same_feature_names", "duplicate-name"),
        ("wrong_attribute_name", "import"),
        ("wrongindent", "wrong-indentation"),
    ],
)
def test_the_published_faulty_models_are_refused(name: str, code: str) -> None:
    path = model_file(f"uvl-language/faulty/{name}.uvl")
    with pytest.raises(ImportModelError) as caught:
        import_model(path)
    assert {each.code for each in caught.value.diagnostics} == {code}


def test_every_published_model_beyond_the_boolean_level_is_refused_by_name() -> None:
    folder = model_file("uvl-language")
    named = {
        "aggregate-function",
        "arithmetic-constraint",
        "feature-cardinality",
        "feature-type",
        "numeric-function",
        "string-constraint",
    }
    beyond = 0
    for path in sorted((folder / "arithmetic_level").rglob("*.uvl")):
        with pytest.raises(ImportModelError) as caught:
            import_model(path)
        assert {each.code for each in caught.value.diagnostics} <= named
        beyond += 1
    assert beyond >= 30
