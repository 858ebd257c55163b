package org.scriptkd.sdk;

/** An identifier that is used after its {@code close()}. */
public final class ClosedException extends ScriptkdException {
    private static final long serialVersionUID = 1L;

    public ClosedException(String message) {
        super(message, null);
    }
}
