package org.scriptkd.demo;

import android.content.Context;
import android.graphics.Rect;
import android.graphics.RectF;
import android.os.Bundle;
import android.view.MotionEvent;
import android.view.View;
import android.view.accessibility.AccessibilityEvent;
import android.view.accessibility.AccessibilityManager;
import android.view.accessibility.AccessibilityNodeInfo;
import android.view.accessibility.AccessibilityNodeInfo.AccessibilityAction;
import android.view.accessibility.AccessibilityNodeProvider;

/** The boxes on a photo for TalkBack and its like: each is a thing of its own, to be visited, moved and changed. */
final class WordNodes extends AccessibilityNodeProvider {
    private static final int NONE = Integer.MIN_VALUE;

    private final WordView photo;
    private final Words words;
    private final Viewport viewport;
    private int visited = NONE; // the id of the word that the screen reader is at
    private int hovered = NONE;

    WordNodes(WordView photo, Words words, Viewport viewport) {
        this.photo = photo;
        this.words = words;
        this.viewport = viewport;
    }

    @Override
    public AccessibilityNodeInfo createAccessibilityNodeInfo(int id) {
        if (id == HOST_VIEW_ID) {
            return ofThePhoto();
        }
        Word word = words.withId(id);
        return word == null ? null : of(word);
    }

    private AccessibilityNodeInfo ofThePhoto() {
        AccessibilityNodeInfo node = AccessibilityNodeInfo.obtain(photo);
        photo.onInitializeAccessibilityNodeInfo(node);
        for (Word each : words.all()) {
            node.addChild(photo, each.id);
        }
        if (photo.hasPhoto()) {
            offer(node, Act.OF_THE_PHOTO);
        }
        return node;
    }

    private AccessibilityNodeInfo of(Word word) {
        AccessibilityNodeInfo node = AccessibilityNodeInfo.obtain(photo, word.id);
        node.setParent(photo);
        node.setPackageName(photo.getContext().getPackageName());
        node.setClassName(View.class.getName());
        node.setContentDescription(describe(word));
        node.setEnabled(true);
        node.setSelected(word == words.chosen());
        node.setFocused(photo.isFocused() && word == words.chosen());
        node.setAccessibilityFocused(word.id == visited);
        node.setClickable(true);
        node.addAction(AccessibilityAction.ACTION_CLICK);
        node.addAction(word.id == visited
                ? AccessibilityAction.ACTION_CLEAR_ACCESSIBILITY_FOCUS
                : AccessibilityAction.ACTION_ACCESSIBILITY_FOCUS);
        offer(node, Act.OF_A_BOX);
        place(node, word);
        return node;
    }

    private String describe(Word word) {
        Context context = photo.getContext();
        String said = word.problem;
        if (word.answer != null) {
            said = Texts.script(context, word.answer.prediction.script);
        } else if (said == null) {
            said = context.getString(R.string.no_answer);
        }
        return context.getString(R.string.node, words.number(word), words.all().size(), said);
    }

    private void offer(AccessibilityNodeInfo node, Act[] acts) {
        for (Act each : acts) {
            node.addAction(new AccessibilityAction(each.id, photo.getContext().getString(each.label)));
        }
    }

    /** Where the box is, as far as it is seen. */
    private void place(AccessibilityNodeInfo node, Word word) {
        Rect box = new Rect();
        viewport.toView(word.box).roundOut(box);
        boolean seen = box.intersect(0, 0, photo.getWidth(), photo.getHeight());
        node.setBoundsInParent(box);
        int[] corner = new int[2];
        photo.getLocationOnScreen(corner);
        box.offset(corner[0], corner[1]);
        node.setBoundsInScreen(box);
        node.setVisibleToUser(seen && photo.isShown());
    }

    @Override
    public boolean performAction(int id, int action, Bundle arguments) {
        Act act = Act.withId(action);
        if (id == HOST_VIEW_ID) {
            return act == null ? photo.performAccessibilityAction(action, arguments) : photo.perform(act);
        }
        Word word = words.withId(id);
        if (word == null) {
            return false;
        }
        if (act != null) {
            photo.choose(word);
            boolean changed = photo.perform(act);
            if (words.chosen() != word && words.chosen() != null) {
                visit(words.chosen().id);
            }
            return changed;
        }
        switch (action) {
            case AccessibilityNodeInfo.ACTION_ACCESSIBILITY_FOCUS:
                return visit(id);
            case AccessibilityNodeInfo.ACTION_CLEAR_ACCESSIBILITY_FOCUS:
                return leave(id);
            case AccessibilityNodeInfo.ACTION_CLICK:
                photo.choose(word);
                send(id, AccessibilityEvent.TYPE_VIEW_CLICKED);
                return true;
            default:
                return false;
        }
    }

    private boolean visit(int id) {
        if (id == visited) {
            return false;
        }
        leave(visited);
        visited = id;
        photo.invalidate();
        send(id, AccessibilityEvent.TYPE_VIEW_ACCESSIBILITY_FOCUSED);
        return true;
    }

    private boolean leave(int id) {
        if (id != visited || id == NONE) {
            return false;
        }
        visited = NONE;
        photo.invalidate();
        send(id, AccessibilityEvent.TYPE_VIEW_ACCESSIBILITY_FOCUS_CLEARED);
        return true;
    }

    @Override
    public AccessibilityNodeInfo findFocus(int focus) {
        if (focus == AccessibilityNodeInfo.FOCUS_ACCESSIBILITY) {
            return visited == NONE ? null : createAccessibilityNodeInfo(visited);
        }
        Word word = photo.isFocused() ? words.chosen() : null;
        return word == null ? null : of(word);
    }

    /** A finger that explores the screen comes to a box or leaves it; returns whether there is or was one. */
    boolean onHover(MotionEvent event) {
        float[] point = viewport.toPhoto(event.getX(), event.getY());
        boolean gone = event.getActionMasked() == MotionEvent.ACTION_HOVER_EXIT;
        Word word = gone ? null : words.at(point[0], point[1]);
        int before = hovered;
        hovered = word == null ? NONE : word.id;
        if (hovered != before) {
            send(hovered, AccessibilityEvent.TYPE_VIEW_HOVER_ENTER);
            send(before, AccessibilityEvent.TYPE_VIEW_HOVER_EXIT);
        }
        return hovered != NONE || before != NONE;
    }

    /** Boxes came, went or changed. */
    void changed() {
        if (words.withId(visited) == null) {
            visited = NONE;
        }
        send(HOST_VIEW_ID, AccessibilityEvent.TYPE_WINDOW_CONTENT_CHANGED);
    }

    private void send(int id, int type) {
        AccessibilityManager manager = photo.getContext().getSystemService(AccessibilityManager.class);
        if (id == NONE || !manager.isEnabled() || photo.getParent() == null) {
            return;
        }
        AccessibilityEvent event = AccessibilityEvent.obtain(type);
        event.setSource(photo, id);
        event.setPackageName(photo.getContext().getPackageName());
        event.setClassName(View.class.getName());
        event.setEnabled(true);
        Word word = words.withId(id);
        if (word != null) {
            event.setContentDescription(describe(word));
        }
        if (type == AccessibilityEvent.TYPE_WINDOW_CONTENT_CHANGED) {
            event.setContentChangeTypes(AccessibilityEvent.CONTENT_CHANGE_TYPE_SUBTREE);
        }
        photo.getParent().requestSendAccessibilityEvent(photo, event);
    }
}
