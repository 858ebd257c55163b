package org.scriptkd.demo;

import android.graphics.Bitmap;
import android.os.SystemClock;
import java.util.HashMap;
import java.util.Map;
import org.scriptkd.sdk.Bitmaps;
import org.scriptkd.sdk.Pixels;
import org.scriptkd.sdk.Prediction;
import org.scriptkd.sdk.Region;
import org.scriptkd.sdk.Score;
import org.scriptkd.sdk.Script;
import org.scriptkd.sdk.ScriptkdException;

/** Asks the model about the box in a camera's frames, one at a time, and smooths what it says. */
final class LiveAnswer {
    /** Hears on the screen's thread. */
    interface Listener {
        /** What the last second of frames shows; the score is the best script's mean, 0 to 1. */
        void onScript(Script script, double score);

        void onProblem(String sentence);
    }

    private final DemoApplication application;
    private final Listener listener;
    private final Smoothing smoothing = new Smoothing(); // used on the screen's thread alone, as what follows
    private boolean asking;

    LiveAnswer(DemoApplication application, Listener listener) {
        this.application = application;
        this.listener = listener;
    }

    /** A frame that comes while one is looked at is passed over. To be called on the screen's thread. */
    void onFrame(Bitmap frame) {
        if (asking) {
            return;
        }
        asking = true;
        long time = SystemClock.elapsedRealtimeNanos();
        application.work(() -> {
            try {
                Prediction said = application.identifier().identify(crop(frame));
                application.show(() -> tell(time, said));
            } catch (Problem | ScriptkdException error) {
                application.show(() -> listener.onProblem(error.getMessage())); // asking stays: no other frame helps
            }
        });
    }

    private static Pixels crop(Bitmap frame) {
        Region aim = LiveView.aim(frame.getWidth(), frame.getHeight());
        return Bitmaps.pixels(Bitmap.createBitmap(
                frame, aim.left, aim.top, aim.right - aim.left, aim.bottom - aim.top));
    }

    private void tell(long time, Prediction said) {
        asking = false;
        Map<Script, Double> scores = new HashMap<Script, Double>();
        for (Score each : said.scores) {
            scores.put(each.script, each.value);
        }
        smoothing.add(time, scores);
        Map.Entry<Script, Double> best = smoothing.best();
        listener.onScript(best.getValue() >= said.threshold ? best.getKey() : Script.UNKNOWN, best.getValue());
    }
}
