package org.scriptkd.demo;

import android.view.KeyEvent;

/** What can be done with the boxes on a photo without a finger: by keys, by buttons and by TalkBack. */
enum Act {
    LEFT(R.id.act_left, R.string.act_left),
    RIGHT(R.id.act_right, R.string.act_right),
    UP(R.id.act_up, R.string.act_up),
    DOWN(R.id.act_down, R.string.act_down),
    WIDER(R.id.act_wider, R.string.act_wider),
    NARROWER(R.id.act_narrower, R.string.act_narrower),
    TALLER(R.id.act_taller, R.string.act_taller),
    FLATTER(R.id.act_flatter, R.string.act_flatter),
    NEXT(R.id.act_next, R.string.act_next),
    NEW(R.id.act_new, R.string.act_new),
    REMOVE(R.id.act_remove, R.string.act_remove),
    ZOOM_IN(R.id.act_zoom_in, R.string.act_zoom_in),
    ZOOM_OUT(R.id.act_zoom_out, R.string.act_zoom_out);

    /** Those that a box of its own offers; the photo offers the others. */
    static final Act[] OF_A_BOX = {LEFT, RIGHT, UP, DOWN, WIDER, NARROWER, TALLER, FLATTER, NEXT, REMOVE};

    static final Act[] OF_THE_PHOTO = {NEW, ZOOM_IN, ZOOM_OUT};

    final int id; // of the button and of TalkBack's action
    final int label;

    Act(int id, int label) {
        this.id = id;
        this.label = label;
    }

    /** Null where the id is of something else. */
    static Act withId(int id) {
        for (Act each : values()) {
            if (each.id == id) {
                return each;
            }
        }
        return null;
    }

    /** Null for keys that do nothing here. */
    static Act ofKey(int key, boolean shift) {
        switch (key) {
            case KeyEvent.KEYCODE_DPAD_LEFT:
                return shift ? NARROWER : LEFT;
            case KeyEvent.KEYCODE_DPAD_RIGHT:
                return shift ? WIDER : RIGHT;
            case KeyEvent.KEYCODE_DPAD_UP:
                return shift ? FLATTER : UP;
            case KeyEvent.KEYCODE_DPAD_DOWN:
                return shift ? TALLER : DOWN;
            case KeyEvent.KEYCODE_DPAD_CENTER:
            case KeyEvent.KEYCODE_ENTER:
            case KeyEvent.KEYCODE_NUMPAD_ENTER:
                return NEXT;
            case KeyEvent.KEYCODE_N:
                return NEW;
            case KeyEvent.KEYCODE_DEL:
            case KeyEvent.KEYCODE_FORWARD_DEL:
                return REMOVE;
            case KeyEvent.KEYCODE_PLUS:
            case KeyEvent.KEYCODE_EQUALS: // where + is its upper half
            case KeyEvent.KEYCODE_NUMPAD_ADD:
                return ZOOM_IN;
            case KeyEvent.KEYCODE_MINUS:
            case KeyEvent.KEYCODE_NUMPAD_SUBTRACT:
                return ZOOM_OUT;
            default:
                return null;
        }
    }
}
