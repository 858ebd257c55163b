package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/**
 * A box of an image, in pixels, to be identified as if it were cut out. Right and bottom are exclusive.
 *
 * <p>It must be at least 2x2. The part outside the image is cut off.
 */
public final class Region extends Area {
    /** The first column. */
    public final int left;

    /** The first row. */
    public final int top;

    /** The column after the last. */
    public final int right;

    /** The row after the last. */
    public final int bottom;

    /** A box from (left, top) to right and bottom, both exclusive. */
    public Region(int left, int top, int right, int bottom) {
        this.left = left;
        this.top = top;
        this.right = right;
        this.bottom = bottom;
    }

    int width() {
        return right - left;
    }

    int height() {
        return bottom - top;
    }

    @Override
    Picture cut(int[] argb, int width, int height) {
        if ((long) right - left < Picture.SMALLEST_SIDE || (long) bottom - top < Picture.SMALLEST_SIDE) {
            throw new ImageException("the region " + this + " is empty: right and bottom must exceed left and top by "
                    + Picture.SMALLEST_SIDE + " or more");
        }
        Region box = new Region(Math.max(left, 0), Math.max(top, 0), Math.min(right, width), Math.min(bottom, height));
        if (box.right <= box.left || box.bottom <= box.top) {
            throw outside(width, height);
        }
        Picture.checkSize(box.width(), box.height());
        return Picture.box(argb, width, height, box);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (!(other instanceof Region)) {
            return false;
        }
        Region region = (Region) other;
        return left == region.left && top == region.top && right == region.right && bottom == region.bottom;
    }

    @Override
    public int hashCode() {
        return 31 * (31 * (31 * left + top) + right) + bottom;
    }

    @Override
    public String toString() {
        return "(" + left + ", " + top + ", " + right + ", " + bottom + ")";
    }
}
