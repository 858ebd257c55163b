package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/** A model file is missing, broken or not written for this version of the SDK. */
public final class ModelException extends ScriptkdException {
    private static final long serialVersionUID = 1L;

    /** With one sentence for the user. */
    public ModelException(String message) {
        this(message, null);
    }

    /** With one sentence for the user, and the cause. */
    public ModelException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
