package org.scriptkd.sdk;

/** One script and its probability, or its share of a line: 0 to 1. */
public final class Score {
    public final Script script;
    public final double value;

    Score(Script script, double value) {
        this.script = script;
        this.value = value;
    }

    @Override
    public String toString() {
        return script + ": " + value;
    }
}
