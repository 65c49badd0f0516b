"""Checks over the whole product: rings, divisions by 0, missing decimals, lookups nobody
sets, questions nobody asks, rules that give no reason."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from configurator.language.bounds import Bounds
from configurator.language.draft import Draft, listed
from configurator.language.lookups import check_lookups
from configurator.language.pictures import (
    MOST_SHAPES,
    PICTURE,
    PICTURE_BYTES,
    Picture,
    PictureError,
)
from configurator.language.reads import reads
from configurator.model import expression as model
from configurator.model.choice import NONE
from configurator.model.diagnostic import Span
from configurator.model.product import ALWAYS, AmountLine, Product, Rule, Table, Variable

MOST_RINGS = 100
"""Each costs a walk over the variables; who has more mends these first."""


def check(draft: Draft, product: Product, rule_ids: dict[str, Span]) -> None:
    """Report what only shows once everything is read."""
    asked = {name for step in product.steps for name in step.ask} | draft.misspelt
    for variable in product.variables:
        if variable.kind != "computed" and variable.show == "ask" and variable.id not in asked:
            draft.report.stop("never-asked", variable.span, variable=variable.id)
    _check_lookups(draft, product, rule_ids)
    if draft.lookups:
        check_lookups(draft, draft.lookups, _ruled(product))
    if not _check_rings(draft, product):
        bounds = Bounds(product)
        _check_divisions(draft, product, bounds)
        _check_decimals(draft, product, bounds)
    if not draft.report.found and not draft.report.not_yet:
        _check_reasons(draft, product)
        _check_picture(draft, product)


def _check_reasons(draft: Draft, product: Product) -> None:
    """One doubt per file: an imported model may have thousands of rules without a reason."""
    silent: list[Rule | Table] = [rule for rule in product.rules if rule.because is None]
    silent += [
        table
        for table in product.tables
        if table.kind != "lookup"
        and any((row.because or table.because) is None for row in table.rows)
    ]
    files: dict[str, list[Rule | Table]] = {}
    for each in sorted(silent, key=lambda each: each.span):
        if not draft.report.accepts("no-reason", each.span):
            files.setdefault(each.span.file, []).append(each)
    for found in files.values():
        draft.report.warn("no-reason", found[0].span, rules=listed(each.id for each in found))


def _check_picture(draft: Draft, product: Product) -> None:
    """Doubt what of the picture would not be shown."""
    name = product.picture or PICTURE
    svg = draft.files.get(name)
    if svg is None:
        return
    warn = draft.report.warn
    try:
        picture = Picture(svg, product.id)
    except PictureError as error:
        place = _place(name, svg, error.word) if error.word else Span(name, *error.place)
        kilobytes = PICTURE_BYTES // 1024
        warn(error.problem, place, word=error.word, kilobytes=kilobytes, shapes=MOST_SHAPES)
        return
    waits = {*picture.tests, *((slot, "") for slot in picture.focused)}
    for slot, answer in sorted(waits):
        if not _answerable(product, slot, answer):
            word = f"{slot}={answer}" if answer else slot
            written = (each for each in (word, f"|{answer}") if each.encode() in svg)
            warn("bad-picture/never", _place(name, svg, next(written, slot)), word=word)
    if picture.left_out:
        first = min(_place(name, svg, each.strip("<>=")) for each in picture.left_out)
        warn("bad-picture/left-out", first, what=listed(picture.left_out))


def _answerable(product: Product, slot: str, answer: str) -> bool:
    """Whether a question may have an answer (any, where none is given), as far as its
    options tell."""
    name, _, value = slot.partition(".")
    variable = product.by_id.get(name)
    if variable is None:
        return False
    offered = {each.id for each in variable.values}
    if variable.kind == "several of":
        return value in offered if value else not answer
    if value:
        return False
    return not answer or not offered or answer in offered or (variable.optional and answer == NONE)


def _place(name: str, content: bytes, word: str) -> Span:
    """Where a word stands first; the beginning where it is written otherwise."""
    before = content[: max(content.find(word.encode("utf-8")), 0)]
    last = before.rpartition(b"\n")[2].decode("utf-8", "replace")
    return Span(name, before.count(b"\n") + 1, len(last) + 1)


def _check_lookups(draft: Draft, product: Product, rule_ids: dict[str, Span]) -> None:
    tables = {table.id: table for table in product.tables}
    variables = {each.id: each for each in product.variables}
    for variable in product.variables:
        lookup = variable.computed.lookup if variable.computed else None
        if lookup is None:
            continue
        table = tables.get(lookup)
        if (table is None and lookup not in rule_ids) or (
            table is not None and variable.id not in table.sets
        ):
            draft.report.stop(
                "missing-key/lookup", variable.span, table=lookup, variable=variable.id
            )
    for table in product.tables:
        for name in table.sets:
            found = variables.get(name)
            if found and found.computed and found.computed.lookup != table.id:
                draft.report.stop("type-mismatch/sets", table.span, variable=name, rule=table.id)


def _ruled(product: Product) -> set[str]:
    """The variables some rule, table, limit or relevance says something about."""
    found = {each.id for each in product.variables if each.relevant_when or each.several}
    found |= {each.id for each in product.variables if each.period != ALWAYS}
    said: list[model.Expression | None] = []
    for rule in product.rules:
        said += [rule.when, rule.require, rule.forbid]
    for table in product.tables:
        if table.kind != "lookup":
            said += [cell for row in table.rows for cell in row.conditions]
    said += [variable.relevant_when for variable in product.variables]
    dependencies = _Dependencies(product)
    waiting = list(dict.fromkeys(name for each in said if each for name in dependencies.read(each)))
    behind: set[str] = set()
    while waiting:  # what is said of a computed number is said of its inputs
        name = waiting.pop()
        if name not in behind:
            behind.add(name)
            if name in dependencies.variables:
                waiting += dependencies.of(dependencies.variables[name])
    return found | behind


class _Dependencies:
    """Which variables each variable follows from: relevance, computation, lookup."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.variables = {each.id: each for each in product.variables}
        self.tables = {table.id: table for table in product.tables}
        self.with_fact: dict[str, list[str]] = {}
        for variable in product.variables:
            facts = [name for each in variable.values for name, _ in each.facts]
            facts += [name for name, _ in variable.facts_each]
            for fact in dict.fromkeys(facts):
                self.with_fact.setdefault(fact, []).append(variable.id)

    def of(self, variable: Variable) -> tuple[str, ...]:
        """The variables this one follows from, in the order they are written."""
        found: dict[str, None] = {}
        for expression in _definitions(variable):
            found.update(dict.fromkeys(self.read(expression)))
        lookup = variable.computed.lookup if variable.computed else None
        if lookup in self.tables:
            found.update(dict.fromkeys(self.tables[lookup].columns))
        return tuple(name for name in found if name in self.variables)

    def read(self, expression: model.Expression) -> tuple[str, ...]:
        """The variables an expression reads, also through sums and ``times``."""
        found: dict[str, None] = {}
        for part in model.parts_of(expression):
            if isinstance(part, model.SumOfFact):
                names = [part.variable] if part.variable else self.with_fact.get(part.fact, [])
                for name in names:
                    self._add_counted(found, name)
            elif isinstance(part, model.Fact):
                self._add_counted(found, part.variable)
        found.update(dict.fromkeys(reads(expression)))
        return tuple(found)

    def _add_counted(self, found: dict[str, None], name: str) -> None:
        """A variable whose fact is read: its ``times`` is read with it."""
        found[name] = None
        variable = self.variables.get(name)
        if variable is not None and variable.times is not None:
            found.update(dict.fromkeys(reads(variable.times)))


def _definitions(variable: Variable) -> Iterator[model.Expression]:
    if variable.relevant_when is not None:
        yield variable.relevant_when
    if variable.computed is not None and variable.computed.term is not None:
        yield variable.computed.term


def _check_rings(draft: Draft, product: Product) -> bool:
    """Report every ring once, by its shortest way round; whether there are any."""
    dependencies = _Dependencies(product)
    edges = {each.id: dependencies.of(each) for each in product.variables}
    waiting = {name: len(set(names)) for name, names in edges.items()}
    readers: dict[str, list[str]] = {name: [] for name in edges}
    for name, names in edges.items():
        for other in set(names):
            readers[other].append(name)
    free = deque(name for name, count in waiting.items() if not count)
    while free:
        for reader in readers[free.popleft()]:
            waiting[reader] -= 1
            if not waiting[reader]:
                free.append(reader)
    seen: set[str] = set()
    found = False
    tries = 0
    for name in edges:
        if waiting[name] and name not in seen and tries < MOST_RINGS:
            found = True
            tries += 1
            ring = _ring(name, edges, waiting)
            if ring:
                seen.update(ring)
                span = product.variable(name).span
                draft.report.stop("circular", span, ring=" → ".join([*ring, name]))
    return found


def _ring(start: str, edges: dict[str, tuple[str, ...]], waiting: dict[str, int]) -> list[str]:
    """The shortest way from ``start`` back to itself, or nothing."""
    came: dict[str, str] = {}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        for other in edges[name]:
            if other == start:
                ring = [name]
                while ring[-1] != start:
                    ring.append(came[ring[-1]])
                return ring[::-1]
            if waiting[other] and other not in came:
                came[other] = name
                queue.append(other)
    return []


def _check_divisions(draft: Draft, product: Product, bounds: Bounds) -> None:
    for expression in _every_expression(product):
        for part in model.parts_of(expression):
            if (
                isinstance(part, model.Arithmetic)
                and part.operator == "/"
                and bounds.can_be_zero(part.right)
            ):
                draft.report.stop("divides-by-zero", part.right.span)


def _check_decimals(draft: Draft, product: Product, bounds: Bounds) -> None:
    for variable in product.variables:
        computed = variable.computed
        if computed is None or computed.term is None or computed.rounding is not None:
            continue
        needed = bounds.decimals(computed.term)
        if needed is None or needed > computed.decimals:
            draft.report.stop(
                "needs-round", variable.span, variable=variable.id, decimals=computed.decimals
            )


def _every_expression(product: Product) -> Iterator[model.Expression]:
    for variable in product.variables:
        yield from _definitions(variable)
        if variable.times is not None:
            yield variable.times
        yield from (row.when for row in variable.defaults if row.when is not None)
        yield from (doubt.when for doubt in variable.doubts if doubt.when is not None)
    for rule in product.rules:
        yield from (each for each in (rule.when, rule.require, rule.forbid) if each is not None)
    for guard in product.guards:
        yield guard.when
    if product.prices is None:
        return
    if product.prices.times is not None:
        yield product.prices.times
    for line in product.prices.lines:
        if line.when is not None:
            yield line.when
        if isinstance(line, AmountLine):
            yield from (each for each in (line.amount, line.times) if each is not None)
