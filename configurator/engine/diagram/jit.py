"""One decorator for the small loops: compiled by Numba, or the same function undecorated.

Knows nothing of diagrams. Where Numba is absent the functions run as written, slower.

A compiled loop has in it the loops it calls and the constants it reads, also those of other
files. Numba's cache on disk looks at a loop's own file alone, and would go on with what
another file no longer says; so its stamp here is of all files with loops.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

_njit: Callable[..., Any] | None = None
try:
    from numba import njit as _njit
except ImportError:  # pragma: no cover - the lock file brings Numba
    COMPILED = False
else:
    COMPILED = True

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile ``function`` on first use, without the interpreter's lock, cached on disk where
    there is a folder for it."""
    if _njit is None:
        return function
    compiled = _njit(nogil=True)(function)
    with suppress(RuntimeError):  # no folder takes it: each process compiles for itself
        compiled._cache = _loops_on_disk()(function)
    return cast(F, compiled)


@cache
def _loops_on_disk() -> type:
    """Numba's cache, without which all goes on: what cannot be read is compiled again, what
    cannot be written is not kept (a full disk, a torn file)."""
    from numba.core import caching

    numbas: Any = caching.FunctionCache

    class LoopsOnDisk(numbas):  # type: ignore[misc]
        def __init__(self, function: Callable[..., Any]) -> None:
            super().__init__(function)
            self._cache_file._source_stamp = _stamp()

        def load_overload(self, signature: Any, context: Any) -> Any:
            try:
                return super().load_overload(signature, context)
            except Exception:
                with suppress(OSError):
                    self.flush()
                return None

        def save_overload(self, signature: Any, data: Any) -> None:
            with suppress(OSError):
                super().save_overload(signature, data)

    return LoopsOnDisk


@cache
def _stamp() -> str:
    """The digest of all the engine's files with loops."""
    digest = sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        content = path.read_bytes()
        if b"\n@kernel" in content:
            digest.update(sha256(content).digest())
    return digest.hexdigest()


@cache
def undecorated(function: F) -> F:
    """The function as it was written, and so whatever kernels it calls: for the slow second
    engine and where Numba is absent."""
    plain = getattr(function, "py_func", None)
    if plain is None:
        return function
    names = dict(plain.__globals__)
    for name in plain.__code__.co_names:
        if hasattr(names.get(name), "py_func"):
            names[name] = undecorated(names[name])
    return cast(F, FunctionType(plain.__code__, names, plain.__name__))
