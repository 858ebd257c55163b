package org.scriptkd.sdk;

/** A network's input: windows of one size, from one image or several. */
final class Input {
    /** The count for a network that cuts a whole image into windows itself, so that their number is unknown before. */
    static final int ANY_COUNT = 0;

    final byte[] bytes;
    final int count; // of windows
    final int rows;
    final int columns;

    /** The crop's counterclockwise rotation in degrees: 0 or 90. */
    final int turned;

    Input(byte[] bytes, int count, int rows, int columns, int turned) {
        this.bytes = bytes;
        this.count = count;
        this.rows = rows;
        this.columns = columns;
        this.turned = turned;
    }
}
