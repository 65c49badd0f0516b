"""Whatever a file says, loading it answers with diagnostics and never raises."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.language import load_folder, render
from configurator.language.grammar import Parser
from configurator.language.syntax import ExpressionError
from tests.language.folders import BASE, folder

WORDS = st.sampled_from(
    """
    material carbon brakes rim width depth bell extras rack lights none plate start area islands
    weight thickness today lowest-total and or not in is has any all of only else relevant yes no
    sum count kinds min max ( ) [ ] , . .. + - * / = != < <= > >= => <=> 700 0.5 2026-01-01 mm $x
    € % : { } # " ' | & ! ~ 0,5 cuando y bay[1].rail
    """.split()  # noqa: SIM905
)
EXPRESSIONS = st.lists(WORDS, max_size=12).map(" ".join)
LEAVES = st.one_of(EXPRESSIONS, st.text(max_size=12), st.sampled_from(("", "yes", "1..3", "~")))
KEYS = st.sampled_from(
    """
    id when require forbid table kind sets because name type values range step each pick pieces
    default compute lookup round price times optional unit relevant-when show say level suggest
    evidence reasons at lines amount percent of base tax choose expect implies offers lines guards
    steps ask accept status from until material width extras variables rules prices scenarios
    attributes context parts include empty match doubts help
    """.split()  # noqa: SIM905
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=20,
)
SECTIONS = st.dictionaries(
    st.sampled_from(
        ("rules", "guards", "prices", "scenarios", "steps", "variables", "attributes", "context")
    ),
    TREES,
    max_size=4,
)
SLOW = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def written(tree: object) -> str:
    """A tree as flow YAML, every text in quotes."""
    if isinstance(tree, dict):
        inner = ", ".join(f"{written(key)}: {written(each)}" for key, each in tree.items())
        return "{" + inner + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(written(each) for each in tree) + "]"
    kept = "".join(letter for letter in str(tree) if letter.isprintable())
    return "'" + kept.replace("'", "''") + "'"


@SLOW
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    loaded = load_folder({"product.yaml": content, "t.csv": content})
    assert loaded.product is None
    assert render(loaded.diagnostics, "es")


@SLOW
@given(st.text(alphabet=st.sampled_from("ab:{}[],-#&*!|>'\"%@`? \n0."), max_size=120))
def test_any_yaml(text: str) -> None:
    loaded = load_folder({"product.yaml": BASE.encode(), "more.yaml": text.encode()})
    assert (loaded.product is None) == any(each.severity == "stop" for each in loaded.diagnostics)


@SLOW
@given(SECTIONS)
def test_any_sections(sections: dict[str, object]) -> None:
    text = "\n".join(f"{name}: {written(tree)}" for name, tree in sections.items())
    loaded = load_folder(folder("=== more.yaml\n" + text.replace("\n=== ", "\n ")))
    assert render(loaded.diagnostics, "en").count("\n") >= len(loaded.diagnostics)


@SLOW
@given(st.lists(st.lists(LEAVES, min_size=2, max_size=3), max_size=5), st.sampled_from(",;\t"))
def test_any_table(rows: list[list[str]], delimiter: str) -> None:
    header = ["material", "width", "load"]
    lines = [header, *rows]
    table = "\n".join(delimiter.join(cell.replace("\n", " ") for cell in row) for row in lines)
    files = folder(
        "=== more.yaml\nvariables: {load: {lookup: t}, f: {values: t.csv}}\nrules:\n"
        "  - {id: t, table: t.csv, kind: lookup, sets: [load]}\n"
        "  - {id: u, table: t.csv, kind: allowed, empty: same as above}\n"
        "prices: {lines: [{id: v, table: t.csv}]}\n"
    )
    load_folder({**files, "t.csv": table.encode("utf-8", "replace")})


@SLOW
@given(EXPRESSIONS)
def test_any_expression(text: str) -> None:
    at = 0
    try:
        Parser().parse(text)
    except ExpressionError as error:
        at = error.at
    assert 0 <= at <= len(text)
    load_folder(folder(f"rules:\n  - id: a\n    require: {written(text)}\n"))
