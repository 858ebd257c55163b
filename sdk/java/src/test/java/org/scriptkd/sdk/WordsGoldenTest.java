package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The golden boxes, which every SDK must find in the golden maps: sdk/contract/words.md. */
class WordsGoldenTest {
    private static final int SAMPLED = 1009; // of an input's bytes, one in so many

    private final Map<?, ?> golden;

    WordsGoldenTest() throws IOException {
        byte[] content = Files.readAllBytes(new File(Samples.GOLDEN, "words/words.json").toPath());
        golden = (Map<?, ?>) Json.parse(new String(content, StandardCharsets.UTF_8));
    }

    @TestFactory
    List<DynamicTest> boxes() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Object each : (List<?>) golden.get("maps")) {
            Map<?, ?> map = (Map<?, ?>) each;
            tests.add(DynamicTest.dynamicTest("boxes of the map " + map.get("name"), () -> {
                Pixels picture = BufferedImages.read(new File(Samples.GOLDEN, "words/" + map.get("map")));
                float[] probabilities = new float[picture.argb.length];
                for (int i = 0; i < probabilities.length; i++) {
                    probabilities[i] = (picture.argb[i] & 0xFF) / 255f;
                }
                TextMap text = new TextMap(probabilities, picture.width, picture.height);
                List<TextBox> found = Boxing.of(text, integer(map.get("width")), integer(map.get("height")));
                List<?> expected = (List<?>) map.get("boxes");
                assertEquals(expected.size(), found.size());
                for (int i = 0; i < expected.size(); i++) {
                    check((Map<?, ?>) expected.get(i), found.get(i));
                }
            }));
        }
        return tests;
    }

    private static void check(Map<?, ?> expected, TextBox found) {
        assertEquals(number(expected.get("score")), found.score, 1e-6);
        for (int corner = 0; corner < 4; corner++) {
            List<?> point = (List<?>) ((List<?>) expected.get("corners")).get(corner);
            assertEquals(number(point.get(0)), found.corners.x(corner), 1e-3, found.toString());
            assertEquals(number(point.get(1)), found.corners.y(corner), 1e-3, found.toString());
        }
    }

    @Test
    void thereAreMapsWithBoxesWithoutAnyAndWithMoreThanAreTaken() {
        List<?> maps = (List<?>) golden.get("maps");
        assertEquals(27, maps.size());
        Set<Integer> counts = new HashSet<>();
        for (Object each : maps) {
            counts.add(((List<?>) ((Map<?, ?>) each).get("boxes")).size());
        }
        assertTrue(counts.containsAll(Arrays.asList(0, 1, 1000)), counts.toString());
    }

    @Test
    void theInputsSizeForAPicture() {
        for (Object each : (List<?>) golden.get("sizes")) {
            int[] sizes = new int[4];
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = integer(((List<?>) each).get(i));
            }
            int longest = Math.max(sizes[0], sizes[1]);
            assertEquals(sizes[2], DetectorInput.side(sizes[0], longest), each.toString());
            assertEquals(sizes[3], DetectorInput.side(sizes[1], longest), each.toString());
        }
    }

    @TestFactory
    List<DynamicTest> inputs() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Object each : (List<?>) golden.get("inputs")) {
            Map<?, ?> wanted = (Map<?, ?>) each;
            tests.add(DynamicTest.dynamicTest("the input of " + wanted.get("pixels"), () -> {
                Pixels image = BufferedImages.read(new File(Samples.GOLDEN, (String) wanted.get("pixels")));
                DetectorInput input = DetectorInput.of(image.picture(null));
                assertEquals(integer(wanted.get("width")), input.width);
                assertEquals(integer(wanted.get("height")), input.height);
                List<?> levels = (List<?>) wanted.get("levels");
                assertTrue(levels.size() > 50);
                for (int i = 0; i < levels.size(); i++) {
                    assertEquals(number(levels.get(i)), input.bytes[SAMPLED * i] & 0xFF, 0.51, "byte " + SAMPLED * i);
                }
            }));
        }
        assertTrue(tests.size() >= 4, "turned, gray, wide");
        return tests;
    }

    private static double number(Object json) {
        return ((Number) json).doubleValue();
    }

    private static int integer(Object json) {
        return ((Number) json).intValue();
    }
}
