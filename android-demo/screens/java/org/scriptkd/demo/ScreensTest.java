package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;
import static org.scriptkd.demo.Screens.drag;
import static org.scriptkd.demo.Screens.photo;
import static org.scriptkd.demo.Screens.pick;
import static org.scriptkd.demo.Screens.shoot;
import static org.scriptkd.demo.Screens.text;
import static org.scriptkd.demo.Screens.waitFor;

import android.app.Activity;
import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Color;
import android.graphics.Rect;
import android.os.Looper;
import android.text.Layout;
import android.view.View;
import android.widget.Button;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Locale;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.scriptkd.sdk.ArgumentException;
import org.scriptkd.sdk.Bitmaps;
import org.scriptkd.sdk.ImageException;
import org.scriptkd.sdk.Pixels;

/** A person's way through the app, with Android's own framework and the real network, on a desktop JVM. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class ScreensTest {
    private static final int[] ALL = {R.id.pick, R.id.take, R.id.live, R.id.whole, R.id.benchmark};

    private static MainActivity start() {
        return Robolectric.buildActivity(MainActivity.class).setup().get();
    }

    private static void dragTamil(Activity activity) {
        drag(activity, 205, 555, 690, 645);
        waitFor(activity, () -> !text(activity, R.id.script).isEmpty());
    }

    @Test
    public void pickDragReadTheAnswer() throws IOException {
        MainActivity activity = start();
        assertEquals(activity.getString(R.string.hint_photo), text(activity, R.id.status));
        assertFalse(activity.findViewById(R.id.whole).isEnabled());
        shoot(activity, "phone-1-start");
        pick(activity, photo());
        assertEquals(activity.getString(R.string.hint_box), text(activity, R.id.status));
        shoot(activity, "phone-2-photo");
        dragTamil(activity);
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
        assertEquals("", text(activity, R.id.unsure));
        assertEquals("", text(activity, R.id.status));
        assertEquals("Tamil", ((TextView) activity.findViewById(R.id.bar1).findViewById(R.id.bar_name)).getText());
        ProgressBar bar = activity.findViewById(R.id.bar1).findViewById(R.id.bar_value);
        assertTrue("" + bar.getProgress(), bar.getProgress() > 900);
        assertTrue(text(activity, R.id.latency).endsWith("ms for a box of 485 × 90 pixels, on this phone"));
        shoot(activity, "phone-3-answer");
        drag(activity, 240, 900, 560, 1020);
        waitFor(activity, () -> text(activity, R.id.script).equals("Latin (Latn)"));
    }

    @Test
    public void theWholePhotoIsAsked() {
        MainActivity activity = start();
        pick(activity, photo());
        activity.findViewById(R.id.whole).performClick();
        waitFor(activity, () -> text(activity, R.id.latency).endsWith("900 × 1200 pixels, on this phone"));
    }

    @Test
    public void aBrokenPhotoIsASentenceAndTheAppGoesOn() throws IOException {
        MainActivity activity = start();
        pick(activity, photo());
        dragTamil(activity);
        for (byte[] broken : new byte[][] {{}, "no picture".getBytes(StandardCharsets.UTF_8), java.util.Arrays.copyOf(photo(), 20)}) {
            pick(activity, broken);
            waitFor(activity, () -> text(activity, R.id.status).equals(activity.getString(R.string.error_photo)));
            assertEquals("Tamil (Taml)", text(activity, R.id.script)); // the answer to the photo before stays
        }
        shoot(activity, "phone-4-broken-photo");
        drag(activity, 240, 900, 560, 1020); // the photo before is still there
        waitFor(activity, () -> text(activity, R.id.script).equals("Latin (Latn)"));
        assertEquals("", text(activity, R.id.status));
        pick(activity, photo());
        assertEquals("", text(activity, R.id.script)); // of another photo nothing is known yet
    }

    /** By the model that the app brings along; TurnTest looks at all else of it. */
    @Test
    public void aTapTurnsAPhotoThatWasTakenUpsideDown() throws IOException {
        MainActivity activity = start();
        Bitmap upright = BitmapFactory.decodeByteArray(photo(), 0, photo().length);
        ByteArrayOutputStream turned = new ByteArrayOutputStream();
        Bitmaps.upright(upright, 3).compress(Bitmap.CompressFormat.PNG, 100, turned);
        pick(activity, turned.toByteArray());
        drag(activity, Screens.WIDTH - 690, Screens.HEIGHT - 645, Screens.WIDTH - 205, Screens.HEIGHT - 555);
        waitFor(activity, () -> text(activity, R.id.orientation).equals("Turned clockwise by 180°"));
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
        activity.findViewById(R.id.turn).performClick();
        assertEquals("Upright", text(activity, R.id.orientation));
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
        shoot(activity, "phone-12-turned-by-the-model");
    }

    @Test
    public void aTapIsNoBox() {
        MainActivity activity = start();
        pick(activity, photo());
        drag(activity, 300, 300, 300, 300);
        assertEquals(activity.getString(R.string.error_box), text(activity, R.id.status));
        dragTamil(activity);
    }

    @Test
    public void goingBackFromTheGalleryChangesNothing() {
        MainActivity activity = start();
        activity.findViewById(R.id.pick).performClick();
        Intent asked = shadowOf(activity).getNextStartedActivityForResult().intent;
        shadowOf(activity).receiveResult(asked, Activity.RESULT_CANCELED, null);
        assertEquals(activity.getString(R.string.hint_photo), text(activity, R.id.status));
    }

    @Test
    public void turningThePhoneKeepsPhotoAndAnswer() throws IOException {
        ActivityController<MainActivity> controller = Robolectric.buildActivity(MainActivity.class).setup();
        pick(controller.get(), photo());
        dragTamil(controller.get());
        RuntimeEnvironment.setQualifiers("w740dp-h360dp-land-xhdpi");
        controller.recreate();
        MainActivity turned = controller.get();
        waitFor(turned, () -> text(turned, R.id.script).equals("Tamil (Taml)"));
        int[] sides = {turned.findViewById(R.id.word).getWidth(), turned.getWindow().getDecorView().getWidth()};
        assertTrue(sides[0] + " of " + sides[1], sides[0] < 0.7 * sides[1]); // the answer is beside the photo, not below
        shoot(turned, "phone-5-turned");
    }

    @Test
    @Config(qualifiers = "+night")
    public void atNight() throws IOException {
        MainActivity activity = start();
        pick(activity, photo());
        dragTamil(activity);
        shoot(activity, "phone-6-night");
    }

    @Test
    @Config(qualifiers = "w320dp-h480dp-hdpi")
    public void aSmallPhoneWithLargeLetters() throws IOException {
        RuntimeEnvironment.setFontScale(2);
        MainActivity activity = start();
        checkButtons(activity, ALL);
        pick(activity, photo());
        dragTamil(activity);
        checkButtons(activity, ALL);
        shoot(activity, "small-phone-large-letters-buttons");
        activity.findViewById(R.id.script).requestRectangleOnScreen(new Rect(0, 0, 1, 1), true);
        shoot(activity, "small-phone-large-letters");
        checkTools(activity);
        checkButtons(Robolectric.buildActivity(BenchmarkActivity.class).setup().get(), R.id.start, R.id.share);
    }

    /** Each button can be scrolled to, is then seen whole, and shows all of its words, none of which is broken. */
    private static void checkButtons(Activity activity, int... buttons) {
        for (int id : buttons) {
            Button button = activity.findViewById(id);
            String text = button.getText().toString();
            button.requestRectangleOnScreen(new Rect(0, 0, button.getWidth(), button.getHeight()), true);
            shadowOf(Looper.getMainLooper()).idle();
            Rect seen = new Rect();
            assertTrue(text, button.getGlobalVisibleRect(seen));
            assertEquals(text, button.getHeight(), seen.height());
            assertEquals(text, button.getWidth(), seen.width());
            Layout lines = button.getLayout();
            assertTrue(text, lines.getHeight() <= button.getHeight() - button.getPaddingTop() - button.getPaddingBottom());
            for (int line = 0; line < lines.getLineCount() - 1; line++) {
                char last = lines.getText().charAt(lines.getLineEnd(line) - 1);
                assertTrue(lines.getText() + " is broken in line " + line, Character.isWhitespace(last));
            }
        }
    }

    /** Each is large enough for a finger, lies on the screen, and has a name for screen readers. */
    private static void checkTools(Activity activity) {
        float least = 44 * activity.getResources().getDisplayMetrics().density;
        for (int id : new int[] {R.id.act_zoom_out, R.id.act_zoom_in, R.id.act_new, R.id.act_next, R.id.act_remove}) {
            View tool = activity.findViewById(id);
            Rect seen = new Rect();
            assertTrue(tool.getGlobalVisibleRect(seen));
            assertTrue(seen.toShortString(), seen.width() >= least && seen.height() >= least);
            assertFalse(tool.getContentDescription().length() == 0);
        }
    }

    @Test
    public void itSpeaksTheReadersLanguage() throws IOException {
        for (String language : new String[] {"hi", "bn", "ta", "ar"}) {
            RuntimeEnvironment.setQualifiers("+" + language);
            Locale.setDefault(Locale.forLanguageTag(language)); // as a phone does, and Robolectric does not
            MainActivity activity = start();
            assertFalse(language, text(activity, R.id.pick).equals("Pick a photo"));
            pick(activity, photo());
            dragTamil(activity);
            checkButtons(activity, ALL);
            boolean mirrored = activity.getWindow().getDecorView().getLayoutDirection() == View.LAYOUT_DIRECTION_RTL;
            assertEquals(language, language.equals("ar"), mirrored);
            View[] pair = {activity.findViewById(R.id.pick), activity.findViewById(R.id.take)};
            assertEquals(language, mirrored, pair[0].getLeft() > pair[1].getLeft());
            shoot(activity, "languages/" + language);
        }
        Locale.setDefault(Locale.US);
    }

    /** Of the Android library: where the first pixel and the one beside it come to. */
    @Test
    public void aPhotoIsTurnedAsItsCameraSays() {
        Bitmap photo = Bitmap.createBitmap(3, 2, Bitmap.Config.ARGB_8888);
        photo.setPixel(0, 0, Color.RED);
        photo.setPixel(1, 0, Color.GREEN);
        int[][] places = {{0, 0, 1, 0}, {2, 0, 1, 0}, {2, 1, 1, 1}, {0, 1, 1, 1}, {0, 0, 0, 1}, {1, 0, 1, 1}, {1, 2, 1, 1}, {0, 2, 0, 1}};
        for (int orientation = 1; orientation <= 8; orientation++) {
            int[] place = places[orientation - 1];
            Pixels upright = Bitmaps.pixels(Bitmaps.upright(photo, orientation));
            assertEquals(orientation < 5 ? 3 : 2, upright.width);
            Bitmap turned = Bitmaps.upright(photo, orientation);
            assertEquals("" + orientation, Color.RED, turned.getPixel(place[0], place[1]));
            assertEquals("" + orientation, Color.GREEN, turned.getPixel(place[2], place[3]));
        }
        assertEquals("bitmap must not be null",
                assertThrows(ArgumentException.class, () -> Bitmaps.pixels(null)).getMessage());
        photo.recycle();
        assertEquals("the bitmap is recycled, so it has no pixels any more",
                assertThrows(ImageException.class, () -> Bitmaps.pixels(photo)).getMessage());
    }

    @Test
    public void theBenchmarkTimesEveryModelAndSharesJson() throws Exception {
        BenchmarkActivity activity = Robolectric.buildActivity(BenchmarkActivity.class).setup().get();
        shoot(activity, "benchmark-1-start");
        activity.findViewById(R.id.start).performClick();
        waitFor(activity, () -> text(activity, R.id.progress).equals(activity.getString(R.string.benchmark_done)));
        shoot(activity, "benchmark-2-done");
        activity.findViewById(R.id.share).performClick();
        Intent send = shadowOf(activity).getNextStartedActivity().getParcelableExtra(Intent.EXTRA_INTENT, Intent.class);
        assertNotNull(send);
        String json = send.getStringExtra(Intent.EXTRA_TEXT);
        int models = Models.names(activity).size();
        int counts = Models.threadCounts(Runtime.getRuntime().availableProcessors()).size();
        assertEquals(models * counts, new JSONObject(json).getJSONArray("device").length());
        Files.write(new File(System.getProperty("scriptkd.screens"), "benchmark.json").toPath(), json.getBytes(StandardCharsets.UTF_8));
    }
}
