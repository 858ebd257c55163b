package org.scriptkd.sdk;

import org.jspecify.annotations.Nullable;

/** One image's answer, or the error that replaces it. */
public final class Result {
    /** The answer; null if the image or region cannot be used. */
    public final @Nullable Prediction prediction;

    /** The error of an image or region that cannot be used; null if there is an answer. */
    public final @Nullable ImageException error;

    Result(@Nullable Prediction prediction, @Nullable ImageException error) {
        this.prediction = prediction;
        this.error = error;
    }

    /**
     * The answer.
     *
     * @throws ImageException the one in {@link #error}
     */
    public Prediction get() {
        if (prediction == null) {
            throw error;
        }
        return prediction;
    }

    @Override
    public String toString() {
        return prediction == null ? "" + error : prediction.toString();
    }
}
