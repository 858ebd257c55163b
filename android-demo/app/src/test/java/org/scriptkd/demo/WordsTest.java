package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.scriptkd.sdk.Region;

class WordsTest {
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
