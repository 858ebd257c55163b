package org.scriptkd.demo;

import android.graphics.Matrix;
import android.graphics.Path;
import android.graphics.RectF;
import org.scriptkd.sdk.Corners;
import org.scriptkd.sdk.Region;

/** Which part of a photo a view shows, how large and which way up. */
final class Viewport {
    private static final float CLOSEST = 8; // times the size at which the whole photo fits

    private final Matrix toView = new Matrix();
    private final Matrix toPhoto = new Matrix();
    private int width; // of the photo
    private int height;
    private int viewWidth;
    private int viewHeight;
    private int turned; // by how many degrees, counterclockwise, the photo is shown
    private float zoom = 1;

    /** All of the photo, as large as fits, turned counterclockwise by 0, 90, 180 or 270 degrees. */
    void fit(int width, int height, int viewWidth, int viewHeight, int turned) {
        this.width = width;
        this.height = height;
        this.viewWidth = viewWidth;
        this.viewHeight = viewHeight;
        this.turned = turned;
        zoom = 1;
        toView.setRotate(-turned);
        RectF whole = whole();
        Matrix fitted = new Matrix();
        fitted.setRectToRect(whole, new RectF(0, 0, viewWidth, viewHeight), Matrix.ScaleToFit.CENTER);
        toView.postConcat(fitted);
        toView.invert(toPhoto);
    }

    /**
     * Larger or smaller about a point of the view, which stays where it is as far as the photo's borders let it.
     *
     * @return whether anything changed
     */
    boolean zoom(float factor, float x, float y) {
        float before = zoom;
        zoom = Math.min(Math.max(zoom * factor, 1), CLOSEST);
        toView.postScale(zoom / before, zoom / before, x, y);
        settle();
        return zoom != before;
    }

    void pan(float dx, float dy) {
        toView.postTranslate(dx, dy);
        settle();
    }

    /** Brings a box into the view if a part of it lies outside. */
    void show(Region box) {
        RectF shown = toView(box);
        if (!new RectF(0, 0, viewWidth, viewHeight).contains(shown)) {
            pan(viewWidth / 2f - shown.centerX(), viewHeight / 2f - shown.centerY());
        }
    }

    /** No gap beside the photo where it is larger than the view, and the photo in the middle where it is smaller. */
    private void settle() {
        RectF whole = whole();
        toView.postTranslate(
                shift(whole.left, whole.right, viewWidth), shift(whole.top, whole.bottom, viewHeight));
        toView.invert(toPhoto);
    }

    private static float shift(float first, float last, int length) {
        if (last - first <= length) {
            return (length - first - last) / 2;
        }
        return first > 0 ? -first : Math.max(length - last, 0);
    }

    private RectF whole() {
        RectF whole = new RectF(0, 0, width, height);
        toView.mapRect(whole);
        return whole;
    }

    /** From the photo's pixels to the view's. */
    Matrix matrix() {
        return toView;
    }

    RectF toView(Region box) {
        RectF shown = new RectF(box.left, box.top, box.right, box.bottom);
        toView.mapRect(shown);
        return shown;
    }

    /** A way along four corners in the photo, and back to the first. */
    Path toView(Corners corners) {
        Path path = new Path();
        path.moveTo((float) corners.x(0), (float) corners.y(0));
        for (int i = 1; i < 4; i++) {
            path.lineTo((float) corners.x(i), (float) corners.y(i));
        }
        path.close();
        path.transform(toView);
        return path;
    }

    /** The photo's x and y at a point of the view. */
    float[] toPhoto(float x, float y) {
        float[] point = {x, y};
        toPhoto.mapPoints(point);
        return point;
    }

    /** The part of the photo that is seen. */
    Region seen() {
        RectF view = new RectF(0, 0, viewWidth, viewHeight);
        toPhoto.mapRect(view);
        return Boxes.between(view.left, view.top, view.right, view.bottom, width, height);
    }

    /** A length in the view as pixels of the photo, at least 1. */
    int pixels(float length) {
        return Math.max(1, Math.round(toPhoto.mapRadius(length)));
    }

    /** A direction on the screen, such as (1, 0), as a direction in the photo. */
    int[] direction(int right, int down) {
        int[] found = {right, down};
        for (int quarter = 0; quarter < turned; quarter += 90) {
            found = new int[] {-found[1], found[0]};
        }
        return found;
    }
}
