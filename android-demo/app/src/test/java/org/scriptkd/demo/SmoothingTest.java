package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.scriptkd.sdk.Script;

class SmoothingTest {
    private static final Script TAMIL = new Script("Tamil", "Taml");
    private static final Script LATIN = new Script("Latin", "Latn");
    private static final long MS = 1000000; // ns

    private final Smoothing smoothing = new Smoothing();

    private void frame(long ms, double tamil) {
        Map<Script, Double> scores = new HashMap<Script, Double>();
        scores.put(TAMIL, tamil);
        scores.put(LATIN, 1 - tamil);
        smoothing.add(ms * MS, scores);
    }

    @Test
    void aSingleBadFrameChangesNothing() {
        for (int i = 0; i < 5; i++) {
            frame(100 * i, i == 2 ? 0 : 0.9);
        }
        assertEquals(TAMIL, smoothing.best().getKey());
        assertEquals(0.72, smoothing.best().getValue(), 1e-12); // (4 * 0.9 + 0) / 5
    }

    @Test
    void anotherWordShowsAfterHalfASecond() {
        for (int ms = 0; ms <= 1000; ms += 100) {
            frame(ms, 1);
        }
        int changed = 0;
        for (int ms = 1100; changed == 0 && ms <= 3000; ms += 100) {
            frame(ms, 0);
            changed = smoothing.best().getKey().equals(LATIN) ? ms : 0;
        }
        assertEquals(1600, changed); // the first frame of it came at 1100
    }

    @Test
    void onlyTheLastSecondCounts() {
        frame(0, 1);
        frame(1000, 0.4);
        assertEquals(0.7, smoothing.best().getValue(), 1e-12);
        frame(1001, 0.4); // the first frame is more than a second old now
        assertEquals(LATIN, smoothing.best().getKey());
        assertEquals(0.6, smoothing.best().getValue(), 1e-12);
    }

    @Test
    void aSlowPhoneAnswersFromItsOnlyFrame() {
        frame(0, 1);
        frame(5000, 0.2);
        assertEquals(LATIN, smoothing.best().getKey());
        assertEquals(0.8, smoothing.best().getValue(), 1e-12);
    }

    @Test
    void noFrameIsNoAnswer() {
        assertNull(smoothing.best());
    }
}
