"""The table of scripts and its aliases."""

import pytest

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.scripts import ALIASES, SCRIPTS, WORLD, Script, script


def test_the_ten_scripts_of_cvsi_with_their_iso_codes() -> None:
    table = {each.name: each.code for each in SCRIPTS}
    assert table == {
        "Arabic": "Arab",
        "Bengali": "Beng",
        "Devanagari": "Deva",
        "Gujarati": "Gujr",
        "Gurmukhi": "Guru",
        "Kannada": "Knda",
        "Latin": "Latn",
        "Oriya": "Orya",
        "Tamil": "Taml",
        "Telugu": "Telu",
    }


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("English", "Latin"),
        ("Hindi", "Devanagari"),
        ("Punjabi", "Gurmukhi"),
        ("Gujrathi", "Gujarati"),
        ("Telegu", "Telugu"),
    ],
)
def test_cvsi_folder_names_are_aliases(folder: str, name: str) -> None:
    assert script(folder).name == name


def test_names_codes_and_aliases_are_found_in_any_case() -> None:
    for each in WORLD:
        assert script(each.name.upper()) == script(f" {each.code} ") == each
    for alias, name in ALIASES.items():
        assert script(alias.title()).name == name


def test_the_world_holds_the_ten_and_every_name_and_code_once() -> None:
    assert set(SCRIPTS) < set(WORLD)
    assert len({each.name for each in WORLD}) == len({each.code for each in WORLD}) == len(WORLD) == 26
    assert [each.name for each in WORLD] == sorted(each.name for each in WORLD)
    assert script("korean").code == "Hang"
    assert script("Hrkt") == script("katakana") == script("Hiragana")


def test_an_unknown_name_lists_what_is_known() -> None:
    with pytest.raises(
        ArgumentError, match=r"unknown script 'Klingon'; known are Arabic, Armenian, .*Tibetan, their ISO 15924 codes"
    ):
        script("Klingon")


def test_a_script_is_a_value() -> None:
    assert Script("Latin", "Latn") == script("Latin")
    assert len({Script("Latin", "Latn"), script("English")}) == 1
