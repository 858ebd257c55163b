package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.scriptkd.sdk.Corners;
import org.scriptkd.sdk.Region;

class BoxesTest {
    @Test
    void anyDirectionGivesTheSamePixels() {
        assertEquals("(10, 20, 31, 42)", Boxes.between(10.2f, 20.9f, 30.1f, 41.5f, 100, 80).toString());
        assertEquals("(10, 20, 31, 42)", Boxes.between(30.1f, 20.9f, 10.2f, 41.5f, 100, 80).toString());
        assertEquals("(10, 20, 31, 42)", Boxes.between(30.1f, 41.5f, 10.2f, 20.9f, 100, 80).toString());
    }

    @Test
    void aReckonedPlaceTakesNoPixelMore() {
        assertEquals("(10, 20, 30, 40)", Boxes.between(9.9999f, 19.9999f, 30.0001f, 40.0001f, 100, 80).toString());
    }

    @Test
    void whatLiesOutsideIsCutOff() {
        assertEquals("(0, 0, 100, 80)", Boxes.between(-50, -1e9f, 1e9f, 500, 100, 80).toString());
        assertEquals("(90, 0, 100, 5)", Boxes.between(90, 5, 130, -5, 100, 80).toString());
    }

    @Test
    void tooLittleIsNoBox() {
        assertNull(Boxes.between(10, 10, 10, 10, 100, 80)); // a tap
        assertNull(Boxes.between(10, 10, 11, 50, 100, 80)); // one pixel wide
        assertNull(Boxes.between(10, 10, 50, 10, 100, 80)); // a line
        assertNull(Boxes.between(-20, 10, -5, 50, 100, 80)); // beside the photo
        assertNull(Boxes.between(Float.NaN, 10, 50, 50, 100, 80));
        assertEquals("(10, 10, 12, 12)", Boxes.between(10.4f, 10.4f, 11.1f, 11.1f, 100, 80).toString());
    }

    @Test
    void aBoxMovesUpToTheBorder() {
        Region box = new Region(10, 20, 30, 30);
        assertEquals("(15, 17, 35, 27)", Boxes.moved(box, 5, -3, 100, 80).toString());
        assertEquals("(80, 0, 100, 10)", Boxes.moved(box, 500, -500, 100, 80).toString());
        assertEquals("(0, 70, 20, 80)", Boxes.moved(box, -500, 500, 100, 80).toString());
    }

    @Test
    void aBoxGrowsUpToTheBorderAndNeverVanishes() {
        Region box = new Region(10, 20, 30, 30);
        assertEquals("(5, 18, 35, 32)", Boxes.grown(box, 5, 2, 100, 80).toString());
        assertEquals("(0, 0, 100, 80)", Boxes.grown(box, 500, 500, 100, 80).toString());
        assertEquals("(15, 20, 25, 30)", Boxes.grown(box, -5, 0, 100, 80).toString());
        assertEquals("(19, 24, 21, 26)", Boxes.grown(box, -9, -4, 100, 80).toString());
        assertEquals(box, Boxes.grown(box, -10, -5, 100, 80));
        assertEquals("(10, 22, 30, 28)", Boxes.grown(box, -10, -2, 100, 80).toString()); // each way by itself
    }

    @Test
    void aNewBoxIsInTheMiddleAndBroad() {
        assertEquals("(24, 32, 76, 48)", Boxes.middle(new Region(0, 0, 100, 80)).toString());
        assertEquals("(0, 0, 2, 4)", Boxes.middle(new Region(0, 0, 2, 4)).toString());
    }

    @Test
    void sameIsWhatSharesMostOfTheLargerOne() {
        Region box = new Region(10, 20, 30, 30);
        assertTrue(Boxes.same(box, new Region(12, 20, 34, 30)));
        assertFalse(Boxes.same(box, new Region(0, 0, 100, 80)));
        assertFalse(Boxes.same(new Region(0, 0, 100, 80), box));
        assertFalse(Boxes.same(box, new Region(50, 50, 60, 60)));
        assertFalse(Boxes.same(box, new Region(-10, -20, 9, 19)));
    }

    @Test
    void aBoxGoesAroundCorners() {
        assertEquals("(10, 5, 60, 30)", Boxes.around(new Corners(10.2, 20, 55, 5.5, 60, 15, 15, 29.5), 100, 80).toString());
        assertEquals("(0, 0, 100, 80)", Boxes.around(new Corners(-5, -5, 120, -5, 120, 90, -5, 90), 100, 80).toString());
        assertNull(Boxes.around(new Corners(-20, 5, 1, 5, 1, 20, -20, 20), 100, 80));
    }

    @Test
    void alikeIsWhatSharesMostOfTheSmallerOne() {
        Region box = new Region(10, 20, 30, 30);
        assertTrue(Boxes.alike(box, box));
        assertTrue(Boxes.alike(box, new Region(0, 0, 100, 80)));
        assertTrue(Boxes.alike(new Region(0, 0, 100, 80), box));
        assertTrue(Boxes.alike(box, new Region(19, 20, 39, 30)));
        assertFalse(Boxes.alike(box, new Region(20, 20, 40, 30))); // just half
        assertFalse(Boxes.alike(box, new Region(30, 20, 50, 30)));
        assertFalse(Boxes.alike(box, new Region(50, 50, 60, 60)));
    }
}
