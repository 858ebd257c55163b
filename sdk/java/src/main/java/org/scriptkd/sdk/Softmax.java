package org.scriptkd.sdk;

/** From logits to probabilities, in double precision. */
final class Softmax {
    private Softmax() {}

    /** The softmax of the logits divided by the temperature. */
    static double[] of(float[] logits, double temperature) {
        double highest = Double.NEGATIVE_INFINITY;
        double[] result = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            result[i] = logits[i] / temperature;
            highest = Math.max(highest, result[i]);
        }
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            result[i] = Math.exp(result[i] - highest);
            sum += result[i];
        }
        for (int i = 0; i < logits.length; i++) {
            result[i] /= sum;
        }
        return result;
    }

    /** The mean of the windows' probabilities, added in the order of the windows. */
    static double[] means(double[][] windows) {
        double[] means = new double[windows[0].length];
        for (double[] each : windows) {
            for (int i = 0; i < means.length; i++) {
                means[i] += each[i];
            }
        }
        for (int i = 0; i < means.length; i++) {
            means[i] /= windows.length;
        }
        return means;
    }

    /** The index of the largest number; the first one if several are equal. */
    static int best(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            best = values[i] > values[best] ? i : best;
        }
        return best;
    }
}
