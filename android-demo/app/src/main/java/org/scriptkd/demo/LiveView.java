package org.scriptkd.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.util.AttributeSet;
import android.view.View;
import org.scriptkd.sdk.Region;

/** Shows a camera's frames and the box in their middle that a word is to fill. */
public final class LiveView extends View {
    private final Paint smooth = new Paint(Paint.FILTER_BITMAP_FLAG);
    private final Viewport viewport = new Viewport();
    private final WordPainter painter;
    private Bitmap frame;

    public LiveView(Context context, AttributeSet attributes) {
        super(context, attributes);
        painter = new WordPainter(context);
    }

    void show(Bitmap shown) {
        frame = shown;
        invalidate();
    }

    /** The box in a frame of this size. */
    static Region aim(int width, int height) {
        return Boxes.middle(new Region(0, 0, width, height));
    }

    @Override
    protected void onDraw(Canvas canvas) {
        if (frame != null) {
            viewport.fit(frame.getWidth(), frame.getHeight(), getWidth(), getHeight(), 0);
            canvas.drawBitmap(frame, viewport.matrix(), smooth);
            painter.outline(canvas, viewport.toView(aim(frame.getWidth(), frame.getHeight())), true);
        }
    }
}
