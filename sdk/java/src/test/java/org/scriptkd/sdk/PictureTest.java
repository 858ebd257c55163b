package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Which pixels are identified, and on which ground transparent ones are laid. */
class PictureTest {
    private static final int SIDE = 12;

    @Test
    void lightInkIsLaidOnBlackAndDarkInkOnWhite() {
        assertEquals(0xFF000000, drawn(0xFFFFFFFF, 0).rgb[0] | 0xFF000000);
        assertEquals(0xFFFFFFFF, drawn(0xFF000000, 0).rgb[0] | 0xFF000000);
        assertEquals(0xFFFFFFFF, drawn(0xFFDC0000, 0).rgb[0] | 0xFF000000);
    }

    @Test
    void aPlateIsLaidOnAGroundLikeItsRim() {
        assertEquals(0xFFFFFF, drawn(0xFF000000, 0xFFFFFFFF).rgb[0] & 0xFFFFFF);
        assertEquals(0, drawn(0xFFFFFFFF, 0xFF000000).rgb[0] & 0xFFFFFF);
    }

    @Test
    void alphaOfZeroEverywhereIsNoAlpha() {
        int[] colours = new int[SIDE * SIDE];
        for (int i = 0; i < colours.length; i++) {
            colours[i] = i * 0x010203;
        }
        assertSame(colours, Picture.of(colours, SIDE, SIDE, null).rgb);
        int[] part = Picture.of(colours, SIDE, SIDE, new Region(1, 1, 3, 3)).rgb;
        assertArrayEquals(new int[] {colours[13], colours[14], colours[25], colours[26]}, part);
    }

    /** A region's ground is the whole picture's, as if the region were cut out afterwards. */
    @Test
    void theWholePictureTellsTheGround() {
        int[] argb = new int[SIDE * SIDE];
        Arrays.fill(argb, SIDE, 5 * SIDE, 0xFFFFFFFF); // light, and more of it
        argb[8 * SIDE] = 0xFF000000;
        assertEquals(0, Picture.of(argb, SIDE, SIDE, new Region(0, 7, SIDE, SIDE)).rgb[0] & 0xFFFFFF);
        assertEquals(0xFFFFFF, Picture.of(argb, SIDE, SIDE, new Region(0, 1, 5, 5)).rgb[0] & 0xFFFFFF);
    }

    @Test
    void lumaIsExactForEveryColour() {
        int[] colours = new int[1 << 24];
        for (int i = 0; i < colours.length; i++) {
            colours[i] = 0xFF000000 | i;
        }
        byte[] bytes = Picture.of(colours, 1 << 12, 1 << 12, null).luma().bytes;
        for (int i = 0; i < colours.length; i++) {
            if ((bytes[i] & 0xFF) != Picture.luma(i)) {
                assertEquals(Picture.luma(i), bytes[i] & 0xFF, Integer.toHexString(i));
            }
        }
    }

    /** A square of one colour on a plate of another, or on nothing (0). */
    private static Picture drawn(int ink, int plate) {
        int[] argb = new int[SIDE * SIDE];
        for (int y = 1; y < SIDE - 1; y++) {
            for (int x = 1; x < SIDE - 1; x++) {
                boolean inside = Math.min(x, y) > 2 && Math.max(x, y) < SIDE - 3;
                argb[y * SIDE + x] = inside ? ink : plate;
            }
        }
        return Picture.of(argb, SIDE, SIDE, null);
    }
}
