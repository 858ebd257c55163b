package org.scriptkd.sdk;

/** A projective map of the plane, as a 3x3 matrix in row-major order. */
final class Perspective {
    private final double[] m;

    private Perspective(double[] matrix) {
        m = matrix;
    }

    /**
     * The map from a rectangle (0, 0, width, height) to a quadrilateral. It takes the rectangle's top left, top right,
     * bottom right and bottom left to the quadrilateral's corners. Source: P. Heckbert, "Fundamentals of Texture
     * Mapping and Image Warping", 1989.
     */
    static Perspective toQuadrilateral(double width, double height, double[] xs, double[] ys) {
        double acrossX = xs[1] - xs[2];
        double acrossY = ys[1] - ys[2];
        double downX = xs[3] - xs[2];
        double downY = ys[3] - ys[2];
        double skewX = xs[0] - xs[1] + xs[2] - xs[3]; // 0 for a parallelogram
        double skewY = ys[0] - ys[1] + ys[2] - ys[3];
        double determinant = acrossX * downY - downX * acrossY;
        double g = (skewX * downY - downX * skewY) / determinant;
        double h = (acrossX * skewY - skewX * acrossY) / determinant;
        return new Perspective(new double[] {
            (xs[1] - xs[0] + g * xs[1]) / width, (xs[3] - xs[0] + h * xs[3]) / height, xs[0],
            (ys[1] - ys[0] + g * ys[1]) / width, (ys[3] - ys[0] + h * ys[3]) / height, ys[0],
            g / width, h / height, 1
        });
    }

    boolean isFinite() {
        for (double value : m) {
            if (Double.isNaN(value) || Double.isInfinite(value)) {
                return false;
            }
        }
        return true;
    }

    double x(double x, double y) {
        return (m[0] * x + m[1] * y + m[2]) / (m[6] * x + m[7] * y + m[8]);
    }

    double y(double x, double y) {
        return (m[3] * x + m[4] * y + m[5]) / (m[6] * x + m[7] * y + m[8]);
    }

    /** The inverse map, as the adjugate matrix: a common factor cancels out. */
    Perspective inverse() {
        return new Perspective(new double[] {
            m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
            m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
            m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]
        });
    }

    /**
     * The pixels of a box of the rectangle, by bilinear interpolation. Edge pixels repeat.
     *
     * @param source the part of the image that begins at (left, top), opaque
     */
    Picture sample(Picture source, int left, int top, Region box) {
        int[] rgb = new int[box.width() * box.height()];
        for (int y = box.top, to = 0; y < box.bottom; y++) {
            for (int x = box.left; x < box.right; x++, to++) {
                // A pixel's colour is the colour at its centre.
                rgb[to] = interpolated(source, x(x + 0.5, y + 0.5) - left - 0.5, y(x + 0.5, y + 0.5) - top - 0.5);
            }
        }
        return new Picture(rgb, box.width(), box.height());
    }

    private static int interpolated(Picture source, double x, double y) {
        double nearX = Math.min(Math.max(x, 0), source.width - 1);
        double nearY = Math.min(Math.max(y, 0), source.height - 1);
        int column = Math.min((int) nearX, source.width - 2);
        int row = Math.min((int) nearY, source.height - 2);
        int first = row * source.width + column;
        double right = nearX - column;
        double below = nearY - row;
        int result = 0;
        for (int shift = 0; shift <= 16; shift += 8) {
            double upper = (1 - right) * (source.rgb[first] >> shift & 0xFF) + right * (source.rgb[first + 1] >> shift & 0xFF);
            first += source.width;
            double lower = (1 - right) * (source.rgb[first] >> shift & 0xFF) + right * (source.rgb[first + 1] >> shift & 0xFF);
            first -= source.width;
            result |= (int) ((1 - below) * upper + below * lower + 0.5) << shift;
        }
        return result;
    }
}
