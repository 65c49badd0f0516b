"""Files made to hurt: every one is refused in words, without a traceback."""

from __future__ import annotations

import gzip
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from configurator.language import load_folder
from configurator.language.importers import ImportModelError, import_model, import_to_folder
from tests.conftest import not_endless
from tests.importers.helpers import written

BILLION = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<instance>&c;</instance>"
)
WIDE_RELATION = "|".join(["0 " * 50] * 1000)
SHARED = (
    "<instance><domains><domain name='D'>0 1</domain></domains><variables>"
    + "".join(f"<variable name='v{k}' domain='D'/>" for k in range(50))
    + "</variables><relations><relation name='R' arity='50' semantics='supports'>"
    + "|".join(" ".join(str(row >> bit & 1) for bit in range(50)) for row in range(1000))
    + "</relation></relations><constraints>"
    + (f"<constraint scope='{' '.join(f'v{k}' for k in range(50))}' reference='R'/>" * 1000)
    + "</constraints></instance>"
)


@pytest.mark.parametrize(
    ("name", "text", "codes"),
    [
        ("steep.uvl", "features\n" + " " * 100_000 + "A\n  B", {"wrong-indentation"}),
        ("brackets.uvl", "features\n A\nconstraints\n " + "(" * 30_000, {"too-deep"}),
        ("unclosed.uvl", "features\n A {" + "x," * 200_000, {"too-large"}),
        ("long.uvl", "features\n A\n  or\n" + "   A\n" * 400_000, {"too-large"}),
        ("nots.uvl", "features\n A\nconstraints\n " + "!" * 150_001, {"syntax"}),
        ("arrows.uvl", "features\n A\nconstraints\n A" + " => A" * 9_999, {"too-deep"}),
        ("blocks.uvl", "features\n A " + "{a " * 5_000, {"too-deep"}),
        ("number.uvl", "features\n A {n " + "9" * 100_000 + "}", {"number-too-long"}),
        ("bounds.uvl", f"features\n A\n  [{'9' * 99}]\n   B", {"number-too-long"}),
        ("comment.uvl", "features\n A\n" + "/*" * 50_000, {"syntax"}),
        ("quotes.uvl", "features\n " + '"' * 100_001, {"syntax"}),
        ("unknown.uvl", "features\n A\nconstraints\n" + " B\n" * 5_000, {"unknown-feature"}),
        ("types.uvl", "features\n A\n  or\n" + "   Real B\n" * 5_000, {"feature-type"}),
        ("billion.xml", BILLION, {"xml-entities"}),
        ("nested.xml", "<instance>" + "<a>" * 50_000, {"too-large"}),
        ("open.xml", "<instance", {"syntax"}),
        ("external.sxfm", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', {"xml-entities"}),
        ("shared.xml", SHARED, {"too-large"}),
        ("blanks.sxfm", "<feature_model><feature_tree>:r A" + " " * 900_000 + "(", {"syntax"}),
        ("empty.uvl", "", {"no-features"}),
        ("empty.xml", "", {"syntax"}),
        ("empty.json", "", {"syntax"}),
        ("model.txt", "features\n A\n", {"unknown-format"}),
    ],
    ids=lambda value: value if isinstance(value, str) and value.endswith(("l", "m", "n")) else "",
)
def test_hostile_models_are_refused(tmp_path: Path, name: str, text: str, codes: set[str]) -> None:
    path = written(tmp_path, name, text)
    with not_endless(), pytest.raises(ImportModelError) as caught:
        import_model(path)
    assert {each.code for each in caught.value.diagnostics} <= {*codes, "duplicate-name"}
    assert codes <= {each.code for each in caught.value.diagnostics}


@pytest.mark.parametrize("depth", [1_500, 3_000])
def test_a_tree_may_be_as_deep_as_its_text(tmp_path: Path, depth: int) -> None:
    outline = "features\n" + "".join(
        f"{' ' * (2 * level + 1)}F{level}\n{' ' * (2 * level + 2)}or\n" for level in range(depth)
    )
    uvl = written(tmp_path, "deep.uvl", f"{outline}{' ' * (2 * depth + 1)}F{depth}\n")
    nodes = "".join(
        f"{' ' * level}{':o' if level else ':r'} F{level}(_{level})\n" for level in range(depth + 1)
    )
    text = f"<feature_model><feature_tree>\n{nodes}</feature_tree></feature_model>"
    sxfm = written(tmp_path, "deep.sxfm", text)
    for path in (uvl, sxfm):
        options = import_model(path)["options.yaml"].decode()
        assert f"  F{depth}:" in options


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    for name, data in (
        ("binary.uvl", bytes(range(256))),
        ("zeroes.uvl", b"features\n A\0"),
        ("latin.sxfm", "<feature_model>ñ".encode("latin-1")),
        ("wide.xml", "<instance/>".encode("utf-16")),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ImportModelError) as caught:
            import_model(path)
        assert [each.code for each in caught.value.diagnostics] == ["not-text"], name


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.json.gz").write_bytes(b"\x1f\x8b nonsense")
    (tmp_path / "folder.uvl").mkdir()
    for name in ("broken.json.gz", "folder.uvl", "missing.uvl"):
        with pytest.raises(ImportModelError) as caught:
            import_model(tmp_path / name)
        assert [each.code for each in caught.value.diagnostics] == ["unreadable-file"], name


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * 80_000_000))
    with pytest.raises(ImportModelError) as caught:
        import_model(path)
    assert [each.code for each in caught.value.diagnostics] == ["too-large"]


def test_imports_stay_in_the_folder(tmp_path: Path) -> None:
    written(tmp_path, "secret.uvl", "features\n S\n")
    path = written(
        tmp_path, "inner/m.uvl", 'imports\n "/srv/secret" as s\nfeatures\n A\n  or\n   s.S\n'
    )
    with pytest.raises(ImportModelError) as caught:
        import_model(path)
    assert [each.code for each in caught.value.diagnostics] == ["import"]


WORDS = (
    *("features", "constraints", "imports", "or", "mandatory", "constraint", "cardinality", "as"),
    *("A", "B", "é", "1", "String", "'t'", '"q"', "{x 1}", "[1..2]", "\n", "\n ", "\n  ", "\n\t"),
    *("(", ")", "[", "]", "{", "}", "&", "!", "=>", "<=>", "==", ".", ",", "//", "/*", "*/", "\r"),
)


@given(st.lists(st.sampled_from(WORDS), max_size=40))
@example(["features", "\n ", "A", "\n  ", "or", "\n\t", "B"])
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_gives_a_traceback(words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.uvl")
        path.write_text(" ".join(words), encoding="utf-8")
        try:
            files = import_model(path)
        except ImportModelError as problem:
            found = problem.diagnostics
        else:
            found = load_folder(files).diagnostics
            assert not found
            return
    assert found


NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters='".'), min_size=1)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
@example(["a: b", "#", "a #b", "{width}", "[a]", "yes", "{a, b}", "-", "*", "&a", "!t", "'", "\\"])
@example(["é", "e\u0301", "\u2028", "\ufeffx", "a\u00a0b", "\u202e", "none", "NO", "%", "@", "1"])
@settings(deadline=None, max_examples=200)
def test_any_name_comes_in_and_keeps_its_letters(names: list[str]) -> None:
    text = 'features\n "root feature"\n  optional\n' + "".join(f'   "{name}"\n' for name in names)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "names.uvl")
        path.write_text(text, encoding="utf-8", newline="")
        loaded = load_folder(import_model(path))
    assert loaded.product is not None, loaded.diagnostics
    kept = [variable.name.in_language("en") for variable in loaded.product.variables]
    shown = str.maketrans("{}", "﹛﹜")
    assert kept[1:] == [
        unicodedata.normalize("NFC", " ".join(name.split())).translate(shown) for name in names
    ]


def test_an_import_never_overwrites_work(tmp_path: Path) -> None:
    path = written(tmp_path, "m.uvl", "features\n A\n")
    target = tmp_path / "rules" / "m"
    written_files = import_to_folder(path, target)
    assert [file.name for file in written_files] == ["options.yaml", "product.yaml", "rules.yaml"]
    assert {file.name: file.read_bytes() for file in written_files} == import_model(path)
    with pytest.raises(ImportModelError) as caught:
        import_to_folder(path, target)
    assert [each.code for each in caught.value.diagnostics] == ["folder-in-use"]
