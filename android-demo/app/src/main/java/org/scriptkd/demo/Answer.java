package org.scriptkd.demo;

import android.graphics.Bitmap;
import org.scriptkd.sdk.Area;
import org.scriptkd.sdk.Bitmaps;
import org.scriptkd.sdk.Corners;
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

    /** Of a box, or of the corners in it if they are not null. */
    static Answer to(ScriptIdentifier identifier, Stopwatch stopwatch, Bitmap photo, Region box, Corners corners) {
        int width = box.right - box.left;
        int height = box.bottom - box.top;
        Region cut = corners == null ? box : Boxes.grown(box, 2, 2, photo.getWidth(), photo.getHeight()); // 2: to interpolate
        Pixels pixels = Bitmaps.pixels(
                Bitmap.createBitmap(photo, cut.left, cut.top, cut.right - cut.left, cut.bottom - cut.top));
        Area area = corners == null ? null : moved(corners, -cut.left, -cut.top);
        Prediction[] said = new Prediction[1];
        double milliseconds = stopwatch.time(() -> said[0] = identifier.identify(pixels, area));
        return new Answer(said[0], milliseconds, width, height);
    }

    private static Corners moved(Corners corners, int right, int down) {
        double[] places = new double[8];
        for (int i = 0; i < 4; i++) {
            places[2 * i] = corners.x(i) + right;
            places[2 * i + 1] = corners.y(i) + down;
        }
        return Boxes.corners(places, 0);
    }
}
