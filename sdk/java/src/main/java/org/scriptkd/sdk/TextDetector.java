package org.scriptkd.sdk;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.io.File;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Finds the words of a photograph with a text detector of PP-OCR's kind, an ONNX file that this SDK does not hold.
 *
 * <p>sdk/contract/words.md names the file and has every step. {@link ScriptIdentifier#findWords} also tells the scripts.
 * Many threads may use one detector at once, and any may close it: close waits for running calls.
 */
public final class TextDetector implements AutoCloseable {
    private final Session session;

    private TextDetector(Session session) {
        this.session = session;
    }

    /** Opens a detector's file, with one thread a call. See {@link #open(File, int)}. */
    public static TextDetector open(File model) {
        return open(model, 1);
    }

    /**
     * Opens a detector's file.
     *
     * @param threads how many threads one call may use, 1 to 256
     * @throws ModelException for a file that is missing, not ONNX, or no such detector
     * @throws ArgumentException for a wrong number of threads
     */
    public static TextDetector open(File model, int threads) {
        Session.checkThreads(threads);
        return open(ModelBytes.of(model), model.getPath(), threads);
    }

    /**
     * Opens a detector from memory, such as an asset of an Android app.
     *
     * @param name the detector's name in errors
     * @throws ModelException as {@link #open(File, int)} does
     * @throws ArgumentException for a wrong number of threads
     */
    public static TextDetector open(byte[] model, String name, int threads) {
        return Session.open("detector", model, name, threads, TextDetector::of);
    }

    private static TextDetector of(Session session) {
        TextDetector detector = new TextDetector(session);
        try {
            detector.map(DetectorInput.blank());
        } catch (OrtException | ModelException error) {
            throw new ModelException("not a text detector of PP-OCR's kind (" + Session.firstLine(error) + ")", error);
        }
        return detector;
    }

    /**
     * Finds the words of an image, or lines where words stand close.
     *
     * @return boxes in order, from the top and in a line from the left; none if there is no text
     * @throws ImageException for an image that is too small or too large, or an array that is too short
     * @throws ModelException if the detector fails on this image
     * @throws ClosedException after {@link #close}
     */
    public List<TextBox> find(Pixels image) {
        Picture picture = Arguments.given(image, "image").picture(null);
        try {
            return Boxing.of(map(DetectorInput.of(picture)), picture.width, picture.height);
        } catch (OrtException | ModelException error) {
            throw new ModelException("the text detector failed on this image (" + Session.firstLine(error) + ")", error);
        }
    }

    private TextMap map(DetectorInput input) throws OrtException {
        return session.use((environment, network) -> map(environment, network, input));
    }

    private static TextMap map(OrtEnvironment environment, OrtSession network, DetectorInput input) throws OrtException {
        long[] shape = {1, 3, input.height, input.width};
        Set<String> names = network.getInputNames();
        if (names.size() != 1) {
            throw new ModelException("it has " + names.size() + " inputs, not one");
        }
        String name = names.iterator().next();
        try (OnnxTensor image = OnnxTensor.createTensor(environment, input.scaled(), shape);
                OrtSession.Result result = network.run(Collections.singletonMap(name, image))) {
            float[] probabilities = new float[input.width * input.height];
            checked(result.get(0), new long[] {1, 1, input.height, input.width}).getFloatBuffer().get(probabilities);
            return new TextMap(probabilities, input.width, input.height);
        }
    }

    private static OnnxTensor checked(OnnxValue map, long[] shape) {
        if (!(map instanceof OnnxTensor)) {
            throw new ModelException("its map is no tensor");
        }
        TensorInfo given = ((OnnxTensor) map).getInfo();
        if (given.type != OnnxJavaType.FLOAT || !Arrays.equals(given.getShape(), shape)) {
            String type = given.type == OnnxJavaType.FLOAT ? "float32" : given.type.name().toLowerCase(Locale.ROOT);
            throw new ModelException("its map is " + type + " of shape " + Arrays.toString(given.getShape())
                    + ", not float32 of shape " + Arrays.toString(shape));
        }
        return (OnnxTensor) map;
    }

    /** Frees the network's memory once running calls have ended. Closing again does nothing. */
    @Override
    public void close() {
        session.close();
    }
}
