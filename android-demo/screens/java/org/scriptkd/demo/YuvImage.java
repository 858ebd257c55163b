package org.scriptkd.demo;

import android.graphics.Bitmap;
import android.graphics.Color;
import android.graphics.ImageFormat;
import android.graphics.Matrix;
import android.media.Image;
import java.nio.ByteBuffer;

/** A frame as Camera2 gives it of what an upright bitmap shows: it lies, and its rows are longer than need be. */
final class YuvImage extends Image {
    private static final int SPARE = 32; // bytes at each row's end

    private final int width;
    private final int height;
    private final Plane[] planes;
    boolean closed;

    /** Turned counterclockwise by so many degrees, as the sensor of a phone lies in it. */
    YuvImage(Bitmap upright, int degrees) {
        Matrix turn = new Matrix();
        turn.setRotate(-degrees);
        Bitmap lying = Bitmap.createBitmap(upright, 0, 0, upright.getWidth(), upright.getHeight(), turn, false);
        width = lying.getWidth();
        height = lying.getHeight();
        int row = width + SPARE;
        byte[] luma = new byte[row * height];
        byte[] colours = new byte[row * height / 2]; // blue and red take turns
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int pixel = lying.getPixel(x, y);
                double gray = 0.299 * Color.red(pixel) + 0.587 * Color.green(pixel) + 0.114 * Color.blue(pixel);
                luma[y * row + x] = (byte) Math.round(gray);
                int place = y / 2 * row + x / 2 * 2;
                colours[place] = (byte) Math.round(128 + (Color.blue(pixel) - gray) / 1.772);
                colours[place + 1] = (byte) Math.round(128 + (Color.red(pixel) - gray) / 1.402);
            }
        }
        ByteBuffer blue = ByteBuffer.wrap(colours);
        ByteBuffer red = ByteBuffer.wrap(colours, 1, colours.length - 1).slice();
        planes = new Plane[] {plane(ByteBuffer.wrap(luma), row, 1), plane(blue, row, 2), plane(red, row, 2)};
    }

    private static Plane plane(ByteBuffer bytes, int row, int step) {
        return new Plane() {
            @Override
            public int getRowStride() {
                return row;
            }

            @Override
            public int getPixelStride() {
                return step;
            }

            @Override
            public ByteBuffer getBuffer() {
                return bytes;
            }
        };
    }

    @Override
    public int getFormat() {
        return ImageFormat.YUV_420_888;
    }

    @Override
    public int getWidth() {
        return width;
    }

    @Override
    public int getHeight() {
        return height;
    }

    @Override
    public long getTimestamp() {
        return 0;
    }

    @Override
    public int getTransform() {
        return 0;
    }

    @Override
    public int getScalingMode() {
        return 0;
    }

    @Override
    public Plane[] getPlanes() {
        return planes;
    }

    @Override
    public void close() {
        closed = true;
    }
}
