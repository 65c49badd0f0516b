"""What the policy and accessibility ask of every page, read off the markup itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.shop.conftest import Shopper

PAGES = ("sail", "extras", "review", "why?slot=cloth&answer=silk")
VOID = {"input", "meta", "link", "br", "hr", "img"}


class Page(HTMLParser):
    """Every element of a page, and what is wrong with its nesting."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(page)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f"{tag} says an attribute twice: {names}")
        self.elements.append((tag, {k: v or "" for k, v in attrs}, tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}, tuple(self.open)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-3:]}")
            return
        self.open.pop()


@pytest.fixture
def pages(shopper: Shopper) -> dict[str, Page]:
    shopper.choose("shape", "ring")
    shopper.choose("cloth", "cotton")
    shopper.choose("span", "70")
    found = {path: shopper.open(path) for path in PAGES}
    found["catalogue"] = shopper.client.get("/").text
    found["problem"] = shopper.client.get("/nowhere").text
    found["part"] = shopper.send(
        "choose", slot="tails.bow", answer="2", at="extras", htmx=True
    ).text
    shopper.send("finish")
    shopper.choose("name", "none", at="extras")
    shopper.send("commit", at="review")
    found["done"] = shopper.open("done")
    return {path: Page(page) for path, page in found.items()}


def test_elements_nest(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        assert not page.wrong, (path, page.wrong)
        for tag, _, around in page.elements:
            assert not (tag == "form" and "form" in around), f"a form within a form on {path}"
            assert not (tag in ("button", "a") and {"button", "a"} & set(around)), path


def test_nothing_inline_and_nothing_from_elsewhere(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        for tag, attrs, _ in page.elements:
            assert tag not in ("style", "iframe", "object", "base"), path
            assert "style" not in attrs, (path, tag, attrs)
            assert not any(name.startswith(("on", "hx-on")) for name in attrs), (path, attrs)
            if tag == "script":
                assert attrs["src"].startswith("/static/"), path
            for name in ("src", "href", "action"):
                value = attrs.get(name, "/")
                assert value.startswith(("/", "#")), (path, tag, value)
                assert not value.startswith("//"), (path, tag, value)


def test_ids_are_unique_and_references_hold(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
        twice = {name for name in ids if ids.count(name) > 1}
        assert not twice, (path, twice)
        if path == "part":
            continue
        for _, attrs, _ in page.elements:
            for name in (
                "aria-labelledby",
                "aria-describedby",
                "for",
                "form",
                "popovertarget",
                "list",
                "data-sets",
                "data-copies",
            ):
                for wanted in attrs.get(name, "").split():
                    assert wanted in ids, (path, name, wanted)
            if attrs.get("href", "").startswith("#"):
                assert attrs["href"][1:] in ids, (path, attrs["href"])


def test_every_form_is_protected(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        forms = sum(tag == "form" for tag, _, _ in page.elements)
        tokens = sum(attrs.get("name") == "csrf_token" for _, attrs, _ in page.elements)
        assert forms == tokens, (path, forms, tokens)


def test_every_button_and_field_has_a_name(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        for tag, attrs, around in page.elements:
            if tag == "input" and attrs.get("type") != "hidden":
                named = "aria-label" in attrs or "aria-labelledby" in attrs or "label" in around
                assert named, (path, attrs)


def test_one_heading_of_the_first_rank_and_one_polite_region(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        headings = [tag for tag, _, _ in page.elements if tag == "h1"]
        assert len(headings) == 1, path
        if path != "part":
            regions = [a for _, a, _ in page.elements if a.get("role") == "status"]
            assert len(regions) == 1, path


def test_options_are_radios_in_a_group(pages: dict[str, Page]) -> None:
    page = pages["sail"]
    radios = [attrs for _, attrs, _ in page.elements if attrs.get("role") == "radio"]
    assert len(radios) >= 5
    assert all(attrs["type"] == "submit" for attrs in radios)
    assert {attrs["aria-checked"] for attrs in radios} == {"true", "false"}
    assert sum(attrs.get("role") == "radiogroup" for _, attrs, _ in page.elements) >= 2


def test_one_filled_button_per_page(shopper: Shopper) -> None:
    for path in ("sail", "extras", "review"):
        assert len(re.findall(r'class="btn fill', shopper.open(path))) == 1, path
