"""Each kind of personal data: what is planted is found, and what only looks like it is not."""

from __future__ import annotations

import random
import re
import string
import subprocess
import sys
import time
from itertools import pairwise

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.errors import RecipeError
from sevenfold.evaluate.passages import passages
from sevenfold.prepare.pii import DEFAULT, DETECTORS, LATIN_DIGITS, default_detectors, luhn, search
from sevenfold.prepare.pii.card import Card
from sevenfold.prepare.pii.email import Email
from sevenfold.prepare.pii.iban import valid as valid_iban
from sevenfold.prepare.pii.ip import Ip
from sevenfold.prepare.pii.national_id import NationalId
from sevenfold.prepare.pii.national_id import valid as valid_id
from sevenfold.prepare.pii.phone import Phone
from tests.prepare.conftest import section_of

PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
DETECTED = default_detectors()


def found(text: str) -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for kind, (start, end) in search(text, DETECTED)]


# Keys are put together here so that no scanner of secrets takes this file for a leak.
LETTERS = string.ascii_letters + string.digits
BODY = "".join(random.Random(7).choices(LETTERS, k=120)) + "1"
KEYS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "gh" + "p_" + BODY[:36],
    "github" + "_pat_" + BODY[:22] + "_" + BODY[:59],
    "glpat" + "-" + BODY[:20],
    "AI" + "za" + BODY[:35],
    "xox" + "b-1234567890-" + BODY[:24],
    "sk" + "_live_" + BODY[:24],
    "sk" + "-proj-" + BODY[:48],
    "hf" + "_" + BODY[:34],
    "npm" + "_" + BODY[:36],
    "pypi" + "-AgEIcHlwaS5vcmc" + BODY[:60],
    "SG" + "." + BODY[:22] + "." + BODY[:43],
    "123456789" + ":AA" + BODY[:33],
    "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0." + BODY[:43],
    "-----BEGIN RSA " + "PRIVATE KEY-----\n" + BODY[:64] + "\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "sara.karimi+news@post.ir"),
        ("email", "o_b@mail.bücher.de"),
        ("phone", "+98 912 345 6789"),
        ("phone", "0912 345 6789"),
        ("phone", "09123456789"),
        ("phone", "۰۹۱۲۳۴۵۶۷۸۹"),
        ("phone", "٠٩١٢٣٤٥٦٧٨٩"),
        ("phone", "00989123456789"),
        ("phone", "021-88776655"),
        ("phone", "+1 (415) 555-2671"),
        ("phone", "+44 20 7946 0958"),
        ("card", "4111 1111 1111 1111"),
        ("card", "5555555555554444"),
        ("card", "378282246310005"),
        ("card", "6037-9911-2345-6786"),
        ("card", "۶۰۳۷ ۹۹۱۱ ۲۳۴۵ ۶۷۸۶"),
        ("iban", "GB82 WEST 1234 5698 7654 32"),
        ("iban", "DE89370400440532013000"),
        ("iban", "IR062960000000100324200001"),
        ("iban", "IR۰۶۲۹۶۰۰۰۰۰۰۰۱۰۰۳۲۴۲۰۰۰۰۱"),
        ("ip", "93.184.216.34"),
        ("ip", "2606:4700:4700::1111"),
        ("ssn", "219-45-6789"),
        ("national_id", "001-234567-9"),
        *(("secret", key) for key in KEYS),
    ],
)
@pytest.mark.parametrize("around", ["My data: {}.", "این را بنویسید: {}، ممنون.", "({})\n", "{}"])
def test_planted_values_are_found_whole_and_as_their_kind(kind, value, around):
    assert found(around.format(value)) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "write to me@example.com or root@localhost or a@b",
        "@property def f(x): return x @ y",
        "version 7.1.4.34, 10.0.0.1, 127.0.0.1, 192.168.1.20, 203.0.113.9, 1.2.3.4.5, 300.1.1.1",
        "section 8.2.4.44 and the group 224.0.0.1",
        "x[1::2] and std::string a::b at 20:30:45 or fe80::1 and ::1",
        "4111 1111 1111 1112 and 1234567812345678 and 0000000000000000",
        "0.4111111111111111 and 4111111111111111.5 and id4111111111111111",
        "GB82 WEST 1234 5698 7654 33 and IR06296000000010032420000",
        "000-45-6789 and 666-45-6789 and 900-45-6789 and 2019-45-67890",
        "2147483647 1234567890 1732297200 2026-11-22 17:42:26 and 1400/02/03",
        "Decimal('2.17+35236450.6') and 3.02447542484",
        "کد 1234567890 و ۱۱۱۱۱۱۱۱۱۱",
        "https://host.org:8080/a@b and http://host/path",
        "sk-learn sk-this-is-a-long-name-of-a-css-class-and-no-key hf_model ghp_short",
    ],
)
def test_what_only_looks_like_personal_data_stays(text):
    assert found(text) == []


def test_no_false_alarm_in_the_general_passages():
    assert [found(passage) for passage in passages("own")] == [[]] * 30


def test_credentials_are_taken_out_of_a_url_and_the_rest_stays():
    assert found("postgresql://admin:s3cret!@db.host.ir:5432/x") == [("credentials", "admin:s3cret!")]
    assert found("see https://user:pa55@10.0.0.1/ now") == [("credentials", "user:pa55")]


def test_a_national_id_counts_in_persian_text_after_its_name_or_everywhere_if_asked():
    number = "0012345679"
    assert found(f"کد ملی او {number} است") == [("national_id", number)]
    assert found("شماره " + number.translate(PERSIAN_DIGITS) + " چیست") == [
        ("national_id", number.translate(PERSIAN_DIGITS))
    ]
    assert found(f"his national id: {number}") == [("national_id", number)]
    assert found(f"order {number}") == []
    assert len(list(NationalId(anywhere=True).find(f"order {number}"))) == 1


def test_one_of_eleven_numbers_is_a_national_id():
    assert sum(valid_id(f"{number:010}") for number in range(1_000_000, 1_011_000)) == pytest.approx(1000, abs=100)
    assert not valid_id("1111111111")


def test_a_sheba_is_found_without_its_letters_only_where_it_is_named():
    assert found("شبا: 062960000000100324200001") == [("iban", "062960000000100324200001")]
    assert found("062960000000100324200001") == []


def test_the_name_allows_another_way_of_writing_a_social_security_number():
    assert found("SSN 219456789") == [("ssn", "219456789")]


@given(st.text(st.sampled_from("0123456789"), min_size=15, max_size=15))
def test_exactly_one_last_digit_passes_luhn_and_one_changed_digit_never_does(stem):
    right = [digit for digit in "0123456789" if luhn(stem + digit)]
    assert len(right) == 1
    changed = str((int(stem[0]) + 1) % 10) + stem[1:] + right[0]
    assert not luhn(changed)


@given(st.integers(0, 10**22 - 1))
def test_an_iban_with_two_neighbours_swapped_is_wrong(account):
    check = 98 - int(f"{account:022}182700") % 97
    number = f"IR{check:02}{account:022}"
    assert valid_iban(number)
    swapped = number[:-2] + number[-1] + number[-2]
    assert valid_iban(swapped) is (number[-1] == number[-2])


@settings(max_examples=30)
@given(st.text(st.characters(codec="utf-8")), st.text())
def test_spans_lie_in_the_text_apart_and_in_order(before, after):
    text = f"{before} 0912 345 6789 a@b.ir {after}"
    spans = [span for _, span in search(text, DETECTED)]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(first.end <= second.start for first, second in pairwise(spans))


def test_a_long_text_of_near_misses_takes_no_long_time():
    text = "a." * 20_000 + "@" + "1 " * 5_000 + "x:" * 5_000 + "http://" + "a" * 20_000
    text += "eyJhbGciOiJI-" * 2_000 + "sk-" * 5_000 + "-----BEGIN PRIVATE KEY-----" * 50 + "IR12 " * 5_000
    start = time.process_time()
    assert found(text) == []
    assert time.process_time() - start < 10, "quadratic time would be minutes"


def test_digits_of_other_scripts_are_one_character_for_one():
    assert len(LATIN_DIGITS) == 30
    assert all(len(chr(digit)) == 1 for digit in LATIN_DIGITS.values())


def test_every_detector_but_names_is_a_default_and_settings_change_what_counts():
    assert {*DEFAULT, "names"} == set(DETECTORS.names())
    assert len(list(Email(reserved=True).find("me@example.com"))) == 1
    assert len(list(Ip(private=True).find("at 10.0.0.1"))) == 1
    assert len(list(Phone(regions=("US",)).find("call 415-555-2671"))) == 1
    assert not list(Phone(regions=()).find("0912 345 6789"))
    assert not list(Card().find("6037991123456785"))


def test_every_numbering_plan_s_own_example_is_found_where_it_is_written_internationally():
    international = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    examples = [phonenumbers.example_number(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    written = [phonenumbers.format_number(example, international) for example in examples if example is not None]
    assert len(written) > 200
    assert [number for number in written if found(f"Call {number} today") != [("phone", number)]] == []


def test_an_unknown_region_is_refused():
    with pytest.raises(RecipeError, match="there is no region 'Iran'"):
        section_of(source="a.csv", clean=[{"pii": {"kinds": [{"phone": {"regions": ["Iran"]}}]}}])


def test_nothing_heavy_is_imported_before_a_number_is_looked_for():
    code = "import sys, sevenfold.prepare.clean.pii; assert 'phonenumbers' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_forms_of_keys_are_patterns_by_issuer():
    from sevenfold.prepare.pii.secret import FORMS

    assert all(re.compile(form) for form in FORMS.values())
