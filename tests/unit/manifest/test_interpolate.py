"""Variables mean what they mean in Compose."""

from __future__ import annotations

import pytest

from monolith.manifest.interpolate import (
    SyntaxVariableError,
    UnsetVariableError,
    Use,
    interpolate,
    uses,
)

VALUES = {"SET": "value", "EMPTY": "", "DOLLAR": "$SET ${SET} $$"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no variable", "no variable"),
        ("$SET", "value"),
        ("${SET}", "value"),
        ("a${SET}b${SET}c", "avaluebvaluec"),
        ("$SET-x", "value-x"),
        ("${SET:-default}", "value"),
        ("${UNSET:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${UNSET-default}", "default"),
        ("${EMPTY-default}", ""),
        ("${UNSET:-}", ""),
        ("${UNSET:-a:b-c?d}", "a:b-c?d"),
        ("${SET:?why}", "value"),
        ("${EMPTY?why}", ""),
        ("${SET:+other}", "other"),
        ("${EMPTY:+other}", ""),
        ("${EMPTY+other}", "other"),
        ("${UNSET+other}", ""),
        ("$$SET", "$SET"),
        ("$${SET}", "${SET}"),
        ("$$$SET", "$value"),
        ("$DOLLAR", "$SET ${SET} $$"),
    ],
)
def test_a_text_becomes_what_compose_makes_of_it(text: str, expected: str) -> None:
    assert interpolate(text, VALUES) == expected


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        ("$UNSET", "UNSET", ""),
        ("${UNSET}", "UNSET", ""),
        ("${UNSET:?set it}", "UNSET", "set it"),
        ("${UNSET?set it}", "UNSET", "set it"),
        ("${EMPTY:?set it}", "EMPTY", "set it"),
    ],
)
def test_a_missing_value_is_an_error_with_its_reason(text: str, name: str, why: str) -> None:
    with pytest.raises(UnsetVariableError) as caught:
        interpolate(text, VALUES)
    assert (caught.value.name, caught.value.why) == (name, why)


@pytest.mark.parametrize(
    "text", ["$", "a $ b", "${", "${}", "${1}", "${SET", "$(id)", "${A:-${B}}"]
)
def test_a_dollar_sign_that_starts_no_variable_is_an_error(text: str) -> None:
    with pytest.raises(SyntaxVariableError):
        interpolate(text, VALUES)


def test_the_uses_of_a_text_are_known_with_their_defaults() -> None:
    found = uses("$A ${B:-b} ${C-} ${D:?why} ${E:+e} $$F")
    assert found == [Use("A", None), Use("B", "b"), Use("C", ""), Use("D", None), Use("E", None)]
