package org.scriptkd.demo;

/** What went wrong, as a sentence for the screen. */
final class Problem extends Exception {
    private static final long serialVersionUID = 1L;

    Problem(String message, Throwable cause) {
        super(message, cause);
    }
}
