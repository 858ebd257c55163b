package org.scriptkd.sdk;

/** A model file that is missing, broken or not written for this version of the SDK. */
public final class ModelException extends ScriptkdException {
    private static final long serialVersionUID = 1L;

    public ModelException(String message) {
        this(message, null);
    }

    public ModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
