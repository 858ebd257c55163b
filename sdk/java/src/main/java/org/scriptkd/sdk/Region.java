package org.scriptkd.sdk;

/** A box of an image, in pixels: the part that is identified, as if it had been cut out. Right and bottom exclusive. */
public final class Region {
    public final int left;
    public final int top;
    public final int right;
    public final int bottom;

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
    public String toString() {
        return "(" + left + ", " + top + ", " + right + ", " + bottom + ")";
    }
}
