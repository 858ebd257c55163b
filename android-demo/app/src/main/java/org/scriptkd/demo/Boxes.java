package org.scriptkd.demo;

import org.scriptkd.sdk.Region;

/** From a finger's way over a photo to whole pixels. */
final class Boxes {
    private static final int SMALLEST_SIDE = 2; // pixels, as the SDK wants

    private Boxes() {}

    /**
     * The pixels between two points, in any order, of an image of width x height; what lies outside is cut off.
     *
     * @return null where that leaves too little
     */
    static Region between(float x1, float y1, float x2, float y2, int width, int height) {
        int left = clamp(Math.floor(Math.min(x1, x2)), width);
        int top = clamp(Math.floor(Math.min(y1, y2)), height);
        int right = clamp(Math.ceil(Math.max(x1, x2)), width);
        int bottom = clamp(Math.ceil(Math.max(y1, y2)), height);
        boolean empty = right - left < SMALLEST_SIDE || bottom - top < SMALLEST_SIDE;
        return empty ? null : new Region(left, top, right, bottom);
    }

    private static int clamp(double value, int highest) {
        return (int) Math.min(Math.max(value, 0), highest);
    }
}
