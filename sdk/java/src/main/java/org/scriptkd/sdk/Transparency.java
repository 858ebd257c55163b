package org.scriptkd.sdk;

/** Transparent pictures: laid on black or on white, whichever makes their content visible. */
final class Transparency {
    static final int NONE = -1;
    static final int BLACK = 0;
    static final int WHITE = 255;

    private static final int VISIBLE = 128; // a pixel counts from this alpha on
    private static final int DARK = 96; // a pixel is dark below this luma
    private static final int LIGHT = 160; // a pixel is light from this luma on
    private static final int TWO_TONES = 16; // a picture has two tones if each has at least 1/16 of the visible pixels
    private static final int NEARLY_ALL = 16; // a plate has at most 1/16 invisible pixels

    private Transparency() {}

    /** Whether every pixel of a region of an image is opaque. */
    static boolean opaque(int[] argb, int width, Region region) {
        int all = -1;
        for (int y = region.top; y < region.bottom; y++) {
            for (int i = y * width + region.left; i < y * width + region.right; i++) {
                all &= argb[i];
            }
        }
        return all >>> 24 == 255;
    }

    /**
     * The gray, 0 or 255, that a whole picture is laid on.
     *
     * <p>A plate or page with words on it is laid on a ground like its rim. So is a word with an outline. Ink alone, or
     * a picture without a plain rim, such as a word with its shadow, is laid on the ground that differs more from it.
     * If the ground is nowhere visible, it is white.
     *
     * @return {@link #NONE} if alpha is 0 everywhere, because some screenshots and bitmaps leave their fourth byte
     *     empty. Then alpha is ignored, and the stored colours count
     */
    static int ground(int[] argb, int width, int height) {
        int size = width * height;
        int visible = 0;
        int highest = 0;
        for (int i = 0; i < size; i++) {
            highest = Math.max(highest, argb[i] >>> 24);
            visible += argb[i] >>> 24 >= VISIBLE ? 1 : 0;
        }
        if (highest == 0) {
            return NONE;
        }
        if (visible == size) {
            return WHITE;
        }
        int least = visible > 0 ? VISIBLE : 1; // alpha
        Tones seen = new Tones();
        for (int i = 0; i < size; i++) {
            if (argb[i] >>> 24 >= least) {
                seen.add(argb[i]);
            }
        }
        boolean twoTones = Math.min(seen.dark, seen.light) * TWO_TONES >= seen.count;
        if (twoTones || (size - seen.count) * NEARLY_ALL <= size) {
            Tones rim = rim(argb, width, height, least);
            if (Math.max(rim.dark, rim.light) * 4 >= rim.count * 3) {
                return rim.light >= rim.dark ? WHITE : BLACK;
            }
        }
        return seen.total > 128 * seen.count ? BLACK : WHITE;
    }

    /** Lays a colour on a gray by its alpha, rounding to nearest. */
    static int lay(int pixel, int ground) {
        int alpha = pixel >>> 24;
        int rest = ground * (255 - alpha) + 127;
        int red = ((pixel >> 16 & 0xFF) * alpha + rest) / 255;
        int green = ((pixel >> 8 & 0xFF) * alpha + rest) / 255;
        int blue = ((pixel & 0xFF) * alpha + rest) / 255;
        return red << 16 | green << 8 | blue;
    }

    /** The rim: visible pixels beside an invisible one. Beyond the picture's edge nothing counts as invisible. */
    private static Tones rim(int[] argb, int width, int height, int least) {
        Tones rim = new Tones();
        for (int y = 0; y < height; y++) {
            for (int x = 0, i = y * width; x < width; x++, i++) {
                boolean inner = (x == 0 || argb[i - 1] >>> 24 >= least)
                        && (x == width - 1 || argb[i + 1] >>> 24 >= least)
                        && (y == 0 || argb[i - width] >>> 24 >= least)
                        && (y == height - 1 || argb[i + width] >>> 24 >= least);
                if (argb[i] >>> 24 >= least && !inner) {
                    rim.add(argb[i]);
                }
            }
        }
        return rim;
    }

    /** How many pixels are dark, how many are light, how many there are, and the sum of their luma. */
    private static final class Tones {
        long dark;
        long light;
        long count;
        long total;

        void add(int pixel) {
            int luma = Picture.luma(pixel);
            dark += luma < DARK ? 1 : 0;
            light += luma >= LIGHT ? 1 : 0;
            count++;
            total += luma;
        }
    }
}
