package org.scriptkd.sdk;

import java.util.Arrays;
import java.util.List;

/** A rectangle along an edge e of a hull, in whole numbers: a <= x ex + y ey <= b and c <= y ex - x ey <= d. */
final class Rectangle {
    private final long ex;
    private final long ey;
    private final long a;
    private final long b;
    private final long c;
    private final long d;

    private Rectangle(List<int[]> hull, int[] from, int[] to) {
        ex = to[0] - from[0];
        ey = to[1] - from[1];
        long least = Long.MAX_VALUE;
        long most = Long.MIN_VALUE;
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;
        for (int[] point : hull) {
            least = Math.min(least, along(point[0], point[1]));
            most = Math.max(most, along(point[0], point[1]));
            first = Math.min(first, across(point[0], point[1]));
            last = Math.max(last, across(point[0], point[1]));
        }
        a = least;
        b = most;
        c = first;
        d = last;
    }

    /** The least one around a hull, the first of equals. */
    static Rectangle least(List<int[]> hull) {
        Rectangle best = new Rectangle(hull, hull.get(0), hull.get(1));
        for (int i = 1; i < hull.size(); i++) {
            Rectangle next = new Rectangle(hull, hull.get(i), hull.get((i + 1) % hull.size()));
            best = next.area() < best.area() ? next : best;
        }
        return best;
    }

    private long along(long x, long y) {
        return x * ex + y * ey;
    }

    private long across(long x, long y) {
        return y * ex - x * ey;
    }

    private double square() {
        return ex * ex + ey * ey;
    }

    private double area() {
        return (b - a) * (d - c) / square();
    }

    /** The side along the edge. */
    double width() {
        return (b - a) / Math.sqrt(square());
    }

    /** The other side. */
    double height() {
        return (d - c) / Math.sqrt(square());
    }

    /** Whether a pixel's centre is inside or on the edge. All is doubled, so that the centres are whole numbers. */
    boolean holdsCentre(int x, int y) {
        long along = along(2 * x + 1, 2 * y + 1);
        long across = across(2 * x + 1, 2 * y + 1);
        return 2 * a <= along && along <= 2 * b && 2 * c <= across && across <= 2 * d;
    }

    /** The x and y of the four corners, one after the other, with each side moved outwards. */
    double[] corners(double outwards) {
        double far = outwards * Math.sqrt(square());
        double[] s = {a - far, b + far, b + far, a - far};
        double[] t = {c - far, c - far, d + far, d + far};
        double[] places = new double[8];
        for (int i = 0; i < 4; i++) {
            places[2 * i] = (s[i] * ex - t[i] * ey) / square();
            places[2 * i + 1] = (s[i] * ey + t[i] * ex) / square();
        }
        return places;
    }

    /** An upright box of whole numbers around it, with room to spare. */
    Region around() {
        double[] places = corners(1);
        double[] xs = {places[0], places[2], places[4], places[6]};
        double[] ys = {places[1], places[3], places[5], places[7]};
        Arrays.sort(xs);
        Arrays.sort(ys);
        return new Region((int) Math.floor(xs[0]), (int) Math.floor(ys[0]), (int) Math.ceil(xs[3]), (int) Math.ceil(ys[3]));
    }
}
