package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.scriptkd.sdk.Corners;
import org.scriptkd.sdk.Region;

class WordsTest {
    private static final Corners TILTED = new Corners(100, 24, 185, 0, 190, 16, 105, 40);

    private final Words words = new Words();
    private final Word first = words.add(new Region(10, 10, 50, 30));
    private final Word second = words.add(new Region(60, 10, 90, 30));

    @Test
    void theNewestIsTheChosenOneAndNextGoesRound() {
        assertSame(second, words.chosen());
        assertEquals(2, words.number(second));
        words.next();
        assertSame(first, words.chosen());
        words.next();
        assertSame(second, words.chosen());
    }

    @Test
    void aSecondTryTakesThePlaceOfTheFirst() {
        int question = first.ask();
        Word again = words.mark(new Region(12, 8, 55, 32));
        assertEquals(Arrays.asList(second, again), words.all());
        assertFalse(first.waitsFor(question)); // nobody looks at its answer any more
        Word all = words.mark(new Region(0, 0, 100, 80));
        assertEquals(Arrays.asList(all), words.all());
    }

    @Test
    void takenAwayIsTheChosenOneAlone() {
        words.remove();
        assertSame(first, words.chosen());
        assertNull(words.withId(second.id));
        words.remove();
        assertNull(words.chosen());
        assertEquals(0, words.number(words.chosen()));
        Word third = words.add(new Region(0, 0, 5, 5));
        assertTrue(third.id != first.id && third.id != second.id);
    }

    @Test
    void aTapFindsTheSmallestBox() {
        Word inside = words.add(new Region(20, 15, 30, 25));
        assertSame(inside, words.at(20, 15));
        assertSame(first, words.at(30, 15));
        assertSame(second, words.at(89.5f, 29.5f));
        assertNull(words.at(90, 20));
    }

    @Test
    void foundWordsStayUnlessTheSameIsDrawn() {
        Word found = words.addFound(new Region(100, 10, 190, 30), TILTED);
        assertSame(second, words.chosen());
        assertEquals(Arrays.asList(found), words.found());
        assertNull(words.addFound(new Region(12, 10, 50, 30), TILTED)); // drawn by hand already
        Word inside = words.mark(new Region(105, 12, 120, 28));
        assertEquals(Arrays.asList(first, second, found, inside), words.all());
        Word again = words.mark(new Region(98, 8, 188, 32));
        assertEquals(Arrays.asList(first, second, again), words.all());
    }

    @Test
    void aTapBesideATiltedWordMissesIt() {
        Word found = words.addFound(new Region(100, 0, 190, 40), TILTED);
        assertSame(found, words.at(145, 20));
        assertNull(words.at(104, 2)); // in the box around it, and not in the word
        assertNull(words.at(186, 38));
        found.change(found.box);
        assertSame(found, words.at(104, 2));
        assertEquals(Arrays.asList(), words.found());
    }

    @Test
    void cornersAreKeptBesideTheSides() {
        words.addFound(new Region(100, 0, 190, 40), TILTED);
        double[] corners = words.corners();
        assertEquals(24, corners.length);
        assertTrue(Double.isNaN(corners[0]));
        assertEquals(TILTED, Boxes.corners(corners, 16));
    }

    @Test
    void onlyTheNewestQuestionCounts() {
        int older = first.ask();
        int newer = first.ask();
        assertFalse(first.waitsFor(older));
        assertTrue(first.waitsFor(newer));
        words.clear();
        assertFalse(first.waitsFor(newer));
        assertNull(words.chosen());
    }

    @Test
    void sidesAreOneAfterTheOther() {
        assertArrayEquals(new int[] {10, 10, 50, 30, 60, 10, 90, 30}, words.sides());
    }
}
