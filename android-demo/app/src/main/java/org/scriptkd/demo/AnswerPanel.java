package org.scriptkd.demo;

import android.app.Activity;
import android.view.View;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.util.List;
import org.scriptkd.sdk.Prediction;
import org.scriptkd.sdk.Score;

/** The views that show one word's answer. */
final class AnswerPanel {
    private static final int[] BARS = {R.id.bar1, R.id.bar2, R.id.bar3};

    private final Activity activity;

    AnswerPanel(Activity activity) {
        this.activity = activity;
    }

    /** Word {@code number} of {@code count}, on a photo that is shown turned counterclockwise by so many degrees. */
    void show(Answer answer, int number, int count, int turned) {
        Prediction prediction = answer.prediction;
        show(R.id.answer, true);
        text(R.id.place, string(R.string.place, number, count));
        show(R.id.place, count > 1);
        text(R.id.script, Texts.script(activity, prediction.script));
        text(R.id.unsure, string(R.string.unsure, prediction.best.name, 100 * prediction.threshold));
        show(R.id.unsure, !prediction.known());
        showOrientation(prediction, turned);
        List<Score> top = prediction.top(BARS.length);
        for (int i = 0; i < BARS.length; i++) {
            show(BARS[i], i < top.size());
            if (i < top.size()) {
                showBar(activity.findViewById(BARS[i]), top.get(i));
            }
        }
        text(R.id.latency, string(R.string.latency, answer.milliseconds, answer.width, answer.height));
    }

    void hide() {
        show(R.id.answer, false);
    }

    /** Which way up the letters are on the screen, and a button that turns the photo so that they are upright. */
    private void showOrientation(Prediction prediction, int turned) {
        Integer degrees = seen(prediction, turned);
        boolean turnable = degrees != null && degrees != 0;
        if (degrees == null) {
            text(R.id.orientation, string(R.string.orientation_unsure));
        } else {
            text(R.id.orientation,
                    turnable ? string(R.string.orientation_turned, degrees) : string(R.string.orientation_upright));
        }
        show(R.id.orientation, prediction.orientationScore != null); // models of the older formats say nothing of it
        text(R.id.turn, string(turnable ? R.string.turn_upright : R.string.turn_back));
        show(R.id.turn, turnable || turned != 0);
    }

    /** By how many degrees the letters are turned clockwise on the screen; null where there is no telling. */
    static Integer seen(Prediction prediction, int turned) {
        return prediction.orientation == null ? null : (Integer) ((prediction.orientation - turned + 360) % 360);
    }

    private void showBar(View bar, Score score) {
        ((TextView) bar.findViewById(R.id.bar_name)).setText(score.script.name);
        ((ProgressBar) bar.findViewById(R.id.bar_value)).setProgress((int) Math.round(1000 * score.value));
        ((TextView) bar.findViewById(R.id.bar_percent)).setText(string(R.string.percent, 100 * score.value));
        bar.setContentDescription(string(R.string.bar, score.script.name, 100 * score.value));
    }

    private String string(int id, Object... values) {
        return activity.getString(id, values);
    }

    private void text(int view, String text) {
        ((TextView) activity.findViewById(view)).setText(text);
    }

    private void show(int view, boolean shown) {
        activity.findViewById(view).setVisibility(shown ? View.VISIBLE : View.GONE);
    }
}
