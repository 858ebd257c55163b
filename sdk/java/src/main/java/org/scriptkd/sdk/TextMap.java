package org.scriptkd.sdk;

/** A text detector's answer: of each pixel of its input, row by row, the probability of text. */
final class TextMap {
    private static final float ABOVE = 0.3f; // probability: of a pixel of text

    private final float[] probabilities;
    final int width;
    final int height;

    TextMap(float[] probabilities, int width, int height) {
        this.probabilities = probabilities;
        this.width = width;
        this.height = height;
    }

    /** Whether a point of the lattice, 0 to width and 0 to height, is a corner of a pixel of text. */
    boolean touchesText(int x, int y) {
        return isText(x - 1, y - 1) || isText(x, y - 1) || isText(x - 1, y) || isText(x, y);
    }

    private boolean isText(int x, int y) {
        return x >= 0 && x < width && y >= 0 && y < height && probabilities[y * width + x] > ABOVE;
    }

    /** The mean over the pixels whose centres are in a rectangle or on its edge. NaN if there is none. */
    double mean(Rectangle rectangle) {
        Region around = rectangle.around();
        double sum = 0;
        int count = 0;
        for (int y = Math.max(around.top, 0); y < Math.min(around.bottom, height); y++) {
            for (int x = Math.max(around.left, 0); x < Math.min(around.right, width); x++) {
                if (rectangle.holdsCentre(x, y)) {
                    sum += probabilities[y * width + x];
                    count++;
                }
            }
        }
        return sum / count;
    }
}
