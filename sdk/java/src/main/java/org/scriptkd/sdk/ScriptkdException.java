package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/** Base of all errors of scriptkd. The message is one sentence for the user. */
public abstract class ScriptkdException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ScriptkdException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
