package org.scriptkd.demo;

import android.graphics.Bitmap;
import org.scriptkd.sdk.Bitmaps;
import org.scriptkd.sdk.Pixels;
import org.scriptkd.sdk.Prediction;
import org.scriptkd.sdk.Region;
import org.scriptkd.sdk.ScriptIdentifier;

/** What the model said of a box, and how long that took. */
final class Answer {
    final Prediction prediction;
    final double milliseconds;
    final int width; // of the box, in pixels
    final int height;

    private Answer(Prediction prediction, double milliseconds, int width, int height) {
        this.prediction = prediction;
        this.milliseconds = milliseconds;
        this.width = width;
        this.height = height;
    }

    static Answer to(ScriptIdentifier identifier, Stopwatch stopwatch, Bitmap photo, Region box) {
        int width = box.right - box.left;
        int height = box.bottom - box.top;
        Pixels pixels = Bitmaps.pixels(Bitmap.createBitmap(photo, box.left, box.top, width, height));
        Prediction[] said = new Prediction[1];
        double milliseconds = stopwatch.time(() -> said[0] = identifier.identify(pixels));
        return new Answer(said[0], milliseconds, width, height);
    }
}
