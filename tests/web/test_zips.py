"""A zip that a merchandiser sends is opened without believing it."""

import io
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.web.workshop.zips import (
    LARGEST_FOLDER,
    LARGEST_ZIP,
    MOST_FILES,
    UnpackError,
    unpack,
)


def zipped(files, method=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def test_a_folder_comes_out_as_it_went_in():
    files = {"product.yaml": b"product: x\n", "tables/fork.csv": b"a,b\n", "texts/es.csv": b""}
    assert unpack(zipped(files)) == files


def test_a_single_folder_around_everything_is_taken_off():
    assert unpack(zipped({"bike/product.yaml": b"x", "bike/tables/a.csv": b"y"})) == {
        "product.yaml": b"x",
        "tables/a.csv": b"y",
    }


def test_what_file_managers_add_is_left_out():
    files = {"a.yaml": b"x", "__MACOSX/._a.yaml": b"?", ".DS_Store": b"?", "._a.yaml": b"?"}
    assert unpack(zipped(files)) == {"a.yaml": b"x"}


@pytest.mark.parametrize(
    "name",
    [
        "../product.yaml",
        "a/../../product.yaml",
        "/etc/product.yaml",
        "C:/product.yaml",
        "C:product.yaml",
        "..\\product.yaml",
        "a\\b.yaml",
        "a\nb.yaml",
        "a\x1b.yaml",
        "a\x00.yaml",
        "a/b/c/d/e/f/g.yaml",
        "x" * 300 + ".yaml",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(UnpackError) as refused:
        unpack(_with_raw_name(name))
    assert set(refused.value.reason.languages()) == {"en", "es"}


def _with_raw_name(name):
    """A zip whose entry has just this name, which the library would tidy up."""
    placeholder = "n" * len(name)
    return zipped({placeholder: b"x"}).replace(placeholder.encode(), name.encode())


@pytest.mark.parametrize("name", ["run.py", "product.yaml.exe", "noending", "page.html"])
def test_only_what_belongs_in_a_rule_folder_is_taken(name):
    with pytest.raises(UnpackError):
        unpack(zipped({"product.yaml": b"x", name: b"y"}))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(kind):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo("product.yaml")
        entry.external_attr = (kind | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(UnpackError):
        unpack(content.getvalue())


def test_a_bomb_is_stopped_while_it_unpacks():
    bomb = zipped({f"{n}.csv": b"0" * (LARGEST_FOLDER // 4) for n in range(5)})
    assert len(bomb) < LARGEST_ZIP
    with pytest.raises(UnpackError, match="20 MB"):
        unpack(bomb)


def test_a_bomb_that_lies_about_its_size_is_stopped_too():
    bomb = bytearray(zipped({"a.csv": b"0" * (LARGEST_FOLDER + 1)}))
    central = bomb.rindex(b"PK\x01\x02")
    bomb[central + 24 : central + 28] = (10).to_bytes(4, "little")
    with pytest.raises(UnpackError):
        unpack(bytes(bomb))


def test_too_many_files_are_refused():
    with pytest.raises(UnpackError, match=str(MOST_FILES)):
        unpack(zipped({f"{n}.csv": b"" for n in range(MOST_FILES + 1)}))
    with pytest.raises(UnpackError):
        unpack(zipped({f"d{n}/": b"" for n in range(3000)}))


def test_a_name_that_occurs_twice_is_refused():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("product.yaml", b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("product.yaml", b"two")
    with pytest.raises(UnpackError, match="twice"):
        unpack(content.getvalue())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_packing_is_refused(method):
    with pytest.raises(UnpackError, match="unusual"):
        unpack(zipped({"product.yaml": b"x"}, method))


def test_a_zip_with_a_password_is_refused():
    locked = bytearray(zipped({"product.yaml": b"x"}))
    locked[6] |= 1
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnpackError, match="password"):
        unpack(bytes(locked))


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"PK\x05\x06" + b"\x00" * 18])
def test_what_is_no_zip_is_refused(content):
    with pytest.raises(UnpackError):
        unpack(content)


def test_a_huge_upload_is_refused_unread():
    with pytest.raises(UnpackError, match="5 MB"):
        unpack(b"\x00" * (LARGEST_ZIP + 1))


GOOD = zipped({"product.yaml": b"product: bike\n" * 50, "tables/a.csv": b"a,b\n1,2\n"})


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=8))
def test_a_damaged_zip_is_refused_or_read_and_never_breaks(changes):
    damaged = bytearray(GOOD)
    for place, value in changes:
        damaged[place] = value
    try:
        files = unpack(bytes(damaged))
    except UnpackError:
        return
    assert all(".." not in name.split("/") and not name.startswith("/") for name in files)
