package org.scriptkd.demo;

import android.app.Activity;
import android.text.SpannableStringBuilder;
import android.text.Spanned;
import android.text.style.ForegroundColorSpan;
import android.view.View;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.scriptkd.sdk.Script;

/** The views that tell of the words that were found: a sentence, how far it is, and what the colours mean. */
final class FoundPanel {
    private static final String SQUARE = "\u25A0\u00A0";
    private static final String GAP = "   ";

    private final Activity activity;
    private final TextView sentence;
    private final ProgressBar progress;
    private final TextView legend;
    private boolean counted; // the sentence tells of words

    FoundPanel(Activity activity) {
        this.activity = activity;
        sentence = activity.findViewById(R.id.found);
        progress = activity.findViewById(R.id.search);
        legend = activity.findViewById(R.id.legend);
    }

    /** Words are being looked for. */
    void looking() {
        say(activity.getString(R.string.searching));
        progress.setIndeterminate(true);
        show(progress, true);
    }

    /** A sentence, until words are shown. */
    void say(String said) {
        counted = false;
        show(progress, false);
        write(said);
    }

    private void write(String said) {
        if (!said.contentEquals(sentence.getText())) { // so that it is read out once
            sentence.setText(said);
        }
        show(sentence, !said.isEmpty());
    }

    void hide() {
        say("");
        show(legend, false);
    }

    /** Whether there is a sentence. */
    boolean speaks() {
        return sentence.getVisibility() == View.VISIBLE;
    }

    /** The words as they are now; with none, a sentence of something else stays. */
    void show(List<Word> found) {
        if (found.isEmpty() && counted) {
            hide();
        }
        if (found.isEmpty()) {
            return;
        }
        int done = 0;
        Map<Script, Integer> numbers = new LinkedHashMap<Script, Integer>();
        for (Word each : found) {
            done += each.answer != null || each.problem != null ? 1 : 0;
            if (each.answer != null) {
                numbers.merge(each.answer.prediction.script, 1, Integer::sum);
            }
        }
        counted = true;
        write(activity.getString(R.string.found, found.size()));
        progress.setIndeterminate(false);
        progress.setMax(found.size());
        progress.setProgress(done);
        show(progress, done < found.size());
        explain(numbers);
    }

    /** Each script's colour and number of words, the largest first. */
    private void explain(Map<Script, Integer> numbers) {
        List<Script> scripts = new ArrayList<Script>(numbers.keySet());
        Collections.sort(scripts, (one, other) -> numbers.get(other) - numbers.get(one));
        SpannableStringBuilder shown = new SpannableStringBuilder();
        StringBuilder spoken = new StringBuilder();
        for (Script each : scripts) {
            String name = each.equals(Script.UNKNOWN) ? activity.getString(R.string.unknown) : each.name;
            String item = activity.getString(R.string.legend, name, numbers.get(each));
            int start = shown.append(shown.length() == 0 ? "" : GAP).length();
            shown.append(SQUARE);
            shown.setSpan(new ForegroundColorSpan(Colours.of(each.code)), start, shown.length(), Spanned.SPAN_EXCLUSIVE_EXCLUSIVE);
            shown.append(item);
            spoken.append(spoken.length() == 0 ? "" : ", ").append(item);
        }
        legend.setText(shown);
        legend.setContentDescription(spoken);
        show(legend, !numbers.isEmpty());
    }

    private static void show(View view, boolean shown) {
        view.setVisibility(shown ? View.VISIBLE : View.GONE);
    }
}
