package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Batches, regions, options, bundled models, null: features that the other SDKs share. */
class ManyTest {
    private static ScriptIdentifier identifier;

    @BeforeAll
    static void open() {
        identifier = ScriptIdentifier.open();
    }

    @AfterAll
    static void close() {
        identifier.close();
    }

    @Test
    void theDefaultIsTheBundledStudent() {
        Pixels image = Samples.stripes(90, 30);
        try (ScriptIdentifier student = ScriptIdentifier.open(Samples.MODEL); ScriptIdentifier world = ScriptIdentifier.open("world")) {
            assertEquals(student.identify(image), identifier.identify(image));
            assertTrue(world.info().labels.size() > student.info().labels.size());
        }
        String said = assertThrows(ModelException.class, () -> ScriptIdentifier.open("klingon")).getMessage();
        assertTrue(said.startsWith("klingon: no such model is bundled; org.scriptkd:scriptkd-models"), said);
    }

    /** Images of many sizes, also tall ones and lines of several windows. */
    @Test
    void aBatchGivesTheAnswersOfEach() {
        List<Pixels> images = new ArrayList<>();
        List<Prediction> expected = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            images.add(Samples.stripes(20 + 37 * (i % 12), 20 + 3 * (i % 20)));
            images.add(Samples.stripes(18, 90 + i));
            images.add(Samples.stripes(600 + 100 * (i % 5), 20));
        }
        for (Pixels image : images) {
            expected.add(identifier.identify(image));
        }
        List<Result> results = identifier.identifyBatch(images);
        assertEquals(images.size(), results.size());
        for (int i = 0; i < results.size(); i++) {
            assertNear(expected.get(i), results.get(i).get());
        }
        assertEquals(Collections.emptyList(), identifier.identifyBatch(Collections.emptyList()));
    }

    @Test
    void whatCannotBeUsedHoldsItsErrorInItsPlace() {
        Pixels good = Samples.stripes(40, 20);
        List<Result> results = identifier.identifyBatch(Arrays.asList(good, new Pixels(new int[3], 1, 3), null, good));
        assertNear(identifier.identify(good), results.get(0).get());
        assertEquals("image 1: 1x3 pixels, but at least 2x2 are needed", results.get(1).error.getMessage());
        assertNull(results.get(1).prediction);
        assertEquals("image 2: it must not be null", assertThrows(ImageException.class, results.get(2)::get).getMessage());
        assertNull(results.get(3).error);
    }

    @Test
    void regionsOfOneImage() {
        Pixels page = Samples.stripes(300, 100);
        Region box = new Region(10, 10, 100, 40);
        Corners corners = new Corners(10, 10, 100, 10, 100, 40, 10, 40);
        List<Result> results =
                identifier.identifyRegions(page, Arrays.asList(box, corners, new Region(300, 0, 310, 20)), new Options().upright(true));
        assertNear(identifier.identify(page, box, new Options().upright(true)), results.get(0).get());
        assertEquals(results.get(0).get(), results.get(1).get());
        assertEquals("region 2: the region (300, 0, 310, 20) is outside the image of 300x100 pixels",
                results.get(2).error.getMessage());
        assertThrows(ImageException.class, () -> identifier.identifyRegions(new Pixels(new int[9], 1, 9), Arrays.asList(box)));
    }

    @Test
    void regionsOfATransparentPage() {
        Pixels page = Samples.stripes(300, 100);
        int[] argb = page.argb.clone();
        for (int i = 0; i < argb.length; i++) {
            argb[i] &= i % 7 < 3 ? 0xFFFFFFFF : 0x20FFFFFF;
        }
        Pixels clear = new Pixels(argb, 300, 100);
        List<Region> regions = Arrays.asList(new Region(0, 0, 90, 30), new Region(50, 50, 200, 90));
        List<Result> results = identifier.identifyRegions(clear, regions);
        for (int i = 0; i < 2; i++) {
            assertNear(identifier.identify(clear, regions.get(i)), results.get(i).get());
        }
    }

    @Test
    void allowAndDenyAreSaidBeforeOrAfter() {
        Pixels image = Samples.stripes(90, 30);
        Prediction all = identifier.identify(image);
        Prediction allowed = identifier.identify(image, null, new Options().allow(" hindi", "TAML", "Latin").deny("english"));
        assertEquals(2, allowed.scores.size());
        assertEquals(all.among(Arrays.asList("Deva", "Tamil")), allowed);
        Prediction denied = identifier.identify(image, null, new Options().deny(all.best.name).threshold(0));
        assertEquals(all.without(Arrays.asList(all.best.code)).withThreshold(0), denied);
        assertEquals(all.scores.get(1).script, denied.script);
        assertEquals(all, all.without(Collections.<String>emptyList()));
        assertEquals(1, sum(denied), 1e-12);
    }

    @Test
    void optionsThatCannotBe() {
        Pixels image = Samples.stripes(90, 30);
        assertTrue(wrong(() -> identifier.identify(image, null, new Options().allow("Latin").deny("Latn")))
                .startsWith("allow and deny leave no script to answer; the model knows "));
        assertTrue(wrong(() -> identifier.identify(image, null, new Options().deny("Klingon")))
                .startsWith("deny: the model does not know the script 'Klingon', but "));
        assertTrue(wrong(() -> identifier.identifyBatch(Arrays.asList(image), new Options().allow((String) null)))
                .startsWith("allow: the model does not know the script null, but "));
        assertEquals("threshold must be a number from 0 to 1, not 2.0", wrong(() -> new Options().threshold(2)));
    }

    @Test
    void nullIsASentence() {
        Pixels image = Samples.stripes(90, 30);
        Prediction answer = identifier.identify(image);
        assertEquals("argb must not be null", wrong(() -> identifier.identify((int[]) null, 2, 2)));
        assertEquals("image must not be null", wrong(() -> identifier.identify(null)));
        assertEquals("options must not be null", wrong(() -> identifier.identify(image, null, null)));
        assertEquals("images must not be null", wrong(() -> identifier.identifyBatch(null)));
        assertEquals("image must not be null", wrong(() -> identifier.identifyRegions(null, Collections.<Area>emptyList())));
        assertEquals("regions must not be null", wrong(() -> identifier.identifyRegions(image, null)));
        assertEquals("allow must not be null", wrong(() -> answer.among(null)));
        assertEquals("deny must not be null", wrong(() -> answer.without(null)));
        assertEquals("allow must not be null", wrong(() -> new Options().allow((String[]) null)));
        assertEquals("deny must not be null", wrong(() -> new Options().deny((List<String>) null)));
        assertEquals("model must not be null", wrong(() -> ScriptIdentifier.open((File) null)));
        assertEquals("name must not be null", wrong(() -> ScriptIdentifier.open((String) null)));
        assertEquals("model must not be null", wrong(() -> ScriptIdentifier.open(null, "name", 1)));
        assertEquals("code must not be null", wrong(() -> new Script("Tamil", null)));
        assertEquals(answer, identifier.identify(image, null)); // the whole image
    }

    @Test
    void equalAnswersAreEqual() {
        Pixels image = Samples.stripes(90, 30);
        Prediction answer = identifier.identify(image);
        Prediction again = identifier.identify(image);
        assertEquals(answer, again);
        assertEquals(answer.hashCode(), again.hashCode());
        assertEquals(answer.scores.get(0), again.scores.get(0));
        assertEquals(answer.scores.get(0).hashCode(), again.scores.get(0).hashCode());
        assertNotEquals(answer.scores.get(0), answer.scores.get(1));
        assertNotEquals(answer, answer.withThreshold(0.123));
        assertNotEquals(answer, identifier.identify(Samples.stripes(60, 30)));
        assertFalse(answer.equals(null));
    }

    private static double sum(Prediction answer) {
        double sum = 0;
        for (Score each : answer.scores) {
            sum += each.value;
        }
        return sum;
    }

    /** Equal except for a float's last bits, which may differ in another batch. */
    private static void assertNear(Prediction expected, Prediction answer) {
        assertEquals(expected.best, answer.best);
        assertEquals(expected.orientation, answer.orientation);
        assertEquals(expected.shares.size(), answer.shares.size());
        for (int i = 0; i < expected.scores.size(); i++) {
            assertEquals(expected.scores.get(i).value, answer.scores.get(i).value, 1e-5);
        }
    }

    private static String wrong(Executable call) {
        return assertThrows(ArgumentException.class, call).getMessage();
    }
}
