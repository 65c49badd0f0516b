from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, text

from configurator.service.staff import (
    BadNameError,
    NameTakenError,
    Staff,
    StaffError,
    StaffMember,
    UnknownRoleError,
    UnknownStaffError,
    WeakPasswordError,
)
from tests.trail.stores import OnPostgresql, OnSqlite

QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "cuatro palabras al azar"


class CountingHasher(PasswordHasher):
    """A hasher that says which hashes it was asked to check."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=64, parallelism=1)
        self.checked: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        self.checked.append(str(hash))
        return super().verify(hash, password)


class StaffContract:
    @pytest.fixture
    def staff(self, engine: Engine) -> Staff:
        return Staff(engine, QUICK)

    def test_who_was_added_can_sign_in(self, staff: Staff) -> None:
        member = staff.add("Ana", PASSWORD, "support")
        assert member == StaffMember("ana", "support", False, 1)
        assert staff.check(" ANA ", PASSWORD) == member
        assert staff.get("ana") == member
        assert staff.list() == (member,)

    @pytest.mark.parametrize(
        ("name", "password"),
        [
            ("ana", "cuatro palabras al asar"),
            ("ana", ""),
            ("ana", "x" * 5000),
            ("ana", "\ud800"),
            ("eva", PASSWORD),
            ("", PASSWORD),
            ("ana\0", PASSWORD),
            ("a" * 5000, PASSWORD),
        ],
    )
    def test_who_does_not_know_both_cannot(self, staff: Staff, name: str, password: str) -> None:
        staff.add("ana", PASSWORD, "admin")
        assert staff.check(name, password) is None

    def test_a_password_is_the_same_however_it_was_typed(self, staff: Staff) -> None:
        staff.add("ana", "contraseña más larga", "admin")
        assert staff.check("ana", "contrasen\u0303a ma\u0301s larga") is not None

    def test_the_work_is_the_same_for_unknown_names(self, engine: Engine) -> None:
        hasher = CountingHasher()
        staff = Staff(engine, hasher)
        staff.add("ana", PASSWORD, "admin")
        staff.check("ana", "wrong")
        staff.check("nobody", "wrong")
        staff.check("not a name!", "wrong")
        parameters = [checked.rsplit("$", 2)[0] for checked in hasher.checked]
        sizes = [[len(part) for part in checked.split("$")] for checked in hasher.checked]
        assert len(hasher.checked) == 3
        assert len(set(parameters)) == 1
        assert sizes[0] == sizes[1] == sizes[2]

    def test_a_disabled_account_is_shut_until_it_is_enabled(self, staff: Staff) -> None:
        staff.add("ana", PASSWORD, "admin")
        staff.set_disabled("Ana", True)
        assert staff.check("ana", PASSWORD) is None
        assert staff.get("ana") is None
        assert [member.disabled for member in staff.list()] == [True]
        staff.set_disabled("ana", False)
        member = staff.check("ana", PASSWORD)
        assert member is not None
        assert member.epoch == 3

    def test_a_new_password_replaces_the_old_one(self, staff: Staff) -> None:
        staff.add("ana", PASSWORD, "admin")
        staff.set_password("ana", "otra bien distinta")
        assert staff.check("ana", PASSWORD) is None
        member = staff.check("ana", "otra bien distinta")
        assert member is not None
        assert member.epoch == 2
        with pytest.raises(WeakPasswordError):
            staff.set_password("ana", "corta")

    @pytest.mark.parametrize(
        "password",
        ["short", "elevenchars", "a" * 40, "abababababababab", "x" * 2000, "soy merche siempre"],
    )
    def test_weak_passwords_are_refused(self, staff: Staff, password: str) -> None:
        with pytest.raises(WeakPasswordError):
            staff.add("merche", password, "admin")
        assert staff.list() == ()

    @pytest.mark.parametrize("name", ["", " ", "ñandú", "a b", "-ana", "a/b", "a" * 65, "a\nb"])
    def test_names_that_could_confuse_are_refused(self, staff: Staff, name: str) -> None:
        with pytest.raises(BadNameError):
            staff.add(name, PASSWORD, "admin")

    def test_names_and_roles_are_what_they_are(self, staff: Staff) -> None:
        staff.add("ana", PASSWORD, "admin")
        with pytest.raises(NameTakenError):
            staff.add("ANA", PASSWORD, "support")
        with pytest.raises(UnknownRoleError):
            staff.add("eva", PASSWORD, "boss")
        with pytest.raises(UnknownStaffError):
            staff.set_password("eva", PASSWORD)
        with pytest.raises(StaffError):
            staff.set_disabled("eva", True)

    def test_passwords_are_kept_as_argon2id_and_brought_up_to_date(self, engine: Engine) -> None:
        Staff(engine, QUICK).add("ana", PASSWORD, "admin")
        better = PasswordHasher(time_cost=2, memory_cost=128, parallelism=1)
        assert Staff(engine, better).check("ana", "wrong one entirely") is None
        member = Staff(engine, better).check("ana", PASSWORD)
        with engine.connect() as connection:
            stored = connection.execute(text("SELECT password_hash FROM staff")).scalar_one()
        assert stored.startswith("$argon2id$v=19$m=128,t=2,p=1$")
        assert member is not None
        assert Staff(engine, better).check("ana", PASSWORD) == member


class TestStaffOnSqlite(OnSqlite, StaffContract):
    pass


class TestStaffOnPostgresql(OnPostgresql, StaffContract):
    pass
