package org.scriptkd.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Rect;
import android.graphics.RectF;
import android.util.AttributeSet;
import android.util.TypedValue;
import android.view.KeyEvent;
import android.view.MotionEvent;
import android.view.View;
import android.view.ViewConfiguration;
import android.view.accessibility.AccessibilityNodeProvider;
import java.util.ArrayList;
import java.util.List;
import org.scriptkd.sdk.Corners;
import org.scriptkd.sdk.Region;
import org.scriptkd.sdk.TextBox;

/** Shows a photo, the way up that is asked for, with boxes. Fingers, keys and screen readers make and change them. */
public final class WordView extends View implements Fingers.Listener {
    /** Hears of boxes. */
    interface Listener {
        /** A box is new or has changed. */
        void onBox(Word word);

        /** Another box is the chosen one, or none is any more. */
        void onChosen();

        /** A finger drew or tapped where there is no box. */
        void onNothing();
    }

    private final Paint smooth = new Paint(Paint.FILTER_BITMAP_FLAG);
    private final Paint letters = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final WordPainter painter;
    private final Words words = new Words();
    private final Viewport viewport = new Viewport();
    private final WordEditor editor;
    private final WordNodes nodes = new WordNodes(this, words, viewport);
    private final Fingers fingers;
    private Listener listener;
    private Bitmap photo;
    private int turned; // by how many degrees, counterclockwise, the photo is shown; all else is in its own pixels
    private Region drawn; // by the finger that is on the photo now

    public WordView(Context context, AttributeSet attributes) {
        super(context, attributes);
        painter = new WordPainter(context);
        editor = new WordEditor(words, viewport, context.getResources().getDisplayMetrics().density);
        fingers = new Fingers(this, ViewConfiguration.get(context).getScaledTouchSlop());
        letters.setTextAlign(Paint.Align.CENTER);
        letters.setColor(context.getColor(R.color.photo_empty));
        letters.setTextSize(TypedValue.applyDimension(
                TypedValue.COMPLEX_UNIT_SP, 16, context.getResources().getDisplayMetrics()));
        setContentDescription(context.getString(R.string.photo_empty));
        setFocusable(true);
        setDefaultFocusHighlightEnabled(false); // which would lie over the photo; onDraw frames it
    }

    void setListener(Listener listener) {
        this.listener = listener;
    }

    void setPhoto(Bitmap photo) {
        this.photo = photo;
        turned = 0;
        words.clear();
        editor.setSize(photo.getWidth(), photo.getHeight());
        setContentDescription(getContext().getString(R.string.photo_loaded));
        fit();
        nodes.changed();
    }

    boolean hasPhoto() {
        return photo != null;
    }

    Words words() {
        return words;
    }

    Viewport viewport() {
        return viewport;
    }

    /** Show the photo turned counterclockwise by 0, 90, 180 or 270 degrees. */
    void setTurned(int degrees) {
        turned = degrees;
        fit();
    }

    int turned() {
        return turned;
    }

    /** Marks a word as a finger would. */
    void mark(Region box) {
        words.mark(box);
        changed(words.chosen());
    }

    /** Shows words that were found; returns those that are new. */
    List<Word> addFound(List<TextBox> boxes) {
        List<Word> added = new ArrayList<Word>();
        for (TextBox each : boxes) {
            addFound(each.corners, added);
        }
        answered();
        return added;
    }

    private void addFound(Corners corners, List<Word> added) {
        Region box = Boxes.around(corners, photo.getWidth(), photo.getHeight());
        Word word = box == null ? null : words.addFound(box, corners);
        if (word != null) {
            added.add(word);
        }
    }

    /**
     * Boxes and corners as {@link Words#sides} and {@link Words#corners} gave them, and the chosen one's number; those
     * beside the photo are left out. Returns the words.
     */
    List<Word> restore(int[] sides, double[] corners, int chosen) {
        List<Word> restored = new ArrayList<Word>();
        for (int i = 0; i < sides.length; i += 4) {
            Region box = Boxes.between(
                    sides[i], sides[i + 1], sides[i + 2], sides[i + 3], photo.getWidth(), photo.getHeight());
            if (!Double.isNaN(corners[2 * i])) {
                addFound(Boxes.corners(corners, 2 * i), restored);
            } else if (box != null) {
                restored.add(words.add(box));
            }
        }
        words.choose(null);
        if (chosen > 0 && chosen <= words.all().size()) {
            words.choose(words.all().get(chosen - 1));
        }
        answered();
        return restored;
    }

    void choose(Word word) {
        if (word != words.chosen()) {
            words.choose(word);
            changed(null);
        }
    }

    /** Returns whether anything changed. */
    boolean perform(Act act) {
        if (photo == null) {
            return false;
        }
        Word before = words.chosen();
        Region box = before == null ? null : before.box;
        if (!editor.perform(act)) {
            return false;
        }
        Word now = words.chosen();
        boolean fresh = now != null && now.answer == null && now != before;
        boolean reshaped = now != null && now == before && !now.box.equals(box);
        changed(fresh || reshaped ? now : null);
        return true;
    }

    /** The boxes changed; this one is to be asked about. Null: only another one was chosen. */
    private void changed(Word asked) {
        invalidate();
        nodes.changed();
        if (listener != null && asked != null) {
            listener.onBox(asked);
        } else if (listener != null) {
            listener.onChosen();
        }
    }

    /** An answer has come, or words that are not chosen. */
    void answered() {
        invalidate();
        nodes.changed();
    }

    @Override
    protected void onSizeChanged(int width, int height, int oldWidth, int oldHeight) {
        fit();
    }

    private void fit() {
        if (photo != null) {
            viewport.fit(photo.getWidth(), photo.getHeight(), getWidth(), getHeight(), turned);
        }
        invalidate();
    }

    @Override
    protected void onDraw(Canvas canvas) {
        if (photo == null) {
            canvas.drawText(getContext().getString(R.string.photo_empty), getWidth() / 2f, getHeight() / 2f, letters);
        } else {
            canvas.drawBitmap(photo, viewport.matrix(), smooth);
            for (Word each : words.all()) {
                drawWord(canvas, each);
            }
            if (drawn != null) {
                painter.outline(canvas, viewport.toView(drawn), true);
            }
        }
        if (isFocused()) {
            painter.focus(canvas, getWidth(), getHeight());
        }
    }

    private void drawWord(Canvas canvas, Word word) {
        RectF box = viewport.toView(word.box);
        boolean chosen = word == words.chosen();
        boolean found = word.corners != null;
        if (found) {
            String code = word.answer == null ? "" : word.answer.prediction.script.code;
            painter.outline(canvas, viewport.toView(word.corners), Colours.of(code), chosen);
        } else {
            painter.outline(canvas, box, chosen);
        }
        // Of words that were found, the colour tells the script; so many names would hide the photo.
        if (word.answer != null && (chosen || !found) && box.intersects(0, 0, getWidth(), getHeight())) {
            boolean known = word.answer.prediction.known();
            painter.label(canvas, box, known ? word.answer.prediction.script.name : "?");
        }
    }

    @Override
    protected void onFocusChanged(boolean gained, int direction, Rect before) {
        super.onFocusChanged(gained, direction, before);
        invalidate();
    }

    @Override
    public boolean onKeyDown(int key, KeyEvent event) {
        Act act = Act.ofKey(key, event.isShiftPressed());
        if (act == null || photo == null) {
            return super.onKeyDown(key, event);
        }
        // An arrow at the photo's border leads on to the next view, but not while it is held down.
        return perform(act) || event.getRepeatCount() > 0 || super.onKeyDown(key, event);
    }

    @Override
    public boolean onTouchEvent(MotionEvent event) {
        if (photo == null) {
            return false;
        }
        getParent().requestDisallowInterceptTouchEvent(true);
        fingers.onTouch(event);
        return true;
    }

    @Override
    public void onDraw(float x1, float y1, float x2, float y2) {
        drawn = between(x1, y1, x2, y2);
        invalidate();
    }

    @Override
    public void onDrawn(float x1, float y1, float x2, float y2) {
        drawn = null;
        Region box = between(x1, y1, x2, y2);
        if (box == null) {
            invalidate();
            listener.onNothing();
        } else {
            mark(box);
        }
    }

    @Override
    public void onTap(float x, float y) {
        float[] point = viewport.toPhoto(x, y);
        Word word = words.at(point[0], point[1]);
        if (word == null) {
            listener.onNothing();
        } else {
            choose(word);
        }
    }

    @Override
    public void onStop() {
        drawn = null;
        invalidate();
    }

    @Override
    public void onPinch(float factor, float x, float y, float dx, float dy) {
        viewport.pan(dx, dy);
        viewport.zoom(factor, x, y);
        nodes.changed();
        invalidate();
    }

    private Region between(float x1, float y1, float x2, float y2) {
        float[] start = viewport.toPhoto(x1, y1);
        float[] end = viewport.toPhoto(x2, y2);
        return Boxes.between(start[0], start[1], end[0], end[1], photo.getWidth(), photo.getHeight());
    }

    @Override
    public AccessibilityNodeProvider getAccessibilityNodeProvider() {
        return nodes;
    }

    @Override
    protected boolean dispatchHoverEvent(MotionEvent event) {
        return nodes.onHover(event) || super.dispatchHoverEvent(event);
    }
}
