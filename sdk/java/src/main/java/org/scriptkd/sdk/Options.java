package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The options of a call: {@code new Options().allow("Latin", "Arab").threshold(0.6)}.
 *
 * <p>Immutable: each method returns new options. Scripts are named by name, ISO 15924 code or alias, in any case.
 */
public final class Options {
    final @Nullable Double threshold;
    final @Nullable List<String> allow;
    final @Nullable List<String> deny;
    final boolean upright;

    /** The model's own threshold, all scripts, any orientation. */
    public Options() {
        this(null, null, null, false);
    }

    private Options(@Nullable Double threshold, @Nullable List<String> allow, @Nullable List<String> deny, boolean upright) {
        this.threshold = threshold;
        this.allow = allow;
        this.deny = deny;
        this.upright = upright;
    }

    /**
     * If the best score is lower, the answer is unknown. With 0 the answer is never unknown.
     *
     * @throws ArgumentException for a threshold outside 0..1
     */
    public Options threshold(double least) {
        return new Options(Decision.checked(least), allow, deny, upright);
    }

    /**
     * The answer is one of these scripts. The scores sum to 1 over them: they are the probabilities given that no other
     * script occurs. So allow every script that can occur: a Tamil word becomes Latin if only Latin is allowed.
     */
    public Options allow(Collection<String> scripts) {
        return new Options(threshold, copy(scripts, "allow"), deny, upright);
    }

    /** As {@link #allow(Collection)}. */
    public Options allow(String... scripts) {
        return allow(Arrays.asList(Arguments.given(scripts, "allow")));
    }

    /** The answer is none of these scripts; the scores sum to 1 over the others. */
    public Options deny(Collection<String> scripts) {
        return new Options(threshold, allow, copy(scripts, "deny"), upright);
    }

    /** As {@link #deny(Collection)}. */
    public Options deny(String... scripts) {
        return deny(Arrays.asList(Arguments.given(scripts, "deny")));
    }

    /**
     * True says that the letters stand upright, as in a scanned page. Then nothing is turned, and the orientation is 0.
     * Otherwise a model of format 3 takes a crop in any orientation and tells the orientation.
     */
    public Options upright(boolean known) {
        return new Options(threshold, allow, deny, known);
    }

    private static List<String> copy(Collection<String> scripts, String name) {
        return Collections.unmodifiableList(new ArrayList<String>(Arguments.given(scripts, name)));
    }
}
