"""Generated values: new each time, and safe wherever they are put."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote, urlsplit

import bcrypt
import pytest

from monolith.secrets.generators import GENERATORS, Reference, fill, hashed, references
from tests.unit.conftest import NASTY


@pytest.mark.parametrize("name", GENERATORS)
def test_values_differ_each_time_and_are_safe_in_an_address(name: str) -> None:
    values = {GENERATORS[name]() for _ in range(200)}
    assert len(values) == 200
    for value in values:
        assert re.fullmatch(r"[A-Za-z0-9_=-]{28,}", value)
        assert urlsplit(f"http://user:{value}@host/").password == value


def test_a_password_has_what_password_rules_ask_for() -> None:
    for _ in range(200):
        value = GENERATORS["password"]()
        for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]"):
            assert re.search(kind, value)


def test_a_fernet_key_is_32_bytes() -> None:
    assert len(base64.urlsafe_b64decode(GENERATORS["fernet"]())) == 32


def test_a_template_names_its_own_and_other_services_values() -> None:
    template = "x://{A}:{B:url}@{other-one.C}/{not a name}/{}"
    found = [Reference("", "A"), Reference("", "B"), Reference("other-one", "C")]
    assert references(template) == found


def test_filling_asks_for_each_value_with_its_owner() -> None:
    text = fill("{A} {other.B} {C:url}", "me", lambda owner, key: f"{owner}/{key}")
    assert text == "me/A other/B me%2FC"


def test_a_filled_in_value_is_not_filled_again() -> None:
    assert fill("{A}", "me", lambda _, key: "{B}" if key == "A" else "wrong") == "{B}"


@pytest.mark.parametrize("value", [NASTY, *NASTY])
def test_an_encoded_value_comes_out_of_an_address_unchanged(value: str) -> None:
    address = fill("http://user:{KEY:url}@host:80/path", "me", lambda *_: value)
    parts = urlsplit(address)
    assert unquote(parts.password or "") == value
    assert (parts.hostname, parts.port, parts.path) == ("host", 80, "/path")


def test_a_hash_opens_with_the_password_and_is_the_same_each_time() -> None:
    values = {"PASSWORD": NASTY, "SALT": GENERATORS["hex16"]()}
    made = fill("{PASSWORD:bcrypt:SALT}", "me", lambda _, key: values[key])
    assert bcrypt.checkpw(NASTY.encode(), made.encode())
    assert not bcrypt.checkpw(f"{NASTY}x".encode(), made.encode())
    assert fill("{PASSWORD:bcrypt:SALT}", "me", lambda _, key: values[key]) == made
    assert hashed(NASTY, GENERATORS["hex16"]()) != made


def test_a_hash_is_empty_until_both_of_its_secrets_are_made() -> None:
    assert (hashed("", "00" * 16), hashed("word", "")) == ("", "")


def test_a_hash_refers_to_its_salt() -> None:
    found = references("{other.PASSWORD:bcrypt:SALT}")
    assert found == [Reference("other", "PASSWORD"), Reference("other", "SALT")]
