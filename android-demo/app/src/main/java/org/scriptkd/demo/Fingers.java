package org.scriptkd.demo;

import android.view.MotionEvent;

/** From touches to what they mean: one finger draws a box or taps, two make the photo larger or smaller and move it. */
final class Fingers {
    /** All places are in the view's pixels. */
    interface Listener {
        void onDraw(float x1, float y1, float x2, float y2);

        void onDrawn(float x1, float y1, float x2, float y2);

        void onTap(float x, float y);

        /** No box after all. */
        void onStop();

        /** The fingers' middle moved by (dx, dy) to (x, y), and their distance grew by a factor. */
        void onPinch(float factor, float x, float y, float dx, float dy);
    }

    private final Listener listener;
    private final float slop; // up to this far, a finger that moves still taps
    private boolean drawing; // with the only finger there is
    private boolean tapping;
    private float startX;
    private float startY;
    private float middleX; // of two fingers
    private float middleY;
    private float distance;

    Fingers(Listener listener, float slop) {
        this.listener = listener;
        this.slop = slop;
    }

    void onTouch(MotionEvent event) {
        float x = event.getX();
        float y = event.getY();
        switch (event.getActionMasked()) {
            case MotionEvent.ACTION_DOWN:
                drawing = true;
                tapping = true;
                startX = x;
                startY = y;
                break;
            case MotionEvent.ACTION_POINTER_DOWN:
            case MotionEvent.ACTION_CANCEL:
                stop();
                break;
            case MotionEvent.ACTION_MOVE:
                tapping &= Math.hypot(x - startX, y - startY) <= slop;
                if (event.getPointerCount() > 1) {
                    pinch(event);
                } else if (drawing && !tapping) {
                    listener.onDraw(startX, startY, x, y);
                }
                break;
            case MotionEvent.ACTION_UP:
                lift(x, y);
                break;
            default:
                break;
        }
        if (event.getActionMasked() != MotionEvent.ACTION_MOVE) {
            distance = 0; // other fingers: their next place is a first one
        }
    }

    private void lift(float x, float y) {
        if (drawing && tapping && Math.hypot(x - startX, y - startY) <= slop) {
            listener.onTap(x, y);
        } else if (drawing) {
            listener.onDrawn(startX, startY, x, y);
        }
        drawing = false;
    }

    private void stop() {
        if (drawing) {
            listener.onStop();
        }
        drawing = false; // also for the finger that stays when the other one is gone
    }

    private void pinch(MotionEvent event) {
        float x = (event.getX(0) + event.getX(1)) / 2;
        float y = (event.getY(0) + event.getY(1)) / 2;
        float apart = (float) Math.hypot(event.getX(0) - event.getX(1), event.getY(0) - event.getY(1));
        if (distance > 0 && apart > 0) {
            listener.onPinch(apart / distance, x, y, x - middleX, y - middleY);
        }
        middleX = x;
        middleY = y;
        distance = apart;
    }
}
