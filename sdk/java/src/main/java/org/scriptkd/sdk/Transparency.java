package org.scriptkd.sdk;

/** Transparent pictures: on which ground they are laid, black or white, so that what is drawn on them is seen. */
final class Transparency {
    static final int NONE = -1;
    static final int BLACK = 0;
    static final int WHITE = 255;

    private static final int VISIBLE = 128; // alpha from which on a pixel counts
    private static final int DARK = 96; // luma below which a pixel is dark
    private static final int LIGHT = 160; // luma from which on it is light
    private static final int TWO_TONES = 16; // two tones: each has at least one in so many visible pixels
    private static final int NEARLY_ALL = 16; // a plate: at most one in so many pixels is not visible

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
     * <p>A plate or page with words on it is laid on a ground like its rim, with which it melts. So is a word with an outline.
     * Ink alone, and what has no plain rim, such as a word with its shadow, is laid on the ground that is farther from
     * it. Where the ground nowhere comes out, it is white.
     *
     * @return {@link #NONE} where alpha is 0 everywhere, as screenshots and bitmaps leave their fourth byte empty: that
     *     is no alpha, and the colours are what is stored
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

    /** A colour laid on a gray by its alpha, rounded to nearest. */
    static int lay(int pixel, int ground) {
        int alpha = pixel >>> 24;
        int rest = ground * (255 - alpha) + 127;
        int red = ((pixel >> 16 & 0xFF) * alpha + rest) / 255;
        int green = ((pixel >> 8 & 0xFF) * alpha + rest) / 255;
        int blue = ((pixel & 0xFF) * alpha + rest) / 255;
        return red << 16 | green << 8 | blue;
    }

    /** Of the pixels that are seen, those beside one that is not. What lies beyond the picture's edge is no rim. */
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

    /** How many of some pixels are dark, light, there at all; and the sum of their luma. */
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
