package org.scriptkd.sdk;

/** An image, or a region of one, that cannot be used. */
public final class ImageException extends ScriptkdException {
    private static final long serialVersionUID = 1L;

    public ImageException(String message) {
        super(message, null);
    }
}
