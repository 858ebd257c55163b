"""Typeface designs: some are always held out, and all families of a design are in one split."""

import pytest

from scriptkd_sdk.scripts import WORLD
from scriptkd_train.synth.designs import held_out, resembling
from scriptkd_train.synth.fonts import SPLITS, faces_by_split, split_families

SCRIPTS = [script.name for script in WORLD]


@pytest.mark.parametrize("script", SCRIPTS)
def test_two_designs_of_each_script_are_held_out_and_resemble_none_that_is_trained_on(script):
    fixed = held_out(script)
    assert sorted(fixed.values()) == ["test", "val"]
    near = resembling(script)
    splits = split_families({*fixed, *near, "another one", "yet another one", "and a third one"}, script)
    for family, split in fixed.items():
        assert splits[family] == split
        companions = [name for name in near if near[name] == near.get(family)]
        assert {splits[name] for name in companions} <= {split}


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_installed_fonts_keep_held_out_designs_out_of_training(script):
    families = faces_by_split(script)
    for family, split in held_out(script).items():
        assert all(family not in families[other] for other in SPLITS if other != split)


def test_families_of_one_design_share_a_split():
    near = resembling("Devanagari")
    assert near
    splits = split_families([*near, *(f"font {i}" for i in range(40))], "Devanagari")
    for design in set(near.values()):
        assert len({splits[family] for family in near if near[family] == design}) == 1


def test_a_design_that_many_families_draw_is_trained_on():
    near = resembling("Latin")
    sizes = {design: list(near.values()).count(design) for design in near.values()}
    common = max(sizes, key=sizes.__getitem__)
    assert sizes[common] > 20
    assert {split for family, split in split_families(near, "Latin").items() if near[family] == common} == {"train"}


def test_one_more_font_moves_few_designs_between_splits():
    names = [f"font {i}" for i in range(40)] + list(held_out("Tamil"))
    before, after = split_families(names, "Tamil"), split_families([*names, "one more"], "Tamil")
    assert sum(before[name] != after[name] for name in names) <= 2
