package org.scriptkd.sdk;

/** One byte for each pixel of a picture, or of a box in it that shares the picture's bytes. */
final class Plane {
    private static final int TILE = 64; // pixels: a tile's lines fit into the processor's cache

    final byte[] bytes;
    final int offset; // of the first pixel
    final int stride; // from a pixel to the one below it
    final int width;
    final int height;

    Plane(byte[] bytes, int width, int height) {
        this(bytes, 0, width, width, height);
    }

    private Plane(byte[] bytes, int offset, int stride, int width, int height) {
        this.bytes = bytes;
        this.offset = offset;
        this.stride = stride;
        this.width = width;
        this.height = height;
    }

    Plane cut(Region box) {
        return new Plane(bytes, offset + box.top * stride + box.left, stride, box.width(), box.height());
    }

    /** A copy turned by 90 degrees counterclockwise. */
    Plane turned() {
        byte[] result = new byte[width * height];
        for (int top = 0; top < width; top += TILE) {
            for (int left = 0; left < height; left += TILE) {
                int right = Math.min(left + TILE, height);
                for (int i = top; i < Math.min(top + TILE, width); i++) {
                    int from = offset + left * stride + width - 1 - i;
                    for (int j = left; j < right; j++, from += stride) {
                        result[i * height + j] = bytes[from];
                    }
                }
            }
        }
        return new Plane(result, height, width);
    }
}
