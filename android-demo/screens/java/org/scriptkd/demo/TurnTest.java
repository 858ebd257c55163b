package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;
import static org.scriptkd.demo.Screens.HEIGHT;
import static org.scriptkd.demo.Screens.WIDTH;
import static org.scriptkd.demo.Screens.drag;
import static org.scriptkd.demo.Screens.pick;
import static org.scriptkd.demo.Screens.shoot;
import static org.scriptkd.demo.Screens.text;
import static org.scriptkd.demo.Screens.waitFor;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.RectF;
import android.os.Looper;
import android.view.View;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Random;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/**
 * Which way up a word is, and a photo that is turned by a tap. The model is any-crop.onnx, which takes a crop's darkest side
 * for its upper one.
 */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class TurnTest {
    private static final int LEFT = 200; // the sign of signs(), in the photo's pixels
    private static final int RIGHT = 600;
    private static final int TOP = 300;
    private static final int MIDDLE = 400;
    private static final int BOTTOM = 500;
    private static final int DOT = LEFT - 40; // beside a box's label, which begins at its left

    @Test
    public void aTapTurnsThePhotoUpright() throws IOException {
        MainActivity activity = start();
        drag(activity, LEFT, MIDDLE, RIGHT, BOTTOM);
        waitFor(activity, () -> text(activity, R.id.orientation).equals("Turned clockwise by 180°"));
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
        assertEquals("Turn the photo upright", text(activity, R.id.turn));
        assertEquals(Color.RED, shownAt(activity, DOT, TOP - 60));
        shoot(activity, "phone-7-upside-down");

        activity.findViewById(R.id.turn).performClick();
        assertEquals("Upright", text(activity, R.id.orientation));
        assertEquals("Turn the photo back", text(activity, R.id.turn));
        assertEquals(Color.RED, shownAt(activity, WIDTH - DOT, HEIGHT - TOP + 60));
        shoot(activity, "phone-8-turned-upright");

        // A finger on the turned photo marks what it sees.
        drag(activity, WIDTH - RIGHT, HEIGHT - MIDDLE, WIDTH - LEFT, HEIGHT - TOP);
        waitFor(activity, () -> text(activity, R.id.orientation).equals("Turned clockwise by 180°"));
        assertTrue(text(activity, R.id.latency), text(activity, R.id.latency).contains("400 × 100 pixels"));
        drag(activity, WIDTH - RIGHT, HEIGHT - BOTTOM, WIDTH - LEFT, HEIGHT - MIDDLE);
        waitFor(activity, () -> text(activity, R.id.orientation).equals("Upright"));

        activity.findViewById(R.id.turn).performClick();
        assertEquals("Turned clockwise by 180°", text(activity, R.id.orientation));
        assertEquals(Color.RED, shownAt(activity, DOT, TOP - 60));
    }

    @Test
    public void aPhotoOnItsSideIsFittedAnew() {
        MainActivity activity = start();
        drag(activity, 700, 300, 800, 700);
        waitFor(activity, () -> text(activity, R.id.orientation).equals("Turned clockwise by 90°"));
        activity.findViewById(R.id.turn).performClick();
        assertEquals("Upright", text(activity, R.id.orientation));
        // The photo now lies: as wide as the screen lets it be, and in the middle.
        View word = activity.findViewById(R.id.word);
        float scale = Math.min(word.getWidth() / (float) HEIGHT, word.getHeight() / (float) WIDTH);
        float x = (word.getWidth() - scale * HEIGHT) / 2 + scale * (TOP - 60);
        float y = (word.getHeight() - scale * WIDTH) / 2 + scale * (WIDTH - DOT);
        assertEquals(Color.RED, drawn(word).getPixel(Math.round(x), Math.round(y)));
    }

    @Test
    public void turningThePhoneKeepsThePhotoUpright() {
        ActivityController<MainActivity> controller = Robolectric.buildActivity(MainActivity.class).setup();
        pick(controller.get(), signs());
        drag(controller.get(), LEFT, MIDDLE, RIGHT, BOTTOM);
        waitFor(controller.get(), () -> text(controller.get(), R.id.orientation).equals("Turned clockwise by 180°"));
        controller.get().findViewById(R.id.turn).performClick();
        RuntimeEnvironment.setQualifiers("w740dp-h360dp-land-xhdpi");
        controller.recreate();
        MainActivity turned = controller.get();
        waitFor(turned, () -> text(turned, R.id.orientation).equals("Upright"));
        assertEquals("Turn the photo back", text(turned, R.id.turn));
    }

    @Test
    public void arrowsGoTheWayTheScreenIsSeen() {
        MainActivity activity = start();
        drag(activity, LEFT, MIDDLE, RIGHT, BOTTOM);
        waitFor(activity, () -> text(activity, R.id.orientation).equals("Turned clockwise by 180°"));
        activity.findViewById(R.id.turn).performClick();
        WordView word = activity.findViewById(R.id.word);
        for (Act each : new Act[] {Act.RIGHT, Act.LEFT, Act.UP, Act.DOWN}) {
            RectF before = word.viewport().toView(word.words().chosen().box);
            assertTrue(word.perform(each));
            RectF after = word.viewport().toView(word.words().chosen().box);
            int right = each == Act.RIGHT ? 1 : each == Act.LEFT ? -1 : 0;
            int down = each == Act.DOWN ? 1 : each == Act.UP ? -1 : 0;
            assertEquals("" + each, right, Math.signum(after.left - before.left), 0);
            assertEquals("" + each, down, Math.signum(after.top - before.top), 0);
        }
        word.setTurned(90); // a box that lies is now one that stands
        RectF before = word.viewport().toView(word.words().chosen().box);
        assertTrue(word.perform(Act.WIDER));
        RectF after = word.viewport().toView(word.words().chosen().box);
        assertTrue(after.width() > before.width());
        assertEquals(before.height(), after.height(), 0.01);
    }

    @Test
    public void noTellingIsASentence() {
        MainActivity activity = start();
        drag(activity, LEFT, 800, LEFT + 300, 1100);
        waitFor(activity, () -> text(activity, R.id.orientation).equals("Which way up it is cannot be told."));
        assertEquals("", text(activity, R.id.turn));
    }

    private static MainActivity start() {
        MainActivity activity = Robolectric.buildActivity(MainActivity.class).setup().get();
        pick(activity, signs());
        return activity;
    }

    /**
     * A photo of noise. Dark are: the upper side of (200, 300, 600, 400), the lower one of (200, 400, 600, 500) and the right
     * one of (700, 300, 800, 700). A red dot above the first tells which way up the photo is shown.
     */
    private static byte[] signs() {
        Random random = new Random(1);
        int[] pixels = new int[WIDTH * HEIGHT];
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                boolean row = x >= LEFT && x < RIGHT && (y >= TOP && y < TOP + 20 || y >= BOTTOM - 20 && y < BOTTOM);
                boolean column = x >= 780 && x < 800 && y >= 300 && y < 700;
                int level = row || column ? random.nextInt(50) : 110 + random.nextInt(60);
                boolean dot = Math.abs(x - DOT) < 12 && Math.abs(y - TOP + 60) < 12;
                pixels[y * WIDTH + x] = dot ? Color.RED : Color.rgb(level, level, level);
            }
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        Bitmap.createBitmap(pixels, WIDTH, HEIGHT, Bitmap.Config.ARGB_8888)
                .compress(Bitmap.CompressFormat.PNG, 100, content);
        return content.toByteArray();
    }

    /** The colour on the screen at a place of the photo, if it is shown as it was taken. */
    private static int shownAt(Activity activity, float x, float y) {
        View word = activity.findViewById(R.id.word);
        float scale = Math.min(word.getWidth() / (float) WIDTH, word.getHeight() / (float) HEIGHT);
        float left = (word.getWidth() - scale * WIDTH) / 2;
        float top = (word.getHeight() - scale * HEIGHT) / 2;
        return drawn(word).getPixel(Math.round(left + scale * x), Math.round(top + scale * y));
    }

    private static Bitmap drawn(View view) {
        shadowOf(Looper.getMainLooper()).idle();
        Bitmap picture = Bitmap.createBitmap(view.getWidth(), view.getHeight(), Bitmap.Config.ARGB_8888);
        view.draw(new Canvas(picture));
        return picture;
    }
}
