package org.scriptkd.sdk;

/** An image, or a region of an image, cannot be used. */
public final class ImageException extends ScriptkdException {
    private static final long serialVersionUID = 1L;

    /** With one sentence for the user. */
    public ImageException(String message) {
        super(message, null);
    }
}
