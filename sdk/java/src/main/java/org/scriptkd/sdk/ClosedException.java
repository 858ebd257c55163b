package org.scriptkd.sdk;

/** An identifier was used after its {@code close()}. */
public final class ClosedException extends ScriptkdException {
    private static final long serialVersionUID = 1L;

    /** With one sentence for the user. */
    public ClosedException(String message) {
        super(message, null);
    }
}
