package org.scriptkd.sdk;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Tells the script of cropped word images.
 *
 * <p>One identifier may be used by many threads at once, and closed by any: close waits for calls under way. Opening
 * takes tens of milliseconds, so keep it.
 *
 * <p>Nothing is written and nothing is sent, but onnxruntime unpacks its libraries to the temporary folder of a JVM. From
 * version 1.29 on onnxruntime has telemetry. Opening a model switches it off on Android. On a JVM it is off only where
 * the environment that the JVM was started with has ORT_DISABLE_TELEMETRY=1; 1.28, with which this is tested, has none.
 */
public final class ScriptIdentifier implements AutoCloseable {
    static final int MOST_THREADS = 256;
    private static final int ANY_COUNT = 0; // of windows: a network that takes whole images cuts them itself

    private final OrtEnvironment environment;
    private final OrtSession session;
    private final ModelInfo info;
    private final Set<String> outputs;
    private final ReadWriteLock lock = new ReentrantReadWriteLock(); // closing is writing
    private boolean closed;

    private ScriptIdentifier(OrtEnvironment environment, OrtSession session, ModelInfo info) {
        this.environment = environment;
        this.session = session;
        this.info = info;
        this.outputs = new HashSet<String>(
                info.tellsOrientation() ? Arrays.asList("logits", "orientation") : Arrays.asList("logits"));
    }

    /** Open a model file, with one thread a call: more pay only for large networks. See {@link #open(File, int)}. */
    public static ScriptIdentifier open(File model) {
        return open(model, 1);
    }

    /**
     * Open a model file.
     *
     * @param threads how many threads one call may use, 1 to 256
     * @throws ModelException for a file that is missing, not ONNX, not scriptkd's, newer than this version, or whose
     *     network does not fit its metadata
     * @throws ArgumentException for a wrong number of threads
     */
    public static ScriptIdentifier open(File model, int threads) {
        checkThreads(threads);
        if (!model.isFile()) {
            throw new ModelException(
                    model + ": " + (model.isDirectory() ? "a folder, not a model file" : "no such model file"));
        }
        return open(read(model), model.getPath(), threads);
    }

    /**
     * Open a model from memory, such as an asset of an Android app.
     *
     * @param name what to call it in errors
     * @throws ModelException as {@link #open(File, int)} does
     * @throws ArgumentException for a wrong number of threads
     */
    public static ScriptIdentifier open(byte[] model, String name, int threads) {
        checkThreads(threads);
        OrtSession session = null;
        boolean fit = false;
        try {
            Telemetry.off(); // before onnxruntime's library is loaded
            OrtEnvironment environment =
                    OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "scriptkd");
            session = session(environment, model, threads);
            String text = session.getMetadata().getCustomMetadata().get(ModelInfo.METADATA_KEY);
            if (text == null) {
                throw new ModelException("an ONNX file without scriptkd's metadata; export it with scriptkd-export");
            }
            ScriptIdentifier result = new ScriptIdentifier(environment, session, ModelInfo.parse(text));
            result.checkNetwork();
            fit = true;
            return result;
        } catch (ModelException error) {
            // The file's own words may be in it.
            throw new ModelException(name + ": " + Json.printable(error.getMessage()), error.getCause());
        } catch (OrtException error) {
            throw new ModelException(name + ": cannot be opened (" + firstLine(error) + ")", error);
        } catch (LinkageError error) {
            throw new ModelException(
                    name + ": onnxruntime's library for this kind of processor is missing (" + firstLine(error) + ")",
                    error);
        } finally {
            if (session != null && !fit) {
                closeQuietly(session);
            }
        }
    }

    /** What the model file says about itself. */
    public ModelInfo info() {
        return info;
    }

    /**
     * Tell the script of one image.
     *
     * @param argb its pixels as Android's Bitmap.getPixels and Java's BufferedImage.getRGB give them: row by row,
     *     0xAARRGGBB, colours not multiplied by alpha. Transparent ones are laid on a ground on which they are seen; alpha
     *     of 0 everywhere is no alpha
     * @throws ImageException for an image too small, too large or with too few pixels
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(int[] argb, int width, int height) {
        return identify(argb, width, height, null, false);
    }

    /**
     * Tell the script of a region of an image.
     *
     * @param region null is the whole image; what of it lies outside the image is cut off
     * @throws ImageException also for a region that is too small or wholly outside the image
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(int[] argb, int width, int height, Region region) {
        return identify(argb, width, height, region, false);
    }

    /**
     * Tell the script of a region of an image whose letters may be known to stand upright.
     *
     * @param region null is the whole image; what of it lies outside the image is cut off
     * @param upright true says that the letters stand upright, as in a scanned page: nothing is turned, and the orientation
     *     is 0. Else a model of format 3 takes a crop any way up and tells which it is
     * @throws ImageException also for a region that is too small or wholly outside the image
     * @throws ArgumentException for upright, if the model turns crops inside its graph
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(int[] argb, int width, int height, Region region, boolean upright) {
        if (upright && info.anySize && info.tellsOrientation()) {
            throw new ArgumentException(
                    "this model turns tall crops inside its graph (--any-size), so it takes no upright=True");
        }
        Picture picture = Picture.of(argb, width, height, region);
        if (info.anySize) {
            long[] shape = {picture.height, picture.width, 3};
            return identify(picture.interleaved(), shape, ANY_COUNT, upright, 0);
        }
        Crops crops = Crops.of(picture, info.preprocessing, upright);
        byte[] inputs = info.preprocessing.apply(crops.windows, crops.rows);
        int count = crops.windows.length;
        int columns = inputs.length / (count * info.preprocessing.channels * crops.rows);
        return identify(inputs, shape(count, crops.rows, columns), count, upright, crops.turned);
    }

    private Prediction identify(byte[] inputs, long[] shape, int count, boolean upright, int turned) {
        float[][][] answers;
        Lock reading = lock.readLock();
        reading.lock();
        try {
            if (closed) {
                throw new ClosedException("the identifier is closed; make a new one");
            }
            answers = run(inputs, shape, count);
        } catch (OrtException error) {
            throw new ModelException("the network does not run (" + firstLine(error) + ")", error);
        } finally {
            reading.unlock();
        }
        Orientation told = Orientation.NONE;
        if (info.tellsOrientation()) {
            told = upright ? Orientation.UPRIGHT : Orientation.of(answers[1], info, turned);
        }
        return Prediction.of(answers[0], info, told);
    }

    /** Free the network's memory, after the calls under way have ended. Closing again does nothing. */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                closeQuietly(session);
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private long[] shape(int count, int rows, int columns) {
        return new long[] {count, info.preprocessing.channels, rows, columns};
    }

    /** Run the network on {@code count} inputs; returns as many rows of logits, and of format 3 those of orientation. */
    private float[][][] run(byte[] inputs, long[] shape, int count) throws OrtException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(inputs.length).order(ByteOrder.nativeOrder());
        buffer.put(inputs).rewind();
        OnnxTensor image = OnnxTensor.createTensor(environment, buffer, shape, OnnxJavaType.UINT8);
        try {
            OrtSession.Result result = session.run(Collections.singletonMap("image", image), outputs);
            try {
                OnnxTensor logits = (OnnxTensor) result.get("logits").get();
                float[][] scripts = rows(logits, count, info.labels.size(), "labels");
                if (!info.tellsOrientation()) {
                    return new float[][][] {scripts};
                }
                OnnxTensor orientation = (OnnxTensor) result.get("orientation").get();
                return new float[][][] {scripts, rows(orientation, scripts.length, 4, "ways up")};
            } finally {
                result.close();
            }
        } finally {
            image.close();
        }
    }

    private static float[][] rows(OnnxTensor answer, int count, int classes, String what) throws OrtException {
        TensorInfo given = answer.getInfo();
        long[] shape = given.getShape();
        boolean fits = given.type == OnnxJavaType.FLOAT && shape.length == 2 && shape[1] == classes;
        if (!fits || (count == ANY_COUNT ? shape[0] < 1 : shape[0] != count)) {
            int wanted = Math.max(count, 1);
            throw new ModelException("the metadata has " + classes + " " + what + ", but the network answers " + wanted
                    + " blank images with " + given.type + " of shape " + Arrays.toString(shape) + ", not FLOAT of shape ["
                    + wanted + ", " + classes + "]");
        }
        return (float[][]) answer.getValue();
    }

    /** Check that inputs and outputs are what the metadata says, at last by running the network on blank images. */
    private void checkNetwork() throws OrtException {
        Set<String> inputs = session.getInputNames();
        Set<String> given = session.getOutputNames();
        if (!inputs.equals(Collections.singleton("image")) || !given.containsAll(outputs)) {
            throw new ModelException("the network must have the one input 'image' and the output "
                    + (info.tellsOrientation() ? "'logits' and 'orientation'" : "'logits'") + ", not " + inputs + " and "
                    + given);
        }
        Object node = session.getInputInfo().get("image").getInfo();
        if (!(node instanceof TensorInfo) || ((TensorInfo) node).type != OnnxJavaType.UINT8) {
            String type = node instanceof TensorInfo ? "tensor(" + name(((TensorInfo) node).type) + ")" : "no tensor";
            throw new ModelException("the network's input must be tensor(uint8), not " + type);
        }
        Preprocessing wanted = info.preprocessing;
        int[] heights = wanted.heights();
        long[] shape = ((TensorInfo) node).getShape();
        long[] expected = info.anySize
                ? new long[] {-1, -1, 3}
                : shape(-1, heights.length == 1 ? heights[0] : -1, wanted.fixedWidth() ? wanted.widthMax : -1);
        boolean fits = shape.length == expected.length;
        for (int i = 0; fits && i < shape.length; i++) {
            fits = shape[i] == -1 || shape[i] == expected[i]; // a side that the file leaves open takes any size
        }
        if (!fits) {
            throw new ModelException("the network's input has the shape " + Arrays.toString(shape)
                    + ", but its metadata asks for " + Arrays.toString(expected) + ", -1 being any");
        }
        if (info.anySize) {
            runBlank(new long[] {1, 9, 3}, info.tellsOrientation() ? ANY_COUNT : 1);
            runBlank(new long[] {16, 2, 3}, info.tellsOrientation() ? ANY_COUNT : 1);
            return;
        }
        // Two images at both limits of the width, so that a batch size or a width frozen at export is found here.
        for (int rows : heights) {
            runBlank(shape(2, rows, wanted.widthMin), 2);
            if (!wanted.fixedWidth()) {
                runBlank(shape(2, rows, wanted.widthMax), 2);
            }
        }
    }

    private void runBlank(long[] shape, int count) {
        int size = 1;
        for (long side : shape) {
            size *= (int) side;
        }
        float[][][] answers;
        try {
            answers = run(new byte[size], shape, count);
        } catch (OrtException error) {
            throw new ModelException("the network does not run on a blank image (" + firstLine(error) + ")", error);
        }
        for (float[][] answer : answers) {
            for (float[] row : answer) {
                for (float value : row) {
                    if (Float.isNaN(value) || Float.isInfinite(value)) {
                        throw new ModelException("the network answers a blank image with NaN or infinity");
                    }
                }
            }
        }
    }

    private static OrtSession session(OrtEnvironment environment, byte[] model, int threads) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        try {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL); // the rest comes as an exception
            try {
                return environment.createSession(model, options);
            } catch (OrtException error) {
                throw new ModelException("not an ONNX file that onnxruntime can load (" + firstLine(error) + ")", error);
            }
        } finally {
            options.close();
        }
    }

    private static byte[] read(File file) {
        try {
            RandomAccessFile stream = new RandomAccessFile(file, "r");
            try {
                byte[] content = new byte[(int) Math.min(stream.length(), Integer.MAX_VALUE - 8)];
                stream.readFully(content);
                return content;
            } finally {
                stream.close();
            }
        } catch (IOException error) {
            throw new ModelException(file + ": cannot be read: " + error.getMessage(), error);
        }
    }

    private static void checkThreads(int threads) {
        if (threads < 1 || threads > MOST_THREADS) {
            throw new ArgumentException("threads must be an integer from 1 to " + MOST_THREADS + ", not " + threads);
        }
    }

    private static String name(OnnxJavaType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    private static String firstLine(Throwable error) {
        String text = error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage().trim();
        text = text.split("[\\r\\n]", 2)[0];
        return text.substring(0, Math.min(text.length(), 200));
    }

    private static void closeQuietly(OrtSession session) {
        try {
            session.close();
        } catch (OrtException error) {
            // Its memory may be lost, which nobody can do anything about.
        }
    }
}
