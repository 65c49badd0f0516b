"""The constraint network: what every backend solves.

Lowering (``engine.lower``) turns a product into this; backends (SAT, compiled diagram,
python-constraint) know nothing else. Variables are numbered from 0, their values from 0
to ``size - 1``. A configuration is one value per variable that satisfies every
constraint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

BACKGROUND = -1
"""Owner of a constraint that is part of the definitions and is never cited."""


@dataclass(frozen=True, slots=True)
class NetworkVariable:
    """A finite variable.

    ``multiplicity[i]`` is how many of the customer's answers value ``i`` stands for (a
    wide number is cut into pieces inside which all answers behave alike). A ``hidden``
    variable is a function of the others, so it never adds configurations.
    """

    name: str
    multiplicity: tuple[int, ...]
    hidden: bool = False

    @property
    def size(self) -> int:
        """How many values it has."""
        return len(self.multiplicity)


@dataclass(frozen=True, slots=True)
class Clause:
    """At least one of ``variable in values`` holds."""

    literals: tuple[tuple[int, frozenset[int]], ...]
    owner: int = BACKGROUND


class PackedTuples(Sequence[tuple[int, ...]]):
    """Sorted, distinct tuples kept as one array (a tuple a row), a hundredth of the size.

    It reads like a tuple of tuples; ``array`` and ``numpy.asarray`` give the array, which
    nobody may write to.
    """

    __slots__ = ("array",)

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array: npt.NDArray[np.int32] = np.ascontiguousarray(array, dtype=np.int32)
        self.array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, place: int) -> tuple[int, ...]: ...
    @overload
    def __getitem__(self, place: slice) -> PackedTuples: ...
    def __getitem__(self, place: int | slice) -> tuple[int, ...] | PackedTuples:
        if isinstance(place, slice):
            return PackedTuples(self.array[place])
        return tuple(self.array[place].tolist())

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return map(tuple, self.array.tolist())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedTuples) and np.array_equal(self.array, other.array)

    def __hash__(self) -> int:
        return hash((self.array.shape, self.array.tobytes()))


@dataclass(frozen=True, slots=True)
class AllowedTuples:
    """The values of ``scope``, taken together, are one of ``tuples`` (sorted, distinct)."""

    scope: tuple[int, ...]
    tuples: Sequence[tuple[int, ...]]
    owner: int = BACKGROUND

    def rows(self) -> npt.NDArray[np.int64]:
        """The tuples as an array, one a row."""
        return np.asarray(self.tuples, dtype=np.int64).reshape(len(self.tuples), len(self.scope))


@dataclass(frozen=True, slots=True)
class LinearSum:
    """``low <= sum(weights[k][value of scope[k]]) <= high``; ``None`` is unbounded."""

    scope: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]
    low: int | None
    high: int | None
    owner: int = BACKGROUND


Constraint = Clause | AllowedTuples | LinearSum


def scope_of(constraint: Constraint) -> tuple[int, ...]:
    """The variables a constraint reads, in its own order."""
    if isinstance(constraint, Clause):
        return tuple(variable for variable, _ in constraint.literals)
    return constraint.scope


@dataclass(frozen=True, slots=True)
class CostFunction:
    """A charge in cents that depends on few variables.

    ``costs`` is in C order over the values of ``scope`` (last variable fastest). An
    empty scope is a constant. ``exact`` is false where the charge is a lower bound
    because a number in it is too wide to tabulate.
    """

    scope: tuple[int, ...]
    costs: tuple[int, ...]
    line: str
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Network:
    """Variables, constraints and charges.

    ``owners[i]`` is the id of the rule that a constraint with ``owner == i`` belongs to.
    One rule may own several constraints.
    """

    variables: tuple[NetworkVariable, ...]
    constraints: tuple[Constraint, ...]
    owners: tuple[str, ...]
    costs: tuple[CostFunction, ...] = ()
