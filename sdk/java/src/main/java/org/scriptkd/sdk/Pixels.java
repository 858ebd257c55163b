package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/**
 * An image in memory: pixels 0xAARRGGBB, row by row, with colours not multiplied by alpha.
 *
 * <p>BufferedImages and, on Android, Bitmaps make one from the platform's images. The array is not copied: do not
 * change it while the image is in use. Size and array are checked when the image is identified.
 */
public final class Pixels {
    final int[] argb;

    /** Pixels in a row. */
    public final int width;

    /** Rows. */
    public final int height;

    /**
     * An image of width x height pixels.
     *
     * @param argb row by row, 0xAARRGGBB, as Android's Bitmap.getPixels gives them. Transparent pixels are laid on
     *     black or white, whichever makes them visible. Alpha of 0 everywhere is ignored
     * @throws ArgumentException for null
     */
    public Pixels(int[] argb, int width, int height) {
        this.argb = Arguments.given(argb, "argb");
        this.width = width;
        this.height = height;
    }

    /**
     * The same image without transparency. This lays it on its ground once, instead of once for each region.
     *
     * @throws ImageException for an image that is too small or too large, or an array that is too short
     */
    Pixels opaque() {
        Picture.check(argb, width, height);
        if (Transparency.opaque(argb, width, new Region(0, 0, width, height))) {
            return this;
        }
        int[] rgb = picture(null).rgb;
        int[] laid = new int[width * height];
        for (int i = 0; i < laid.length; i++) {
            laid[i] = 0xFF000000 | rgb[i];
        }
        return new Pixels(laid, width, height);
    }

    /** The part of the image to identify. */
    Picture picture(@Nullable Area area) {
        return Picture.of(argb, width, height, area);
    }

    @Override
    public String toString() {
        return width + "x" + height + " pixels";
    }
}
