package org.scriptkd.demo;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.graphics.Path;
import android.graphics.RectF;
import android.util.DisplayMetrics;
import android.util.TypedValue;

/** Draws boxes so that they are seen on light and on dark photos, each with its script's name. */
final class WordPainter {
    private static final float LETTERS = 14; // sp
    private static final float EDGE = 1; // dp of dark beside each line
    private static final float THIN = 2; // dp
    private static final float THICK = 4;

    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint letters = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final float density;
    private final int light;
    private final int dark;

    WordPainter(Context context) {
        DisplayMetrics display = context.getResources().getDisplayMetrics();
        density = display.density;
        light = context.getColor(R.color.box);
        dark = context.getColor(R.color.box_edge);
        line.setStyle(Paint.Style.STROKE);
        letters.setTextSize(TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, LETTERS, display));
    }

    /** A line around a box, outside it, so that it covers no letters. */
    void outline(Canvas canvas, RectF box, boolean thick) {
        float width = density * (thick ? THICK : THIN);
        float half = width / 2 + density * EDGE;
        RectF around = new RectF(box.left - half, box.top - half, box.right + half, box.bottom + half);
        line.setColor(dark);
        line.setStrokeWidth(2 * half);
        canvas.drawRect(around, line);
        line.setColor(light);
        line.setStrokeWidth(width);
        canvas.drawRect(around, line);
    }

    /** A line of a colour along a path, with white beside it, so that each colour is seen on every ground. */
    void outline(Canvas canvas, Path path, int colour, boolean thick) {
        float width = density * (thick ? THICK : THIN);
        line.setColor(Color.WHITE);
        line.setStrokeWidth(width + 2 * density * EDGE);
        canvas.drawPath(path, line);
        line.setColor(colour);
        line.setStrokeWidth(width);
        canvas.drawPath(path, line);
    }

    /** A line along the view's own border: the keyboard's keys go to it. */
    void focus(Canvas canvas, int width, int height) {
        float room = density * (THICK + 2 * EDGE);
        outline(canvas, new RectF(room, room, width - room, height - room), true);
    }

    /** A script's name above a box, or below it where the view ends; within the view as far as there is room. */
    void label(Canvas canvas, RectF box, String name) {
        float gap = density * (THICK + 2 * EDGE);
        Paint.FontMetrics font = letters.getFontMetrics();
        float width = letters.measureText(name) + 2 * gap;
        float height = font.descent - font.ascent;
        float left = Math.max(0, Math.min(box.left, canvas.getWidth() - width));
        float top = box.top - gap - height >= 0 ? box.top - gap - height : box.bottom + gap;
        letters.setColor(dark);
        canvas.drawRect(left, top, left + width, top + height, letters);
        letters.setColor(light);
        canvas.drawText(name, left + gap, top - font.ascent, letters);
    }
}
