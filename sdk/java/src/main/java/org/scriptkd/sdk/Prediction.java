package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The script of one image. Immutable. */
public final class Prediction {
    // A stable sort, so equal scores stay in the order of the labels.
    private static final Comparator<Score> BEST_FIRST = new Comparator<Score>() {
        @Override
        public int compare(Score one, Score other) {
            return Double.compare(other.value, one.value);
        }
    };

    /** The best script, or {@link Script#UNKNOWN} if its score is below the threshold. */
    public final Script script;

    /** The best script, whatever the threshold. */
    public final Script best;

    /** The best script's probability, 0 to 1, also if the answer is unknown. */
    public final double score;

    /** Every allowed script with its probability, best first; the sum is 1. Not modifiable. */
    public final List<Score> scores;

    /** The threshold that the best score must reach, 0 to 1. */
    public final double threshold;

    /**
     * The letters' clockwise rotation from upright in degrees: 0, 90 (a word reads from top to bottom), 180 or 270.
     * Turning the picture counterclockwise by as much makes the word upright. Upright letters one below the other are
     * orientation 0. Null if the model cannot tell, and for models of formats 1 and 2.
     */
    public final @Nullable Integer orientation;

    /** The orientation's probability, 0 to 1, also if it is below the threshold; null for models of formats 1 and 2. */
    public final @Nullable Double orientationScore;

    /**
     * Each script's share of the windows that a line is cut into, in descending order; the sum is 1. Windows whose
     * score is below the threshold count as {@link Script#UNKNOWN}. For an image with one window, the answer has the
     * share 1. Not modifiable.
     */
    public final List<Score> shares;

    private final float[][] windows; // each window's logits, in the model's order
    private final Decision decision;
    private final Orientation told;

    /** The answer from the network's K logits for each window, in the order of the model's labels. */
    Prediction(float[][] windows, Decision decision, Orientation told) {
        this.windows = windows;
        this.decision = decision;
        this.threshold = decision.threshold;
        this.told = told;
        this.orientation = told.degrees;
        this.orientationScore = told.score;
        double[][] each = new double[windows.length][];
        for (int i = 0; i < windows.length; i++) {
            each[i] = Softmax.of(only(windows[i], decision.allowed), decision.info.temperature);
        }
        double[] means = Softmax.means(each);
        List<Script> labels = new ArrayList<Script>();
        List<Score> ranked = new ArrayList<Score>();
        for (int label : decision.allowed) {
            ranked.add(new Score(decision.info.labels.get(label), means[labels.size()]));
            labels.add(decision.info.labels.get(label));
        }
        Collections.sort(ranked, BEST_FIRST);
        this.scores = Collections.unmodifiableList(ranked);
        this.best = ranked.get(0).script;
        this.score = ranked.get(0).value;
        this.script = score >= threshold ? best : Script.UNKNOWN;
        this.shares = each.length == 1
                ? Collections.singletonList(new Score(script, 1))
                : shares(each, labels, threshold);
    }

    private static float[] only(float[] logits, Collection<Integer> allowed) {
        float[] result = new float[allowed.size()];
        int to = 0;
        for (int label : allowed) {
            result[to++] = logits[label];
        }
        return result;
    }

    private static List<Score> shares(double[][] windows, List<Script> labels, double threshold) {
        int[] counts = new int[labels.size() + 1]; // the last counts unknown
        for (double[] scores : windows) {
            int best = Softmax.best(scores);
            counts[scores[best] >= threshold ? best : labels.size()]++;
        }
        List<Score> shares = new ArrayList<Score>();
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0) {
                Script script = i < labels.size() ? labels.get(i) : Script.UNKNOWN;
                shares.add(new Score(script, (double) counts[i] / windows.length));
            }
        }
        Collections.sort(shares, BEST_FIRST);
        return Collections.unmodifiableList(shares);
    }

    /** Whether the score reached the threshold, so that {@code script} is {@code best}. */
    public boolean known() {
        return !script.equals(Script.UNKNOWN);
    }

    /** The {@code count} best scripts, best first; fewer if there are fewer. */
    public List<Score> top(int count) {
        return scores.subList(0, Math.min(Math.max(count, 0), scores.size()));
    }

    /**
     * The same scores with another threshold than the model's. The orientation keeps its own threshold.
     *
     * @throws ArgumentException for a threshold outside 0..1
     */
    public Prediction withThreshold(double other) {
        return new Prediction(windows, decision.with(other), told);
    }

    /**
     * The answer if only these scripts can occur. The scores are the probabilities given that no other script occurs.
     * So allow every script that can occur: a Tamil word becomes Latin if only Latin is allowed.
     *
     * @param allow scripts by name, ISO 15924 code or alias, in any case
     * @throws ArgumentException for a script that the model does not know, or if none is left
     */
    public Prediction among(Collection<String> allow) {
        return new Prediction(windows, decision.only(Arguments.given(allow, "allow"), null), told);
    }

    /**
     * The answer if these scripts cannot occur. The scores sum to 1 over the others.
     *
     * @param deny scripts by name, ISO 15924 code or alias, in any case
     * @throws ArgumentException for a script that the model does not know, or if none is left
     */
    public Prediction without(Collection<String> deny) {
        return new Prediction(windows, decision.only(null, Arguments.given(deny, "deny")), told);
    }

    /** Whether all public fields are equal. */
    @Override
    public boolean equals(@Nullable Object other) {
        if (!(other instanceof Prediction)) {
            return false;
        }
        Prediction answer = (Prediction) other; // the other fields follow from these
        return scores.equals(answer.scores) && Double.compare(threshold, answer.threshold) == 0
                && shares.equals(answer.shares) && Objects.equals(orientation, answer.orientation)
                && Objects.equals(orientationScore, answer.orientationScore);
    }

    @Override
    public int hashCode() {
        return Objects.hash(scores, threshold, shares, orientation, orientationScore);
    }

    @Override
    public String toString() {
        return script + ": " + score;
    }
}
