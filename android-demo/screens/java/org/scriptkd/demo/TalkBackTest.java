package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;
import static org.scriptkd.demo.Screens.photo;
import static org.scriptkd.demo.Screens.pick;
import static org.scriptkd.demo.Screens.steer;
import static org.scriptkd.demo.Screens.text;

import android.graphics.Rect;
import android.graphics.RectF;
import android.os.SystemClock;
import android.view.InputDevice;
import android.view.MotionEvent;
import android.view.accessibility.AccessibilityEvent;
import android.view.accessibility.AccessibilityManager;
import android.view.accessibility.AccessibilityNodeInfo;
import android.view.accessibility.AccessibilityNodeInfo.AccessibilityAction;
import android.view.accessibility.AccessibilityNodeProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** What a screen reader does with the boxes: all of it goes through the photo's accessibility node provider. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class TalkBackTest {
    private static final int PHOTO = AccessibilityNodeProvider.HOST_VIEW_ID;

    private MainActivity activity;
    private WordView word;
    private AccessibilityNodeProvider nodes;
    private AccessibilityManager reader;

    @Before
    public void startWithAPhoto() {
        reader = RuntimeEnvironment.getApplication().getSystemService(AccessibilityManager.class);
        shadowOf(reader).setEnabled(true);
        shadowOf(reader).setTouchExplorationEnabled(true);
        activity = Robolectric.buildActivity(MainActivity.class).setup().get();
        pick(activity, photo());
        word = activity.findViewById(R.id.word);
        nodes = word.getAccessibilityNodeProvider();
    }

    private List<Integer> boxes() {
        AccessibilityNodeInfo host = nodes.createAccessibilityNodeInfo(PHOTO);
        List<Integer> ids = new ArrayList<Integer>();
        for (int i = 0; i < host.getChildCount(); i++) {
            ids.add(AccessibilityNodeInfo.getVirtualDescendantId(host.getChildId(i)));
        }
        return ids;
    }

    private String described(int id) {
        return nodes.createAccessibilityNodeInfo(id).getContentDescription().toString();
    }

    /** Does what the reader's menu calls so. */
    private boolean perform(int id, String label) {
        for (AccessibilityAction each : nodes.createAccessibilityNodeInfo(id).getActionList()) {
            if (label.contentEquals(each.getLabel() == null ? "" : each.getLabel())) {
                return nodes.performAction(id, each.getId(), null);
            }
        }
        throw new AssertionError(label + " is not offered");
    }

    private void waitFor(int id, String description) {
        Screens.waitFor(activity, () -> described(id).equals(description));
    }

    @Test
    public void aReaderFindsEveryWordOfThePhoto() {
        assertEquals(activity.getString(R.string.photo_loaded), described(PHOTO));
        assertEquals(new ArrayList<Integer>(), boxes());
        assertTrue(perform(PHOTO, "New box"));
        int first = boxes().get(0);
        for (int i = 0; i < 3; i++) {
            assertTrue(perform(PHOTO, "Zoom in"));
        }
        steer(word, act -> perform(first, activity.getString(act.label)), Screens.TAMIL);
        waitFor(first, "Word 1 of 1: Tamil (Taml)");
        assertEquals("Tamil (Taml)", text(activity, R.id.script)); // a live region, which is read out as it changes

        assertTrue(perform(PHOTO, "New box"));
        int second = boxes().get(1);
        assertEquals(Arrays.asList(first, second), boxes());
        steer(word, act -> perform(second, activity.getString(act.label)), Screens.LATIN);
        waitFor(second, "Word 2 of 2: Latin (Latn)");

        assertTrue(nodes.performAction(second, AccessibilityNodeInfo.ACTION_ACCESSIBILITY_FOCUS, null));
        assertTrue(perform(second, "Next word"));
        assertTrue(nodes.createAccessibilityNodeInfo(first).isAccessibilityFocused());
        assertFalse(nodes.createAccessibilityNodeInfo(second).isAccessibilityFocused());
        assertEquals("Tamil (Taml)", text(activity, R.id.script));
        assertTrue(perform(first, "Remove box"));
        assertEquals(Arrays.asList(second), boxes());
        assertEquals("Word 1 of 1: Latin (Latn)", described(second));
        assertNull(nodes.createAccessibilityNodeInfo(first));
        assertFalse(nodes.performAction(first, R.id.act_left, null));
    }

    @Test
    public void aBoxSaysWhereItIsAndWhetherItIsChosen() {
        Screens.drag(activity, 205, 555, 690, 645);
        Screens.drag(activity, 240, 900, 560, 1020);
        List<Integer> ids = boxes();
        int[] corner = new int[2];
        word.getLocationOnScreen(corner);
        RectF wanted = word.viewport().toView(word.words().all().get(0).box);
        wanted.offset(corner[0], corner[1]);
        Rect said = new Rect();
        AccessibilityNodeInfo first = nodes.createAccessibilityNodeInfo(ids.get(0));
        first.getBoundsInScreen(said);
        assertEquals(wanted.left, said.left, 1);
        assertEquals(wanted.bottom, said.bottom, 1);
        assertTrue(first.isVisibleToUser());
        assertFalse(first.isSelected());
        assertTrue(nodes.createAccessibilityNodeInfo(ids.get(1)).isSelected());
        assertTrue(nodes.performAction(ids.get(0), AccessibilityNodeInfo.ACTION_CLICK, null));
        assertTrue(nodes.createAccessibilityNodeInfo(ids.get(0)).isSelected());
        Screens.waitFor(activity, () -> text(activity, R.id.place).equals("Word 1 of 2"));
    }

    @Test
    public void theReadersPlaceIsKept() {
        Screens.drag(activity, 205, 555, 690, 645);
        int box = boxes().get(0);
        assertNull(nodes.findFocus(AccessibilityNodeInfo.FOCUS_ACCESSIBILITY));
        assertTrue(nodes.performAction(box, AccessibilityNodeInfo.ACTION_ACCESSIBILITY_FOCUS, null));
        assertFalse(nodes.performAction(box, AccessibilityNodeInfo.ACTION_ACCESSIBILITY_FOCUS, null));
        assertTrue(nodes.findFocus(AccessibilityNodeInfo.FOCUS_ACCESSIBILITY).isAccessibilityFocused());
        assertTrue(nodes.performAction(box, AccessibilityNodeInfo.ACTION_CLEAR_ACCESSIBILITY_FOCUS, null));
        assertNull(nodes.findFocus(AccessibilityNodeInfo.FOCUS_ACCESSIBILITY));
    }

    @Test
    public void aFingerThatExploresFindsTheBox() {
        Screens.drag(activity, 205, 555, 690, 645);
        RectF box = word.viewport().toView(word.words().chosen().box);
        hover(MotionEvent.ACTION_HOVER_ENTER, 5, 5);
        assertEquals(0, events(AccessibilityEvent.TYPE_VIEW_HOVER_ENTER));
        hover(MotionEvent.ACTION_HOVER_MOVE, box.centerX(), box.centerY());
        hover(MotionEvent.ACTION_HOVER_MOVE, box.centerX() + 5, box.centerY());
        assertEquals(1, events(AccessibilityEvent.TYPE_VIEW_HOVER_ENTER));
        hover(MotionEvent.ACTION_HOVER_EXIT, box.centerX(), box.centerY());
        assertEquals(1, events(AccessibilityEvent.TYPE_VIEW_HOVER_EXIT));
    }

    private void hover(int action, float x, float y) {
        long time = SystemClock.uptimeMillis();
        MotionEvent event = MotionEvent.obtain(time, time, action, x, y, 0);
        event.setSource(InputDevice.SOURCE_TOUCHSCREEN);
        word.dispatchGenericMotionEvent(event);
        event.recycle();
    }

    /** Of the boxes, as the reader hears them. */
    private long events(int type) {
        return shadowOf(reader).getSentAccessibilityEvents().stream()
                .filter(event -> event.getEventType() == type
                        && ("" + event.getContentDescription()).startsWith("Word 1 of 1"))
                .count();
    }
}
