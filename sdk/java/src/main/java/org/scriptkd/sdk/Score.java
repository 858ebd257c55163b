package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/** One script and its probability, or its share of a line: 0 to 1. */
public final class Score {
    /** The writing system. */
    public final Script script;

    /** 0 to 1. */
    public final double value;

    Score(Script script, double value) {
        this.script = script;
        this.value = value;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Score && script.equals(((Score) other).script)
                && Double.compare(value, ((Score) other).value) == 0;
    }

    @Override
    public int hashCode() {
        return 31 * script.hashCode() + Double.hashCode(value);
    }

    @Override
    public String toString() {
        return script + ": " + value;
    }
}
