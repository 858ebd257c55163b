package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The script of one image. Immutable. */
public final class Prediction {
    /** The best script, or {@link Script#UNKNOWN} where its score lies below the threshold. */
    public final Script script;

    /** The best script, whatever the threshold says. */
    public final Script best;

    /** The best script's probability, 0 to 1, also where the answer is unknown. */
    public final double score;

    /** Every script with its probability, best first; they sum to 1. Not modifiable. */
    public final List<Score> scores;

    /** What the best score must reach, 0 to 1. */
    public final double threshold;

    private Prediction(List<Score> bestFirst, double threshold) {
        this.scores = Collections.unmodifiableList(bestFirst);
        this.threshold = threshold;
        this.best = bestFirst.get(0).script;
        this.score = bestFirst.get(0).value;
        this.script = score >= threshold ? best : Script.UNKNOWN;
    }

    /** From a network's logits: softmax(logits / temperature) in double precision; of equals the first label wins. */
    static Prediction of(float[] logits, ModelInfo info) {
        double highest = Double.NEGATIVE_INFINITY;
        double[] powers = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            powers[i] = logits[i] / info.temperature;
            highest = Math.max(highest, powers[i]);
        }
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            powers[i] = Math.exp(powers[i] - highest);
            sum += powers[i];
        }
        Score[] scores = new Score[logits.length];
        for (int i = 0; i < logits.length; i++) {
            scores[i] = new Score(info.labels.get(i), powers[i] / sum);
        }
        // A stable sort, so equal scores stay in the order of the labels.
        Arrays.sort(scores, new Comparator<Score>() {
            @Override
            public int compare(Score one, Score other) {
                return Double.compare(other.value, one.value);
            }
        });
        return new Prediction(Arrays.asList(scores), info.threshold);
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
     * The same scores judged by another threshold than the model's.
     *
     * @throws ArgumentException for a threshold outside 0..1
     */
    public Prediction withThreshold(double other) {
        if (!(other >= 0 && other <= 1)) {
            throw new ArgumentException("threshold must be a number from 0 to 1, not " + other);
        }
        return new Prediction(scores, other);
    }

    /**
     * The answer if only these scripts can occur: the others are left out and the remaining scores scaled to sum 1. So
     * name what can occur, not what you hope for: a Tamil word comes out as Latin where only Latin is allowed.
     *
     * @param allow scripts by name or ISO 15924 code, in any case
     * @throws ArgumentException for no script, or one that the model does not know
     */
    public Prediction among(Collection<String> allow) {
        Set<Script> allowed = new HashSet<Script>();
        for (String name : allow) {
            allowed.add(find(name));
        }
        if (allowed.isEmpty()) {
            throw new ArgumentException("allow leaves no script to answer; the model knows " + names());
        }
        List<Score> kept = new ArrayList<Score>();
        double sum = 0;
        for (Score each : scores) {
            if (allowed.contains(each.script)) {
                kept.add(each);
                sum += each.value;
            }
        }
        List<Score> scaled = new ArrayList<Score>();
        for (Score each : kept) {
            // All of them may have underflowed to 0: then none is likelier than another.
            scaled.add(new Score(each.script, sum > 0 ? each.value / sum : 1.0 / kept.size()));
        }
        return new Prediction(scaled, threshold);
    }

    private Script find(String name) {
        for (Score each : scores) {
            if (each.script.name.equalsIgnoreCase(name) || each.script.code.equalsIgnoreCase(name)) {
                return each.script;
            }
        }
        throw new ArgumentException("allow: the model does not know the script '" + name + "', but " + names());
    }

    private String names() {
        List<String> names = new ArrayList<String>();
        for (Score each : scores) {
            names.add(each.script.name);
        }
        Collections.sort(names);
        String list = names.toString();
        return list.substring(1, list.length() - 1);
    }

    @Override
    public String toString() {
        return script + ": " + score;
    }
}
