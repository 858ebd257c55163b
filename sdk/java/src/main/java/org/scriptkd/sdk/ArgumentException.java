package org.scriptkd.sdk;

/** A wrong argument; the message says what was given and what is allowed. */
public final class ArgumentException extends ScriptkdException {
    private static final long serialVersionUID = 1L;

    public ArgumentException(String message) {
        super(message, null);
    }
}
