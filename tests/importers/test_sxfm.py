"""SXFM in, rules out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importers.helpers import imported, refused, rules_of

WATCH = """
    <feature_model name="Watch">
    <feature_tree>
    :r Watch(_r)
    \t:m Connector(_r_1)
    \t\t:g (_r_1_5) [1,*]
    \t\t\t: GPS(_r_5_6)
    \t\t\t: Cellular(_r_5_7)
    \t:m Screen(_r_2)
    \t\t:g (_r_2_9) [1,1]
    \t\t\t: Analog(_r_2_10)
    \t\t\t: High Resolution (new)(_r_2_11)
    \t:o Camera(_r_3)
    \t:o Compass
    </feature_tree>
    <constraints>
    c1:~_r_3 or _r_2_11
    c2:~_r_2_10 or ~_r_5_7
    c3:_r_3 or Compass
    </constraints>
    </feature_model>
"""


def sxfm(tree: str, constraints: str = "") -> str:
    return (
        f"<feature_model><feature_tree>\n{tree}\n</feature_tree>"
        f"<constraints>\n{constraints}\n</constraints></feature_model>"
    )


def test_tree_groups_and_clauses_become_rules(tmp_path: Path) -> None:
    files = imported(tmp_path, WATCH, "watch.sxfm")
    assert rules_of(files) == {
        "Watch-always": ["require Watch"],
        "Watch-includes": ["require Connector and Screen"],
        "Connector-parts": ["when GPS or Cellular", "require Connector"],
        "Connector-one-or-more": ["when Connector", "require GPS or Cellular"],
        "Screen-parts": ["when Analog or High-Resolution-new", "require Screen"],
        "Screen-exactly-one": ["when Screen", "require Analog + High-Resolution-new = 1"],
        "Camera-needs-High-Resolution-new": ["when Camera", "require High-Resolution-new"],
        "Analog-excludes-Cellular": ["forbid Analog and Cellular"],
        "Camera-or-Compass-always": ["require Camera or Compass"],
    }
    assert files["product.yaml"].startswith("product: watch\nname: Watch\n")
    assert "name: High Resolution (new)" in files["options.yaml"]
    assert "    source: watch.sxfm, line 16\n" in files["rules.yaml"]


def test_an_xml_file_with_a_feature_model_inside_is_sxfm(tmp_path: Path) -> None:
    assert (
        imported(tmp_path / "a", WATCH, "watch.sxfm")["options.yaml"]
        == (imported(tmp_path / "b", WATCH, "watch.xml")["options.yaml"])
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (sxfm(":r A(a)\n\t:x B(b)"), ("syntax", 3, 2)),
        (sxfm(":r A(a)\n:r B(b)"), ("syntax", 3, 1)),
        (sxfm(":r A(a)\n\t:g [1,2\n\t\t: B(b)"), ("syntax", 3, 2)),
        (sxfm(":r A(a)\n\t:g [3,4]\n\t\t: B(b)"), ("impossible-group", 2, 1)),
        (sxfm(":r A(a)\n\t: B(b)"), ("syntax", 3, 2)),
        (sxfm(":r A(a)\n\t:o B(a)"), ("duplicate-name", 3, 2)),
        (sxfm(":r A(a)", "c:~b"), ("unknown-feature", 4, 1)),
        (sxfm(":r A(a)", "c a"), ("syntax", 4, 1)),
        (sxfm(""), ("syntax", 1, 16)),
        ("<feature_model>", ("syntax", 1, 16)),
        ("<model/>", ("syntax", 1, 1)),
        (
            "<!DOCTYPE x [<!ENTITY e 'e'>]><feature_model>&e;</feature_model>",
            ("xml-entities", 1, 13),
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, place: tuple[str, int, int]) -> None:
    assert refused(tmp_path, text, "model.sxfm") == [place]
