package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;
import static org.scriptkd.demo.Screens.key;
import static org.scriptkd.demo.Screens.photo;
import static org.scriptkd.demo.Screens.pick;
import static org.scriptkd.demo.Screens.shoot;
import static org.scriptkd.demo.Screens.steer;
import static org.scriptkd.demo.Screens.text;
import static org.scriptkd.demo.Screens.waitFor;

import android.app.Activity;
import android.graphics.RectF;
import android.os.Looper;
import android.os.SystemClock;
import android.view.KeyEvent;
import android.view.MotionEvent;
import android.view.View;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.scriptkd.sdk.Region;

/** Several boxes on one photo, made and changed by fingers, buttons and keys; and a closer look at it. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class BoxesOnPhotoTest {
    private static final Map<Act, int[]> KEYS = new EnumMap<Act, int[]>(Act.class);

    static {
        int shift = KeyEvent.META_SHIFT_ON | KeyEvent.META_SHIFT_LEFT_ON;
        KEYS.put(Act.LEFT, new int[] {KeyEvent.KEYCODE_DPAD_LEFT, 0});
        KEYS.put(Act.RIGHT, new int[] {KeyEvent.KEYCODE_DPAD_RIGHT, 0});
        KEYS.put(Act.UP, new int[] {KeyEvent.KEYCODE_DPAD_UP, 0});
        KEYS.put(Act.DOWN, new int[] {KeyEvent.KEYCODE_DPAD_DOWN, 0});
        KEYS.put(Act.WIDER, new int[] {KeyEvent.KEYCODE_DPAD_RIGHT, shift});
        KEYS.put(Act.NARROWER, new int[] {KeyEvent.KEYCODE_DPAD_LEFT, shift});
        KEYS.put(Act.TALLER, new int[] {KeyEvent.KEYCODE_DPAD_DOWN, shift});
        KEYS.put(Act.FLATTER, new int[] {KeyEvent.KEYCODE_DPAD_UP, shift});
    }

    private static MainActivity start() {
        MainActivity activity = Robolectric.buildActivity(MainActivity.class).setup().get();
        pick(activity, photo());
        return activity;
    }

    private static WordView word(Activity activity) {
        return activity.findViewById(R.id.word);
    }

    private static void drag(Activity activity, Region box) {
        Screens.drag(activity, box.left, box.top, box.right, box.bottom);
    }

    private static void tap(Activity activity, float x, float y) {
        Screens.drag(activity, x, y, x, y);
    }

    private static void waitForScript(Activity activity, String script) {
        waitFor(activity, () -> text(activity, R.id.script).equals(script));
    }

    @Test
    public void eachBoxHasItsAnswer() throws IOException {
        MainActivity activity = start();
        drag(activity, Screens.TAMIL);
        waitForScript(activity, "Tamil (Taml)");
        assertEquals("", text(activity, R.id.place)); // a single box needs no number
        drag(activity, Screens.LATIN);
        waitForScript(activity, "Latin (Latn)");
        drag(activity, Screens.DEVANAGARI);
        waitForScript(activity, "Devanagari (Deva)");
        assertEquals("Word 3 of 3", text(activity, R.id.place));
        shoot(activity, "phone-9-three-boxes");
        tap(activity, 300, 600);
        assertEquals("Tamil (Taml)", text(activity, R.id.script)); // at once: it is known
        assertEquals("Word 1 of 3", text(activity, R.id.place));
        activity.findViewById(R.id.act_next).performClick();
        assertEquals("Latin (Latn)", text(activity, R.id.script));
        activity.findViewById(R.id.act_remove).performClick();
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
        assertEquals("Word 1 of 2", text(activity, R.id.place));
        activity.findViewById(R.id.act_remove).performClick();
        activity.findViewById(R.id.act_remove).performClick();
        assertEquals("", text(activity, R.id.script));
        assertEquals(activity.getString(R.string.hint_box), text(activity, R.id.status));
        assertFalse(activity.findViewById(R.id.act_remove).isEnabled());
    }

    @Test
    public void aSecondTryTakesThePlaceOfTheFirst() {
        MainActivity activity = start();
        Screens.drag(activity, 150, 540, 640, 660);
        drag(activity, Screens.TAMIL);
        waitForScript(activity, "Tamil (Taml)");
        assertEquals(1, word(activity).words().all().size());
    }

    @Test
    public void aTapBesideTheBoxesLeavesTheAnswer() {
        MainActivity activity = start();
        drag(activity, Screens.TAMIL);
        waitForScript(activity, "Tamil (Taml)");
        tap(activity, 800, 1100);
        assertEquals(activity.getString(R.string.error_box), text(activity, R.id.status));
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
    }

    @Test
    public void turningThePhoneKeepsEveryBox() {
        ActivityController<MainActivity> controller = Robolectric.buildActivity(MainActivity.class).setup();
        pick(controller.get(), photo());
        drag(controller.get(), Screens.TAMIL);
        drag(controller.get(), Screens.LATIN);
        tap(controller.get(), 300, 600);
        RuntimeEnvironment.setQualifiers("w740dp-h360dp-land-xhdpi");
        controller.recreate();
        waitForScript(controller.get(), "Tamil (Taml)");
        assertEquals("Word 1 of 2", text(controller.get(), R.id.place));
        controller.get().findViewById(R.id.act_next).performClick();
        waitForScript(controller.get(), "Latin (Latn)");
    }

    @Test
    public void aKeyboardAloneReachesEveryWord() throws IOException {
        MainActivity activity = start();
        WordView word = word(activity);
        focus(activity);
        key(activity, KeyEvent.KEYCODE_ENTER, 0); // the first box, in the middle
        for (int i = 0; i < 3; i++) {
            key(activity, KeyEvent.KEYCODE_PLUS, 0);
        }
        steer(word, act -> key(activity, KEYS.get(act)[0], KEYS.get(act)[1]), Screens.TAMIL);
        waitForScript(activity, "Tamil (Taml)");
        shoot(activity, "phone-10-keyboard-and-zoom");
        key(activity, KeyEvent.KEYCODE_N, 0);
        steer(word, act -> key(activity, KEYS.get(act)[0], KEYS.get(act)[1]), Screens.LATIN);
        waitForScript(activity, "Latin (Latn)");
        assertEquals("Word 2 of 2", text(activity, R.id.place));
        key(activity, KeyEvent.KEYCODE_ENTER, 0);
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
        key(activity, KeyEvent.KEYCODE_FORWARD_DEL, 0);
        assertEquals("Latin (Latn)", text(activity, R.id.script));
    }

    @Test
    public void aBoxAtTheBorderLetsTheFocusGo() {
        MainActivity activity = start();
        focus(activity);
        key(activity, KeyEvent.KEYCODE_ENTER, 0);
        WordView word = word(activity);
        KeyEvent down = new KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_DPAD_DOWN);
        int presses = 0;
        while (word.dispatchKeyEvent(down)) {
            assertTrue(++presses < 200);
        }
        assertEquals(Screens.HEIGHT, word.words().chosen().box.bottom);
        KeyEvent held = new KeyEvent(0, 0, KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_DPAD_DOWN, 1);
        assertTrue(word.dispatchKeyEvent(held)); // but not while it is still held down
        assertFalse(word.dispatchKeyEvent(new KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_TAB)));
    }

    private static void focus(Activity activity) {
        shadowOf(Looper.getMainLooper()).idle();
        word(activity).setFocusableInTouchMode(true); // in touch mode, as a phone is until a key is pressed
        assertTrue(word(activity).requestFocus());
    }

    @Test
    public void twoFingersZoomAndMoveThePhoto() throws IOException {
        MainActivity activity = start();
        WordView word = word(activity);
        float x = word.getWidth() / 2f;
        float y = word.getHeight() / 2f;
        RectF before = onScreen(word, Screens.TAMIL);
        pinch(word, x - 50, y, x + 50, y, x - 150, y, x + 150, y);
        RectF closer = onScreen(word, Screens.TAMIL);
        assertEquals(3, closer.width() / before.width(), 0.01);
        assertEquals(before.centerX() * 3 - 2 * x, closer.centerX(), 1); // what lies between the fingers stays there
        assertEquals(before.centerY() * 3 - 2 * y, closer.centerY(), 1);
        pinch(word, x - 50, y, x + 50, y, x - 10, y + 30, x + 90, y + 30);
        RectF after = onScreen(word, Screens.TAMIL);
        assertEquals(closer.centerX() + 40, after.centerX(), 1);
        assertEquals(closer.centerY() + 30, after.centerY(), 1);
        assertEquals(closer.width(), after.width(), 1);
        assertEquals(0, word.words().all().size()); // two fingers draw no box
        // One finger still draws where it sees the word.
        draw(word, after.left, after.top, after.right, after.bottom);
        waitForScript(activity, "Tamil (Taml)");
        Region box = word.words().chosen().box;
        assertEquals(Screens.TAMIL.left, box.left, 2);
        assertEquals(Screens.TAMIL.bottom, box.bottom, 2);
        shoot(activity, "phone-11-pinched");
        pinch(word, x - 150, y, x + 150, y, x - 5, y, x + 5, y); // no smaller than the screen
        assertEquals(before.width(), onScreen(word, Screens.TAMIL).width(), 0.01);
        assertEquals(before.centerX(), onScreen(word, Screens.TAMIL).centerX(), 0.01);
        assertEquals(before.centerY(), onScreen(word, Screens.TAMIL).centerY(), 0.01);
        pinch(word, x - 5, y, x + 5, y, x - 350, y, x + 350, y); // and no closer than eight times
        assertEquals(8, onScreen(word, Screens.TAMIL).width() / before.width(), 0.01);
    }

    @Test
    public void buttonsZoomAboutTheChosenBox() {
        MainActivity activity = start();
        drag(activity, Screens.LATIN);
        WordView word = word(activity);
        RectF before = onScreen(word, Screens.LATIN);
        activity.findViewById(R.id.act_zoom_in).performClick();
        activity.findViewById(R.id.act_zoom_in).performClick();
        RectF closer = onScreen(word, Screens.LATIN);
        assertEquals(2.25, closer.width() / before.width(), 0.01);
        assertTrue("" + closer, new RectF(0, 0, word.getWidth(), word.getHeight()).contains(closer));
        activity.findViewById(R.id.act_zoom_out).performClick();
        activity.findViewById(R.id.act_zoom_out).performClick();
        assertEquals(before.width(), onScreen(word, Screens.LATIN).width(), 0.01);
    }

    @Test
    public void withoutAPhotoNoToolDoesAnything() {
        MainActivity activity = Robolectric.buildActivity(MainActivity.class).setup().get();
        for (int tool : new int[] {R.id.act_new, R.id.act_next, R.id.act_remove, R.id.act_zoom_in, R.id.act_zoom_out}) {
            assertFalse(activity.findViewById(tool).isEnabled());
        }
        for (Act each : Act.values()) {
            assertFalse(word(activity).perform(each));
        }
    }

    /** As {@link Viewport} tells, which the drawn pictures show too. */
    private static RectF onScreen(WordView word, Region box) {
        return word.viewport().toView(box);
    }

    private static void draw(View view, float x1, float y1, float x2, float y2) {
        touch(view, MotionEvent.ACTION_DOWN, x1, y1);
        touch(view, MotionEvent.ACTION_MOVE, x2, y2);
        touch(view, MotionEvent.ACTION_UP, x2, y2);
    }

    /** Two fingers go from one pair of places to another. */
    private static void pinch(View view, float... places) {
        int second = 1 << MotionEvent.ACTION_POINTER_INDEX_SHIFT;
        touch(view, MotionEvent.ACTION_DOWN, places[0], places[1]);
        touch(view, MotionEvent.ACTION_POINTER_DOWN | second, places[0], places[1], places[2], places[3]);
        for (int step = 0; step <= 10; step++) {
            float[] now = new float[4];
            for (int i = 0; i < now.length; i++) {
                now[i] = places[i] + (places[i + 4] - places[i]) * step / 10;
            }
            touch(view, MotionEvent.ACTION_MOVE, now);
        }
        touch(view, MotionEvent.ACTION_POINTER_UP | second, places[4], places[5], places[6], places[7]);
        touch(view, MotionEvent.ACTION_MOVE, places[4] + 100, places[5]); // the finger that stays does nothing more
        touch(view, MotionEvent.ACTION_UP, places[4] + 100, places[5]);
    }

    private static void touch(View view, int action, float... places) {
        int count = places.length / 2;
        MotionEvent.PointerProperties[] fingers = new MotionEvent.PointerProperties[count];
        MotionEvent.PointerCoords[] coordinates = new MotionEvent.PointerCoords[count];
        for (int i = 0; i < count; i++) {
            fingers[i] = new MotionEvent.PointerProperties();
            fingers[i].id = i;
            coordinates[i] = new MotionEvent.PointerCoords();
            coordinates[i].x = places[2 * i];
            coordinates[i].y = places[2 * i + 1];
        }
        long time = SystemClock.uptimeMillis();
        MotionEvent event = MotionEvent.obtain(time, time, action, count, fingers, coordinates, 0, 0, 1, 1, 0, 0, 0, 0);
        view.dispatchTouchEvent(event);
        event.recycle();
    }
}
