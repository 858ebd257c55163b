package org.scriptkd.sdk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** From a picture to a text detector's input: section 2 of sdk/contract/words.md. */
final class DetectorInput {
    private static final int LONGEST = 640; // pixels
    private static final int STEP = 32;

    final int width;
    final int height;

    /** Blue, green and red, each row by row. */
    final byte[] bytes;

    private DetectorInput(int width, int height) {
        this.width = width;
        this.height = height;
        this.bytes = new byte[3 * width * height];
    }

    /** The smallest input, black. */
    static DetectorInput blank() {
        return new DetectorInput(STEP, STEP);
    }

    static DetectorInput of(Picture picture) {
        int longest = Math.max(picture.width, picture.height);
        DetectorInput input = new DetectorInput(side(picture.width, longest), side(picture.height, longest));
        for (int channel = 0; channel < 3; channel++) {
            int offset = (2 - channel) * input.width * input.height;
            Preprocessing.resample(picture.colour(channel), input.height, input.width, input.bytes, offset);
        }
        return input;
    }

    /** The longer side is 640 pixels, and both are multiples of 32. */
    static int side(int length, int longest) {
        long divisor = (long) STEP * longest;
        return STEP * (int) Math.max(1, (2L * LONGEST * length + divisor) / (2 * divisor));
    }

    /** From -1 to 1. */
    FloatBuffer scaled() {
        FloatBuffer floats = ByteBuffer.allocateDirect(4 * bytes.length).order(ByteOrder.nativeOrder()).asFloatBuffer();
        for (int i = 0; i < bytes.length; i++) {
            floats.put(i, (float) ((bytes[i] & 0xFF) / 127.5 - 1));
        }
        return floats;
    }
}
