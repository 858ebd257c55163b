package org.scriptkd.sdk;

import java.util.Collection;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The allowed scripts and the threshold of an answer: section 5 of the model contract (sdk/contract/README.md). */
final class Decision {
    final ModelInfo info;
    final Set<Integer> allowed; // labels, in the model's order
    final double threshold;

    private Decision(ModelInfo info, Set<Integer> allowed, double threshold) {
        if (allowed.isEmpty()) {
            throw new ArgumentException("allow and deny leave no script to answer; the model knows " + names(info));
        }
        this.info = info;
        this.allowed = allowed;
        this.threshold = threshold;
    }

    /** Throws ArgumentException for a script that the model does not know, or if none is left. */
    static Decision of(ModelInfo info, Options asked) {
        Set<Integer> all = new TreeSet<Integer>();
        for (int i = 0; i < info.labels.size(); i++) {
            all.add(i);
        }
        double threshold = asked.threshold == null ? info.threshold : asked.threshold;
        return new Decision(info, all, threshold).only(asked.allow, asked.deny);
    }

    /** The scripts that are allowed here, named in allow (null means all) and not in deny. */
    Decision only(@Nullable Collection<String> allow, @Nullable Collection<String> deny) {
        if (allow == null && deny == null) {
            return this;
        }
        Set<Integer> left = new TreeSet<Integer>(allowed);
        if (allow != null) {
            left.retainAll(find("allow", allow));
        }
        if (deny != null) {
            left.removeAll(find("deny", deny));
        }
        return new Decision(info, left, threshold);
    }

    Decision with(double other) {
        return new Decision(info, allowed, checked(other));
    }

    static double checked(double threshold) {
        if (!(threshold >= 0 && threshold <= 1)) {
            throw new ArgumentException("threshold must be a number from 0 to 1, not " + threshold);
        }
        return threshold;
    }

    private Set<Integer> find(String argument, Collection<String> names) {
        Set<Integer> found = new TreeSet<Integer>();
        for (String name : names) {
            found.add(find(argument, name));
        }
        return found;
    }

    private int find(String argument, @Nullable String name) {
        String key = name == null ? "" : name.trim().toLowerCase(Locale.ROOT);
        int place = place(key);
        if (place < 0 && Script.ALIASES.containsKey(key)) {
            place = place(Script.ALIASES.get(key));
        }
        if (place < 0) {
            String shown = name == null ? "null" : "'" + name + "'";
            throw new ArgumentException(
                    argument + ": the model does not know the script " + shown + ", but " + names(info));
        }
        return place;
    }

    private int place(String name) {
        for (int i = 0; i < info.labels.size(); i++) {
            Script each = info.labels.get(i);
            if (each.name.equalsIgnoreCase(name) || each.code.equalsIgnoreCase(name)) {
                return i;
            }
        }
        return -1;
    }

    private static String names(ModelInfo info) {
        StringBuilder names = new StringBuilder();
        for (Script each : info.labels) {
            names.append(names.length() == 0 ? "" : ", ").append(each.name);
        }
        return names.toString();
    }
}
