package org.scriptkd.sdk;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells the script of cropped word images.
 *
 * <p>Many threads may use one identifier at once, and any may close it: close waits for running calls. Opening takes
 * tens of milliseconds, so reuse an identifier.
 *
 * <p>Nothing is written and nothing is sent, except that onnxruntime unpacks its libraries to the temporary folder of a
 * JVM. onnxruntime has telemetry from version 1.29 on. Opening a model disables it on Android. On a JVM it is disabled
 * only if the JVM was started with ORT_DISABLE_TELEMETRY=1 in its environment. This SDK is tested with 1.28, which has
 * no telemetry.
 */
public final class ScriptIdentifier implements AutoCloseable {
    private static final String BUNDLED = "org/scriptkd/models/"; // in the artifact scriptkd-models
    private static final String DEFAULT = "student";

    private final Session session;
    private final ModelInfo info;
    private final Set<String> outputs;

    private ScriptIdentifier(Session session, ModelInfo info) {
        this.session = session;
        this.info = info;
        this.outputs = new HashSet<String>(
                info.tellsOrientation() ? Arrays.asList("logits", "orientation") : Arrays.asList("logits"));
    }

    /**
     * Opens the default model of the artifact org.scriptkd:scriptkd-models, with one thread a call.
     *
     * @throws ModelException if that artifact is missing, or as {@link #open(File, int)} does
     */
    public static ScriptIdentifier open() {
        return open(DEFAULT);
    }

    /**
     * Opens a model of the artifact org.scriptkd:scriptkd-models, with one thread a call.
     *
     * @param name the model's name, "student", "world", "upright" or "world-upright"; for a file, use {@link #open(File)}
     * @throws ModelException if there is no such model, or as {@link #open(File, int)} does
     */
    public static ScriptIdentifier open(String name) {
        String path = BUNDLED + Arguments.given(name, "name") + ".onnx";
        // The class loader is asked, because a named module's getResource searches only that module.
        try (InputStream stream = ScriptIdentifier.class.getClassLoader().getResourceAsStream(path)) {
            if (stream == null) {
                throw new ModelException(name + ": no such model is bundled; org.scriptkd:scriptkd-models, which has those "
                        + "of scriptkd, must be among the program's dependencies");
            }
            return open(ModelBytes.of(stream), name + ".onnx", 1);
        } catch (IOException error) {
            throw new ModelException(path + ": cannot be read: " + error.getMessage(), error);
        }
    }

    /** Opens a model file, with one thread a call: more threads help only large networks. See {@link #open(File, int)}. */
    public static ScriptIdentifier open(File model) {
        return open(model, 1);
    }

    /**
     * Opens a model file.
     *
     * @param threads how many threads one call may use, 1 to 256
     * @throws ModelException for a file that is missing, not ONNX, not scriptkd's, newer than this version, or whose
     *     network does not fit its metadata
     * @throws ArgumentException for a wrong number of threads
     */
    public static ScriptIdentifier open(File model, int threads) {
        Session.checkThreads(threads);
        return open(ModelBytes.of(model), model.getPath(), threads);
    }

    /**
     * Opens a model from memory, such as an asset of an Android app.
     *
     * @param name the model's name in errors
     * @throws ModelException as {@link #open(File, int)} does
     * @throws ArgumentException for a wrong number of threads
     */
    public static ScriptIdentifier open(byte[] model, String name, int threads) {
        return Session.open("identifier", model, name, threads, ScriptIdentifier::of);
    }

    private static ScriptIdentifier of(Session session) throws OrtException {
        String text = session.use((environment, network) ->
                network.getMetadata().getCustomMetadata().get(ModelInfo.METADATA_KEY));
        if (text == null) {
            throw new ModelException("an ONNX file without scriptkd's metadata; export it with scriptkd-export");
        }
        ScriptIdentifier identifier = new ScriptIdentifier(session, ModelInfo.parse(text));
        identifier.checkNetwork();
        return identifier;
    }

    /** The model file's metadata. */
    public ModelInfo info() {
        return info;
    }

    /**
     * Tells the script of one image.
     *
     * @param argb the pixels as Android's Bitmap.getPixels gives them: row by row, 0xAARRGGBB, colours not multiplied
     *     by alpha. Transparent pixels are laid on black or white, whichever makes them visible. Alpha of 0 everywhere is
     *     ignored
     * @throws ImageException for an image that is too small or too large, or an array that is too short
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(int[] argb, int width, int height) {
        return identify(argb, width, height, null, false);
    }

    /**
     * Tells the script of a part of an image.
     *
     * @param area null is the whole image; the part outside the image is cut off
     * @throws ImageException also for an area that is too small or wholly outside the image
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(int[] argb, int width, int height, @Nullable Area area) {
        return identify(argb, width, height, area, false);
    }

    /**
     * Tells the script of a part of an image, if it is known whether the letters stand upright.
     *
     * @param area null is the whole image; the part outside the image is cut off
     * @param upright see {@link Options#upright}
     * @throws ImageException also for an area that is too small or wholly outside the image
     * @throws ArgumentException for upright, if the model turns crops inside its graph
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(int[] argb, int width, int height, @Nullable Area area, boolean upright) {
        return identify(new Pixels(argb, width, height), area, new Options().upright(upright));
    }

    /** Tells the script of one image. See {@link #identify(Pixels, Area, Options)}. */
    public Prediction identify(Pixels image) {
        return identify(image, null, new Options());
    }

    /** Tells the script of a part of an image. See {@link #identify(Pixels, Area, Options)}. */
    public Prediction identify(Pixels image, @Nullable Area area) {
        return identify(image, area, new Options());
    }

    /**
     * Tells the script of an image or of a part of it.
     *
     * @param area null is the whole image; the part outside the image is cut off
     * @param options which scripts can occur, the threshold, and whether the letters are known to stand upright
     * @throws ImageException for an image that is too small or too large, an array that is too short, or an area that
     *     is too small or wholly outside the image
     * @throws ArgumentException for a script that the model does not know, or if none is left; for upright, if the
     *     model turns crops inside its graph; for a null argument that may not be null
     * @throws ClosedException after {@link #close}
     */
    public Prediction identify(Pixels image, @Nullable Area area, Options options) {
        Arguments.given(image, "image");
        Decision decision = decision(options);
        Input input = input(image.picture(area), options.upright);
        return prediction(answers(input), decision, options.upright, input.turned);
    }

    /** Tells the scripts of many images. See {@link #identifyBatch(Iterable, Options)}. */
    public List<Result> identifyBatch(Iterable<Pixels> images) {
        return identifyBatch(images, new Options());
    }

    /**
     * Tells the scripts of many images. Inputs of the same size share a run of the network.
     *
     * @param images identified one after the other, so an Iterable may read each image on request
     * @return the results, in the images' order; for an image that cannot be used, the result holds its ImageException
     * @throws ArgumentException as {@link #identify(Pixels, Area, Options)} does
     * @throws ClosedException after {@link #close}
     */
    public List<Result> identifyBatch(Iterable<Pixels> images, Options options) {
        Arguments.given(images, "images");
        Batch batch = new Batch(this, decision(options), options.upright);
        int number = 0;
        for (Pixels image : images) {
            batch.add("image " + number++, () -> each(image).picture(null));
        }
        return batch.results();
    }

    /** Tells the scripts of several words of one image. See {@link #identifyRegions(Pixels, Iterable, Options)}. */
    public List<Result> identifyRegions(Pixels image, Iterable<? extends Area> regions) {
        return identifyRegions(image, regions, new Options());
    }

    /**
     * Tells the scripts of several words of one image, such as a page.
     *
     * @param regions boxes and corners
     * @return the results, in the regions' order; for a region that cannot be used, the result holds its ImageException
     * @throws ImageException for an image that is too small or too large, or an array that is too short
     * @throws ArgumentException as {@link #identify(Pixels, Area, Options)} does
     * @throws ClosedException after {@link #close}
     */
    public List<Result> identifyRegions(Pixels image, Iterable<? extends Area> regions, Options options) {
        Arguments.given(image, "image");
        Arguments.given(regions, "regions");
        Pixels page = image.opaque();
        Batch batch = new Batch(this, decision(options), options.upright);
        int number = 0;
        for (Area region : regions) {
            batch.add("region " + number++, () -> page.picture(each(region)));
        }
        return batch.results();
    }

    /** Finds the words of an image and tells their scripts. See {@link #findWords(TextDetector, Pixels, Options)}. */
    public List<Word> findWords(TextDetector detector, Pixels image) {
        return findWords(detector, image, new Options());
    }

    /**
     * Finds the words of an image, or lines where words stand close, and tells the script of each.
     *
     * @return the words in order, from the top and in a line from the left; none if there is no text. A box nearly all
     *     of which lies outside the image is left out
     * @throws ImageException for an image that is too small or too large, or an array that is too short
     * @throws ModelException if the detector fails on this image
     * @throws ArgumentException as {@link #identify(Pixels, Area, Options)} does
     * @throws ClosedException after {@link #close}, also the detector's
     */
    public List<Word> findWords(TextDetector detector, Pixels image, Options options) {
        Pixels page = Arguments.given(image, "image").opaque();
        List<TextBox> boxes = Arguments.given(detector, "detector").find(page);
        List<Corners> regions = new ArrayList<Corners>();
        for (TextBox box : boxes) {
            regions.add(box.corners);
        }
        List<Word> words = new ArrayList<Word>();
        int number = 0;
        for (Result result : identifyRegions(page, regions, options)) {
            TextBox box = boxes.get(number++);
            if (result.prediction != null) {
                words.add(new Word(box, result.prediction));
            }
        }
        return words;
    }

    private static <T> T each(@Nullable T value) {
        if (value == null) {
            throw new ImageException("it must not be null");
        }
        return value;
    }

    private Decision decision(Options options) {
        Arguments.given(options, "options");
        if (options.upright && info.anySize && info.tellsOrientation()) {
            throw new ArgumentException(
                    "this model turns tall crops inside its graph (--any-size), so it takes no upright=True");
        }
        return Decision.of(info, options);
    }

    /** The network's input for a picture. */
    Input input(Picture picture, boolean upright) {
        if (info.anySize) {
            return new Input(picture.interleaved(), Input.ANY_COUNT, picture.height, picture.width, 0);
        }
        Crops crops = Crops.of(picture, info.preprocessing, upright);
        byte[] inputs = info.preprocessing.apply(crops.windows, crops.rows);
        int count = crops.windows.length;
        int columns = inputs.length / (count * info.preprocessing.channels * crops.rows);
        return new Input(inputs, count, crops.rows, columns, crops.turned);
    }

    /** How many outputs the network has. */
    int outputs() {
        return outputs.size();
    }

    /** Runs the network. Returns a row of numbers for each output and window. */
    float[][][] answers(Input input) {
        boolean whole = input.count == Input.ANY_COUNT;
        long[] shape = whole ? new long[] {input.rows, input.columns, 3} : shape(input.count, input.rows, input.columns);
        try {
            return run(input.bytes, shape, input.count);
        } catch (OrtException error) {
            throw new ModelException("the network does not run (" + Session.firstLine(error) + ")", error);
        }
    }

    Prediction prediction(float[][][] answers, Decision decision, boolean upright, int turned) {
        Orientation told = Orientation.NONE;
        if (info.tellsOrientation()) {
            told = upright ? Orientation.UPRIGHT : Orientation.of(answers[1], info, turned);
        }
        return new Prediction(answers[0], decision, told);
    }

    /** Frees the network's memory once running calls have ended. Closing again does nothing. */
    @Override
    public void close() {
        session.close();
    }

    private long[] shape(int count, int rows, int columns) {
        return new long[] {count, info.preprocessing.channels, rows, columns};
    }

    /** Runs the network on {@code count} inputs. Returns as many rows of logits, in format 3 also of orientation. */
    private float[][][] run(byte[] inputs, long[] shape, int count) throws OrtException {
        return session.use((environment, network) -> run(environment, network, inputs, shape, count));
    }

    private float[][][] run(OrtEnvironment environment, OrtSession network, byte[] inputs, long[] shape, int count)
            throws OrtException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(inputs.length).order(ByteOrder.nativeOrder());
        buffer.put(inputs).rewind();
        OnnxTensor image = OnnxTensor.createTensor(environment, buffer, shape, OnnxJavaType.UINT8);
        try {
            OrtSession.Result result = network.run(Collections.singletonMap("image", image), outputs);
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
        if (!fits || (count == Input.ANY_COUNT ? shape[0] < 1 : shape[0] != count)) {
            int wanted = Math.max(count, 1);
            throw new ModelException("the metadata has " + classes + " " + what + ", but the network answers " + wanted
                    + " blank images with " + given.type + " of shape " + Arrays.toString(shape) + ", not FLOAT of shape ["
                    + wanted + ", " + classes + "]");
        }
        return (float[][]) answer.getValue();
    }

    /** Checks the inputs and outputs against the metadata, then runs the network on blank images. */
    private void checkNetwork() throws OrtException {
        session.use((environment, network) -> {
            checkInput(network);
            return null;
        });
        Preprocessing wanted = info.preprocessing;
        if (info.anySize) {
            runBlank(new long[] {1, 9, 3}, info.tellsOrientation() ? Input.ANY_COUNT : 1);
            runBlank(new long[] {16, 2, 3}, info.tellsOrientation() ? Input.ANY_COUNT : 1);
            return;
        }
        // Two images at each limit of the width reveal a batch size or a width that the export fixed.
        for (int rows : wanted.heights()) {
            runBlank(shape(2, rows, wanted.widthMin), 2);
            if (!wanted.fixedWidth()) {
                runBlank(shape(2, rows, wanted.widthMax), 2);
            }
        }
    }

    private void checkInput(OrtSession network) throws OrtException {
        Set<String> inputs = network.getInputNames();
        Set<String> given = network.getOutputNames();
        if (!inputs.equals(Collections.singleton("image")) || !given.containsAll(outputs)) {
            throw new ModelException("the network must have the one input 'image' and the output "
                    + (info.tellsOrientation() ? "'logits' and 'orientation'" : "'logits'") + ", not " + inputs + " and "
                    + given);
        }
        Object node = network.getInputInfo().get("image").getInfo();
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
            fits = shape[i] == -1 || shape[i] == expected[i]; // a dynamic dimension takes any size
        }
        if (!fits) {
            throw new ModelException("the network's input has the shape " + Arrays.toString(shape)
                    + ", but its metadata asks for " + Arrays.toString(expected) + ", -1 being any");
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
            throw new ModelException("the network does not run on a blank image (" + Session.firstLine(error) + ")", error);
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

    private static String name(OnnxJavaType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }
}
