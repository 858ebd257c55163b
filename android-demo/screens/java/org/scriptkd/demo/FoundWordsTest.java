package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;
import static org.scriptkd.demo.Screens.pick;
import static org.scriptkd.demo.Screens.shoot;
import static org.scriptkd.demo.Screens.text;
import static org.scriptkd.demo.Screens.waitFor;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.PathMeasure;
import android.graphics.RectF;
import android.os.Looper;
import android.view.MotionEvent;
import android.view.accessibility.AccessibilityNodeInfo;
import android.view.accessibility.AccessibilityNodeProvider;
import android.widget.ProgressBar;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.scriptkd.sdk.Region;

/** The app finds the words itself, with the real text detector: a sign of two lines in Devanagari and one in Latin. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class FoundWordsTest {
    private static final String FOUND = "Words or lines found: 3. Tap one to know more, or drag a box around one word.";
    private static final String LEGEND = "\u25A0\u00A0Devanagari\u00A02   \u25A0\u00A0Latin\u00A01";

    private static byte[] sign() throws IOException {
        return Files.readAllBytes(new File(System.getProperty("scriptkd.pages"), "sign-01.jpg").toPath());
    }

    private static MainActivity start() {
        return Robolectric.buildActivity(MainActivity.class).setup().get();
    }

    private static void waitForWords(Activity activity) {
        waitFor(activity, () -> text(activity, R.id.found).equals(FOUND) && !isShown(activity, R.id.search));
    }

    private static boolean isShown(Activity activity, int view) {
        return activity.findViewById(view).isShown();
    }

    private static WordView view(Activity activity) {
        return activity.findViewById(R.id.word);
    }

    private static List<String> scripts(Activity activity) {
        List<String> scripts = new ArrayList<String>();
        for (Word each : view(activity).words().all()) {
            scripts.add(each.answer.prediction.script.name);
        }
        return scripts;
    }

    private static Word latin(Activity activity) {
        return view(activity).words().all().get(scripts(activity).indexOf("Latin"));
    }

    @Test
    public void wordsAreFoundAndColouredAndATapTellsMore() throws IOException {
        MainActivity activity = start();
        pick(activity, sign());
        assertEquals(activity.getString(R.string.searching), text(activity, R.id.found));
        assertTrue(isShown(activity, R.id.search) && ((ProgressBar) activity.findViewById(R.id.search)).isIndeterminate());
        waitForWords(activity);
        assertEquals("", text(activity, R.id.status)); // one sentence is enough
        assertEquals(LEGEND, text(activity, R.id.legend));
        assertEquals("Devanagari\u00A02, Latin\u00A01", activity.findViewById(R.id.legend).getContentDescription().toString());
        assertEquals("[Devanagari, Latin, Devanagari]", scripts(activity).toString());
        assertNull(view(activity).words().chosen());
        Bitmap drawn = drawn(activity);
        for (Word each : view(activity).words().all()) {
            assertEquals(Colours.of(each.answer.prediction.script.code), onOutline(activity, drawn, each));
        }
        shoot(activity, "phone-13-found-words");

        tap(activity, latin(activity));
        assertEquals("Latin (Latn)", text(activity, R.id.script));
        assertEquals("Upright", text(activity, R.id.orientation));
        assertEquals("Word 2 of 3", text(activity, R.id.place));
        assertEquals(FOUND, text(activity, R.id.found));
        shoot(activity, "phone-14-found-word-chosen");
    }

    @Test
    public void aBoxIsDrawnByHandAndFoundWordsStay() throws IOException {
        MainActivity activity = start();
        pick(activity, sign());
        waitForWords(activity);
        Word latin = latin(activity);
        Region box = latin.box;
        Region part = new Region(box.left + 10, box.top, (box.left + box.right) / 2, box.bottom);
        drag(activity, part);
        waitFor(activity, () -> !text(activity, R.id.script).isEmpty());
        assertEquals("Word 4 of 4", text(activity, R.id.place));
        assertEquals(LEGEND, text(activity, R.id.legend));
        activity.findViewById(R.id.whole).performClick();
        assertEquals(3, view(activity).words().found().size());
        // The same word once more takes its place.
        drag(activity, box);
        assertFalse(view(activity).words().all().contains(latin));
        assertTrue(text(activity, R.id.found).startsWith("Words or lines found: 2."));
        // So does a word that is moved: from then on it is drawn by hand.
        Word first = view(activity).words().found().get(0);
        view(activity).choose(first);
        assertTrue(view(activity).perform(Act.RIGHT));
        assertNull(first.corners);
        waitFor(activity, () -> first.answer != null && text(activity, R.id.legend).equals("\u25A0\u00A0Devanagari\u00A01"));
        activity.findViewById(R.id.act_next).performClick();
        activity.findViewById(R.id.act_remove).performClick();
        assertEquals("", text(activity, R.id.found));
        assertEquals("", text(activity, R.id.legend));
    }

    @Test
    public void aBoxDrawnMeanwhileIsAnsweredAndStays() throws IOException {
        MainActivity activity = start();
        pick(activity, sign());
        drag(activity, new Region(118, 350, 388, 432)); // the Latin line, before it is found
        Word drawn = view(activity).words().chosen();
        waitFor(activity, () -> text(activity, R.id.found).startsWith("Words or lines found: 2."));
        waitFor(activity, () -> !text(activity, R.id.script).isEmpty());
        assertSame(drawn, view(activity).words().chosen());
        assertEquals("Word 1 of 3", text(activity, R.id.place));
    }

    @Test
    public void aPhotoWithoutWordsIsASentence() throws IOException {
        MainActivity activity = start();
        pick(activity, sign());
        waitForWords(activity);
        pick(activity, blank(320, 240));
        assertEquals("", text(activity, R.id.legend)); // of the photo before
        waitFor(activity, () -> text(activity, R.id.found).equals("No words were found in this photo. Drag a box around one."));
        assertFalse(isShown(activity, R.id.search));
        assertEquals("", text(activity, R.id.status));
        shoot(activity, "phone-15-no-words");
        activity.findViewById(R.id.whole).performClick(); // and all else goes on
        waitFor(activity, () -> text(activity, R.id.latency).contains("320 × 240 pixels"));
    }

    @Test
    public void turningThePhoneKeepsWhatWasFound() throws IOException {
        ActivityController<MainActivity> controller = Robolectric.buildActivity(MainActivity.class).setup();
        pick(controller.get(), sign());
        waitForWords(controller.get());
        tap(controller.get(), latin(controller.get()));
        String corners = latin(controller.get()).corners.toString();
        RuntimeEnvironment.setQualifiers("w740dp-h360dp-land-xhdpi");
        controller.recreate();
        MainActivity turned = controller.get();
        waitFor(turned, () -> text(turned, R.id.script).equals("Latin (Latn)"));
        waitForWords(turned); // no search anew
        assertEquals(LEGEND, text(turned, R.id.legend));
        assertEquals(corners, view(turned).words().chosen().corners.toString());
        shoot(turned, "phone-16-found-words-turned");
    }

    @Test
    public void aScreenReaderVisitsFoundWords() throws IOException {
        MainActivity activity = start();
        pick(activity, sign());
        waitForWords(activity);
        AccessibilityNodeProvider nodes = view(activity).getAccessibilityNodeProvider();
        AccessibilityNodeInfo photo = nodes.createAccessibilityNodeInfo(AccessibilityNodeProvider.HOST_VIEW_ID);
        assertEquals(3, photo.getChildCount());
        int id = AccessibilityNodeInfo.getVirtualDescendantId(photo.getChildId(1));
        assertEquals("Word 2 of 3: Latin (Latn)", nodes.createAccessibilityNodeInfo(id).getContentDescription());
        assertTrue(nodes.performAction(id, AccessibilityNodeInfo.ACTION_CLICK, null));
        assertEquals("Latin (Latn)", text(activity, R.id.script));
    }

    @Test
    @Config(qualifiers = "+night")
    public void inAnotherLanguageAtNight() throws IOException {
        RuntimeEnvironment.setQualifiers("+ar");
        Locale.setDefault(Locale.forLanguageTag("ar"));
        MainActivity activity = start();
        pick(activity, sign());
        waitFor(activity, () -> text(activity, R.id.legend).contains("Latin") && !isShown(activity, R.id.search));
        assertFalse(text(activity, R.id.found).contains("Words"));
        shoot(activity, "languages/ar-found-words");
        Locale.setDefault(Locale.US);
    }

    private static byte[] blank(int width, int height) {
        Bitmap photo = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        photo.eraseColor(Color.rgb(130, 160, 160));
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        photo.compress(Bitmap.CompressFormat.PNG, 100, content);
        return content.toByteArray();
    }

    private static Bitmap drawn(Activity activity) {
        shadowOf(Looper.getMainLooper()).idle();
        WordView view = view(activity);
        Bitmap picture = Bitmap.createBitmap(view.getWidth(), view.getHeight(), Bitmap.Config.ARGB_8888);
        view.draw(new Canvas(picture));
        return picture;
    }

    /** The colour in the middle of a word's left side. */
    private static int onOutline(Activity activity, Bitmap drawn, Word word) {
        PathMeasure way = new PathMeasure(view(activity).viewport().toView(word.corners), true);
        RectF box = view(activity).viewport().toView(word.box);
        float[] place = new float[2];
        way.getPosTan(way.getLength() - box.height() / 2, place, null);
        return drawn.getPixel(Math.round(place[0] - 0.5f), Math.round(place[1] - 0.5f));
    }

    private static void tap(Activity activity, Word word) {
        RectF box = view(activity).viewport().toView(word.box);
        touch(activity, box.centerX(), box.centerY(), box.centerX(), box.centerY());
    }

    private static void drag(Activity activity, Region region) {
        RectF box = view(activity).viewport().toView(region);
        touch(activity, box.left, box.top, box.right, box.bottom);
    }

    private static void touch(Activity activity, float x1, float y1, float x2, float y2) {
        int[] actions = {MotionEvent.ACTION_DOWN, MotionEvent.ACTION_MOVE, MotionEvent.ACTION_UP};
        for (int i = 0; i < actions.length; i++) {
            MotionEvent event = MotionEvent.obtain(0, 50 * i, actions[i], i == 0 ? x1 : x2, i == 0 ? y1 : y2, 0);
            view(activity).dispatchTouchEvent(event);
            event.recycle();
        }
    }
}
