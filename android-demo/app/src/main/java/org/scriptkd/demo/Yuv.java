package org.scriptkd.demo;

import java.nio.ByteBuffer;

/** From a camera's frame to upright pixels. The frame is YUV 4:2:0 with JFIF's full range, as Android's are. */
final class Yuv {
    /** One of the three parts of a frame. */
    static final class Plane {
        final byte[] bytes; // a copy: a camera's own memory is slow to read byte by byte
        final int row; // bytes from one row to the next
        final int step; // bytes from one pixel to the next

        Plane(ByteBuffer buffer, int row, int step) {
            this.bytes = new byte[buffer.remaining()];
            buffer.duplicate().get(bytes);
            this.row = row;
            this.step = step;
        }

        int at(int x, int y) {
            return bytes[y * row + x * step] & 255;
        }
    }

    private Yuv() {}

    /**
     * The frame's pixels, 0xFFRRGGBB, row by row, turned clockwise by 0, 90, 180 or 270 degrees. By 90 and 270 its
     * width becomes its height.
     */
    static int[] upright(Plane y, Plane u, Plane v, int width, int height, int degrees) {
        int[] pixels = new int[width * height];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int blue = u.at(column / 2, row / 2) - 128;
                int red = v.at(column / 2, row / 2) - 128;
                pixels[place(column, row, width, height, degrees)] = argb(y.at(column, row), blue, red);
            }
        }
        return pixels;
    }

    private static int place(int x, int y, int width, int height, int degrees) {
        switch (degrees) {
            case 90:
                return x * height + height - 1 - y;
            case 180:
                return (height - 1 - y) * width + width - 1 - x;
            case 270:
                return (width - 1 - x) * height + y;
            default:
                return y * width + x;
        }
    }

    /** JFIF's formula, in 1/65536. */
    private static int argb(int luma, int blue, int red) {
        int base = (luma << 16) + (1 << 15);
        int r = byteOf(base + 91881 * red);
        int g = byteOf(base - 22554 * blue - 46802 * red);
        int b = byteOf(base + 116130 * blue);
        return 0xFF000000 | r << 16 | g << 8 | b;
    }

    private static int byteOf(int value) {
        return Math.min(Math.max(value >> 16, 0), 255);
    }
}
