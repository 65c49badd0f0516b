from __future__ import annotations

import re
from typing import cast
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.language.pictures import PICTURE_BYTES, SHAPES, Picture, PictureError
from configurator.resources import resource_dir

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60">'


def picture(inside: str, head: str = HEAD) -> Picture:
    return Picture(f"{head}{inside}</svg>".encode(), "kite")


def drawn(one: Picture, **answers: str) -> list[str]:
    """The definitions a drawing refers to."""
    used = re.findall(r'href="#([^"]+)"', one.draw(answers))
    bodies = dict(
        re.findall(r'<g id="(kite-layer-\d+)">(.*?)</g>(?=<g id|</defs>)', str(one.definitions))
    )
    return [bodies[name] for name in used]


def test_a_layer_is_drawn_when_every_test_holds() -> None:
    one = picture(
        '<rect id="always"/>'
        '<g data-when="wheels=29"><circle r="1"/></g>'
        '<g data-when="wheels=27.5|29 brakes=disc"><circle r="2"/></g>'
    )
    assert drawn(one) == ['<rect id="kite-always"/>']
    assert len(drawn(one, wheels="29")) == 2
    assert len(drawn(one, wheels="29", brakes="disc")) == 3
    assert len(drawn(one, wheels="27.5", brakes="disc")) == 2


def test_layers_within_layers() -> None:
    one = picture(
        '<g data-when="a=1" transform="scale(2)"><g data-when="b=1"><rect/></g><circle/></g>'
    )
    assert drawn(one, b="1") == []
    assert drawn(one, a="1") == ["<circle/>"]
    assert drawn(one, a="1", b="1") == ["<g><rect/></g>", "<circle/>"]
    assert 'transform="scale(2)"' in one.draw({"a": "1"})


def test_references_stay_within_the_picture() -> None:
    one = picture(
        '<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient></defs>'
        '<rect id="r" fill="url(#g)"/><use href="#r"/>'
    )
    assert 'id="kite-g"' in one.definitions
    assert 'fill="url(#kite-g)"' in one.definitions
    assert 'href="#kite-r"' in one.definitions


def test_a_label_is_heard_and_decoration_is_not() -> None:
    one = picture("<rect/>")
    assert 'role="img" aria-label="A &#34;kite&#34; &lt;b&gt;"' in one.draw(
        {}, label='A "kite" <b>'
    )
    assert 'aria-hidden="true"' in one.draw({})


def test_answers_stand_on_the_root_where_they_are_names() -> None:
    shown = picture("<rect/>").draw({"colour": "pine", "name": '"><script>'})
    assert 'data-colour="pine"' in shown
    assert "script" not in shown


def test_focus_shows_a_part() -> None:
    one = picture("<rect/>", HEAD.replace(">", ' data-focus="fork: 1 2 3 4; wheels:5 6 7 8">'))
    assert one.shows("fork")
    assert not one.shows("colour")
    assert 'viewBox="1 2 3 4"' in one.draw({}, focus="fork")
    assert 'viewBox="0 0 100 60"' in one.draw({}, focus="colour")


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<rect onload="alert(1)"/>',
        '<rect style="fill:url(http://example.org)"/>',
        "<style>rect{fill:red}</style>",
        '<image href="http://example.org/a.png"/>',
        '<use href="http://example.org/a.svg#x"/>',
        '<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="javascript:alert(1)"/>',
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'>x</body></foreignObject>",
        '<a href="javascript:alert(1)"><rect/></a>',
        '<rect fill="url(http://example.org/x#y)"/>',
        '<rect fill="url( &#39;//example.org#y&#39; )"/>',
        '<rect fill="\\75rl(http://example.org)"/>',
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<set attributeName="onload" to="alert(1)"/>',
    ],
)
def test_nothing_runs_loads_or_styles(hostile: str) -> None:
    one = picture(hostile)
    shown = f"{one.definitions}{one.draw({})}".lower()
    for forbidden in (
        "script",
        "onload",
        "style",
        "example.org",
        "image",
        "foreign",
        "<a ",
        "set ",
    ):
        assert forbidden not in shown, shown


@pytest.mark.parametrize("ending", ["url(", "url(" + " " * 2_000, "url(a"])
def test_references_that_never_end_are_left_out_at_once(ending: str) -> None:
    endless = ending * (200_000 // len(ending))
    one = picture(f'<rect fill="{endless}"/>')
    assert "url" not in one.definitions


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"not a picture",
        b"<html></html>",
        b"<svg></svg>",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>',
        f'{HEAD}<g data-when="colour pine"><rect/></g></svg>'.encode(),
        f'{HEAD}<g data-when="colour=&lt;b&gt;"><rect/></g></svg>'.encode(),
        HEAD.replace(">", ' data-focus="fork 1 2 3">').encode() + b"</svg>",
        b" " * (PICTURE_BYTES + 1),
    ],
)
def test_what_is_no_picture_is_refused(broken: bytes) -> None:
    with pytest.raises(PictureError):
        Picture(broken, "kite")


@pytest.mark.parametrize("refers", ['<use href="#{}"/>', '<rect mask="url( &#39;#{}&#39; )"/>'])
def test_shapes_that_multiply_are_refused(refers: str) -> None:
    layers = "".join(f'<g id="n{n}">{refers.format(f"n{n - 1}") * 10}</g>' for n in range(1, 9))
    light = '<g id="n8"/>'  # of two with one id, browsers take the first
    for inside in (
        f'<defs><rect id="n0"/>{layers}{light}</defs><use href="#n8"/>',
        f'<g id="itself">{refers.format("itself") * 5_000}</g>',
    ):
        with pytest.raises(PictureError, match="shapes"):
            picture(inside)


@pytest.mark.parametrize("spelled", ["%6e", "n ", " n", "&#10;n", "#n"])
def test_references_spelled_otherwise_than_the_id_are_left_out(spelled: str) -> None:
    one = picture(f'<rect id="n"/><use href="#{spelled}"/><rect fill="url(#{spelled}a)"/>')
    assert "#kite-" not in one.definitions


names = st.sampled_from(["g", "rect", "text", "script", "style", "image", "a", "use", "defs"])
attributes = st.dictionaries(
    st.sampled_from(["id", "fill", "href", "onclick", "style", "d", "class", "transform"]),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20),
    max_size=3,
)


@given(
    st.recursive(
        st.tuples(names, attributes, st.just([])),
        lambda inner: st.tuples(names, attributes, st.lists(inner, max_size=3)),
        max_leaves=12,
    )
)
def test_any_tree_of_elements_comes_out_as_shapes_alone(
    tree: tuple[str, dict[str, str], list[object]],
) -> None:
    def written(node: object) -> str:
        tag, attrs, children = cast("tuple[str, dict[str, str], list[object]]", node)
        said = "".join(
            f" {k}='{v.replace('&', '&amp;').replace('<', '&lt;').replace(chr(39), '&#39;')}'"
            for k, v in attrs.items()
        )
        return f"<{tag}{said}>{''.join(written(child) for child in children)}</{tag}>"

    one = picture(written(tree))
    for part in (one.definitions, one.draw({})):
        for element in fromstring(str(part)).iter():
            assert element.tag in SHAPES | {"svg"}
            for name, value in element.attrib.items():
                assert not name.startswith("on")
                assert name != "style"
                if name == "href":
                    assert value.startswith("#kite-")


def test_the_pictures_of_the_demo_products_can_be_shown() -> None:
    found = sorted(resource_dir("rules").glob("*/picture.svg"))
    assert found, "no demo product has a picture"
    for path in found:
        one = Picture(path.read_bytes(), path.parent.name)
        assert "<use" in one.draw({}), f"{path} draws nothing before the first choice"
        fromstring(str(one.definitions))
