package org.scriptkd.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Matrix;
import android.graphics.Paint;
import android.graphics.RectF;
import android.util.AttributeSet;
import android.util.TypedValue;
import android.view.MotionEvent;
import android.view.View;
import org.scriptkd.sdk.Region;

/** Shows a photo as large as fits, the way up that is asked for, and lets a finger drag a box on it. */
public final class WordView extends View {
    /** Hears of boxes. */
    interface Listener {
        /** A box was dragged; null for an empty one. */
        void onBox(Region box);
    }

    private final Paint smooth = new Paint(Paint.FILTER_BITMAP_FLAG);
    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint letters = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Matrix toView = new Matrix();
    private final Matrix toPhoto = new Matrix();
    private Listener listener;
    private Bitmap photo;
    private int turned; // by how many degrees, counterclockwise, the photo is shown; all else is in its own pixels
    private Region box;
    private float startX; // in the photo's pixels
    private float startY;

    public WordView(Context context, AttributeSet attributes) {
        super(context, attributes);
        line.setStyle(Paint.Style.STROKE);
        letters.setTextAlign(Paint.Align.CENTER);
        letters.setColor(context.getColor(R.color.photo_empty));
        letters.setTextSize(TypedValue.applyDimension(
                TypedValue.COMPLEX_UNIT_SP, 16, context.getResources().getDisplayMetrics()));
        setContentDescription(context.getString(R.string.photo_empty));
    }

    void setListener(Listener listener) {
        this.listener = listener;
    }

    void setPhoto(Bitmap photo) {
        this.photo = photo;
        this.box = null;
        this.turned = 0;
        setContentDescription(getContext().getString(photo == null ? R.string.photo_empty : R.string.photo_loaded));
        fit();
    }

    /** Show the photo turned counterclockwise by 0, 90, 180 or 270 degrees. */
    void setTurned(int degrees) {
        turned = degrees;
        fit();
    }

    int turned() {
        return turned;
    }

    void setBox(Region box) {
        this.box = box;
        invalidate();
    }

    @Override
    protected void onSizeChanged(int width, int height, int oldWidth, int oldHeight) {
        fit();
    }

    private void fit() {
        if (photo != null) {
            RectF whole = new RectF(0, 0, photo.getWidth(), photo.getHeight());
            Matrix fitted = new Matrix();
            toView.setRotate(-turned);
            toView.mapRect(whole);
            fitted.setRectToRect(whole, new RectF(0, 0, getWidth(), getHeight()), Matrix.ScaleToFit.CENTER);
            toView.postConcat(fitted);
            toView.invert(toPhoto);
        }
        invalidate();
    }

    @Override
    protected void onDraw(Canvas canvas) {
        if (photo == null) {
            canvas.drawText(getContext().getString(R.string.photo_empty), getWidth() / 2f, getHeight() / 2f, letters);
            return;
        }
        canvas.drawBitmap(photo, toView, smooth);
        if (box != null) {
            RectF shown = new RectF(box.left, box.top, box.right, box.bottom);
            toView.mapRect(shown);
            float density = getResources().getDisplayMetrics().density;
            line.setColor(getContext().getColor(R.color.box_edge)); // visible on light and dark photos
            line.setStrokeWidth(4 * density);
            canvas.drawRect(shown, line);
            line.setColor(getContext().getColor(R.color.box));
            line.setStrokeWidth(2 * density);
            canvas.drawRect(shown, line);
        }
    }

    @Override
    public boolean onTouchEvent(MotionEvent event) {
        if (photo == null) {
            return false;
        }
        float[] point = {event.getX(), event.getY()};
        toPhoto.mapPoints(point);
        switch (event.getActionMasked()) {
            case MotionEvent.ACTION_DOWN:
                getParent().requestDisallowInterceptTouchEvent(true);
                startX = point[0];
                startY = point[1];
                setBox(null);
                return true;
            case MotionEvent.ACTION_MOVE:
                setBox(between(point));
                return true;
            case MotionEvent.ACTION_UP:
                setBox(between(point));
                performClick();
                return true;
            case MotionEvent.ACTION_CANCEL:
                setBox(null);
                return true;
            default:
                return true;
        }
    }

    private Region between(float[] point) {
        return Boxes.between(startX, startY, point[0], point[1], photo.getWidth(), photo.getHeight());
    }

    @Override
    public boolean performClick() {
        super.performClick();
        if (listener != null) {
            listener.onBox(box);
        }
        return true;
    }
}
