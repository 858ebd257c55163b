package org.scriptkd.demo;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.scriptkd.sdk.Script;

/**
 * Makes one calm answer of a camera's frames: each script's mean score over the last second. So a single bad frame
 * changes nothing, a new word shows after half a second, and slow and fast phones behave alike.
 */
final class Smoothing {
    static final long SPAN = 1000000000L; // ns

    private static final class Frame {
        final long time; // ns
        final Map<Script, Double> scores;

        Frame(long time, Map<Script, Double> scores) {
            this.time = time;
            this.scores = scores;
        }
    }

    private final ArrayDeque<Frame> frames = new ArrayDeque<Frame>();

    /** What a frame taken at this time, in nanoseconds, was said to show: every script's score, 0 to 1. */
    void add(long time, Map<Script, Double> scores) {
        frames.addLast(new Frame(time, scores));
        while (time - frames.getFirst().time > SPAN) {
            frames.removeFirst();
        }
    }

    /** The script with the highest mean score over the last second, and that score; null where there was no frame. */
    Map.Entry<Script, Double> best() {
        Map<Script, Double> means = new HashMap<Script, Double>();
        for (Frame frame : frames) {
            frame.scores.forEach((script, score) -> means.merge(script, score / frames.size(), Double::sum));
        }
        return means.isEmpty() ? null : Collections.max(means.entrySet(), Map.Entry.comparingByValue());
    }
}
