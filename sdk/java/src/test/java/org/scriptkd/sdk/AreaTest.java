package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Boxes and corners: which pixels they select. The expected sizes are the Python SDK's. */
class AreaTest {
    private static final int WIDTH = 40;
    private static final int HEIGHT = 25;
    private static final int[] NOISE = new Random(3).ints(WIDTH * HEIGHT).map(pixel -> pixel | 0xFF000000).toArray();

    @Test
    void cornersOfABoxAreTheBox() {
        Picture box = Picture.of(NOISE, WIDTH, HEIGHT, new Region(3, 4, 33, 20));
        Picture corners = cut(3, 4, 33, 4, 33, 20, 3, 20);
        assertEquals(box.width, corners.width);
        assertEquals(box.height, corners.height);
        assertArrayEquals(box.interleaved(), corners.interleaved());
    }

    @Test
    void cornersBeginAtTheWordsOwnTopLeft() {
        Picture upright = cut(3, 4, 33, 4, 33, 20, 3, 20);
        Picture half = cut(33, 20, 3, 20, 3, 4, 33, 4); // a word that is upside down
        for (int i = 0; i < half.rgb.length; i++) {
            assertEquals(upright.rgb[i] & 0xFFFFFF, half.rgb[half.rgb.length - 1 - i]);
        }
        Picture quarter = cut(33, 4, 33, 20, 3, 20, 3, 4); // a word that reads from top to bottom
        assertEquals(upright.height, quarter.width);
        assertEquals(upright.width, quarter.height);
        for (int y = 0; y < quarter.height; y++) {
            for (int x = 0; x < quarter.width; x++) {
                assertEquals(upright.rgb[x * upright.width + upright.width - 1 - y] & 0xFFFFFF, quarter.rgb[y * quarter.width + x]);
            }
        }
    }

    /** A picture whose red and blue are its column and row shows where each pixel of the rectangle comes from. */
    @Test
    void aQuadrilateralIsStretchedInPerspective() {
        int side = 200;
        int[] places = new int[side * side];
        for (int i = 0; i < places.length; i++) {
            places[i] = 0xFF000000 | i % side << 16 | i / side;
        }
        Picture flat = Picture.of(places, side, side, new Corners(20, 30, 180, 50, 160, 130, 40, 150));
        assertEquals(141, flat.width); // the mean of hypot(160, 20) and hypot(120, 20), rounded
        assertEquals(102, flat.height); // of hypot(20, 80) and hypot(20, 120)
        // A projection maps the diagonals' crossing to the diagonals' crossing, which is not the corners' mean.
        int middle = flat.rgb[50 * flat.width + 70];
        assertEquals(114, (middle >> 16) + 0.5, 1);
        assertEquals(97.1, (middle & 0xFF) + 0.5, 1);
    }

    @Test
    void whatOfCornersLiesOutsideIsCutOff() {
        assertArrayEquals(Picture.of(NOISE, WIDTH, HEIGHT, null).interleaved(),
                cut(-10, -20, 60, -20, 60, 30, -10, 30).interleaved());
        Picture diamond = cut(20, -15, 50, 12, 20, 40, -10, 12); // half of it is outside
        assertEquals(41, diamond.width);
        assertEquals(41, diamond.height);
    }

    @Test
    void aTransparentPictureIsLaidOnItsGroundFirst() {
        int[] ink = new int[WIDTH * HEIGHT];
        Arrays.fill(ink, 10 * WIDTH, 15 * WIDTH, 0xFFFFFFFF); // light, on nothing
        int[] black = ink.clone();
        Arrays.setAll(black, i -> black[i] | 0xFF000000);
        Corners corners = new Corners(3, 2, 35, 5, 34, 22, 2, 20);
        assertArrayEquals(Picture.of(black, WIDTH, HEIGHT, corners).interleaved(),
                Picture.of(ink, WIDTH, HEIGHT, corners).interleaved());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "0|0|10|0|0|10|10|10|do not go clockwise around a convex quadrilateral: top left, top right, bottom right, bottom left",
        "0|0|0|10|10|10|10|0|do not go clockwise around a convex quadrilateral: top left, top right, bottom right, bottom left",
        "0|0|1e-9|0|10|10|0|10|do not go clockwise around a convex quadrilateral: top left, top right, bottom right, bottom left",
        "0|0|10|0|10|NaN|0|10|a region must not hold NaN or infinity",
        "0|0|10|0|10|Infinity|0|10|a region must not hold NaN or infinity",
        "50|0|60|0|60|10|50|10|is outside the image of 40x25 pixels",
        "0|0|1|0|1|10|0|10|1x10 pixels, but at least 2x2 are needed",
        "0|0|20000|0|20000|10|0|10|20000x10 pixels, but at most 16,384 a side are allowed",
        "0|0|1e30|0|1e30|1e30|0|1e30|but at most 16,384 a side are allowed",
    })
    void cornersThatCannotBeUsed(double x1, double y1, double x2, double y2, double x3, double y3, double x4, double y4, String message) {
        String said = assertThrows(ImageException.class, () -> cut(x1, y1, x2, y2, x3, y3, x4, y4)).getMessage();
        assertEquals(true, said.contains(message), said);
    }

    @Test
    void equalAreasAreEqual() {
        assertEquals(new Region(1, 2, 3, 4), new Region(1, 2, 3, 4));
        assertEquals(new Region(1, 2, 3, 4).hashCode(), new Region(1, 2, 3, 4).hashCode());
        assertNotEquals(new Region(1, 2, 3, 4), new Region(1, 2, 3, 5));
        assertNotEquals(new Region(1, 2, 3, 4), null);
        Corners corners = new Corners(0, 0, 9, 0, 9, 9, 0, 9);
        assertEquals(corners, new Corners(0, 0, 9, 0, 9, 9, 0, 9));
        assertEquals(corners.hashCode(), new Corners(0, 0, 9, 0, 9, 9, 0, 9).hashCode());
        assertNotEquals(corners, new Corners(0, 0, 9, 0, 9, 8, 0, 9));
        assertEquals("((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))", corners.toString());
    }

    private static Picture cut(double x1, double y1, double x2, double y2, double x3, double y3, double x4, double y4) {
        return Picture.of(NOISE, WIDTH, HEIGHT, new Corners(x1, y1, x2, y2, x3, y3, x4, y4));
    }
}
