"""A tree of features as pages a person can fill in.

Each page is a run of the tree, no longer than a screenful; large subtrees become pages
of their own, named after their top feature.
"""

from __future__ import annotations

from dataclasses import dataclass

from configurator.language.importers.feature_model import FeatureModel

PAGE = 24
"""Questions on a page, at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: the feature it is named after, its number there, and its features."""

    top: int
    part: int
    features: tuple[int, ...]


def pages(model: FeatureModel) -> list[Page]:
    """The pages of a model, in the order of its tree; every feature stands on one."""
    children: list[list[int]] = [[] for _ in model.features]
    for index, feature in enumerate(model.features):
        if feature.parent >= 0:
            children[feature.parent].append(index)
    sizes = [1] * len(model.features)
    for index in range(len(model.features) - 1, 0, -1):
        sizes[model.features[index].parent] += sizes[index]
    found: list[Page] = []
    waiting = [0]
    while waiting:
        top = waiting.pop()
        on_page = [top]
        larger: list[int] = []
        part = 1
        split = top == 0 or sizes[top] > PAGE
        branches = sum(sizes[child] > 1 for child in children[top])
        small = 1 if top == 0 and branches <= PAGE // 2 else PAGE // 2
        for child in children[top]:
            if split and sizes[child] > small:
                larger.append(child)
                continue
            subtree = _subtree(child, children)
            if len(on_page) + len(subtree) > PAGE and len(on_page) > 1:
                found.append(Page(top, part, tuple(on_page)))
                part += 1
                on_page = []
            on_page.extend(subtree)
        found.append(Page(top, part, tuple(on_page)))
        waiting.extend(reversed(larger))
    return found


def _subtree(top: int, children: list[list[int]]) -> list[int]:
    found: list[int] = []
    waiting = [top]
    while waiting:
        feature = waiting.pop()
        found.append(feature)
        waiting.extend(reversed(children[feature]))
    return found
