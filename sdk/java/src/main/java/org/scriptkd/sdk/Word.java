package org.scriptkd.sdk;

/** A word that was found in an image, or a line where words stand close, and its script. */
public final class Word {
    /** Where it is. */
    public final TextBox box;

    /** Its script. The orientation is that of the image, not of the box. */
    public final Prediction prediction;

    Word(TextBox box, Prediction prediction) {
        this.box = box;
        this.prediction = prediction;
    }

    @Override
    public String toString() {
        return prediction + " at " + box.corners;
    }
}
