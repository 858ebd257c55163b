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

/** The model files in the app's assets. */
final class Models {
    /** The one that identifies; the others are only measured. */
    static final String STUDENT = "student.onnx";

    private static final String FOLDER = "models";

    private Models() {}

    static List<String> names(Context context) {
        List<String> names = new ArrayList<String>();
        try {
            for (String name : context.getAssets().list(FOLDER)) {
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
            InputStream stream = context.getAssets().open(FOLDER + "/" + name);
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
        } catch (FileNotFoundException error) {
            throw new Problem(context.getString(R.string.error_no_model, name), error);
        } catch (IOException error) {
            throw new Problem(context.getString(R.string.error_model, name + ": " + error.getMessage()), error);
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
