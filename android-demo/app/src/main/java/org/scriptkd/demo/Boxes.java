package org.scriptkd.demo;

import org.scriptkd.sdk.Region;

/** Boxes in whole pixels, on an image of width x height. */
final class Boxes {
    private static final int SMALLEST_SIDE = 2; // pixels, as the SDK wants
    private static final double NOISE = 0.01; // pixels by which a reckoned place may be off

    private Boxes() {}

    /**
     * The pixels between two points, in any order; what lies outside the image is cut off.
     *
     * @return null where that leaves too little
     */
    static Region between(float x1, float y1, float x2, float y2, int width, int height) {
        int left = clamp(Math.floor(Math.min(x1, x2) + NOISE), width);
        int top = clamp(Math.floor(Math.min(y1, y2) + NOISE), height);
        int right = clamp(Math.ceil(Math.max(x1, x2) - NOISE), width);
        int bottom = clamp(Math.ceil(Math.max(y1, y2) - NOISE), height);
        boolean empty = right - left < SMALLEST_SIDE || bottom - top < SMALLEST_SIDE;
        return empty ? null : new Region(left, top, right, bottom);
    }

    /** The box moved by so many pixels, or less far where the image ends. */
    static Region moved(Region box, int right, int down, int width, int height) {
        int left = clamp(box.left + right, width - (box.right - box.left));
        int top = clamp(box.top + down, height - (box.bottom - box.top));
        return new Region(left, top, left + box.right - box.left, top + box.bottom - box.top);
    }

    /** Each side moved outwards by so many pixels, or inwards by negative ones; sides that would meet stay. */
    static Region grown(Region box, int across, int along, int width, int height) {
        boolean thin = box.right - box.left + 2 * across < SMALLEST_SIDE;
        boolean flat = box.bottom - box.top + 2 * along < SMALLEST_SIDE;
        return new Region(
                thin ? box.left : clamp(box.left - across, width),
                flat ? box.top : clamp(box.top - along, height),
                thin ? box.right : clamp(box.right + across, width),
                flat ? box.bottom : clamp(box.bottom + along, height));
    }

    /** A box of a word's shape in the middle of this one. */
    static Region middle(Region seen) {
        int side = Math.max(3 * SMALLEST_SIDE, Math.min(seen.right - seen.left, seen.bottom - seen.top) / 3);
        int x = (seen.left + seen.right) / 2;
        int y = (seen.top + seen.bottom) / 2;
        return new Region(Math.max(seen.left, x - side), Math.max(seen.top, y - side / 3),
                Math.min(seen.right, x + side), Math.min(seen.bottom, y + side / 3));
    }

    /** Whether two boxes mark the same thing: they share more than half of the smaller one. */
    static boolean alike(Region one, Region other) {
        Region shared = new Region(Math.max(one.left, other.left), Math.max(one.top, other.top),
                Math.min(one.right, other.right), Math.min(one.bottom, other.bottom));
        boolean apart = shared.right <= shared.left || shared.bottom <= shared.top;
        return !apart && 2 * area(shared) > Math.min(area(one), area(other));
    }

    /** In pixels. */
    static long area(Region box) {
        return (long) (box.right - box.left) * (box.bottom - box.top);
    }

    private static int clamp(double value, int highest) {
        return (int) Math.min(Math.max(value, 0), highest);
    }
}
