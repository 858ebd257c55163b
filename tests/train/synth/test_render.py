"""The renderer: same bytes for a seed on any number of workers, separate fonts for splits, shaping, words that fit."""

import hashlib
import subprocess
import unicodedata
from collections import Counter

import numpy as np
import pytest

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.synth import composition, fonts, layouts, negatives, render, strokes, typeset, words
from scriptkd_train.synth.fonts import SPLITS, faces_by_split, find_faces, split_families
from scriptkd_train.synth.kinds import HELD_OUT_FOREIGN
from scriptkd_train.synth.render import SCRIPTS, WORLD, RenderPlan, check_plan
from scriptkd_train.synth.words import BLOCKS, DIGITS, clusters, draw_word


def digest(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.jpg"))
    }


def test_same_bytes_whatever_the_number_of_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(render, "_CHUNK", 7)  # so that the work is cut differently from the words
    for workers in (1, 3):
        done = []
        plan = RenderPlan(60, seed=5, scripts=("Arabic", "Oriya"))
        render.render(plan, tmp_path / str(workers), workers, done.append)
        assert sum(done) == plan.total == 2 * (60 + 10 + 10) + (24 + 5 + 2 + 6) + (4 + 1 + 0 + 1) + (4 + 1 + 0 + 1 + 4)
    assert digest(tmp_path / "1") == digest(tmp_path / "3")
    assert len(set(digest(tmp_path / "1").values())) == plan.total
    render.render(RenderPlan(60, seed=6, scripts=("Arabic", "Oriya")), tmp_path / "other", 1)
    assert not set(digest(tmp_path / "other").values()) & set(digest(tmp_path / "1").values())


def test_none_tells_its_kinds_apart_and_keeps_three_scripts_for_the_test(tmp_path):
    plan = RenderPlan(100, seed=2, scripts=("Latin", "Tamil", "Greek"))
    render.render(plan, tmp_path, 2)
    held_out = {name.lower() for name in HELD_OUT_FOREIGN}
    for split in SPLITS:
        names = [path.stem for path in (tmp_path / split / "none").iterdir()]
        kinds = Counter(name.split("-")[0] for name in names)
        assert kinds == +Counter(plan.negatives(split))
        foreign = {name.split("-")[1] for name in names if name.startswith("foreign")}
        unseen = {name.split("-")[1] for name in names if name.startswith("unseen")}
        assert not foreign & (held_out | {"latin", "tamil", "greek"})
        assert unseen <= (held_out if split == "test" else set())
    assert kinds["unseen"] > 0
    words = {path: len(list((tmp_path / path).iterdir())) for path in ("train/Latin", "train/Greek", "val/Latin")}
    assert words == {"train/Latin": 300, "train/Greek": 100, "val/Latin": 10}  # Greek's capitals look Latin


def test_of_the_ten_scripts_thirteen_are_foreign_and_three_unseen():
    plan = RenderPlan(1000, seed=0)
    assert plan.foreign_scripts("unseen") == HELD_OUT_FOREIGN
    assert set(plan.foreign_scripts("foreign")) == set(WORLD) - set(SCRIPTS) - set(HELD_OUT_FOREIGN)
    assert plan.negatives("train") == {"foreign": 2000, "number": 400, "symbol": 200, "background": 500}
    assert "unseen" in plan.negatives("test") and "unseen" not in plan.negatives("val")
    world = RenderPlan(1000, seed=0, scripts=WORLD)
    assert plan.words_of("Latin", "train") == 1000 < world.words_of("Latin", "train")
    assert set(world.negatives("test")) == {"number", "symbol", "background"}
    assert RenderPlan(1000, seed=0, foreign=False).negatives("test") == {"number": 40, "symbol": 20, "background": 50}


def test_numbers_and_symbols_hold_no_letters():
    rng = np.random.default_rng(5)
    numbers = {negatives.draw_number(rng) for _ in range(2000)}
    signs = set(negatives._PUNCTUATION) | set("".join(negatives.SYMBOLS.values()))
    for text in numbers | signs:
        assert not any(unicodedata.category(c)[0] == "L" for c in text), text
    assert len(numbers) > 1200
    assert all(any(c.isdigit() or c == "½" for c in text) for text in numbers)
    assert all(c.isascii() or not c.isdecimal() for text in numbers for c in text)  # western digits


@pytest.mark.parametrize("kind", ["number", "symbol", "background"])
@pytest.mark.parametrize("split", SPLITS)
def test_every_kind_of_negative_can_be_drawn_in_every_split(kind, split):
    for seed in range(25):
        picture = negatives.draw_negative(np.random.default_rng(seed), kind, split)
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert set(negatives._symbol_families(split, ())) == set(negatives.SYMBOLS)


def drawn(script, layout, count=12):
    families = list(faces_by_split(script)["train"].values())
    for seed in range(count):
        yield composition.draw_word_image(np.random.default_rng(seed), script, families, layouts={layout: 1.0})


@pytest.mark.parametrize("script", ["Latin", "Arabic", "Bengali", "Tamil"])
def test_a_stack_is_higher_than_wide(script):
    shapes = [picture.shape for picture in drawn(script, "stacked")]
    assert all(16 <= width <= 2 * 96 for _, width, _ in shapes)
    assert np.median([height / width for height, width, _ in shapes]) > 1.5


def test_a_stack_has_its_letters_upright_from_top_to_bottom():
    face = next(f for f in find_faces("Latin") if f.family == "DejaVu Sans")
    lying = layouts.set_text(np.random.default_rng(0), lambda rng, capitals: "LT", face, 60, "stacked")
    stack = np.rot90(lying, -1)
    letters = [typeset.typeset(letter, face, 60) for letter in "LT"]
    for letter, part in zip(letters, (stack[: letters[0].shape[0]], stack[-letters[1].shape[0] :]), strict=True):
        columns = np.flatnonzero(part.max(axis=0))
        np.testing.assert_array_equal(part[:, columns[0] : columns[-1] + 1], letter)


def test_a_line_is_several_words_wide():
    shapes = [picture.shape for picture in drawn("Latin", "line", 20)]
    assert np.median([width / height for height, width, _ in shapes]) > 4
    assert max(width / height for height, width, _ in shapes) < 16


def test_a_face_too_wide_for_any_line_draws_a_word_in_its_place(monkeypatch):
    set_text = composition.set_text
    monkeypatch.setattr(
        composition,
        "set_text",
        lambda rng, draw, face, size, layout: None if layout == "line" else set_text(rng, draw, face, size, layout),
    )
    families = list(faces_by_split("Latin")["train"].values())
    picture = composition.draw_word_image(np.random.default_rng(5), "Latin", families, layouts={"line": 1.0})
    assert picture.dtype == np.uint8


def test_an_arc_bends_a_bar_and_keeps_its_ink():
    bar = np.zeros((40, 200, 2), np.float32)
    bar[15:25] = 1
    for seed in range(10):
        bent, lines = layouts.bend(np.random.default_rng(seed), bar)
        assert lines == pytest.approx(len(bent) / 40) and 1.1 < lines < 4
        assert 0.75 * bar.sum() < bent.sum() < 1.25 * bar.sum()
        ink = bent[..., 0] > 0.5
        middle = np.flatnonzero(ink[:, ink.shape[1] // 2]).mean()
        first = np.flatnonzero(ink.any(axis=0))[3]
        assert abs(np.flatnonzero(ink[:, first]).mean() - middle) > 10


def test_a_loose_crop_is_larger_than_its_word():
    layers = np.zeros((150, 300, 2), np.float32)
    placed = composition._Layout(layers, np.array((40.0, 30.0, 260.0, 100.0)), 1.0)
    for seed in range(50):
        loose = composition._crop_loosely(np.random.default_rng(seed), placed)
        height, width = loose.layers.shape[:2]
        left, top, right, bottom = loose.box
        assert right - left == 220 and bottom - top == 70
        assert 0 < left < right < width and 0 < top < bottom < height
        assert 1.25 * 70 < height < 3.1 * 70
        assert loose.lines == pytest.approx(height / 70)


def test_no_word_is_turned_onto_its_side():
    rng = np.random.default_rng(0)
    assert max(abs(composition._turn(rng, 1.0, True)) for _ in range(3000)) <= 45
    assert max(abs(composition._turn(rng, 1.0, False)) for _ in range(3000)) <= 25


@pytest.mark.parametrize("text", ["IV", "XII", "MCMXC", "I", "V", "X", "XXI."])
def test_roman_numerals_alone_are_not_drawn(text):
    assert not words._identifies_script(text, "Latin")


@pytest.mark.parametrize("text", ["mix", "C", "IIII", "Vic", "VIA", "XIXth", "O"])
def test_letters_that_are_no_roman_numeral_stay(text):
    assert words._identifies_script(text, "Latin")


@pytest.mark.parametrize("script", strokes.HEADLINE)
def test_a_head_line_is_found_broken_and_left_out(script):
    face = next(f for f in find_faces(script) if f.family == f"Noto Sans {script}")
    text = {"Bengali": "বাগান", "Devanagari": "भारत", "Gurmukhi": "ਪੰਜਾਬ"}[script]
    mask = typeset.typeset(text, face, 60)
    top, bottom = strokes.find_headline(mask)
    assert (mask[top:bottom] > 0.5).mean() > 0.7 and bottom <= 0.6 * len(mask)
    changed = [strokes._change_headline(np.random.default_rng(seed), mask) for seed in range(12)]
    ink = [each.sum() / mask.sum() for each in changed]
    assert all(0.5 < share < 1 for share in ink)
    assert any(each.shape != mask.shape for each in changed) and any(each.shape == mask.shape for each in changed)


def test_letters_without_a_head_line_have_none():
    face = next(f for f in find_faces("Tamil") if f.family == "Noto Sans Tamil")
    assert strokes.find_headline(typeset.typeset("தமிழ்", face, 60)) is None


def test_every_script_can_be_rendered_and_has_words():
    table = check_plan(RenderPlan(1, 0))
    assert set(table) == set(SCRIPTS)
    assert min(row["words"] for row in table.values()) > 10_000
    assert all(row[f"fonts_{split}"] >= 1 for row in table.values() for split in SPLITS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_family_is_in_two_splits(script):
    splits = faces_by_split(script)
    families = [set(splits[split]) for split in SPLITS]
    assert not families[0] & families[1]
    assert not families[0] & families[2]
    assert not families[1] & families[2]
    files = [{face.path for faces in splits[split].values() for face in faces} for split in SPLITS]
    assert not files[0] & files[2]


def test_variants_of_one_design_share_a_split():
    families = {face.family for face in find_faces("Bengali")}
    assert "Noto Sans Bengali" in families
    assert "Noto Sans Bengali UI" not in families


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lakki Reddy", "LakkiReddy"),
        ("Lohit Assamese", "Lohit Bengali"),
        ("Tiro Devanagari Hindi", "Tiro Devanagari Marathi"),
        ("BPG Excelsior Caps GPL&GNU", "BPG Excelsior GPL&GNU"),
        ("padmaa-Bold.1.1", "padmaa"),
        ("Anek Bangla Medium", "Anek Bangla"),
    ],
)
def test_names_of_one_design_are_one(one, other):
    assert fonts._fold(fonts._design(one)) == fonts._fold(fonts._design(other))


def test_names_of_two_designs_stay_two():
    names = ["Noto Sans Tamil", "Noto Serif Tamil", "Hind Madurai", "Hind", "Playball", "Rubik Mono One", "Rubik"]
    assert len({fonts._fold(fonts._design(name)) for name in names}) == len(names)


def test_families_whose_names_are_not_ascii_stay_apart(monkeypatch):
    letters = " ".join(f"{ord(c):x}" for c in fonts.PROBES["Latin"])
    lines = [f"/{i}.ttf\t0\t{name}\t{letters}" for i, name in enumerate(("Éclair", "Ørsted", "标题", "Zebra"))]
    listing = "\n".join(lines)
    monkeypatch.setattr(fonts, "_fontconfig", lambda arguments: listing)
    fonts._scan.cache_clear()
    try:
        assert {face.family for face in find_faces("Latin")} == {"Éclair", "Ørsted", "标题", "Zebra"}
    finally:
        fonts._scan.cache_clear()


def test_stroke_augmentation_never_closes_counters_nor_tears_strokes():
    ring = np.zeros((60, 60), np.float32)
    ring[10:50, 10:50], ring[20:40, 20:40] = 1, 0
    full = ring.copy()
    full[20:40, 20:40] = 1
    torn = ring.copy()
    torn[28:32] = 0
    assert strokes._topology_kept(ring, np.roll(ring, 3, axis=0))
    assert not strokes._topology_kept(ring, full)
    assert not strokes._topology_kept(ring, torn)


@pytest.mark.parametrize("script", ["Bengali", "Latin", "Telugu"])
def test_stroke_augmentation_changes_words_and_keeps_their_ink(script):
    rng = np.random.default_rng(9)
    face = find_faces(script)[0]
    changed = 0
    for _ in range(60):
        mask = typeset.typeset(draw_word(rng, script), face, 48)
        if mask is None:
            continue
        layers = strokes.augment_strokes(rng, mask)
        assert layers.dtype == np.float32
        assert layers.shape[2] == 2
        assert 0.3 * mask.sum() < layers[..., 1].sum() < 2.5 * mask.sum()
        assert -0.01 <= layers.min() <= layers.max() <= 1.01
        changed += layers.shape[:2] != mask.shape or not np.array_equal(layers[..., 0], mask)
    assert changed > 15


def test_split_is_stable_when_a_font_is_added():
    names = [f"font {i}" for i in range(40)]
    before, after = split_families(names), split_families([*names, "one more"])
    assert sum(before[name] != after[name] for name in names) <= 2


@pytest.mark.parametrize("script", SCRIPTS)
def test_drawn_words_hold_letters_of_their_script(script):
    rng = np.random.default_rng(1)
    low, high = BLOCKS[script]
    for _ in range(300):
        text = draw_word(rng, script)
        assert any(low <= ord(c) <= high or 0x1EA0 <= ord(c) <= 0x1EF9 for c in text) or text in ("&", "؟"), text
        letters = [c for c in text if c.isalpha()]  # the danda of all Indic scripts lies in the block of Devanagari
        others = [s for s, (a, b) in BLOCKS.items() if s != script and any(a <= ord(c) <= b for c in letters)]
        assert not others, text


@pytest.mark.parametrize(
    ("script", "letters"),
    [("Latin", "éßñőčãłşığộ"), ("Arabic", "پچگکیٹڈڑںےہ"), ("Devanagari", "ळ"), ("Cyrillic", "ґї")],
    ids=lambda value: value if value.isascii() else None,
)
def test_words_are_of_all_the_languages_that_a_script_is_named_for(script, letters):
    written = set("".join(words.words(script)))
    assert written >= set(letters)
    first, *further = words.LANGUAGES[script].split()
    assert len(words._language(first, script)) > max(len(words._language(each, script, 12_000)) for each in further)


FURTHER = sorted(set(WORLD) - set(SCRIPTS))


def test_every_further_script_has_fonts_for_each_split_and_words():
    table = check_plan(RenderPlan(1, 0, scripts=tuple(FURTHER)))
    assert len(FURTHER) == 16
    assert min(row["words"] for row in table.values()) > 10_000
    assert all(row[f"fonts_{split}"] >= 1 for row in table.values() for split in SPLITS)


@pytest.mark.parametrize("script", FURTHER)
def test_further_words_tell_their_script(script):
    rng = np.random.default_rng(2)
    for _ in range(200):
        text = draw_word(rng, script)
        if (number := text.strip("()")).isdigit():  # in digits of its own
            assert {ord(c) - DIGITS[script] for c in number} <= set(range(10)), text
            continue
        foreign = [s for s, (a, b) in BLOCKS.items() if any(a <= ord(c) <= b for c in text if c.isalpha())]
        assert set(foreign) <= {script, "Han"} if script == "Kana" else foreign == [script], text
        assert not set(text) <= set("АВЕКМНОРСТХаеорсух ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυ ノニロ一二口 ՍՕօոս"), text


def test_some_words_are_numbers_in_digits_of_the_script():
    drawn = [draw_word(np.random.default_rng(seed), "Bengali") for seed in range(1000)]
    numbers = [text for text in (each.strip("()") for each in drawn) if text.isdigit()]
    assert 3 <= len(numbers) <= 40
    assert all("০" <= c <= "৯" for text in numbers for c in text)


def test_a_word_that_climbs_keeps_letters_large_enough_to_read():
    rng = np.random.default_rng(3)
    layers = np.ones((30, 90, 2), np.float32)
    seen = []
    for _ in range(300):
        placed = composition._warp(rng, composition._Layout(layers, (0, 0, 90, 30)), 1.0)
        _, top, _, bottom = placed.box
        seen.append(placed.lines)
        assert 1 <= placed.lines <= composition._MAX_LINES + 1  # slant and perspective come on top
        assert (bottom - top) / placed.lines > 12
    assert max(seen) > 2


def test_a_kana_word_has_no_more_han_than_kana():
    drawn = [draw_word(np.random.default_rng(seed), "Kana") for seed in range(300)]
    mixed = [text for text in drawn if any("一" <= c <= "鿿" for c in text)]
    assert mixed
    assert all(sum("一" <= c <= "鿿" for c in t) <= sum("ぁ" <= c <= "ヿ" for c in t) for t in mixed)


def test_words_of_the_ten_scripts_stay_as_they_were(monkeypatch):
    """A change for the further scripts must not draw other words for the ten, whose rendered sets are published."""
    monkeypatch.setattr(words, "words", lambda script: ("Hamburg", "reading", "alphabets", "of"))
    rng = np.random.default_rng(4)
    assert [draw_word(rng, "Latin") for _ in range(8)] == [
        "of",
        "ets",
        "Hamburg",
        '"reading',
        "alphabets-",
        "Reading",
        "Hamburg",
        "alphabets",
    ]


def test_thai_vowels_stay_with_their_consonant():
    assert clusters("เมือง") == ["เมื", "อ", "ง"]
    assert clusters("ນ້ຳ") == ["ນ້ຳ"]


def test_clusters_never_start_with_a_mark():
    assert clusters("क्षत्रिय") == ["क्ष", "त्रि", "य"]
    assert clusters("দুর্গা") == ["দু", "র্গা"]
    assert "".join(clusters("ಸ್ವಾತಂತ್ರ್ಯ")) == "ಸ್ವಾತಂತ್ರ್ಯ"


def test_shaping_is_at_work():
    """HarfBuzz puts the vowel sign i of Devanagari before its letter, though it is stored behind it."""
    face = next(f for f in find_faces("Devanagari") if f.family == "Noto Sans Devanagari")
    both, alone = typeset.typeset("कि", face, 48), typeset.typeset("क", face, 48)
    assert both.shape[1] > alone.shape[1]
    # The letter itself ends the word: its last columns are the letter's, the sign stands before.
    np.testing.assert_array_equal(both[-20:, -8:], alone[-20:, -8:])
    assert typeset.typeset("A", face, 48) is None or face.covers("A")


def test_a_space_needs_a_glyph_and_a_joiner_does_not():
    """Web fonts cut to one script have no space: the shaper would draw a box there."""
    face = fonts.Face("", 0, "", frozenset(map(ord, "क ख")))
    assert face.covers("क\u200dख") and face.covers("क ख")
    assert not fonts.Face("", 0, "", frozenset(map(ord, "कख"))).covers("क ख")


def test_mistakes_are_named(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(ArgumentError, match="not an empty folder"):
        render.render(RenderPlan(1, 0), tmp_path / "full", 1)
    with pytest.raises(ArgumentError, match="at least 1, not 0"):
        check_plan(RenderPlan(0, 0))
    with pytest.raises(ArgumentError, match="'Klingon' cannot be rendered; allowed are Arabic"):
        check_plan(RenderPlan(1, 0, scripts=("Klingon",)))
    with pytest.raises(ArgumentError, match="font folder /nowhere does not exist"):
        check_plan(RenderPlan(1, 0, font_folders=("/nowhere",)))
    monkeypatch.setattr(typeset.features, "check", lambda name: False)
    with pytest.raises(ArgumentError, match="Pillow has no raqm"):
        check_plan(RenderPlan(1, 0))


def test_a_script_without_fonts_or_words_is_refused(monkeypatch):
    monkeypatch.setattr(fonts, "_fontconfig", lambda arguments: "")
    fonts._scan.cache_clear()
    try:
        with pytest.raises(ArgumentError, match="no installed font covers Arabic"):
            check_plan(RenderPlan(1, 0))
    finally:
        fonts._scan.cache_clear()
    nothing = subprocess.CompletedProcess([], 1, b"", b"")
    monkeypatch.setattr(words.subprocess, "run", lambda *a, **k: nothing)
    for cached in (words.words, words._dictionary):
        cached.cache_clear()
    try:
        with pytest.raises(ArgumentError, match="no words for Tamil: the dictionary aspell-ta"):
            words.words("Tamil")
    finally:
        for cached in (words.words, words._dictionary):
            cached.cache_clear()
