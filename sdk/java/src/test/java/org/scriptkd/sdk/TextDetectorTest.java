package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Detectors of our own, which answer with what they see: what is tested lies around them. */
class TextDetectorTest {
    private static final File MODELS = new File(Samples.SDK, "java/src/test/models"); // models.py makes them
    private static final File BLUE = new File(MODELS, "blue.onnx"); // takes blue for text
    private static final int WIDTH = 1280; // of a picture whose input is half as large
    private static final int HEIGHT = 512;

    @Test
    void aDetectorsBoxesAreInThePicturesPixels() {
        Pixels picture = picture(0xFF0000FF, new Region(200, 100, 600, 180), new Region(800, 104, 1000, 176));
        try (TextDetector detector = TextDetector.open(BLUE, 2)) {
            List<TextBox> found = detector.find(picture);
            assertEquals(2, found.size());
            double grown = 2 * 1.6 * 200 * 40 / (2 * 240);
            double[] expected = {200 - grown, 100 - grown, 600 + grown, 100 - grown, 600 + grown, 180 + grown,
                200 - grown, 180 + grown};
            for (int i = 0; i < 4; i++) {
                assertEquals(expected[2 * i], found.get(0).corners.x(i), 1e-9);
                assertEquals(expected[2 * i + 1], found.get(0).corners.y(i), 1e-9);
            }
            assertTrue(found.get(0).score > 0.98, found.toString()); // resampling blurs its edge
            assertTrue(found.get(1).corners.x(0) > 600, found.toString()); // to the right of the first
            assertEquals(Collections.emptyList(), detector.find(picture(0xFFFFFF00, new Region(200, 100, 600, 180))));
        }
    }

    @Test
    void itSeesBlueGreenAndRedFromMinusOneToOne() {
        int[] argb = new int[640 * 32];
        Arrays.fill(argb, 0xFF0080FF);
        DetectorInput input = DetectorInput.of(new Pixels(argb, 640, 32).picture(null));
        FloatBuffer scaled = input.scaled();
        assertEquals(3 * 640 * 32, scaled.remaining());
        assertEquals(1, scaled.get(0));
        assertEquals(128 / 127.5 - 1, scaled.get(640 * 32), 1e-7);
        assertEquals(-1, scaled.get(2 * 640 * 32));
    }

    @Test
    void wordsAreBoxesWithTheirScripts() {
        Pixels picture = picture(0xFF0000FF, new Region(200, 100, 600, 180), new Region(0, 0, 40, 40));
        try (TextDetector detector = TextDetector.open(BLUE);
                ScriptIdentifier identifier = ScriptIdentifier.open(Samples.MODEL)) {
            List<TextBox> boxes = detector.find(picture);
            List<Word> words = identifier.findWords(detector, picture);
            assertEquals(2, words.size());
            for (int i = 0; i < words.size(); i++) {
                assertEquals(boxes.get(i).corners, words.get(i).box.corners);
                assertEquals(identifier.identify(picture, boxes.get(i).corners).best, words.get(i).prediction.best);
            }
            Options latin = new Options().allow("Latin").threshold(0);
            assertEquals("Latin", identifier.findWords(detector, picture, latin).get(0).prediction.script.name);
            assertEquals("detector must not be null",
                    assertThrows(ArgumentException.class, () -> identifier.findWords(null, picture)).getMessage());
        }
    }

    @Test
    void whatIsNoDetectorIsASentence() {
        assertEquals(message("coloured.onnx", "not a text detector of PP-OCR's kind (its map is float32 of shape [1, 3, 32, 32], "
                + "not float32 of shape [1, 1, 32, 32])"), refusal(new File(MODELS, "coloured.onnx")));
        String script = refusal(Samples.MODEL);
        assertTrue(script.startsWith(Samples.MODEL + ": not a text detector of PP-OCR's kind ("), script);
        String text = refusal(new File(Samples.GOLDEN, "README.md"));
        assertTrue(text.contains("README.md: not an ONNX file that onnxruntime can load ("), text);
        assertEquals(message("none.onnx", "no such model file"), refusal(new File(MODELS, "none.onnx")));
        assertEquals("threads must be an integer from 1 to 256, not 0",
                assertThrows(ArgumentException.class, () -> TextDetector.open(BLUE, 0)).getMessage());
    }

    @Test
    void picturesThatCannotBeUsedAndADetectorThatIsClosed() {
        TextDetector detector = TextDetector.open(BLUE);
        assertEquals("1x9 pixels, but at least 2x2 are needed",
                assertThrows(ImageException.class, () -> detector.find(new Pixels(new int[9], 1, 9))).getMessage());
        assertEquals("image must not be null",
                assertThrows(ArgumentException.class, () -> detector.find(null)).getMessage());
        detector.close();
        detector.close();
        assertEquals("the detector is closed; make a new one",
                assertThrows(ClosedException.class, () -> detector.find(Samples.stripes(40, 30))).getMessage());
    }

    @Test
    void cornersAreNumberedFrom0To3() {
        Corners corners = new Corners(1, 2, 3, 4, 5, 6, 7, 8);
        assertEquals(7, corners.x(3));
        assertEquals(4, corners.y(1));
        assertEquals("corner must be an integer from 0 to 3, not 4",
                assertThrows(ArgumentException.class, () -> corners.y(4)).getMessage());
    }

    /** Boxes of a colour on black. */
    private static Pixels picture(int colour, Region... boxes) {
        int[] argb = new int[WIDTH * HEIGHT];
        Arrays.fill(argb, 0xFF000000);
        for (Region box : boxes) {
            for (int y = box.top; y < box.bottom; y++) {
                Arrays.fill(argb, y * WIDTH + box.left, y * WIDTH + box.right, colour);
            }
        }
        return new Pixels(argb, WIDTH, HEIGHT);
    }

    private static String refusal(File model) {
        return assertThrows(ModelException.class, () -> TextDetector.open(model)).getMessage();
    }

    private static String message(String model, String sentence) {
        return new File(MODELS, model) + ": " + sentence;
    }
}
