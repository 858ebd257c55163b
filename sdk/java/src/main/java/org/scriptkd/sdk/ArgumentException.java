package org.scriptkd.sdk;

/** An argument is wrong. The message says what was given and what is allowed. */
public final class ArgumentException extends ScriptkdException {
    private static final long serialVersionUID = 1L;

    /** With one sentence for the user. */
    public ArgumentException(String message) {
        super(message, null);
    }
}
