package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScriptIdentifierTest {
    private ScriptIdentifier identifier;

    @BeforeEach
    void open() {
        identifier = ScriptIdentifier.open(Samples.MODEL);
    }

    @AfterEach
    void close() {
        identifier.close();
    }

    @Test
    void scoresAreProbabilitiesBestFirst() {
        Prediction answer = identify(Samples.stripes(90, 30));
        assertEquals(identifier.info().labels.size(), answer.scores.size());
        double sum = 0;
        for (int i = 0; i < answer.scores.size(); i++) {
            sum += answer.scores.get(i).value;
            assertTrue(i == 0 || answer.scores.get(i).value <= answer.scores.get(i - 1).value);
        }
        assertEquals(1, sum, 1e-12);
        assertEquals(answer.scores.get(0).value, answer.score);
        assertEquals(answer.scores.get(0).script, answer.best);
    }

    @Test
    void aRegionIsWhatIsCutOut() {
        Pixels word = Samples.stripes(61, 24);
        int[] sheet = new int[200 * 100];
        Arrays.fill(sheet, 0xFF00FF00);
        for (int y = 0; y < 24; y++) {
            System.arraycopy(word.argb, y * 61, sheet, (y + 70) * 200 + 139, 61);
        }
        Prediction region = identifier.identify(sheet, 200, 100, new Region(139, 70, 200, 94));
        assertEquals(describe(identify(word)), describe(region));
    }

    @Test
    void aRegionIsClippedToTheImage() {
        Pixels word = Samples.stripes(61, 24);
        Prediction whole = identify(word);
        for (Region region : new Region[] {null, new Region(-5, -70, 999, 25),
            new Region(Integer.MIN_VALUE, Integer.MIN_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE)}) {
            assertEquals(describe(whole), describe(identifier.identify(word.argb, 61, 24, region)));
        }
    }

    @Test
    void modelsOfTheOlderFormatsTellNoOrientation() throws Exception {
        String preprocessing = "{\"channels\":1,\"height\":48,\"width_min\":48,\"width_max\":384,\"width_step\":24}";
        String metadata = ModelFileTest.withField("format", "1,\"preprocessing\":" + preprocessing);
        Pixels image = Samples.stripes(900, 30);
        Prediction answer;
        try (ScriptIdentifier older = ScriptIdentifier.open(Samples.modelWith(metadata), "older", 1)) {
            answer = older.identify(image.argb, image.width, image.height, null, true);
        }
        assertNull(answer.orientation);
        assertNull(answer.orientationScore);
        assertEquals(answer.script, answer.shares.get(0).script);
        assertEquals(1, answer.shares.get(0).value);
        assertEquals(1, answer.shares.size());
    }

    @Test
    void transparencyIsLaidOnWhite() {
        int[] clear = new int[50 * 20];
        int[] white = new int[50 * 20];
        Arrays.fill(white, 0xFFFFFFFF);
        for (int i = 0; i < clear.length; i += 3) {
            clear[i] = 0x80000000; // half-clear black, 127 in gray
            white[i] = 0xFF7F7F7F;
        }
        assertEquals(describe(identifier.identify(white, 50, 20)), describe(identifier.identify(clear, 50, 20)));
    }

    @Test
    void topThresholdAndAllowedScripts() {
        Prediction answer = identify(Samples.stripes(90, 30));
        assertEquals(answer.scores.subList(0, 3), answer.top(3));
        assertEquals(answer.scores, answer.top(1000));
        assertEquals(Collections.emptyList(), answer.top(-1));

        Prediction sure = answer.withThreshold(0);
        assertEquals(answer.best, sure.script);
        Prediction unsure = sure.withThreshold(1);
        assertEquals(sure.score == 1, unsure.known());
        assertEquals(sure.score == 1 ? answer.best : Script.UNKNOWN, unsure.script);
        assertEquals(answer.best, unsure.best);
        assertEquals(answer.score, unsure.score);
        assertEquals("threshold must be a number from 0 to 1, not NaN", argumentError(() -> answer.withThreshold(Double.NaN)));

        Score second = answer.scores.get(1);
        Score third = answer.scores.get(2);
        Prediction among = answer.among(Arrays.asList(third.script.name.toUpperCase(Locale.ROOT), second.script.code));
        assertEquals(second.script, among.best);
        assertEquals(second.value / (second.value + third.value), among.score, 1e-12);
        assertEquals(2, among.scores.size());
        assertTrue(argumentError(() -> answer.among(Collections.<String>emptyList()))
                .startsWith("allow and deny leave no script to answer; the model knows "));
        assertTrue(argumentError(() -> answer.among(Arrays.asList("Klingon")))
                .startsWith("allow: the model does not know the script 'Klingon', but "));
    }

    @Test
    void theModelsThresholdMeansUnknown() throws Exception {
        byte[] model = Samples.modelWith(ModelFileTest.withField("threshold", "1"));
        try (ScriptIdentifier strict = ScriptIdentifier.open(model, "strict", 1)) {
            Pixels image = Samples.stripes(90, 30);
            Prediction answer = strict.identify(image.argb, image.width, image.height);
            assertTrue(answer.score < 1, "an image of stripes is no script for sure");
            assertEquals("unknown", answer.script.name);
            assertEquals("Zyyy", answer.script.code);
        }
    }

    @Test
    void ofEqualScoresTheFirstLabelWins() throws Exception {
        ModelInfo info = identifier.info();
        Prediction answer = new Prediction(new float[1][info.labels.size()], Decision.of(info, new Options()), Orientation.NONE);
        assertEquals(info.labels.get(0), answer.best);
        assertEquals(1.0 / info.labels.size(), answer.score, 1e-12);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1     | 20    | 1x20 pixels, but at least 2x2 are needed",
        "0     | 0     | 0x0 pixels, but at least 2x2 are needed",
        "-5    | 20    | -5x20 pixels, but at least 2x2 are needed",
        "16385 | 2     | 16385x2 pixels, but at most 16,384 a side are allowed",
        "16000 | 16000 | 16000x16000 pixels, but at most 50 million are allowed",
        "40    | 26    | 40x26 pixels are 1040, but the array holds 1000",
    })
    void imagesThatCannotBeUsed(int width, int height, String message) {
        ImageException error =
                assertThrows(ImageException.class, () -> identifier.identify(new int[1000], width, height));
        assertEquals(message, error.getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "0  | 0 | 0          | 10 | the region (0, 0, 0, 10) is empty: right and bottom must exceed left and top by 2 or more",
        "9  | 9 | 10         | 10 | the region (9, 9, 10, 10) is empty: right and bottom must exceed left and top by 2 or more",
        "9  | 9 | 0          | 20 | the region (9, 9, 0, 20) is empty: right and bottom must exceed left and top by 2 or more",
        "-9 | 0 | 0          | 5  | the region (-9, 0, 0, 5) is outside the image of 40x25 pixels",
        "40 | 0 | 45         | 5  | the region (40, 0, 45, 5) is outside the image of 40x25 pixels",
        "0  | 25 | 40        | 30 | the region (0, 25, 40, 30) is outside the image of 40x25 pixels",
        "39 | 0 | 2147483647 | 5  | 1x5 pixels, but at least 2x2 are needed",
        "-2147483648 | 0 | 2147483647 | 1 | the region (-2147483648, 0, 2147483647, 1) is empty: right and bottom must exceed left and top by 2 or more",
    })
    void regionsThatCannotBeUsed(int left, int top, int right, int bottom, String message) {
        Region region = new Region(left, top, right, bottom);
        ImageException error =
                assertThrows(ImageException.class, () -> identifier.identify(new int[1000], 40, 25, region));
        assertEquals(message, error.getMessage());
    }

    @Test
    void manyThreadsGetTheSameAnswers() throws Exception {
        List<Pixels> images = new ArrayList<>();
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            images.add(Samples.stripes(20 + 9 * i, 20 + i));
            expected.add(describe(identify(images.get(i))));
        }
        ExecutorService pool = Executors.newFixedThreadPool(8);
        try {
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                Pixels image = images.get(i % 20);
                answers.add(pool.submit(() -> describe(identify(image))));
            }
            for (int i = 0; i < 200; i++) {
                assertEquals(expected.get(i % 20), answers.get(i).get());
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void afterClosingItSaysSoAndClosingAgainIsAllowed() {
        identifier.close();
        identifier.close();
        ClosedException error =
                assertThrows(ClosedException.class, () -> identify(Samples.stripes(30, 30)));
        assertEquals("the identifier is closed; make a new one", error.getMessage());
    }

    @Test
    void closingWhileOthersIdentifyBreaksNothing() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Future<Boolean>> workers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                workers.add(pool.submit(() -> {
                    try {
                        while (true) {
                            identify(Samples.stripes(100, 30));
                        }
                    } catch (ClosedException error) {
                        return error.getMessage().contains("closed");
                    }
                }));
            }
            Thread.sleep(100);
            identifier.close();
            for (Future<Boolean> worker : workers) {
                assertTrue(worker.get());
            }
        } finally {
            pool.shutdownNow();
        }
    }

    private Prediction identify(Pixels image) {
        return identifier.identify(image.argb, image.width, image.height);
    }

    private static String describe(Prediction answer) {
        return answer + " " + answer.scores;
    }

    private static String argumentError(org.junit.jupiter.api.function.Executable call) {
        return assertThrows(ArgumentException.class, call).getMessage();
    }
}
