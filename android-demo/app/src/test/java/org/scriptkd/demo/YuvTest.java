package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class YuvTest {
    private static final int GRAY = 128; // of a colour plane: no colour

    private static Yuv.Plane plane(int row, int step, int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return new Yuv.Plane(ByteBuffer.wrap(bytes), row, step);
    }

    private static int one(int y, int u, int v) {
        return Yuv.upright(plane(1, 1, y), plane(1, 1, u), plane(1, 1, v), 1, 1, 0)[0];
    }

    @Test
    void coloursAreJfifs() {
        assertEquals(0xFF000000, one(0, GRAY, GRAY));
        assertEquals(0xFFFFFFFF, one(255, GRAY, GRAY));
        assertEquals(0xFF7B7B7B, one(0x7B, GRAY, GRAY));
        assertEquals(0xFFFE0000, one(76, 85, 255)); // red, as JPEG rounds it
        assertEquals(0xFF00FF01, one(150, 44, 21)); // green
        assertEquals(0xFF0000FE, one(29, 255, 107)); // blue
        assertEquals(0xFFFF79FF, one(255, 255, 255)); // what is no colour at all is cut off
    }

    /** 3 x 2 pixels 10, 20, 30 / 40, 50, 60, in rows of 5 bytes; colours as they lie in one plane, two bytes apart. */
    private static int[] turned(int degrees) {
        Yuv.Plane y = plane(5, 1, 10, 20, 30, 0, 0, 40, 50, 60);
        Yuv.Plane colour = plane(8, 2, GRAY, 0, GRAY);
        int[] pixels = Yuv.upright(y, colour, colour, 3, 2, degrees);
        int[] levels = new int[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            levels[i] = pixels[i] & 255;
            assertEquals(0xFF000000 | 0x010101 * levels[i], pixels[i]);
        }
        return levels;
    }

    @Test
    void framesAreTurnedClockwise() {
        assertArrayEquals(new int[] {10, 20, 30, 40, 50, 60}, turned(0));
        assertArrayEquals(new int[] {40, 10, 50, 20, 60, 30}, turned(90)); // 2 x 3: the lower row is on the left
        assertArrayEquals(new int[] {60, 50, 40, 30, 20, 10}, turned(180));
        assertArrayEquals(new int[] {30, 60, 20, 50, 10, 40}, turned(270));
    }
}
