package org.scriptkd.demo;

import java.util.Arrays;

/** How long the runs of one measurement took. */
final class Timing {
    final int runs;
    final double p50; // ms
    final double p95; // ms

    /** Of the first {@code count} of these times, in nanoseconds; at least one. */
    Timing(long[] nanoseconds, int count) {
        long[] sorted = Arrays.copyOf(nanoseconds, count);
        Arrays.sort(sorted);
        runs = count;
        p50 = percentile(sorted, 0.50);
        p95 = percentile(sorted, 0.95);
    }

    /** Between the two nearest, as NumPy's. */
    private static double percentile(long[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return (sorted[below] + (place - below) * (sorted[above] - sorted[below])) / 1e6;
    }
}
