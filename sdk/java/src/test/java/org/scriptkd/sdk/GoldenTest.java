package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The golden vectors, which every SDK must reproduce: sdk/contract/golden/README.md. */
class GoldenTest {
    private static final double UNSTABLE = 0.1; // how much the scores of unstable vectors may differ

    @TestFactory
    List<DynamicTest> preprocessing() throws Exception {
        Map<String, Object> golden = golden();
        List<DynamicTest> tests = new ArrayList<>();
        for (Object each : (List<?>) golden.get("vectors")) {
            Map<String, Object> vector = object(each);
            tests.add(DynamicTest.dynamicTest("input of " + vector.get("name"), () -> {
                Pixels image = BufferedImages.read(new File(Samples.GOLDEN, (String) vector.get("pixels")));
                assertEquals(vector.get("pixels_sha256"), sha256(pixels(image, (Long) vector.get("channels") == 1)));
                for (Map.Entry<String, Object> entry : object(vector.get("inputs")).entrySet()) {
                    Map<String, Object> wanted = object(entry.getValue());
                    Preprocessing how =
                            Preprocessing.from(object(golden.get("preprocessings")).get(entry.getKey()));
                    Crops crops = Crops.of(image.picture(null), how, false);
                    Plane first = crops.windows[0][0];
                    assertEquals(wanted.get("width"), (long) how.widthFor(first.width, first.height, crops.rows));
                    byte[] inputs = how.apply(crops.windows, crops.rows);
                    if (how.squareHeight == null) {
                        assertEquals(wanted.get("sha256"), hash(inputs, wanted.get("ties")), entry.getKey());
                        continue;
                    }
                    assertEquals(wanted.get("rows"), (long) crops.rows, entry.getKey());
                    assertEquals(wanted.get("turned"), (long) crops.turned, entry.getKey());
                    List<?> windows = (List<?>) wanted.get("windows");
                    assertEquals(windows.size(), crops.windows.length, entry.getKey());
                    int size = inputs.length / windows.size();
                    for (int i = 0; i < windows.size(); i++) {
                        byte[] input = Arrays.copyOfRange(inputs, i * size, (i + 1) * size);
                        Object ties = ((List<?>) wanted.get("ties")).get(i);
                        assertEquals(windows.get(i), hash(input, ties), entry.getKey() + ", window " + i);
                    }
                }
            }));
        }
        assertTrue(tests.size() >= 200, "at least 200 images");
        return tests;
    }

    @TestFactory
    List<DynamicTest> scores() throws Exception {
        Map<String, Object> golden = golden();
        List<DynamicTest> tests = new ArrayList<>();
        for (Map.Entry<String, Object> entry : object(golden.get("models")).entrySet()) {
            Map<String, Object> model = object(entry.getValue());
            File file = new File(Samples.SDK, (String) model.get("file"));
            assertEquals(model.get("sha256"), sha256(Files.readAllBytes(file.toPath())), "make golden");
            double tolerance = number(model.get("tolerance"));
            List<?> unstable = (List<?>) model.get("unstable"); // names of vectors that depend on a float's last bits
            ScriptIdentifier identifier = ScriptIdentifier.open(file);
            List<?> vectors = (List<?>) golden.get("vectors");
            double[] largest = {0};
            for (Object each : vectors) {
                Map<String, Object> vector = object(each);
                String name = (String) vector.get("name");
                List<?> expected = (List<?>) object(vector.get("scores")).get(entry.getKey());
                tests.add(DynamicTest.dynamicTest(entry.getKey() + " scores of " + name, () -> {
                    Pixels image = BufferedImages.read(new File(Samples.GOLDEN, (String) vector.get("pixels")));
                    Prediction answer = identifier.identify(image.argb, image.width, image.height);
                    List<Script> labels = identifier.info().labels;
                    if (!unstable.contains(name)) {
                        assertEquals(labels.get(first(expected)), answer.best);
                    }
                    double allowed = unstable.contains(name) ? UNSTABLE : tolerance;
                    double distance = distance(answer, labels, expected);
                    assertEquals(0, distance, allowed);
                    if (vector.containsKey("orientation") && object(vector.get("orientation")).containsKey(entry.getKey())) {
                        distance = Math.max(
                                distance, checkFormat3(vector, entry.getKey(), answer, allowed, unstable.contains(name)));
                    }
                    largest[0] = unstable.contains(name) ? largest[0] : Math.max(largest[0], distance);
                }));
            }
            tests.add(DynamicTest.dynamicTest(entry.getKey() + " is closed", () -> {
                identifier.close();
                System.out.printf(
                        "%d vectors, %s: largest difference from the golden scores %.1e%n",
                        vectors.size(), entry.getKey(), largest[0]);
            }));
        }
        return tests;
    }

    /** Checks a vector's orientation and shares, which older formats lack. Returns its orientation score's error. */
    private static double checkFormat3(
            Map<String, Object> vector, String model, Prediction answer, double tolerance, boolean unstable) {
        Object score = object(vector.get("orientation_score")).get(model);
        double off = 0;
        if (score == null) {
            assertNull(answer.orientationScore);
        } else {
            off = Math.abs(number(score) - answer.orientationScore);
            assertEquals(0, off, tolerance);
        }
        if (unstable) {
            return off;
        }
        Object degrees = object(vector.get("orientation")).get(model);
        assertEquals(degrees == null ? null : (Integer) ((Number) degrees).intValue(), answer.orientation);
        Map<String, Double> shares = new LinkedHashMap<>();
        for (Score each : answer.shares) {
            shares.put(each.script.name, each.value);
        }
        Map<String, Object> expected = object(object(vector.get("shares")).get(model));
        assertEquals(expected.keySet(), shares.keySet());
        for (Map.Entry<String, Object> share : expected.entrySet()) {
            assertEquals(number(share.getValue()), shares.get(share.getKey()), 1e-6, share.getKey());
        }
        return off;
    }

    /** Files of formats whose pixels are binding: alpha and palettes take this SDK's own path. */
    @TestFactory
    List<DynamicTest> files() throws Exception {
        List<DynamicTest> tests = new ArrayList<>();
        for (Object each : (List<?>) golden().get("vectors")) {
            Map<String, Object> vector = object(each);
            String name = (String) vector.getOrDefault("file", "");
            if (!name.matches(".*-(bmp|gif|png-rgba|png-gray-alpha|png-palette|png-1bit|png-16bit|png-16bit-gray)\\..*")) {
                continue;
            }
            tests.add(DynamicTest.dynamicTest("pixels of " + name, () -> {
                Pixels wanted = BufferedImages.read(new File(Samples.GOLDEN, (String) vector.get("pixels")));
                Pixels image = BufferedImages.read(new File(Samples.GOLDEN, name));
                assertArrayEquals(wanted.picture(null).interleaved(), image.picture(null).interleaved());
            }));
        }
        assertTrue(tests.size() >= 10, "files of several kinds");
        return tests;
    }

    /** Photos with each of EXIF's orientations become upright. Another JPEG decoder may differ by a few levels. */
    @TestFactory
    List<DynamicTest> photos() throws Exception {
        List<DynamicTest> tests = new ArrayList<>();
        for (Object each : (List<?>) golden().get("vectors")) {
            Map<String, Object> vector = object(each);
            String name = (String) vector.getOrDefault("file", "");
            if (!name.matches(".*-jpeg(-exif[1-8]|-gray|-progressive)?\\.jpg")) {
                continue;
            }
            tests.add(DynamicTest.dynamicTest("pixels of " + name, () -> {
                Pixels wanted = BufferedImages.read(new File(Samples.GOLDEN, (String) vector.get("pixels")));
                Pixels image = BufferedImages.read(new File(Samples.GOLDEN, name));
                assertEquals(wanted.toString(), image.toString());
                double difference = 0;
                for (int i = 0; i < image.argb.length; i++) {
                    difference += Math.abs(Picture.luma(wanted.argb[i]) - Picture.luma(image.argb[i]));
                }
                assertEquals(0, difference / image.argb.length, 1); // of 255 levels, on average
            }));
        }
        assertTrue(tests.size() >= 20, "each orientation, some more than once");
        return tests;
    }

    @TestFactory
    List<DynamicTest> refusedModels() {
        List<DynamicTest> tests = new ArrayList<>();
        for (File file : new File(Samples.GOLDEN, "refused").listFiles()) {
            if (file.getName().endsWith(".onnx")) {
                tests.add(DynamicTest.dynamicTest(file.getName(), () -> {
                    ModelException error = assertThrows(ModelException.class, () -> ScriptIdentifier.open(file));
                    assertTrue(error.getMessage().startsWith(file + ": "), error.getMessage());
                    assertTrue(error.getMessage().indexOf('\n') < 0, error.getMessage());
                }));
            }
        }
        assertTrue(tests.size() >= 5, "several faults");
        return tests;
    }

    private static int first(List<?> scores) {
        int first = 0;
        for (int i = 1; i < scores.size(); i++) {
            first = number(scores.get(i)) > number(scores.get(first)) ? i : first;
        }
        return first;
    }

    /** The largest difference of a score from the expected one. */
    private static double distance(Prediction answer, List<Script> labels, List<?> expected) {
        assertEquals(expected.size(), answer.scores.size());
        double distance = 0;
        for (int i = 0; i < expected.size(); i++) {
            for (Score each : answer.scores) {
                if (each.script.equals(labels.get(i))) {
                    distance = Math.max(distance, Math.abs(number(expected.get(i)) - each.value));
                }
            }
        }
        return distance;
    }

    private static double number(Object json) {
        return ((Number) json).doubleValue();
    }

    private static Map<String, Object> golden() throws Exception {
        byte[] content = Files.readAllBytes(new File(Samples.GOLDEN, "golden.json").toPath());
        return object(Json.parse(new String(content, StandardCharsets.UTF_8)));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object json) {
        return (Map<String, Object>) json;
    }

    private static byte[] pixels(Pixels image, boolean gray) {
        byte[] bytes = new byte[image.argb.length * (gray ? 1 : 3)];
        for (int i = 0, to = 0; i < image.argb.length; i++) {
            for (int shift = gray ? 0 : 16; shift >= 0; shift -= 8) {
                bytes[to++] = (byte) (image.argb[i] >> shift);
            }
        }
        return bytes;
    }

    /** The SHA-256 of an input, with 0 in place of values that depend on a float's last bits. */
    private static String hash(byte[] input, Object ties) throws Exception {
        for (Object tie : (List<?>) ties) {
            input[((Long) tie).intValue()] = 0;
        }
        return sha256(input);
    }

    private static String sha256(byte[] content) throws Exception {
        StringBuilder text = new StringBuilder();
        for (byte each : MessageDigest.getInstance("SHA-256").digest(content)) {
            text.append(String.format("%02x", each));
        }
        return text.toString();
    }
}
