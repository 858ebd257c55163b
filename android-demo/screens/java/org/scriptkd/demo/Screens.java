package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Canvas;
import android.graphics.Color;
import android.net.Uri;
import android.os.Looper;
import android.os.SystemClock;
import android.view.KeyEvent;
import android.view.MotionEvent;
import android.view.View;
import android.widget.TextView;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.function.Consumer;
import org.robolectric.RuntimeEnvironment;
import org.scriptkd.sdk.Region;

/** A person's hands and eyes: photos, fingers, texts, and pictures of the screen. */
final class Screens {
    static final int WIDTH = 900; // of the photo, in pixels
    static final int HEIGHT = 1200;
    static final Region DEVANAGARI = new Region(120, 160, 726, 352); // where its three signs are
    static final Region TAMIL = new Region(205, 555, 690, 645);
    static final Region LATIN = new Region(240, 900, 560, 1020);
    private static final int NEAR = 8; // pixels

    private Screens() {}

    /** A photo of three signs; the one in the middle is Tamil, at (210, 560) to (686, 640). */
    static byte[] photo() {
        Bitmap photo = Bitmap.createBitmap(WIDTH, HEIGHT, Bitmap.Config.ARGB_8888);
        photo.eraseColor(Color.rgb(120, 130, 140));
        Canvas canvas = new Canvas(photo);
        String[] signs = {"devanagari-1.jpg", "tamil-1.jpg", "latin-1.jpg"};
        float[][] places = {{120, 160, 2}, {210, 560, 2}, {240, 900, 3}};
        for (int i = 0; i < signs.length; i++) {
            Bitmap sign = BitmapFactory.decodeFile(System.getProperty("scriptkd.samples") + "/" + signs[i]);
            canvas.save();
            canvas.translate(places[i][0], places[i][1]);
            canvas.scale(places[i][2], places[i][2]);
            canvas.drawBitmap(sign, 0, 0, null);
            canvas.restore();
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        photo.compress(Bitmap.CompressFormat.PNG, 100, content);
        return content.toByteArray();
    }

    /** Presses the button and lets the other app, which it opens, give back a file with this content. */
    static void pick(Activity activity, byte[] content) {
        Uri uri = Uri.parse("content://gallery/" + SystemClock.elapsedRealtimeNanos());
        shadowOf(RuntimeEnvironment.getApplication().getContentResolver())
                .registerInputStreamSupplier(uri, () -> new ByteArrayInputStream(content));
        activity.findViewById(R.id.pick).performClick();
        Intent asked = shadowOf(activity).getNextStartedActivityForResult().intent;
        assertEquals(Intent.ACTION_GET_CONTENT, asked.getAction());
        shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, new Intent().setData(uri));
        waitFor(activity, () -> !text(activity, R.id.status).equals(activity.getString(R.string.opening)));
    }

    /** A finger's way from one point of the photo to another, in the photo's pixels. */
    static void drag(Activity activity, float x1, float y1, float x2, float y2) {
        View word = activity.findViewById(R.id.word);
        float scale = Math.min(word.getWidth() / (float) WIDTH, word.getHeight() / (float) HEIGHT);
        float left = (word.getWidth() - scale * WIDTH) / 2;
        float top = (word.getHeight() - scale * HEIGHT) / 2;
        int[] corner = new int[2];
        word.getLocationInWindow(corner);
        long start = SystemClock.uptimeMillis();
        int[] actions = {MotionEvent.ACTION_DOWN, MotionEvent.ACTION_MOVE, MotionEvent.ACTION_UP};
        for (int i = 0; i < actions.length; i++) {
            float x = corner[0] + left + scale * (i == 0 ? x1 : x2);
            float y = corner[1] + top + scale * (i == 0 ? y1 : y2);
            MotionEvent event = MotionEvent.obtain(start, start + 50 * i, actions[i], x, y, 0);
            activity.getWindow().getDecorView().dispatchTouchEvent(event);
            event.recycle();
        }
    }

    /** A key as a keyboard sends it, to whatever has the focus. */
    static void key(Activity activity, int code, int meta) {
        long time = SystemClock.uptimeMillis();
        for (int action : new int[] {KeyEvent.ACTION_DOWN, KeyEvent.ACTION_UP}) {
            activity.getWindow().getDecorView().dispatchKeyEvent(new KeyEvent(time, time, action, code, 0, meta));
        }
    }

    /** Moves and changes the chosen box by presses, until each of its sides is about where it should be. */
    static void steer(WordView word, Consumer<Act> press, Region goal) {
        for (int presses = 0; presses < 300; presses++) {
            Region box = word.words().chosen().box;
            int wider = (goal.right - goal.left) - (box.right - box.left);
            int taller = (goal.bottom - goal.top) - (box.bottom - box.top);
            int right = (goal.left + goal.right - box.left - box.right) / 2;
            int down = (goal.top + goal.bottom - box.top - box.bottom) / 2;
            if (Math.abs(wider) > NEAR) {
                press.accept(wider > 0 ? Act.WIDER : Act.NARROWER);
            } else if (Math.abs(taller) > NEAR) {
                press.accept(taller > 0 ? Act.TALLER : Act.FLATTER);
            } else if (Math.abs(right) > NEAR) {
                press.accept(right > 0 ? Act.RIGHT : Act.LEFT);
            } else if (Math.abs(down) > NEAR) {
                press.accept(down > 0 ? Act.DOWN : Act.UP);
            } else {
                return;
            }
        }
        throw new AssertionError(word.words().chosen().box + " and not " + goal);
    }

    static String text(Activity activity, int view) {
        TextView found = activity.findViewById(view);
        return found != null && found.isShown() ? found.getText().toString() : "";
    }

    /** Real work goes on in the app's own thread meanwhile; its results reach the screen here. */
    static void waitFor(Activity activity, Condition condition) {
        long end = System.nanoTime() + 60_000_000_000L;
        while (!condition.holds()) {
            assertTrue("a minute passed: " + text(activity, R.id.status), System.nanoTime() < end);
            shadowOf(Looper.getMainLooper()).idle();
            try {
                Thread.sleep(5);
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    interface Condition {
        boolean holds();
    }

    /** Draws all that the activity shows, in the density of a phone, to build/android/screens/NAME.png. */
    static void shoot(Activity activity, String name) throws IOException {
        shadowOf(Looper.getMainLooper()).idle();
        View screen = activity.getWindow().getDecorView();
        Bitmap picture = Bitmap.createBitmap(screen.getWidth(), screen.getHeight(), Bitmap.Config.ARGB_8888);
        screen.draw(new Canvas(picture));
        File drawn = new File(System.getProperty("scriptkd.screens"), name + ".png");
        drawn.getParentFile().mkdirs();
        try (FileOutputStream file = new FileOutputStream(drawn)) {
            picture.compress(Bitmap.CompressFormat.PNG, 100, file);
        }
    }
}
