"""Models drawn at random, by kind and size: ordinary large ones and ones built to hurt.

    python -m benchmarks.models KIND SIZE [--seed SEED] --to FOLDER

Each kind is a function of a size and a seed that gives the text of a model to import
(``.uvl``, ``.sxfm``, ``.xml``, ``.json``) or of a rule folder. The same size and seed
give the same bytes. Rules are drawn so that one configuration, drawn first, keeps them
all, except where a kind says otherwise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Model:
    """A model as text: one file to import, or a rule folder where ``folder`` is true."""

    name: str
    files: dict[str, bytes]
    folder: bool = False

    def write(self, below: Path) -> Path:
        """Write it below a folder; the file to import, or the rule folder."""
        top = below / self.name if self.folder else below
        for name, content in self.files.items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return top if self.folder else top / next(iter(self.files))


# --- feature models ----------------------------------------------------------------------

Clause = tuple[int, ...]
"""Features of which one must be chosen; ``~n`` is feature ``n`` left out."""


@dataclass(slots=True)
class _Group:
    """Between ``low`` and ``high`` of ``members`` below a feature."""

    word: str
    low: int
    high: int
    members: list[int]


@dataclass(slots=True)
class _Tree:
    """A feature tree whose root is feature 0, and one configuration that keeps it."""

    randomness: random.Random
    depth: list[int] = field(default_factory=lambda: [0])
    groups: list[list[_Group]] = field(default_factory=lambda: [[]])
    chosen: list[bool] = field(default_factory=list)

    def grow(self, parent: int, word: str, members: int, low: int = 0, high: int = 0) -> list[int]:
        """Add a group of ``members`` features below ``parent``."""
        first = len(self.depth)
        low, high = {
            "mandatory": (members, members),
            "optional": (0, members),
            "or": (1, members),
            "alternative": (1, 1),
        }.get(word, (low, high))
        new = list(range(first, first + members))
        self.groups[parent].append(_Group(word, low, high, new))
        self.depth.extend([self.depth[parent] + 1] * members)
        self.groups.extend([] for _ in new)
        return new

    def grow_at_random(self, size: int, deepest: int = 8) -> None:
        """Grow to ``size`` features, the way published models look."""
        open_ends = [0]
        while len(self.depth) < size:
            # Mostly the newest branches, so that the tree gets deep as well as wide.
            place = max(self.randomness.randrange(len(open_ends)) for _ in range(2))
            parent = open_ends[place]
            word = self.randomness.choices(
                ["mandatory", "optional", "or", "alternative", "cardinality"], [3, 8, 2, 4, 1]
            )[0]
            members = min(self.randomness.choice([1, 2, 2, 3, 4, 6, 9]), size - len(self.depth))
            if word in ("or", "alternative", "cardinality"):
                members = max(members, 2)
            low = self.randomness.randint(0, members - 1)
            high = self.randomness.randint(max(low, 1), members)
            new = self.grow(parent, word, members, low, high)
            open_ends.extend(each for each in new if self.depth[each] < deepest)
            if len(self.groups[parent]) > 3 and len(open_ends) > 1:
                open_ends.pop(place)
        self._number_in_order()

    def _number_in_order(self) -> None:
        """Number the features from the top down, so that near numbers are near in the tree."""
        order: list[int] = []
        stack = [0]
        while stack:
            order.append(stack.pop())
            stack.extend(
                member
                for group in reversed(self.groups[order[-1]])
                for member in reversed(group.members)
            )
        number = {old: new for new, old in enumerate(order)}
        self.depth = [self.depth[old] for old in order]
        self.groups = [self.groups[old] for old in order]
        for groups in self.groups:
            for group in groups:
                group.members = [number[old] for old in group.members]

    def plant(self) -> None:
        """Draw the configuration that all rules will keep."""
        self.chosen = [False] * len(self.depth)
        self.chosen[0] = True
        for number, groups in enumerate(self.groups):
            for group in groups if self.chosen[number] else ():
                taken = self.randomness.randint(group.low, group.high)
                for member in self.randomness.sample(group.members, taken):
                    self.chosen[member] = True

    def kept(self, clause: Sequence[int]) -> bool:
        """Whether the planted configuration keeps a clause."""
        return any(self.chosen[n] if n >= 0 else not self.chosen[~n] for n in clause)

    def clauses(self, number: int, width: int, *, near: int = 0) -> list[Clause]:
        """Random kept clauses; within ``near`` features of each other where that is given."""
        size = len(self.depth)
        found: list[Clause] = []
        while len(found) < number:
            if near:
                middle = self.randomness.randrange(size)
                within = range(max(1, middle - near), min(size, middle + near))
            else:
                within = range(1, size)
            names = self.randomness.sample(within, min(width, len(within)))
            clause = tuple(n if self.randomness.random() < 0.5 else ~n for n in names)
            if self.kept(clause):
                found.append(clause)
        return found

    def uvl(self, constraints: Sequence[str]) -> bytes:
        """The tree and constraints in UVL, one blank for a level."""
        lines = ["features"]
        stack: list[int | tuple[_Group, int]] = [0]
        while stack:
            top = stack.pop()
            if isinstance(top, tuple):
                group, depth = top
                word = f"[{group.low}..{group.high}]" if group.word == "cardinality" else group.word
                lines.append(" " * (2 * depth + 2) + word)
                stack.extend(reversed(group.members))
            else:
                lines.append(" " * (2 * self.depth[top] + 1) + f"F{top}")
                stack.extend((group, self.depth[top]) for group in reversed(self.groups[top]))
        if constraints:
            lines += ["constraints", *(f" {each}" for each in constraints)]
        return ("\n".join(lines) + "\n").encode()

    def sxfm(self, name: str, clauses: Sequence[Clause]) -> bytes:
        """The tree and clauses in SXFM."""
        lines = [f'<feature_model name="{name}">', "<feature_tree>"]
        stack: list[tuple[str, int, int, _Group | None]] = [(":r", 0, 0, None)]
        while stack:
            mark, number, indent, group = stack.pop()
            if group is None:
                lines.append("\t" * indent + f"{mark} F{number}(_{number})")
                below: list[tuple[str, int, int, _Group | None]] = []
                for each in self.groups[number]:
                    solitary = {"mandatory": ":m", "optional": ":o"}.get(each.word)
                    if solitary:
                        below += [(solitary, member, indent + 1, None) for member in each.members]
                    else:
                        below.append((":g", number, indent + 1, each))
                stack.extend(reversed(below))
            else:
                high = "*" if group.high == len(group.members) else str(group.high)
                lines.append("\t" * indent + f":g [{group.low},{high}]")
                stack.extend((":", member, indent + 1, None) for member in reversed(group.members))
        lines += ["</feature_tree>", "<constraints>"]
        for place, clause in enumerate(clauses, start=1):
            words = " or ".join(f"_{n}" if n >= 0 else f"~_{~n}" for n in clause)
            lines.append(f"c{place}: {words}")
        return "\n".join([*lines, "</constraints>", "</feature_model>", ""]).encode()


def _word(literal: int) -> str:
    return f"F{literal}" if literal >= 0 else f"!F{~literal}"


def _uvl(name: str, tree: _Tree, constraints: Sequence[str]) -> Model:
    return Model(name, {f"{name}.uvl": tree.uvl(constraints)})


def _flat(size: int, seed: int) -> _Tree:
    tree = _Tree(random.Random(seed))
    tree.grow(0, "optional", size)
    tree.plant()
    return tree


def feature_tree(size: int, seed: int = 0) -> Model:
    """``size`` features with groups; for each ten a constraint over near features, and a
    few over any."""
    tree = _Tree(random.Random(seed))
    tree.grow_at_random(size)
    tree.plant()
    constraints = []
    for clause in tree.clauses(size // 10, 2, near=40) + tree.clauses(size // 400 + 1, 2):
        left, right = clause
        form = tree.randomness.randrange(3)
        constraints.append(
            f"{_word(~left)} => {_word(right)}" if form else f"!({_word(~left)} & {_word(~right)})"
        )
    for clause in tree.clauses(size // 100, 3, near=40):
        constraints.append(f"{_word(~clause[0])} => {' | '.join(map(_word, clause[1:]))}")
    return _uvl(f"tree-{size}-{seed}", tree, constraints)


def splot_tree(size: int, seed: int = 0) -> Model:
    """As ``feature_tree``, in SXFM, with clauses of up to four features."""
    tree = _Tree(random.Random(seed))
    tree.grow_at_random(size)
    tree.plant()
    clauses = tree.clauses(size // 10, 2, near=30) + tree.clauses(size // 50, 4, near=30)
    name = f"splot-{size}-{seed}"
    return Model(name, {f"{name}.sxfm": tree.sxfm(name, clauses)})


def deep(size: int, seed: int = 0) -> Model:
    """A chain of ``size`` features, each below the one before, with a brother each tenth."""
    tree = _Tree(random.Random(seed))
    parent = 0
    while len(tree.depth) < size:
        word = tree.randomness.choice(["optional", "mandatory", "or", "optional"])
        parent = tree.grow(parent, word, 2 if len(tree.depth) % 10 == 0 else 1)[0]
    tree.plant()
    constraints = [" | ".join(map(_word, clause)) for clause in tree.clauses(size // 20, 2)]
    return _uvl(f"deep-{size}-{seed}", tree, constraints)


def alternatives(size: int, seed: int = 0) -> Model:
    """Three alternative groups of ``size`` members each, with implications between them."""
    tree = _Tree(random.Random(seed))
    for top in tree.grow(0, "mandatory", 3):
        tree.grow(top, "alternative", size)
    tree.plant()
    constraints = [" | ".join(map(_word, clause)) for clause in tree.clauses(size, 2)]
    return _uvl(f"alternatives-{size}-{seed}", tree, constraints)


def cardinalities(size: int, seed: int = 0) -> Model:
    """Five groups of which 3 to 7 of ``size`` are taken, with clauses inside and between."""
    tree = _Tree(random.Random(seed))
    for top in tree.grow(0, "optional", 5):
        tree.grow(top, "cardinality", size, min(3, size), min(7, size))
    tree.plant()
    constraints = [" | ".join(map(_word, c)) for c in tree.clauses(size // 2, 2, near=10)]
    return _uvl(f"cardinalities-{size}-{seed}", tree, constraints)


def equals(size: int, seed: int = 0) -> Model:
    """``size`` features, most of them equal to another by a chain of equivalences."""
    tree = _flat(size, seed)
    tree.chosen = [True] * (size + 1)
    shuffled = tree.randomness.sample(range(1, size + 1), size)
    constraints = [
        f"{_word(left)} <=> {_word(right)}"
        for left, right in itertools.pairwise(shuffled)
        if tree.randomness.random() < 0.99
    ]
    return _uvl(f"equals-{size}-{seed}", tree, constraints)


def formulas(size: int, seed: int = 0) -> Model:
    """A tree of ``size`` features and, for each fifty, a nested formula of 30 literals."""
    tree = _Tree(random.Random(seed))
    tree.grow_at_random(size)
    tree.plant()
    randomness = tree.randomness

    def drawn(within: Sequence[int], leaves: int) -> tuple[str, bool]:
        if leaves == 1:
            name = randomness.choice(within)
            return f"F{name}", tree.chosen[name]
        left = randomness.randint(1, leaves - 1)
        one, first = drawn(within, left)
        two, second = drawn(within, leaves - left)
        form = randomness.choice(["&", "&", "|", "|", "=>", "<=>", "!"])
        if form == "!":
            return f"!({one} | {two})", not (first or second)
        holds = {
            "&": first and second,
            "|": first or second,
            "=>": not first or second,
            "<=>": first == second,
        }[form]
        return f"({one} {form} {two})", holds

    constraints = []
    for _ in range(max(size // 50, 1)):
        middle = randomness.randrange(1, size)
        within = range(max(1, middle - 20), min(size, middle + 20))
        text, holds = drawn(within, 30)
        constraints.append(text if holds else f"!{text}" if text[0] == "(" else f"!({text})")
    return _uvl(f"formulas-{size}-{seed}", tree, constraints)


def dense(size: int, seed: int = 0) -> Model:
    """``size`` features and random clauses of three near the threshold (4.2 each), planted."""
    tree = _flat(size, seed)
    name = f"dense-{size}-{seed}"
    return Model(name, {f"{name}.sxfm": tree.sxfm(name, tree.clauses(size * 42 // 10, 3))})


def unsatisfiable(size: int, seed: int = 0) -> Model:
    """A tree of ``size`` features with a contradiction spread over a long chain."""
    tree = _Tree(random.Random(seed))
    tree.grow_at_random(size)
    tree.plant()
    links = tree.randomness.sample(range(1, size), min(size - 1, 40))
    constraints = [f"F0 => F{links[0]}"]
    constraints += [f"F{one} => F{two}" for one, two in itertools.pairwise(links)]
    constraints.append(f"!F{links[-1]}")
    return _uvl(f"unsatisfiable-{size}-{seed}", tree, constraints)


def single(size: int, seed: int = 0) -> Model:
    """``size`` features with exactly one configuration, found by propagation in a chain."""
    tree = _flat(size, seed)
    names = tree.randomness.sample(range(1, size + 1), size)
    literals = [n if tree.chosen[n] else ~n for n in names]
    constraints = [_word(literals[0])]
    constraints += [f"{_word(one)} => {_word(two)}" for one, two in itertools.pairwise(literals)]
    return _uvl(f"single-{size}-{seed}", tree, constraints)


def unconstrained(size: int, seed: int = 0) -> Model:
    """``size`` optional features and no rule at all."""
    return _uvl(f"unconstrained-{size}-{seed}", _flat(size, seed), [])


def lonely(size: int, seed: int = 0) -> Model:
    """One variable with ``size`` values, and no table."""
    del seed
    data = {"variables": {"only": [f"v{n}" for n in range(size)]}, "tables": []}
    return _json(f"lonely-{size}", data)


# --- tables ------------------------------------------------------------------------------


def _json(name: str, data: object) -> Model:
    return Model(name, {f"{name}.json": json.dumps(data).encode()})


def _catalogue(size: int, randomness: random.Random, columns: Sequence[int]) -> list[list[int]]:
    """Distinct rows as a catalogue of cars has them: each column leans on one before it."""
    leans = [randomness.randrange(max(place, 1)) for place in range(len(columns))]
    palettes: dict[tuple[int, int], list[int]] = {}
    rows: dict[tuple[int, ...], None] = {}
    while len(rows) < size:
        row: list[int] = []
        for place, domain in enumerate(columns):
            key = (place, row[leans[place]] if place else 0)
            if key not in palettes:
                most = domain if not place else randomness.randint(1, max(2, domain // 2))
                palettes[key] = sorted(randomness.sample(range(domain), most))
            row.append(randomness.choice(palettes[key]))
        rows[tuple(row)] = None
    return [list(row) for row in rows]


def tables(size: int, seed: int = 0) -> Model:
    """Forty variables of up to 60 values, one allowed table of ``size`` rows over eight of
    them, and small ones over the others."""
    randomness = random.Random(seed)
    domains = [randomness.choice([60, 40, 30, 25])] * 8 + [
        randomness.choice([2, 3, 5, 8, 20]) for _ in range(32)
    ]
    planted = [randomness.randrange(domain) for domain in domains]
    big = _catalogue(size, randomness, domains[:8])
    planted[:8] = big[0]
    written = [{"name": "big", "scope": [f"q{k}" for k in range(8)], "allowed": _texts(big)}]
    for number in range(30):
        start = randomness.randrange(len(domains) - 5)
        scope = sorted(randomness.sample(range(start, start + 6), 3))
        rows = {tuple(planted[k] for k in scope)}
        while len(rows) < max(2, min(size, math.prod(domains[k] for k in scope) // 3)):
            rows.add(tuple(randomness.randrange(domains[k]) for k in scope))
        written.append(
            {
                "name": f"small-{number}",
                "scope": [f"q{k}" for k in scope],
                "allowed": _texts(sorted(rows)),
            }
        )
    data = {
        "variables": {
            f"q{place}": [f"v{n}" for n in range(domain)] for place, domain in enumerate(domains)
        },
        "tables": written,
    }
    return _json(f"tables-{size}-{seed}", data)


def random_table(size: int, seed: int = 0) -> Model:
    """One allowed table of ``size`` rows over six variables, without any structure."""
    randomness = random.Random(seed)
    columns = [30] * 6
    rows: dict[tuple[int, ...], None] = {}
    while len(rows) < size:
        rows[tuple(randomness.randrange(domain) for domain in columns)] = None
    return _xcsp(f"random-table-{size}-{seed}", columns, [((0, 1, 2, 3, 4, 5), True, list(rows))])


def domains(size: int, seed: int = 0) -> Model:
    """Twelve variables of ``size`` values, and conflicts and supports between neighbours."""
    randomness = random.Random(seed)
    count = 12
    planted = [randomness.randrange(size) for _ in range(count)]
    relations = []
    for one in range(count - 1):
        two = one + 1 if one % 3 else min(one + 2, count - 1)
        supports = one % 2 == 0
        rows = {(randomness.randrange(size), randomness.randrange(size)) for _ in range(size * 8)}
        pair = (planted[one], planted[two])
        if supports:
            rows.add(pair)
        else:
            rows.discard(pair)
        relations.append(((one, two), supports, [list(row) for row in sorted(rows)]))
    return _xcsp(f"domains-{size}-{seed}", [size] * count, relations)


def wide_rows(size: int, seed: int = 0) -> Model:
    """Thirty variables and one allowed table of ``size`` rows over 24 of them."""
    randomness = random.Random(seed)
    columns = [randomness.choice([2, 3, 5, 9]) for _ in range(30)]
    rows = _catalogue(size, randomness, columns[:24])
    pairs: list[Sequence[int]] = [
        [a, b] for a in range(columns[0]) for b in range(columns[29]) if (a + b) % 3
    ]
    relations = [(tuple(range(24)), True, rows), ((0, 29), True, pairs)]
    return _xcsp(f"wide-rows-{size}-{seed}", columns, relations)


def _texts(rows: Sequence[Sequence[int]]) -> list[list[str]]:
    return [[f"v{value}" for value in row] for row in rows]


def _xcsp(
    name: str,
    columns: Sequence[int],
    relations: Sequence[tuple[Sequence[int], bool, Sequence[Sequence[int]]]],
) -> Model:
    lines = ["<instance>", f'<presentation name="{name}" format="XCSP 2.1"/>']
    lines.append(f'<domains nbDomains="{len(columns)}">')
    lines += [
        f'<domain name="D{k}" nbValues="{domain}">0..{domain - 1}</domain>'
        for k, domain in enumerate(columns)
    ]
    lines += ["</domains>", f'<variables nbVariables="{len(columns)}">']
    lines += [f'<variable name="q{k}" domain="D{k}"/>' for k in range(len(columns))]
    lines += ["</variables>", f'<relations nbRelations="{len(relations)}">']
    for place, (scope, supports, rows) in enumerate(relations):
        kind = "supports" if supports else "conflicts"
        body = "|".join(" ".join(map(str, row)) for row in rows)
        lines.append(
            f'<relation name="R{place}" arity="{len(scope)}" nbTuples="{len(rows)}" '
            f'semantics="{kind}">{body}</relation>'
        )
    lines += ["</relations>", f'<constraints nbConstraints="{len(relations)}">']
    lines += [
        f'<constraint name="C{place}" arity="{len(scope)}" '
        f'scope="{" ".join(f"q{k}" for k in scope)}" reference="R{place}"/>'
        for place, (scope, _, _) in enumerate(relations)
    ]
    lines += ["</constraints>", "</instance>", ""]
    return Model(name, {f"{name}.xml": "\n".join(lines).encode()})


# --- rule folders ------------------------------------------------------------------------


def _folder(
    name: str,
    variables: Sequence[str],
    rules: Sequence[str],
    *,
    facts: Sequence[str] = (),
    sheets: dict[str, str] | None = None,
) -> Model:
    ids = [line.strip().partition(":")[0] for line in variables]
    steps = [
        f"  - {{id: page-{start // 20 + 1}, name: Page {start // 20 + 1},"
        f" ask: [{', '.join(ids[start : start + 20])}]}}"
        for start in range(0, len(ids), 20)
    ]
    product = [f"product: {name}", f"name: {name}", "language: en"]
    if facts:
        product += ["attributes:", *(f"  {fact}: {{}}" for fact in facts)]
    product += ["steps:", *steps]
    files = {
        "product.yaml": "\n".join(product) + "\n",
        "options.yaml": "\n".join(["variables:", *variables]) + "\n",
        "rules.yaml": "\n".join(["rules:", *rules]) + "\n",
        **(sheets or {}),
    }
    return Model(name, {key: text.encode() for key, text in files.items()}, folder=True)


def wildcards(size: int, seed: int = 0) -> Model:
    """Twenty variables of eight values and an allowed table of ``size`` rows, mostly ``*``
    and alternatives, which written out would be more tuples than there are atoms."""
    randomness = random.Random(seed)
    values = [f"v{n}" for n in range(8)]
    variables = [
        f"  q{k}: {{values: {{{', '.join(f'{v}: {{}}' for v in values)}}}}}" for k in range(20)
    ]
    lines = [",".join(f"q{k}" for k in range(20))]
    for _ in range(size):
        row = []
        for _ in range(20):
            form = randomness.random()
            if form < 0.6:
                row.append("*")
            else:
                row.append(" | ".join(sorted(randomness.sample(values, 1 if form < 0.8 else 3))))
        lines.append(",".join(row))
    rule = "  - {id: fits, table: tables/fits.csv, kind: allowed, because: Not built.}"
    sheet = "\n".join(lines) + "\n"
    return _folder(f"wildcards-{size}-{seed}", variables, [rule], sheets={"tables/fits.csv": sheet})


def sums(size: int, seed: int = 0) -> Model:
    """``size`` variables of five values with two facts each, summed under two limits."""
    randomness = random.Random(seed)
    variables = []
    least = most = 0
    for k in range(size):
        weights = [randomness.randint(1, 400) for _ in range(5)]
        least, most = least + min(weights), most + max(weights)
        values = ", ".join(
            f"v{n}: {{weight: {weight}, power: {randomness.randint(0, 9)}}}"
            for n, weight in enumerate(weights)
        )
        variables.append(f"  q{k}: {{values: {{{values}}}}}")
    limit = least + (most - least) // 3
    rules = [
        f"  - {{id: light, require: sum(weight) <= {limit}, because: Too heavy.}}",
        f"  - {{id: weak, require: sum(power) <= {size * 5}, because: Too much power.}}",
    ]
    for number in range(size):
        one, two = sorted(randomness.sample(range(size), 2))
        a, b = randomness.randrange(1, 5), randomness.randrange(1, 5)
        rules.append(
            f"  - {{id: r{number}, forbid: q{one} = v{a} and q{two} = v{b}, because: No.}}"
        )
    return _folder(f"sums-{size}-{seed}", variables, rules, facts=("weight", "power"))


def duplicates(size: int, seed: int = 0) -> Model:
    """``size`` rules over fifty variables, of which nine in ten say what others say."""
    randomness = random.Random(seed)
    values = ", ".join(f"v{n}: {{}}" for n in range(6))
    variables = [f"  q{k}: {{values: {{{values}}}}}" for k in range(50)]
    written = []
    for _ in range(max(size // 10, 1)):
        one, two = sorted(randomness.sample(range(50), 2))
        a, b = randomness.randrange(1, 6), randomness.randrange(1, 6)
        written.append(f"forbid: q{one} = v{a} and q{two} = v{b}")
    rules = [
        f"  - {{id: r{number}, {written[number % len(written)]}, because: No.}}"
        for number in range(size)
    ]
    return _folder(f"duplicates-{size}-{seed}", variables, rules)


def numbers(size: int, seed: int = 0) -> Model:
    """Six whole numbers from 0 to ``size``, compared with constants and each other."""
    randomness = random.Random(seed)
    variables = [f"  n{k}: {{type: number, range: 0..{size}}}" for k in range(6)]
    variables.append("  kind: {values: {a: {}, b: {}, c: {}}}")
    rules = []
    for number in range(12):
        k, bound = randomness.randrange(6), randomness.randrange(size)
        value = randomness.choice("ab")
        rules.append(
            f"  - {{id: r{number}, when: kind = {value}, require: n{k} <= {bound}, because: No.}}"
        )
    return _folder(f"numbers-{size}-{seed}", variables, rules)


KINDS: dict[str, Callable[[int, int], Model]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        feature_tree,
        splot_tree,
        deep,
        alternatives,
        cardinalities,
        equals,
        formulas,
        dense,
        unsatisfiable,
        single,
        unconstrained,
        lonely,
        tables,
        random_table,
        domains,
        wide_rows,
        wildcards,
        sums,
        duplicates,
        numbers,
    )
}


def main() -> None:
    """Write one model and say where."""
    parser = argparse.ArgumentParser(description="Write a model drawn at random.")
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("size", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    print(KINDS[given.kind](given.size, given.seed).write(given.to))


if __name__ == "__main__":
    main()
