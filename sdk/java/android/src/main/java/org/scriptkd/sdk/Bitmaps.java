package org.scriptkd.sdk;

import android.graphics.Bitmap;
import android.graphics.Matrix;

/** Reads Android's bitmaps into the pixels that all SDKs use. */
public final class Bitmaps {
    private Bitmaps() {}

    /**
     * The pixels of a bitmap, also of a hardware bitmap.
     *
     * @throws ImageException for a bitmap that is recycled
     */
    public static Pixels pixels(Bitmap bitmap) {
        int width = Arguments.given(bitmap, "bitmap").getWidth();
        int height = bitmap.getHeight();
        if (bitmap.isRecycled()) {
            throw new ImageException("the bitmap is recycled, so it has no pixels any more");
        }
        boolean hidden = bitmap.getConfig() == Bitmap.Config.HARDWARE;
        Bitmap readable = hidden ? bitmap.copy(Bitmap.Config.ARGB_8888, false) : bitmap;
        int[] argb = new int[width * height];
        readable.getPixels(argb, 0, width, 0, 0, width, height);
        return new Pixels(argb, width, height);
    }

    /**
     * Undoes the rotation and mirroring that EXIF's orientation names. BitmapFactory ignores it.
     *
     * @param orientation 1 to 8, as in ExifInterface's TAG_ORIENTATION; other values count as 1
     * @return the bitmap itself if it is upright already
     */
    public static Bitmap upright(Bitmap bitmap, int orientation) {
        Arguments.given(bitmap, "bitmap");
        Matrix matrix = new Matrix();
        if (orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7) {
            matrix.postScale(-1, 1);
        }
        switch (orientation) {
            case 3:
            case 4:
                matrix.postRotate(180);
                break;
            case 6:
            case 7:
                matrix.postRotate(90);
                break;
            case 5:
            case 8:
                matrix.postRotate(270);
                break;
            default:
                break;
        }
        if (matrix.isIdentity()) {
            return bitmap;
        }
        return Bitmap.createBitmap(bitmap, 0, 0, bitmap.getWidth(), bitmap.getHeight(), matrix, false);
    }
}
