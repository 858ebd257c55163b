package org.scriptkd.sdk;

/** A part of an image: a {@link Region}, which is a box, or the four {@link Corners} of a tilted word. */
public abstract class Area {
    Area() {}

    /**
     * Cuts this area out of an image.
     *
     * @param argb the image's pixels, at least width x height
     * @throws ImageException for an area that cannot be used or lies outside the image
     */
    abstract Picture cut(int[] argb, int width, int height);

    final ImageException outside(int width, int height) {
        return new ImageException("the region " + this + " is outside the image of " + width + "x" + height + " pixels");
    }
}
