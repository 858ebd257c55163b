package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The script of one image. Immutable. */
public final class Prediction {
    // A stable sort, so equal scores stay in the order of the labels.
    private static final Comparator<Score> BEST_FIRST = new Comparator<Score>() {
        @Override
        public int compare(Score one, Score other) {
            return Double.compare(other.value, one.value);
        }
    };

    /** The best script, or {@link Script#UNKNOWN} where its score lies below the threshold. */
    public final Script script;

    /** The best script, whatever the threshold says. */
    public final Script best;

    /** The best script's probability, 0 to 1, also where the answer is unknown. */
    public final double score;

    /** Every allowed script with its probability, best first; they sum to 1. Not modifiable. */
    public final List<Score> scores;

    /** What the best score must reach, 0 to 1. */
    public final double threshold;

    /**
     * By how many degrees the letters are turned clockwise from upright: 0, 90 (a word reads from top to bottom), 180 or
     * 270. Turning the picture counterclockwise by as much makes it upright. Letters set upright one below the other are
     * orientation 0. Null where there is no telling, and for models of formats 1 and 2.
     */
    public final Integer orientation;

    /** The orientation's probability, 0 to 1, also where there is no telling; null for models of formats 1 and 2. */
    public final Double orientationScore;

    /**
     * Of a line that is seen in several windows, which share of them each script won, in descending order; they sum to 1.
     * Windows whose score lies below the threshold count as {@link Script#UNKNOWN}. Of all else the answer, with the
     * share 1. Not modifiable.
     */
    public final List<Score> shares;

    private final float[][] windows; // for each the logits, in the model's order
    private final ModelInfo info;
    private final Set<Integer> allowed; // labels, in the model's order
    private final Orientation told;

    private Prediction(float[][] windows, ModelInfo info, Set<Integer> allowed, double threshold, Orientation told) {
        this.windows = windows;
        this.info = info;
        this.allowed = allowed;
        this.threshold = threshold;
        this.told = told;
        this.orientation = told.degrees;
        this.orientationScore = told.score;
        double[][] each = new double[windows.length][];
        for (int i = 0; i < windows.length; i++) {
            each[i] = Softmax.of(only(windows[i], allowed), info.temperature);
        }
        double[] means = Softmax.means(each);
        List<Script> labels = new ArrayList<Script>();
        List<Score> ranked = new ArrayList<Score>();
        for (int label : allowed) {
            ranked.add(new Score(info.labels.get(label), means[labels.size()]));
            labels.add(info.labels.get(label));
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

    /** From what a network says of each window of an image: K logits, in the order of the model's labels. */
    static Prediction of(float[][] windows, ModelInfo info, Orientation told) {
        Set<Integer> all = new TreeSet<Integer>();
        for (int i = 0; i < info.labels.size(); i++) {
            all.add(i);
        }
        return new Prediction(windows, info, all, info.threshold, told);
    }

    private static float[] only(float[] logits, Set<Integer> allowed) {
        float[] result = new float[allowed.size()];
        int to = 0;
        for (int label : allowed) {
            result[to++] = logits[label];
        }
        return result;
    }

    private static List<Score> shares(double[][] windows, List<Script> labels, double threshold) {
        int[] counts = new int[labels.size() + 1]; // the last is unknown's
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

    /** The {@code count} best scripts, best first; fewer where there are fewer. */
    public List<Score> top(int count) {
        return scores.subList(0, Math.min(Math.max(count, 0), scores.size()));
    }

    /**
     * The same scores judged by another threshold than the model's. The orientation keeps its own.
     *
     * @throws ArgumentException for a threshold outside 0..1
     */
    public Prediction withThreshold(double other) {
        if (!(other >= 0 && other <= 1)) {
            throw new ArgumentException("threshold must be a number from 0 to 1, not " + other);
        }
        return new Prediction(windows, info, allowed, other, told);
    }

    /**
     * The answer if only these scripts can occur: the others are left out, and the scores are the probabilities given
     * that nothing else occurs. So name what can occur, not what you hope for: a Tamil word comes out as Latin where only
     * Latin is allowed.
     *
     * @param allow scripts by name or ISO 15924 code, in any case
     * @throws ArgumentException for no script, or one that the model does not know
     */
    public Prediction among(Collection<String> allow) {
        Set<Integer> found = new TreeSet<Integer>();
        for (String name : allow) {
            found.add(find(name));
        }
        if (found.isEmpty()) {
            throw new ArgumentException("allow leaves no script to answer; the model knows " + names());
        }
        return new Prediction(windows, info, found, threshold, told);
    }

    private int find(String name) {
        for (int label : allowed) {
            Script each = info.labels.get(label);
            if (each.name.equalsIgnoreCase(name) || each.code.equalsIgnoreCase(name)) {
                return label;
            }
        }
        throw new ArgumentException("allow: the model does not know the script '" + name + "', but " + names());
    }

    private String names() {
        StringBuilder names = new StringBuilder();
        for (int label : allowed) {
            names.append(names.length() == 0 ? "" : ", ").append(info.labels.get(label).name);
        }
        return names.toString();
    }

    @Override
    public String toString() {
        return script + ": " + score;
    }
}
