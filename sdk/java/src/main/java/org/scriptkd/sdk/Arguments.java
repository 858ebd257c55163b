package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/** Checks of callers' arguments. */
final class Arguments {
    private Arguments() {}

    /** Returns the value, or throws if a caller from Java passed null. */
    static <T> T given(@Nullable T value, String name) {
        if (value == null) {
            throw new ArgumentException(name + " must not be null");
        }
        return value;
    }
}
