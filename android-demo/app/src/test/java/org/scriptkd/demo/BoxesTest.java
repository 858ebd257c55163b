package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class BoxesTest {
    @Test
    void anyDirectionGivesTheSamePixels() {
        assertEquals("(10, 20, 31, 42)", Boxes.between(10.2f, 20.9f, 30.1f, 41.5f, 100, 80).toString());
        assertEquals("(10, 20, 31, 42)", Boxes.between(30.1f, 20.9f, 10.2f, 41.5f, 100, 80).toString());
        assertEquals("(10, 20, 31, 42)", Boxes.between(30.1f, 41.5f, 10.2f, 20.9f, 100, 80).toString());
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
}
