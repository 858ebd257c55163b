package org.scriptkd.demo;

import android.content.Context;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.scriptkd.sdk.ModelException;
import org.scriptkd.sdk.ScriptIdentifier;
import org.scriptkd.sdk.TextDetector;

/** The model files in the app's assets, and the text detector, which may be missing. */
final class Models {
    /** The one that identifies; the others are only measured. */
    static final String STUDENT = "student.onnx";

    private static final String FOLDER = "models/";
    private static final String DETECTOR = "detector/PP-OCRv6_det_small.onnx";
    private static final int DETECTOR_THREADS = 2; // at most: other threads answer meanwhile

    private Models() {}

    static List<String> names(Context context) {
        List<String> names = new ArrayList<String>();
        try {
            for (String name : context.getAssets().list("models")) {
                if (name.endsWith(".onnx")) {
                    names.add(name);
                }
            }
        } catch (IOException error) {
            return names; // as if there were none, which is then said
        }
        return names;
    }

    static byte[] read(Context context, String name) throws Problem {
        try {
            return content(context, FOLDER + name);
        } catch (FileNotFoundException error) {
            throw new Problem(context.getString(R.string.error_no_model, name), error);
        } catch (IOException error) {
            throw new Problem(context.getString(R.string.error_model, name + ": " + error.getMessage()), error);
        }
    }

    private static byte[] content(Context context, String path) throws IOException {
        InputStream stream = context.getAssets().open(path);
        try {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            byte[] part = new byte[1 << 16];
            for (int length = stream.read(part); length >= 0; length = stream.read(part)) {
                content.write(part, 0, length);
            }
            return content.toByteArray();
        } finally {
            stream.close();
        }
    }

    /** Whether the app was built with the text detector. */
    static boolean hasDetector(Context context) {
        try {
            return context.getAssets().list("detector").length > 0;
        } catch (IOException error) {
            return false;
        }
    }

    static TextDetector openDetector(Context context) throws Problem {
        try {
            int threads = Math.min(Runtime.getRuntime().availableProcessors(), DETECTOR_THREADS);
            return TextDetector.open(content(context, DETECTOR), DETECTOR, threads);
        } catch (IOException | ModelException error) {
            throw new Problem(context.getString(R.string.error_detector, error.getMessage()), error);
        }
    }

    static ScriptIdentifier open(Context context, byte[] model, String name, int threads) throws Problem {
        try {
            return ScriptIdentifier.open(model, name, threads);
        } catch (ModelException error) {
            throw new Problem(context.getString(R.string.error_model, error.getMessage()), error);
        }
    }

    /** Numbers of threads worth measuring: 1, 2 and 4, as far as there are cores. */
    static List<Integer> threadCounts(int cores) {
        List<Integer> counts = new ArrayList<Integer>();
        for (int count : Arrays.asList(1, 2, 4)) {
            if (count == 1 || count <= cores) {
                counts.add(count);
            }
        }
        return counts;
    }
}
