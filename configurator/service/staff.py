"""Who works here: names, roles and passwords.

Passwords are kept as Argon2id hashes. Asking for a name that does not exist takes as
long as a wrong password. How often somebody may try is for the web to limit.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, cast, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Boolean, Column, Engine, Integer, Row, Table, exc, select
from sqlalchemy import Text as TextColumn

from configurator.model.text import Text
from configurator.trail.database import autocommit, metadata, writing

Role = Literal["merchandiser", "support", "admin"]

SHORTEST_PASSWORD = 12
ADVISED_PASSWORD = 15
LONGEST_PASSWORD = 1024
"""How many characters a password must, should and may have."""

_FEWEST_DIFFERENT = 5
_NAME_SHOWS = 4
"""From how many letters on a name inside a password is no accident."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)

staff_table = Table(
    "staff",
    metadata,
    Column("name", TextColumn, primary_key=True),
    Column("password_hash", TextColumn, nullable=False),
    Column("role", TextColumn, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False),
)


class StaffError(Exception):
    """An account that cannot be made or changed so; ``message`` says why."""

    code = "staff"
    message = Text.of({"es": "Esa cuenta no puede ser así.", "en": "That account cannot be so."})

    def __init__(self) -> None:
        super().__init__(self.message.in_language("en"))


class BadNameError(StaffError):
    """The name cannot be used in a trail or a sign-in form."""

    code = "bad-name"
    message = Text.of(
        {
            "es": "El nombre empieza por letra o cifra y lleva hasta 64 letras sin acento, "
            "cifras o . _ @ + -",
            "en": "A name starts with a letter or digit and has up to 64 plain letters, digits "
            "or . _ @ + -",
        }
    )


class NameTakenError(StaffError):
    """There is an account of that name."""

    code = "name-taken"
    message = Text.of(
        {"es": "Ya hay una cuenta con ese nombre.", "en": "There is an account of that name."}
    )


class UnknownStaffError(StaffError, LookupError):
    """There is no account of that name."""

    code = "unknown-staff"
    message = Text.of(
        {"es": "No hay ninguna cuenta con ese nombre.", "en": "There is no account of that name."}
    )


class UnknownRoleError(StaffError, ValueError):
    """A role that does not exist."""

    code = "unknown-role"
    message = Text.of(
        {
            "es": "Los papeles son merchandiser, support y admin.",
            "en": "The roles are merchandiser, support and admin.",
        }
    )


class WeakPasswordError(StaffError, ValueError):
    """A password too short or too simple to keep anybody out."""

    code = "weak-password"
    message = Text.of(
        {
            "es": f"La contraseña lleva al menos {SHORTEST_PASSWORD} caracteres (mejor "
            f"{ADVISED_PASSWORD}), {_FEWEST_DIFFERENT} distintos, y no contiene el nombre. "
            "Cuatro palabras al azar van bien.",
            "en": f"A password has at least {SHORTEST_PASSWORD} characters (better "
            f"{ADVISED_PASSWORD}), {_FEWEST_DIFFERENT} of them different, and does not contain "
            "the name. Four random words do well.",
        }
    )


@dataclass(frozen=True, slots=True)
class StaffMember:
    """One account. ``epoch`` goes up with every change of password or standing, and with
    every sign-out: who signed in under an earlier one has to do so again."""

    name: str
    role: Role
    disabled: bool
    epoch: int


class Staff:
    """The accounts in one database; safe to use from several threads."""

    def __init__(self, database: Engine, hasher: PasswordHasher = _HASHER) -> None:
        self._database = database
        self._hasher = hasher
        self._nobody = _hash_of_nobody(hasher)

    def add(self, name: str, password: str, role: str) -> StaffMember:
        """Make an account. Names are kept in lower case. Raises ``BadNameError``,
        ``NameTakenError``, ``UnknownRoleError``, ``WeakPasswordError``."""
        name = _normal_name(name)
        if not _NAME.fullmatch(name):
            raise BadNameError
        if role not in get_args(Role):
            raise UnknownRoleError
        row = {
            "name": name,
            "password_hash": self._hash(name, password),
            "role": role,
            "disabled": False,
            "epoch": 1,
        }
        try:
            with writing(self._database) as connection:
                connection.execute(staff_table.insert(), row)
        except exc.IntegrityError as taken:
            raise NameTakenError from taken
        return StaffMember(name, cast(Role, role), False, 1)

    def check(self, name: str, password: str) -> StaffMember | None:
        """The account whose name and password these are, unless it is disabled.

        Takes the same work whether the name exists, the password is right, or neither.
        """
        row = self._row(name)
        stored = self._nobody if row is None else row.password_hash
        try:
            self._hasher.verify(stored, _normal_password(password))
        except (VerificationError, InvalidHashError):
            return None
        if row is None or _is_shut(row):
            return None
        if self._hasher.check_needs_rehash(stored):
            better = self._hasher.hash(_normal_password(password))
            with writing(self._database) as connection:
                connection.execute(
                    staff_table.update()
                    .where(staff_table.c.name == row.name)
                    .where(staff_table.c.password_hash == stored)
                    .values(password_hash=better)
                )
        return _member(row)

    def get(self, name: str) -> StaffMember | None:
        """The account of a name; ``None`` where there is none, or it is disabled or has a
        role that there is not."""
        row = self._row(name)
        return None if row is None or _is_shut(row) else _member(row)

    def list(self) -> tuple[StaffMember, ...]:
        """All accounts, disabled ones too, by name."""
        with autocommit(self._database) as connection:
            query = select(staff_table).order_by(staff_table.c.name)
            return tuple(_member(row) for row in connection.execute(query))

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password; raises ``UnknownStaffError``,
        ``WeakPasswordError``."""
        name = _normal_name(name)
        self._change(name, password_hash=self._hash(name, password))

    def set_disabled(self, name: str, disabled: bool) -> None:
        """Shut an account or open it again; raises ``UnknownStaffError``."""
        self._change(_normal_name(name), disabled=disabled)

    def sign_out(self, name: str) -> None:
        """End whatever an account has signed in to; raises ``UnknownStaffError``."""
        self._change(name)

    def _change(self, name: str, **values: object) -> None:
        change = staff_table.update().where(staff_table.c.name == name)
        with writing(self._database) as connection:
            done = connection.execute(change.values(epoch=staff_table.c.epoch + 1, **values))
        if done.rowcount != 1:
            raise UnknownStaffError

    def _row(self, name: str) -> Row[tuple[str, str, str, bool, int]] | None:
        name = _normal_name(name)
        if not _NAME.fullmatch(name):
            return None
        with autocommit(self._database) as connection:
            query = select(staff_table).where(staff_table.c.name == name)
            return connection.execute(query).one_or_none()

    def _hash(self, name: str, password: str) -> str:
        normal = _normal_password(password)
        if (
            not SHORTEST_PASSWORD <= len(normal) <= LONGEST_PASSWORD
            or len(set(normal)) < _FEWEST_DIFFERENT
            or (len(name) >= _NAME_SHOWS and name in normal.casefold())
        ):
            raise WeakPasswordError
        return self._hasher.hash(normal)


def _normal_name(name: str) -> str:
    return name.strip().lower()


def _normal_password(password: str) -> str:
    """The same password however a keyboard composed it; one character too many is
    enough to know it is too long."""
    normal = unicodedata.normalize("NFKC", password)[: LONGEST_PASSWORD + 1]
    return normal.encode("utf-8", "replace").decode("utf-8")


def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """A well-formed hash that no password gives, as costly to check as a real one."""
    salt, tag = (
        base64.b64encode(bytes(length)).decode().rstrip("=")
        for length in (hasher.salt_len, hasher.hash_len)
    )
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${tag}"


def _is_shut(row: Row[tuple[str, str, str, bool, int]]) -> bool:
    """Whether nobody signs in with an account: it is disabled, or of no role there is."""
    return bool(row.disabled) or row.role not in get_args(Role)


def _member(row: Row[tuple[str, str, str, bool, int]]) -> StaffMember:
    return StaffMember(row.name, row.role, row.disabled, row.epoch)
