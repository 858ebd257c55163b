package org.scriptkd.sdk;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;

/** The content of model files. */
final class ModelBytes {
    private ModelBytes() {}

    /** Throws ModelException for a file that is missing or cannot be read. */
    static byte[] of(File model) {
        if (!Arguments.given(model, "model").isFile()) {
            throw new ModelException(
                    model + ": " + (model.isDirectory() ? "a folder, not a model file" : "no such model file"));
        }
        try (RandomAccessFile stream = new RandomAccessFile(model, "r")) {
            byte[] content = new byte[(int) Math.min(stream.length(), Integer.MAX_VALUE - 8)];
            stream.readFully(content);
            return content;
        } catch (IOException error) {
            throw new ModelException(model + ": cannot be read: " + error.getMessage(), error);
        }
    }

    static byte[] of(InputStream stream) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] part = new byte[1 << 16];
        for (int length = stream.read(part); length >= 0; length = stream.read(part)) {
            content.write(part, 0, length);
        }
        return content.toByteArray();
    }
}
