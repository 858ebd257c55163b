package org.scriptkd.sdk;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

/** The tests' data: the golden vectors, the bundled model, and damaged copies of it. */
final class Samples {
    /** The folder sdk/. */
    static final File SDK = new File(System.getProperty("scriptkd.sdk", "..")).getAbsoluteFile();

    static final File GOLDEN = new File(SDK, "contract/golden");
    static final File MODEL = new File(SDK, "scriptkd_sdk/models/student.onnx"); // the default, in the newest format

    private Samples() {}

    /** A plain image: dark letters of no script on white. */
    static Pixels stripes(int width, int height) {
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) {
            argb[i] = i % width % 7 < 3 ? 0xFF203040 : 0xFFFFFFFF;
        }
        return new Pixels(argb, width, height);
    }

    static byte[] model() throws IOException {
        return Files.readAllBytes(MODEL.toPath());
    }

    static String metadata() throws IOException {
        Object[] found = new Object[1];
        withoutMetadata(model(), found);
        return (String) found[0];
    }

    /** The bundled model with other metadata; null for none. */
    static byte[] modelWith(String metadata) throws IOException {
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        result.write(withoutMetadata(model(), new Object[1]));
        if (metadata != null) {
            ByteArrayOutputStream entry = new ByteArrayOutputStream();
            writeText(entry, 1, ModelInfo.METADATA_KEY.getBytes(StandardCharsets.UTF_8));
            writeText(entry, 2, metadata.getBytes(StandardCharsets.UTF_8));
            writeText(result, 14, entry.toByteArray());
        }
        return result.toByteArray();
    }

    /** An ONNX file is a protobuf message. Each field 14 holds a metadata property, with key (1) and value (2). */
    private static byte[] withoutMetadata(byte[] model, Object[] found) {
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        int[] position = {0};
        while (position[0] < model.length) {
            int start = position[0];
            long tag = readNumber(model, position);
            if ((tag & 7) == 0) {
                readNumber(model, position);
            } else if ((tag & 7) == 2) {
                int length = (int) readNumber(model, position);
                String entry = new String(model, position[0], length, StandardCharsets.UTF_8);
                if (tag >> 3 == 14 && entry.startsWith(ModelInfo.METADATA_KEY, 2)) {
                    found[0] = entry.substring(entry.indexOf('{'));
                    position[0] += length;
                    continue;
                }
                position[0] += length;
            } else {
                throw new AssertionError("an ONNX file has no field of the kind " + (tag & 7));
            }
            result.write(model, start, position[0] - start);
        }
        return result.toByteArray();
    }

    private static long readNumber(byte[] bytes, int[] position) {
        long number = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = bytes[position[0]++];
            number |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return number;
            }
        }
    }

    private static void writeText(ByteArrayOutputStream stream, int field, byte[] text) throws IOException {
        stream.write(field << 3 | 2);
        int length = text.length;
        for (; length > 0x7F; length >>= 7) {
            stream.write(length & 0x7F | 0x80);
        }
        stream.write(length);
        stream.write(text);
    }
}
