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
 */
public final class ScriptIdentifier implements AutoCloseable {
    static final int MOST_THREADS = 256;
    private static final int SMALLEST_SIDE = 2; // pixels
    private static final int LARGEST_SIDE = 16384;
    private static final int MOST_PIXELS = 50000000; // a word crop has thousands; beyond is a mistake
    private static final Set<String> LOGITS = Collections.singleton("logits");

    private final OrtEnvironment environment;
    private final OrtSession session;
    private final ModelInfo info;
    private final ReadWriteLock lock = new ReentrantReadWriteLock(); // closing is writing
    private boolean closed;

    private ScriptIdentifier(OrtEnvironment environment, OrtSession session, ModelInfo info) {
        this.environment = environment;
        this.session = session;
        this.info = info;
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
            throw new ModelException(name + ": " + error.getMessage(), error.getCause());
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
     *     0xAARRGGBB, colours not multiplied by alpha; transparent ones are laid on white
     * @throws ImageException for an image too small, too large or with too few pixels
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(int[] argb, int width, int height) {
        checkImage(argb, width, height);
        return identify(argb, width, height, new Region(0, 0, width, height));
    }

    /**
     * Tell the script of a region of an image.
     *
     * @throws ImageException also for a region that is too small or not inside the image
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(int[] argb, int width, int height, Region region) {
        checkImage(argb, width, height);
        if (Math.min(region.left, region.top) < 0 || Math.min(region.right, region.bottom) < 0
                || Math.max(region.left, region.right) > width || Math.max(region.top, region.bottom) > height) {
            throw new ImageException(
                    "the region " + region + " reaches out of the image of " + width + "x" + height + " pixels");
        }
        if (Math.min(region.width(), region.height()) < SMALLEST_SIDE) {
            throw new ImageException("the region " + region + " is empty: right and bottom must exceed left and top by "
                    + SMALLEST_SIDE + " or more");
        }
        byte[] input;
        long[] shape;
        if (info.anySize) {
            input = Preprocessing.interleaved(argb, width, region);
            shape = new long[] {region.height(), region.width(), 3};
        } else {
            input = info.preprocessing.apply(argb, width, region);
            shape = shape(1, info.preprocessing.widthFor(region.width(), region.height()));
        }
        Lock reading = lock.readLock();
        reading.lock();
        try {
            if (closed) {
                throw new ClosedException("the identifier is closed; make a new one");
            }
            return Prediction.of(run(input, shape, 1)[0], info);
        } catch (OrtException error) {
            throw new ModelException("the network does not run (" + firstLine(error) + ")", error);
        } finally {
            reading.unlock();
        }
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

    private long[] shape(int count, int width) {
        return new long[] {count, info.preprocessing.channels, info.preprocessing.height, width};
    }

    /** Run the network on {@code count} images; returns count rows of logits. */
    private float[][] run(byte[] inputs, long[] shape, int count) throws OrtException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(inputs.length).order(ByteOrder.nativeOrder());
        buffer.put(inputs).rewind();
        OnnxTensor image = OnnxTensor.createTensor(environment, buffer, shape, OnnxJavaType.UINT8);
        try {
            OrtSession.Result result = session.run(Collections.singletonMap("image", image), LOGITS);
            try {
                OnnxTensor logits = (OnnxTensor) result.get(0);
                TensorInfo given = logits.getInfo();
                int labels = info.labels.size();
                if (given.type != OnnxJavaType.FLOAT || !Arrays.equals(given.getShape(), new long[] {count, labels})) {
                    throw new ModelException("the metadata has " + labels + " labels, but the network answers "
                            + count + " blank images with " + given.type + " of shape " + Arrays.toString(given.getShape())
                            + ", not FLOAT of shape [" + count + ", " + labels + "]");
                }
                return (float[][]) logits.getValue();
            } finally {
                result.close();
            }
        } finally {
            image.close();
        }
    }

    /** Check that inputs and outputs are what the metadata says, at last by running the network on blank images. */
    private void checkNetwork() throws OrtException {
        Set<String> inputs = session.getInputNames();
        Set<String> outputs = session.getOutputNames();
        if (!inputs.equals(Collections.singleton("image")) || !outputs.contains("logits")) {
            throw new ModelException("the network must have the one input 'image' and the output 'logits', not "
                    + inputs + " and " + outputs);
        }
        Object node = session.getInputInfo().get("image").getInfo();
        if (!(node instanceof TensorInfo) || ((TensorInfo) node).type != OnnxJavaType.UINT8) {
            String given = node instanceof TensorInfo ? "tensor(" + name(((TensorInfo) node).type) + ")" : "no tensor";
            throw new ModelException("the network's input must be tensor(uint8), not " + given);
        }
        Preprocessing wanted = info.preprocessing;
        long[] shape = ((TensorInfo) node).getShape();
        long[] expected = info.anySize ? new long[] {-1, -1, 3} : shape(-1, wanted.fixedWidth() ? wanted.widthMax : -1);
        boolean fits = shape.length == expected.length;
        for (int i = 0; fits && i < shape.length; i++) {
            fits = shape[i] == -1 || shape[i] == expected[i]; // a side that the file leaves open takes any size
        }
        if (!fits) {
            throw new ModelException("the network's input has the shape " + Arrays.toString(shape)
                    + ", but its metadata asks for " + Arrays.toString(expected) + ", -1 being any");
        }
        // Two images at both limits of the width, so that a batch size or a width frozen at export is found here.
        int count = info.anySize ? 1 : 2;
        long[][] blanks = info.anySize
                ? new long[][] {{1, 9, 3}, {16, 2, 3}}
                : new long[][] {shape(count, wanted.widthMin), shape(count, wanted.widthMax)};
        for (long[] blank : blanks) {
            int size = 1;
            for (long side : blank) {
                size *= (int) side;
            }
            float[][] logits;
            try {
                logits = run(new byte[size], blank, count);
            } catch (OrtException error) {
                throw new ModelException("the network does not run on a blank image (" + firstLine(error) + ")", error);
            }
            for (float[] row : logits) {
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

    private static void checkImage(int[] argb, int width, int height) {
        checkSize(width, height);
        if (argb.length < (long) width * height) {
            throw new ImageException(width + "x" + height + " pixels are " + (long) width * height
                    + ", but the array holds " + argb.length);
        }
    }

    private static void checkSize(int width, int height) {
        String size = width + "x" + height + " pixels";
        if (Math.min(width, height) < SMALLEST_SIDE) {
            throw new ImageException(size + ", but at least 2x2 are needed");
        }
        if (Math.max(width, height) > LARGEST_SIDE) {
            throw new ImageException(size + ", but at most 16,384 a side are allowed");
        }
        if ((long) width * height > MOST_PIXELS) {
            throw new ImageException(size + ", but at most 50 million are allowed");
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
