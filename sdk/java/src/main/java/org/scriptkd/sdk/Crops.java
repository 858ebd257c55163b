package org.scriptkd.sdk;

import java.util.Arrays;

/**
 * From a picture to the crops that a network sees: margins trimmed, tall crops laid down, lines cut into windows.
 *
 * <p>This is section 2 of the model contract (sdk/contract/README.md), for files of format 3. All of it is integer
 * arithmetic, so that every platform gets the same pixels.
 */
final class Crops {
    private static final int PLAIN = 24; // levels of luma: noise and JPEG artefacts differ by less, ink by more
    private static final int RIM = 16; // trimming leaves a rim of 1/16 of the remaining side
    private static final int MOST_WINDOWS = 16;

    /** Each window's channels; all windows have one size. */
    final Plane[][] windows;

    /** Rows of the network's input. */
    final int rows;

    /** The crops' counterclockwise rotation in degrees: 0 or 90. */
    final int turned;

    private Crops(Plane[][] windows, int rows, int turned) {
        this.windows = windows;
        this.rows = rows;
        this.turned = turned;
    }

    /**
     * In formats 1 and 2, whose pre-processing has no squareHeight, the crop is the picture itself.
     *
     * @param upright whether the caller knows that the letters stand upright, so that nothing is turned
     */
    static Crops of(Picture picture, Preprocessing how, boolean upright) {
        boolean anyCrop = how.squareHeight != null;
        Plane light = anyCrop || how.channels == 1 ? picture.luma() : null;
        Plane[] planes = how.channels == 1 ? new Plane[] {light} : picture.colours();
        if (!anyCrop) {
            return new Crops(new Plane[][] {planes}, how.height, 0);
        }
        Region box = trimmed(light);
        boolean tall = !upright && 2 * box.height() >= 3 * box.width();
        for (int i = 0; i < planes.length; i++) {
            planes[i] = planes[i].cut(box);
            planes[i] = tall ? planes[i].turned() : planes[i];
        }
        int rows = 2 * planes[0].width < 3 * planes[0].height ? how.squareHeight : how.height;
        return new Crops(windows(planes, how, rows), rows, tall ? 90 : 0);
    }

    /** Cuts off plain margins, except for a narrow rim. A picture that is plain all over stays whole. */
    static Region trimmed(Plane light) {
        int width = light.width;
        int height = light.height;
        Region whole = new Region(0, 0, width, height);
        int top = plainRows(light, 0, 1);
        int bottom = top < height ? height - plainRows(light, height - 1, -1) : 0;
        if (top >= bottom) {
            return whole;
        }
        Plane between = light.cut(new Region(0, top, width, bottom));
        int left = plainColumns(between, 0, 1);
        int right = left < width ? width - plainColumns(between, width - 1, -1) : 0;
        if (left >= right) {
            return whole;
        }
        int rim = Math.max(1, Math.min(bottom - top, right - left) / RIM);
        return new Region(Math.max(left - rim, 0), Math.max(top - rim, 0), Math.min(right + rim, width),
                Math.min(bottom + rim, height));
    }

    /** How many rows from the first on, in steps of 1 or -1, are plain and similar to the first. */
    private static int plainRows(Plane light, int first, int step) {
        int low = 255;
        int high = 0;
        for (int row = 0; row < light.height; row++) {
            int lowest = low;
            int highest = high;
            int from = light.offset + (first + row * step) * light.stride;
            for (int x = 0; x < light.width; x++) {
                int level = light.bytes[from + x] & 0xFF;
                lowest = Math.min(lowest, level);
                highest = Math.max(highest, level);
                if (highest - lowest > PLAIN) {
                    return row;
                }
            }
            if (row == 0) {
                low = lowest;
                high = highest;
            }
        }
        return light.height;
    }

    /** The same for columns. They are checked row by row, in the order of memory, until they differ. */
    private static int plainColumns(Plane light, int first, int step) {
        int[] low = new int[light.width];
        int[] high = new int[light.width];
        Arrays.fill(low, 255);
        int left = light.width; // columns that may still be plain
        for (int y = 0; y < light.height; y++) {
            int from = light.offset + y * light.stride + first;
            for (int column = 0; column < left; column++) {
                int level = light.bytes[from + column * step] & 0xFF;
                low[column] = Math.min(low[column], level);
                high[column] = Math.max(high[column], level);
                if (Math.max(high[column], high[0]) - Math.min(low[column], low[0]) > PLAIN) {
                    left = column;
                }
            }
        }
        return left;
    }

    /** Cuts a line that is wider than the network's input into windows of one width, evenly spaced. */
    private static Plane[][] windows(Plane[] planes, Preprocessing how, int rows) {
        long width = planes[0].width;
        int height = planes[0].height;
        Plane[][] whole = {planes};
        if (how.fixedWidth() || how.freeWidth(planes[0].width, height, rows) <= how.widthMax) {
            return whole;
        }
        long view = Math.max(1, (2L * how.widthMax * height + rows) / (2L * rows));
        if (view >= width) {
            return whole;
        }
        long gaps = Math.min(MOST_WINDOWS, (width + view - 1) / view) - 1;
        Plane[][] windows = new Plane[(int) gaps + 1][planes.length];
        for (int i = 0; i <= gaps; i++) {
            int start = (int) ((2 * i * (width - view) + gaps) / (2 * gaps));
            for (int channel = 0; channel < planes.length; channel++) {
                windows[i][channel] = planes[channel].cut(new Region(start, 0, start + (int) view, height));
            }
        }
        return windows;
    }
}
