package org.scriptkd.sdk;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/**
 * How an image becomes a network's input: section 2 of the model contract (sdk/contract/README.md). Immutable.
 *
 * <p>channels: 1 (luma) or 3 (RGB). height: rows of the input. widthMin, widthMax, widthStep: its columns; equal limits
 * squash every image to that width, otherwise the width follows the aspect ratio in multiples of the step.
 */
public final class Preprocessing {
    private static final List<String> FIELDS =
            Arrays.asList("channels", "height", "width_min", "width_max", "width_step");
    private static final int LARGEST_SIDE = 4096; // of a network's input: a file asking for more is broken

    /** A little above 1/2, so that the last bit of a sum never decides; exact in binary. */
    private static final float HALF = 0.5f + 1 / 512f;

    public final int channels;
    public final int height;
    public final int widthMin;
    public final int widthMax;
    public final int widthStep;

    Preprocessing(int channels, int height, int widthMin, int widthMax, int widthStep) {
        this.channels = channels;
        this.height = height;
        this.widthMin = widthMin;
        this.widthMax = widthMax;
        this.widthStep = widthStep;
    }

    /** From the model file's JSON; throws ModelException for missing, unknown or impossible fields. */
    static Preprocessing from(Object json) {
        if (!(json instanceof Map) || !((Map<?, ?>) json).keySet().equals(new HashSet<String>(FIELDS))) {
            String given = json instanceof Map ? join(((Map<?, ?>) json).keySet()) : Json.show(json);
            throw new ModelException("pre-processing must have exactly the fields " + join(FIELDS) + ", not " + given);
        }
        int[] values = new int[FIELDS.size()];
        for (int i = 0; i < values.length; i++) {
            Object value = ((Map<?, ?>) json).get(FIELDS.get(i));
            if (!(value instanceof Long) || (Long) value < 1 || (Long) value > LARGEST_SIDE) {
                throw new ModelException("pre-processing: " + FIELDS.get(i) + " must be an integer from 1 to "
                        + LARGEST_SIDE + ", not " + Json.show(value));
            }
            values[i] = ((Long) value).intValue();
        }
        if (values[0] != 1 && values[0] != 3) {
            throw new ModelException("pre-processing: channels must be 1 (luma) or 3 (RGB), not " + values[0]);
        }
        if (values[2] > values[3]) {
            throw new ModelException("pre-processing: width_min (" + values[2] + ") must not exceed width_max ("
                    + values[3] + ")");
        }
        return new Preprocessing(values[0], values[1], values[2], values[3], values[4]);
    }

    /** Whether every image gets the same width, whatever its aspect ratio. */
    public boolean fixedWidth() {
        return widthMin == widthMax;
    }

    /** The input's width for an image of imageWidth x imageHeight pixels: the nearest multiple of the step, clamped. */
    public int widthFor(int imageWidth, int imageHeight) {
        long divisor = (long) imageHeight * widthStep;
        long steps = (2L * imageWidth * height + divisor) / (2 * divisor); // round half up, without a float
        return (int) Math.min(Math.max(steps * widthStep, widthMin), widthMax);
    }

    /**
     * Turn a region of an image into a network's input, channels x height x widthFor(region) bytes.
     *
     * @param argb the image's pixels, row by row, {@code width} a row; transparent ones are laid on white
     */
    byte[] apply(int[] argb, int width, Region region) {
        int columns = widthFor(region.width(), region.height());
        Filter rows = new Filter(region.height(), height);
        Filter across = new Filter(region.width(), columns);
        byte[] input = new byte[channels * height * columns];
        for (int channel = 0; channel < channels; channel++) {
            byte[] plane = plane(argb, width, region, channel);
            resample(plane, region.width(), rows, across, input, channel * height * columns);
        }
        return input;
    }

    /** A region's red, green and blue bytes, [height, width, 3]: what a network takes that pre-processes itself. */
    static byte[] interleaved(int[] argb, int width, Region region) {
        byte[] pixels = new byte[3 * region.width() * region.height()];
        int to = 0;
        for (int y = 0; y < region.height(); y++) {
            int from = (region.top + y) * width + region.left;
            for (int x = 0; x < region.width(); x++, from++) {
                for (int shift = 16; shift >= 0; shift -= 8) {
                    pixels[to++] = (byte) onWhite(argb[from] >> shift & 0xFF, argb[from] >>> 24);
                }
            }
        }
        return pixels;
    }

    /** One channel of a region, region.width() x region.height() bytes: luma, or red, green or blue. */
    private byte[] plane(int[] argb, int width, Region region, int channel) {
        byte[] plane = new byte[region.width() * region.height()];
        int to = 0;
        for (int y = 0; y < region.height(); y++) {
            int from = (region.top + y) * width + region.left;
            for (int x = 0; x < region.width(); x++) {
                int pixel = argb[from++];
                int alpha = pixel >>> 24;
                if (channels == 1) {
                    int red = onWhite(pixel >> 16 & 0xFF, alpha);
                    int green = onWhite(pixel >> 8 & 0xFF, alpha);
                    int blue = onWhite(pixel & 0xFF, alpha);
                    plane[to++] = (byte) ((299 * red + 587 * green + 114 * blue + 500) / 1000);
                } else {
                    plane[to++] = (byte) onWhite(pixel >> (16 - 8 * channel) & 0xFF, alpha);
                }
            }
        }
        return plane;
    }

    private static int onWhite(int value, int alpha) {
        return alpha == 255 ? value : (value * alpha + 255 * (255 - alpha) + 127) / 255;
    }

    private void resample(byte[] plane, int width, Filter rows, Filter across, byte[] input, int offset) {
        float[] line = new float[width]; // one row of the output's height and the image's width
        int columns = across.outputs;
        for (int y = 0; y < rows.outputs; y++) {
            Arrays.fill(line, 0);
            for (int j = 0; j < rows.weights[y].length; j++) {
                float weight = rows.weights[y][j];
                int from = (rows.starts[y] + j) * width;
                for (int x = 0; x < width; x++) {
                    line[x] = fused(weight, plane[from + x] & 0xFF, line[x]);
                }
            }
            for (int x = 0; x < columns; x++) {
                float[] weights = across.weights[x];
                int from = across.starts[x];
                float sum = 0;
                for (int j = 0; j < weights.length; j++) {
                    sum = fused(weights[j], line[from + j], sum);
                }
                // Positive, so the cast is the floor; a weighted mean of bytes is within 0..255 but for float noise.
                input[offset + y * columns + x] = (byte) Math.min(sum + HALF, 255);
            }
        }
    }

    /**
     * Fused multiply-add of float32: the product of two floats is exact in double. The Python SDK's matrix products
     * consist of it; so all but a few of the exact halves, where the last bit decides, are rounded alike.
     */
    private static float fused(float a, float b, float sum) {
        return (float) ((double) a * b + sum);
    }

    private static String join(Collection<?> names) {
        StringBuilder text = new StringBuilder();
        for (Object name : names) {
            text.append(text.length() == 0 ? "" : ", ").append(name);
        }
        return text.toString();
    }

    /** The triangle filter from {@code inputs} to {@code outputs} pixels: for each output its first input and weights. */
    private static final class Filter {
        final int outputs;
        final int[] starts;
        final float[][] weights;

        Filter(int inputs, int outputs) {
            this.outputs = outputs;
            starts = new int[outputs];
            weights = new float[outputs][];
            double scale = (double) inputs / outputs;
            double support = Math.max(scale, 1);
            for (int i = 0; i < outputs; i++) {
                double centre = (i + 0.5) * scale;
                int start = Math.max((int) (centre - support), 0);
                int stop = Math.min((int) (centre + support) + 1, inputs);
                double[] row = new double[stop - start];
                double sum = 0;
                for (int j = 0; j < row.length; j++) {
                    row[j] = Math.max(1 - Math.abs(start + j + 0.5 - centre) / support, 0);
                    sum += row[j];
                }
                starts[i] = start;
                weights[i] = new float[row.length];
                for (int j = 0; j < row.length; j++) {
                    weights[i][j] = (float) (row[j] / sum);
                }
            }
        }
    }
}
