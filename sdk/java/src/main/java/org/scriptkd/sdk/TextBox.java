package org.scriptkd.sdk;

/** Where a {@link TextDetector} found text: a word, or a line where words stand close. */
public final class TextBox {
    /**
     * Clockwise from the top left, as the image lies, which need not be the way it is read. They may lie somewhat outside
     * the image.
     */
    public final Corners corners;

    /** The detector's mean probability of text, 0.5 to 1. */
    public final double score;

    TextBox(Corners corners, double score) {
        this.corners = corners;
        this.score = score;
    }

    double centreX() {
        return (corners.x(0) + corners.x(1) + corners.x(2) + corners.x(3)) / 4;
    }

    double centreY() {
        return (corners.y(0) + corners.y(1) + corners.y(2) + corners.y(3)) / 4;
    }

    /** The distance from the first corner to the last. */
    double height() {
        double x = corners.x(3) - corners.x(0);
        double y = corners.y(3) - corners.y(0);
        return Math.sqrt(x * x + y * y);
    }

    @Override
    public String toString() {
        return corners + ": " + score;
    }
}
