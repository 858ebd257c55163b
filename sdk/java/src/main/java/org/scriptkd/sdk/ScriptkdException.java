package org.scriptkd.sdk;

/** Base of all errors that scriptkd raises on purpose; the message is one sentence meant for the user. */
public abstract class ScriptkdException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ScriptkdException(String message, Throwable cause) {
        super(message, cause);
    }
}
