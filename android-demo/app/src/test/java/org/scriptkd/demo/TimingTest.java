package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TimingTest {
    @Test
    void percentilesAreNumpys() {
        Timing timing = new Timing(new long[] {4000000, 1000000, 3000000, 2000000, -1}, 4); // the last is no run
        assertEquals(4, timing.runs);
        assertEquals(2.5, timing.p50, 1e-12); // numpy.percentile([1, 2, 3, 4], 50)
        assertEquals(3.85, timing.p95, 1e-12);
    }

    @Test
    void oneRunIsItsOwnPercentile() {
        Timing timing = new Timing(new long[] {7000000}, 1);
        assertEquals(7, timing.p50);
        assertEquals(7, timing.p95);
    }

    @Test
    void noMoreThreadsThanCores() {
        assertEquals(Arrays.asList(1), Models.threadCounts(1));
        assertEquals(Arrays.asList(1, 2), Models.threadCounts(3));
        assertEquals(Arrays.asList(1, 2, 4), Models.threadCounts(8));
    }
}
