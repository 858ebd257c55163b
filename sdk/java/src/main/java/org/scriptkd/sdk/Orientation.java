package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/** The letters' clockwise rotation from upright in degrees, and its probability; null if unknown. */
final class Orientation {
    /** The orientation for formats 1 and 2. */
    static final Orientation NONE = new Orientation(null, null);

    /** The orientation if the caller says that the letters stand upright. */
    static final Orientation UPRIGHT = new Orientation(0, 1.0);

    final @Nullable Integer degrees;
    final @Nullable Double score;

    private Orientation(@Nullable Integer degrees, @Nullable Double score) {
        this.degrees = degrees;
        this.score = score;
    }

    /**
     * The orientation from a network of format 3.
     *
     * @param windows the logits of 0, 90, 180 and 270 degrees for each window
     * @param turned how far the crop was turned counterclockwise before the network saw it, in degrees
     */
    static Orientation of(float[][] windows, ModelInfo info, int turned) {
        double[][] each = new double[windows.length][];
        for (int i = 0; i < windows.length; i++) {
            each[i] = Softmax.of(windows[i], info.orientationTemperature);
        }
        double[] means = Softmax.means(each);
        int best = Softmax.best(means);
        boolean told = means[best] >= info.orientationThreshold;
        return new Orientation(told ? (Integer) ((90 * best + turned) % 360) : null, means[best]);
    }
}
