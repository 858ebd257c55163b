package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class StopwatchTest {
    private static final int COLD = 3000; // ms that the first run takes

    private int runs;

    private void work() {
        if (runs++ == 0) {
            sleep(COLD);
        } else {
            sleep(20);
        }
    }

    private static void sleep(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    @Test
    void aColdRunIsNotTold() {
        Stopwatch stopwatch = new Stopwatch();
        double first = stopwatch.time(this::work);
        assertTrue(first >= 20 && first < COLD, first + " ms");
        assertEquals(2, runs);
        assertTrue(stopwatch.time(this::work) >= 20);
        assertEquals(3, runs); // warm work is done once
    }
}
