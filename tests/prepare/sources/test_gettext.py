"""Messages of gettext catalogues: of files and of installed packages."""

from __future__ import annotations

import io

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from sevenfold.errors import DataError
from sevenfold.prepare.sources import Reading, Unreadable
from sevenfold.prepare.sources.gettext import Gettext

PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Save"
msgstr "ذخیره"

msgctxt "button"
msgid "Close"
msgstr "بستن"

msgid "%d row"
msgid_plural "%d rows"
msgstr[0] "%d سطر"
msgstr[1] "%d سطر"

#, fuzzy
msgid "Doubtful"
msgstr "نامطمئن"

msgid "Django"
msgstr "Django"

msgid "Not yet"
msgstr ""
"""


def rows(source: Gettext) -> list:
    said: list[int] = []
    found = list(source.rows(Reading(said.append, print, print)))
    assert sum(said) == source.size()
    return found


def test_translated_messages_are_rows_and_no_others(write):
    path = write("locale/fa/LC_MESSAGES/app.po", PO)
    found = rows(Gettext(path=path))
    assert [(row.values["source"], row.values["translation"], row.values["context"]) for row in found] == [
        ("Save", "ذخیره", ""),
        ("Close", "بستن", "button"),
        ("%d row", "%d سطر", ""),
    ]
    assert found[0].origin.startswith(path)


def test_the_compiled_form_stands_for_both(write, tmp_path):
    catalogue = Catalog(locale="fa")
    catalogue.add("Open", "باز کردن")
    binary = io.BytesIO()
    write_mo(binary, catalogue)
    write("locale/fa/LC_MESSAGES/app.po", PO)
    write("locale/fa/LC_MESSAGES/app.mo", binary.getvalue())
    write("locale/de/LC_MESSAGES/app.mo", binary.getvalue())
    found = rows(Gettext(path=str(tmp_path), language="fa"))
    assert [row.values["translation"] for row in found] == ["باز کردن"]
    with pytest.raises(DataError, match="no catalogue of the language 'ku'") as error:
        Gettext(path=str(tmp_path), language="ku").files()
    assert error.value.alternatives == ("de", "fa")


def test_an_installed_package_is_read_without_running_it():
    found = rows(Gettext(path="django", language="fa"))
    assert len(found) > 700
    assert {row.values["domain"] for row in found} > {"conf", "contrib.admin", "contrib.auth"}
    assert all(row.origin.startswith("django/") for row in found)


@pytest.mark.parametrize("name", ["a.mo", "a.po"])
@pytest.mark.parametrize("content", [b"\xde\x12\x04\x95broken", b"\x00\x01\x02", b'msgid "open'])
def test_a_damaged_catalogue_is_named(write, name, content):
    path = write(name, content)
    found = list(Gettext(path=path).rows(Reading(lambda size: None, print, print)))
    assert [(type(one), one.origin) for one in found] == [(Unreadable, path)]
    assert "the catalogue cannot be read" in found[0].error.problem
