package org.scriptkd.demo;

import org.scriptkd.sdk.Corners;
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

    /** Four corners whose x and y lie in an array from a place on. */
    static Corners corners(double[] places, int from) {
        return new Corners(places[from], places[from + 1], places[from + 2], places[from + 3], places[from + 4],
                places[from + 5], places[from + 6], places[from + 7]);
    }

    /** The pixels around four corners; null where too little of them lies in the image. */
    static Region around(Corners corners, int width, int height) {
        double left = Double.POSITIVE_INFINITY;
        double top = Double.POSITIVE_INFINITY;
        double right = Double.NEGATIVE_INFINITY;
        double bottom = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < 4; i++) {
            left = Math.min(left, corners.x(i));
            top = Math.min(top, corners.y(i));
            right = Math.max(right, corners.x(i));
            bottom = Math.max(bottom, corners.y(i));
        }
        return between((float) left, (float) top, (float) right, (float) bottom, width, height);
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
        return 2 * shared(one, other) > Math.min(area(one), area(other));
    }

    /** Whether two boxes are nearly one: they share more than half of the larger one. */
    static boolean same(Region one, Region other) {
        return 2 * shared(one, other) > Math.max(area(one), area(other));
    }

    private static long shared(Region one, Region other) {
        long width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        long height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        return Math.max(width, 0) * Math.max(height, 0);
    }

    /** In pixels. */
    static long area(Region box) {
        return (long) (box.right - box.left) * (box.bottom - box.top);
    }

    private static int clamp(double value, int highest) {
        return (int) Math.min(Math.max(value, 0), highest);
    }
}
