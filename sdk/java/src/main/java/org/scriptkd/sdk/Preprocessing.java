package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a crop becomes a network's input: section 3 of the model contract (sdk/contract/README.md). Immutable.
 *
 * <p>If widthMin equals widthMax, every image is resized to that width. Otherwise the width follows the aspect ratio.
 */
public final class Preprocessing {
    private static final List<String> REQUIRED =
            Arrays.asList("channels", "height", "width_min", "width_max", "width_step");
    private static final String SQUARE_HEIGHT = "square_height";
    private static final int LARGEST_SIDE = 4096; // of a network's input: a file that asks for more is broken

    /** A little above 1/2, so that rounding seldom depends on a sum's last bit; exact in binary. */
    private static final float HALF = 0.5f + 1 / 512f;

    /** 1 (luma) or 3 (RGB). */
    public final int channels;

    /** Rows of the input. */
    public final int height;

    /** The fewest columns of the input. */
    public final int widthMin;

    /** The most columns of the input. */
    public final int widthMax;

    /** The number of columns is a multiple of this, or one of the limits. */
    public final int widthStep;

    /** Rows of the input for crops less than 1.5 times as wide as high; null in formats 1 and 2. */
    public final @Nullable Integer squareHeight;

    Preprocessing(int channels, int height, int widthMin, int widthMax, int widthStep, @Nullable Integer squareHeight) {
        this.channels = channels;
        this.height = height;
        this.widthMin = widthMin;
        this.widthMax = widthMax;
        this.widthStep = widthStep;
        this.squareHeight = squareHeight;
    }

    /** Reads the model file's JSON. Throws ModelException for missing, unknown or impossible fields. */
    static Preprocessing from(Object json) {
        List<String> names = new ArrayList<String>(REQUIRED);
        names.add(SQUARE_HEIGHT);
        Map<?, ?> fields = json instanceof Map ? (Map<?, ?>) json : null;
        if (fields == null || !fields.keySet().containsAll(REQUIRED) || !names.containsAll(fields.keySet())) {
            String given = fields == null ? Json.show(json) : join(fields.keySet());
            throw new ModelException("pre-processing must have exactly the fields " + join(names) + ", not " + given);
        }
        Integer squareHeight = fields.get(SQUARE_HEIGHT) == null ? null : (Integer) side(fields, SQUARE_HEIGHT);
        Preprocessing result = new Preprocessing(side(fields, "channels"), side(fields, "height"),
                side(fields, "width_min"), side(fields, "width_max"), side(fields, "width_step"), squareHeight);
        if (result.channels != 1 && result.channels != 3) {
            throw new ModelException("pre-processing: channels must be 1 (luma) or 3 (RGB), not " + result.channels);
        }
        if (result.widthMin > result.widthMax) {
            throw new ModelException("pre-processing: width_min (" + result.widthMin + ") must not exceed width_max ("
                    + result.widthMax + ")");
        }
        return result;
    }

    private static int side(Map<?, ?> fields, String name) {
        Object value = fields.get(name);
        if (!(value instanceof Long) || (Long) value < 1 || (Long) value > LARGEST_SIDE) {
            throw new ModelException("pre-processing: " + name + " must be an integer from 1 to " + LARGEST_SIDE
                    + ", not " + Json.show(value));
        }
        return ((Long) value).intValue();
    }

    /** Whether every image gets the same width, whatever its aspect ratio. */
    public boolean fixedWidth() {
        return widthMin == widthMax;
    }

    /** The heights that an input may have, ascending: one number, or two. */
    int[] heights() {
        if (squareHeight == null || squareHeight == height) {
            return new int[] {height};
        }
        return new int[] {Math.min(height, squareHeight), Math.max(height, squareHeight)};
    }

    /**
     * The input's width for a crop of cropWidth x cropHeight pixels: the nearest multiple of the step, clamped.
     *
     * @param rows of the input
     */
    public int widthFor(int cropWidth, int cropHeight, int rows) {
        return (int) Math.min(Math.max(freeWidth(cropWidth, cropHeight, rows), widthMin), widthMax);
    }

    /** The input's width before it is clamped to the limits. */
    long freeWidth(int cropWidth, int cropHeight, int rows) {
        long divisor = (long) cropHeight * widthStep;
        return (2L * cropWidth * rows + divisor) / (2 * divisor) * widthStep; // round half up, without a float
    }

    /**
     * Turns crops of one size into the network's inputs.
     *
     * @return crops x channels x rows x widthFor(crop) bytes
     */
    byte[] apply(Plane[][] crops, int rows) {
        Plane first = crops[0][0];
        Filter down = new Filter(first.height, rows);
        Filter across = new Filter(first.width, widthFor(first.width, first.height, rows));
        byte[] inputs = new byte[crops.length * channels * rows * across.outputs];
        int offset = 0;
        for (Plane[] crop : crops) {
            for (Plane plane : crop) {
                resample(plane, down, across, inputs, offset);
                offset += rows * across.outputs;
            }
        }
        return inputs;
    }

    /** Resamples a plane to rows x columns bytes, from an offset on. */
    static void resample(Plane plane, int rows, int columns, byte[] inputs, int offset) {
        resample(plane, new Filter(plane.height, rows), new Filter(plane.width, columns), inputs, offset);
    }

    /** Resamples first rows, then columns. Whole lines are added in a loop so simple that a JVM vectorizes it. */
    private static void resample(Plane plane, Filter down, Filter across, byte[] inputs, int offset) {
        float[][] columns = columns(plane, down);
        for (int x = 0; x < across.outputs; x++) {
            float[] sums = new float[down.outputs];
            for (int j = 0; j < across.weights[x].length; j++) {
                add(sums, columns[across.starts[x] + j], across.weights[x][j]);
            }
            for (int y = 0, to = offset + x; y < sums.length; y++, to += across.outputs) {
                // The values are positive, so the cast is a floor. A weighted mean of bytes exceeds 255 by float error
                // at most.
                inputs[to] = (byte) Math.min(sums[y] + HALF, 255);
            }
        }
    }

    /** The resampled rows, transposed: all output values for each of the plane's columns. Each row is read once. */
    private static float[][] columns(Plane plane, Filter down) {
        float[][] columns = new float[plane.width][down.outputs];
        float[][] sums = new float[down.outputs][];
        float[] line = new float[plane.width];
        int done = 0; // outputs
        for (int y = 0; y < plane.height; y++) {
            int from = plane.offset + y * plane.stride;
            for (int x = 0; x < line.length; x++) {
                line[x] = plane.bytes[from + x] & 0xFF;
            }
            for (int i = done; i < down.outputs && down.starts[i] <= y; i++) {
                if (y == down.starts[i]) {
                    sums[i] = new float[line.length];
                }
                add(sums[i], line, down.weights[i][y - down.starts[i]]);
                if (y == down.starts[i] + down.weights[i].length - 1) {
                    for (int x = 0; x < line.length; x++) {
                        columns[x][i] = sums[i][x];
                    }
                    sums[i] = null;
                    done = i + 1;
                }
            }
        }
        return columns;
    }

    private static void add(float[] sums, float[] line, float weight) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += weight * line[i];
        }
    }

    private static String join(Collection<?> names) {
        StringBuilder text = new StringBuilder();
        for (Object name : names) {
            text.append(text.length() == 0 ? "" : ", ").append(name);
        }
        return text.toString();
    }

    /** The triangle filter from {@code inputs} to {@code outputs} pixels: each output's first input and weights. */
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
