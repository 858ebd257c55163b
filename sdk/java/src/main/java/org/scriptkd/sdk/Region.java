package org.scriptkd.sdk;

/** A rectangle of an image, in pixels: the part that is identified, as if it had been cut out. */
public final class Region {
    public final int left;
    public final int top;
    public final int width;
    public final int height;

    public Region(int left, int top, int width, int height) {
        this.left = left;
        this.top = top;
        this.width = width;
        this.height = height;
    }

    @Override
    public String toString() {
        return width + "x" + height + " pixels at " + left + ", " + top;
    }
}
