"""Rule files are shown with each diagnostic right after its line."""

from configurator.model.diagnostic import Diagnostic, Span
from configurator.model.text import Text
from configurator.web.workshop.lines import WHOLE_UP_TO, listing


def about(line, column=1, severity="stop"):
    message = Text.of({"en": "No.", "es": "No."})
    return Diagnostic("unknown-value", severity, Span("rules.yaml", line, column), message)


def test_the_word_at_the_column_is_underlined():
    mistake = about(2, 14)
    shown = listing(b"rules:\n  material = carbn  # why\n", [mistake])
    assert [line.number for line in shown.lines] == [1, 2]
    second = shown.lines[1]
    assert (second.before, second.marked, second.after) == ("  material = ", "carbn", "  # why")
    assert second.diagnostics == (mistake,)


def test_places_outside_the_file_concern_the_whole_file():
    for each in (about(0, 0), about(9)):
        shown = listing(b"one\n", [each])
        assert shown.whole == (each,)
        assert shown.lines[0].diagnostics == ()


def test_a_column_outside_the_line_underlines_nothing():
    shown = listing(b"one\n", [about(1, 40)])
    assert shown.lines[0].before == "one"
    assert shown.lines[0].marked == ""


def test_long_files_show_what_is_near_the_diagnostics():
    content = b"x\n" * (WHOLE_UP_TO + 1000)
    shown = listing(content, [about(2000)])
    numbers = [line.number for line in shown.lines]
    assert numbers == list(range(1988, 2013))
    assert shown.lines[0].skipped == 1987
    assert shown.rest == WHOLE_UP_TO + 1000 - 2012


def test_every_line_is_shown_or_counted():
    content = b"x\n" * 4000
    shown = listing(content, [about(100), about(3000), about(4000)])
    counted = sum(1 + line.skipped for line in shown.lines) + shown.rest
    assert counted == 4000


def test_files_that_are_no_text_keep_their_diagnostics():
    for content in (b"\xff\xfe\x00", b"a\x00b"):
        shown = listing(content, [about(1)])
        assert not shown.readable
        assert len(shown.whole) == 1


def test_byte_order_marks_and_windows_lines_do_not_move_columns():
    shown = listing("\ufeffone two\r\nthree\r\n".encode(), [about(1, 5)])
    assert shown.lines[0].marked == "two"
    assert shown.lines[1].before == "three"
