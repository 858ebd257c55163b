package org.scriptkd.sdk;

/** By how many degrees letters are turned clockwise from upright, and how sure that is; null where it is not told. */
final class Orientation {
    /** Of the older formats. */
    static final Orientation NONE = new Orientation(null, null);

    /** Of a crop whose letters stand upright, as the caller says. */
    static final Orientation UPRIGHT = new Orientation(0, 1.0);

    final Integer degrees;
    final Double score;

    private Orientation(Integer degrees, Double score) {
        this.degrees = degrees;
        this.score = score;
    }

    /**
     * From a network of format 3.
     *
     * @param windows for each window the logits of 0, 90, 180 and 270 degrees
     * @param turned by how many degrees the crop was turned counterclockwise before the network saw it
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
