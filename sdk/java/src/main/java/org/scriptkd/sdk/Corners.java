package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The four corners of a word that is tilted or seen in perspective, in pixels from the image's top left corner.
 *
 * <p>The corners go clockwise around a convex quadrilateral, in the word's reading order: top left, top right, bottom
 * right and bottom left. The quadrilateral is rectified to a rectangle whose sides are the means of its opposite sides.
 * So the word becomes upright. Rows and columns of the rectangle outside the image are cut off.
 */
public final class Corners extends Area {
    private final double[] xs;
    private final double[] ys;

    /** A word's top left (x1, y1), top right (x2, y2), bottom right (x3, y3) and bottom left (x4, y4) corner. */
    public Corners(double x1, double y1, double x2, double y2, double x3, double y3, double x4, double y4) {
        xs = new double[] {x1, x2, x3, x4};
        ys = new double[] {y1, y2, y3, y4};
    }

    /**
     * The x of a corner.
     *
     * @param corner 0 is the top left, 1 the top right, 2 the bottom right, 3 the bottom left
     * @throws ArgumentException for another number
     */
    public double x(int corner) {
        return xs[checked(corner)];
    }

    /** The y of a corner. See {@link #x}. */
    public double y(int corner) {
        return ys[checked(corner)];
    }

    private static int checked(int corner) {
        if (corner < 0 || corner > 3) {
            throw new ArgumentException("corner must be an integer from 0 to 3, not " + corner);
        }
        return corner;
    }

    @Override
    Picture cut(int[] argb, int width, int height) {
        check();
        int flatWidth = (int) Math.min(Math.floor((side(0, 1) + side(2, 3)) / 2 + 0.5), Integer.MAX_VALUE);
        int flatHeight = (int) Math.min(Math.floor((side(1, 2) + side(3, 0)) / 2 + 0.5), Integer.MAX_VALUE);
        Picture.checkSize(flatWidth, flatHeight);
        Perspective toImage = Perspective.toQuadrilateral(flatWidth, flatHeight, xs, ys);
        if (!toImage.isFinite()) {
            throw new ImageException("the corners " + this + " are too close to a line to be rectified");
        }
        Region seen = seen(toImage.inverse(), width, height, flatWidth, flatHeight);
        Picture.checkSize(seen.width(), seen.height());
        // All pixels that interpolation within the quadrilateral can need.
        Region around = new Region((int) Math.max(Math.floor(smallest(xs)) - 1, 0), (int) Math.max(Math.floor(smallest(ys)) - 1, 0),
                (int) Math.min(Math.ceil(largest(xs)) + 1, width), (int) Math.min(Math.ceil(largest(ys)) + 1, height));
        return toImage.sample(Picture.box(argb, width, height, around), around.left, around.top, seen);
    }

    /** Corners that are equal in single precision count as one, as in every SDK. */
    private void check() {
        for (int i = 0; i < 4; i++) {
            if (!(Math.abs(xs[i]) <= Double.MAX_VALUE && Math.abs(ys[i]) <= Double.MAX_VALUE)) {
                throw new ImageException("a region must not hold NaN or infinity: " + this);
            }
        }
        for (int i = 0; i < 4; i++) {
            int next = (i + 1) % 4;
            int after = (i + 2) % 4;
            double turn = between(xs, i, next) * between(ys, next, after) - between(ys, i, next) * between(xs, next, after);
            if (!(turn > 0)) { // clockwise, as y points down
                throw new ImageException("the corners " + this + " do not go clockwise around a convex quadrilateral: "
                        + "top left, top right, bottom right, bottom left");
            }
        }
    }

    private static double between(double[] places, int from, int to) {
        return (double) (float) (places[to] - 0.5) - (float) (places[from] - 0.5);
    }

    private double side(int from, int to) {
        return Math.hypot(between(xs, from, to), between(ys, from, to));
    }

    /** The box of the rectified rectangle that overlaps the image. */
    private Region seen(Perspective toFlat, int width, int height, int flatWidth, int flatHeight) {
        if (smallest(xs) >= 0 && smallest(ys) >= 0 && largest(xs) <= width && largest(ys) <= height) {
            return new Region(0, 0, flatWidth, flatHeight);
        }
        List<double[]> within = new ArrayList<double[]>();
        for (int i = 0; i < 4; i++) {
            within.add(new double[] {xs[i], ys[i]});
        }
        within = clipped(clipped(clipped(clipped(within, 0, 0, 1), 0, width, -1), 1, 0, 1), 1, height, -1);
        if (!(area(within) > 0)) {
            throw outside(width, height);
        }
        double[] flatXs = new double[within.size()];
        double[] flatYs = new double[within.size()];
        for (int i = 0; i < flatXs.length; i++) {
            double[] point = within.get(i);
            flatXs[i] = toFlat.x(point[0], point[1]);
            flatYs[i] = toFlat.y(point[0], point[1]);
        }
        return new Region(Math.max(rounded(smallest(flatXs)), 0), Math.max(rounded(smallest(flatYs)), 0),
                Math.min(rounded(largest(flatXs)), flatWidth), Math.min(rounded(largest(flatYs)), flatHeight));
    }

    /** Clips a convex polygon to where an axis's coordinate, times the sign, is at least the limit times the sign. */
    private static List<double[]> clipped(List<double[]> polygon, int axis, double limit, int sign) {
        List<double[]> result = new ArrayList<double[]>();
        for (int i = 0; i < polygon.size(); i++) {
            double[] point = polygon.get(i);
            double[] next = polygon.get((i + 1) % polygon.size());
            double inside = sign * (point[axis] - limit);
            double nextInside = sign * (next[axis] - limit);
            if (inside >= 0) {
                result.add(point);
            }
            if (inside >= 0 != nextInside >= 0) {
                double part = inside / (inside - nextInside);
                double[] crossing = {point[0] + part * (next[0] - point[0]), point[1] + part * (next[1] - point[1])};
                crossing[axis] = limit;
                result.add(crossing);
            }
        }
        return result;
    }

    private static double area(List<double[]> polygon) {
        double twice = 0;
        for (int i = 0; i < polygon.size(); i++) {
            double[] point = polygon.get(i);
            double[] next = polygon.get((i + 1) % polygon.size());
            twice += point[0] * next[1] - point[1] * next[0];
        }
        return twice / 2;
    }

    private static int rounded(double value) {
        return (int) Math.floor(value + 0.5);
    }

    private static double smallest(double[] values) {
        double smallest = values[0];
        for (double value : values) {
            smallest = Math.min(smallest, value);
        }
        return smallest;
    }

    private static double largest(double[] values) {
        double largest = values[0];
        for (double value : values) {
            largest = Math.max(largest, value);
        }
        return largest;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Corners && Arrays.equals(xs, ((Corners) other).xs) && Arrays.equals(ys, ((Corners) other).ys);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(xs) + Arrays.hashCode(ys);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("(");
        for (int i = 0; i < 4; i++) {
            text.append(i == 0 ? "(" : ", (").append(xs[i]).append(", ").append(ys[i]).append(')');
        }
        return text.append(')').toString();
    }
}
