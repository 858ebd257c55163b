package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
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
import android.widget.ProgressBar;
import android.widget.TextView;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** A person's way through the app, with Android's own framework and the real network, on a desktop JVM. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class ScreensTest {
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
        }
        shoot(activity, "phone-4-broken-photo");
        dragTamil(activity); // the photo before is still there
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
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
        RuntimeEnvironment.setFontScale(1.5f);
        MainActivity activity = start();
        pick(activity, photo());
        dragTamil(activity);
        shoot(activity, "small-phone-large-letters");
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
