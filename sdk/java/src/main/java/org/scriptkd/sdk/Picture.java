package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/** The part of an image to identify: opaque pixels 0x..RRGGBB, row by row. The highest byte is ignored. */
final class Picture {
    static final int SMALLEST_SIDE = 2; // pixels
    private static final int LARGEST_SIDE = 16384;
    private static final int MOST_PIXELS = 50000000; // a word crop has thousands; more is a mistake
    private static final int STRIP = 1024; // pixels; a strip's sums fit into the processor's cache

    final int[] rgb;
    final int width;
    final int height;

    Picture(int[] rgb, int width, int height) {
        this.rgb = rgb;
        this.width = width;
        this.height = height;
    }

    /**
     * An image or a part of it. Transparent pixels are laid on black or white.
     *
     * @param argb the image's pixels, row by row, colours not multiplied by alpha
     * @param area null is the whole image
     * @throws ImageException for an image or an area that cannot be used
     */
    static Picture of(int[] argb, int width, int height, @Nullable Area area) {
        check(argb, width, height);
        return area == null ? box(argb, width, height, new Region(0, 0, width, height)) : area.cut(argb, width, height);
    }

    /** Throws ImageException for an image that is too small or too large, or an array that is too short. */
    static void check(int[] argb, int width, int height) {
        checkSize(width, height);
        if (argb.length < (long) width * height) {
            throw new ImageException(width + "x" + height + " pixels are " + (long) width * height
                    + ", but the array holds " + argb.length);
        }
    }

    /** A box within an image. The ground for transparent pixels depends on the whole image. */
    static Picture box(int[] argb, int width, int height, Region box) {
        boolean opaque = Transparency.opaque(argb, width, box);
        int ground = opaque ? Transparency.NONE : Transparency.ground(argb, width, height);
        if (ground == Transparency.NONE && box.width() == width && box.height() == height) {
            return new Picture(argb, width, height);
        }
        int[] rgb = new int[box.width() * box.height()];
        for (int y = 0; y < box.height(); y++) {
            System.arraycopy(argb, (box.top + y) * width + box.left, rgb, y * box.width(), box.width());
        }
        if (ground != Transparency.NONE) {
            for (int i = 0; i < rgb.length; i++) {
                rgb[i] = Transparency.lay(rgb[i], ground);
            }
        }
        return new Picture(rgb, box.width(), box.height());
    }

    /** Throws ImageException for an image that is too small or too large. */
    static void checkSize(int width, int height) {
        String size = width + "x" + height + " pixels";
        if (Math.min(width, height) < SMALLEST_SIDE) {
            throw new ImageException(size + ", but at least 2x2 are needed");
        }
        if (Math.max(width, height) > LARGEST_SIDE) {
            throw new ImageException(size + ", but at most 16,384 a side are allowed");
        }
        if ((long) width * height > MOST_PIXELS) {
            throw new ImageException(size + ", but at most 50 million are allowed");
        }
    }

    /** A pixel's luma, (299 R + 587 G + 114 B + 500) div 1000, with the weights of ITU-R BT.601. */
    static int luma(int pixel) {
        return (299 * (pixel >> 16 & 0xFF) + 587 * (pixel >> 8 & 0xFF) + 114 * (pixel & 0xFF) + 500) / 1000;
    }

    /** The luma of all pixels. The loops are so simple that a JVM vectorizes them, which halves the time. */
    Plane luma() {
        byte[] bytes = new byte[width * height];
        int[] pixels = new int[STRIP];
        int[] sums = new int[STRIP];
        for (int from = 0; from < bytes.length; from += STRIP) {
            int count = Math.min(STRIP, bytes.length - from);
            System.arraycopy(rgb, from, pixels, 0, count);
            red(pixels, sums);
            green(pixels, sums);
            blue(pixels, sums);
            thousandth(sums);
            for (int i = 0; i < count; i++) {
                bytes[from + i] = (byte) sums[i];
            }
        }
        return new Plane(bytes, width, height);
    }

    private static void red(int[] pixels, int[] sums) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] = 299 * (pixels[i] >> 16 & 0xFF);
        }
    }

    private static void green(int[] pixels, int[] sums) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += 587 * (pixels[i] >> 8 & 0xFF);
        }
    }

    private static void blue(int[] pixels, int[] sums) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += 114 * (pixels[i] & 0xFF) + 500;
        }
    }

    /** Divides by 8 and by 125. Up to 255,500 the product fits into 32 bits and the quotient is exact. */
    private static void thousandth(int[] sums) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] = (sums[i] >>> 3) * 134218 >>> 24;
        }
    }

    /** Red, green and blue as separate planes. */
    Plane[] colours() {
        return new Plane[] {colour(0), colour(1), colour(2)};
    }

    /** Red (0), green (1) or blue (2). */
    Plane colour(int channel) {
        byte[] bytes = new byte[width * height];
        int shift = 16 - 8 * channel;
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (rgb[i] >> shift);
        }
        return new Plane(bytes, width, height);
    }

    /** Red, green and blue bytes, [height, width, 3]: the input of a network that does the pre-processing itself. */
    byte[] interleaved() {
        byte[] bytes = new byte[3 * width * height];
        for (int i = 0, to = 0; to < bytes.length; i++) {
            bytes[to++] = (byte) (rgb[i] >> 16);
            bytes[to++] = (byte) (rgb[i] >> 8);
            bytes[to++] = (byte) rgb[i];
        }
        return bytes;
    }
}
