package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Model files that are refused, each with the Python SDK's message. */
class ModelFileTest {
    @Test
    void tellsWhatTheFileSaysAboutItself() throws Exception {
        Map<?, ?> metadata = (Map<?, ?>) Json.parse(Samples.metadata());
        try (ScriptIdentifier identifier = ScriptIdentifier.open(Samples.MODEL)) {
            ModelInfo info = identifier.info();
            assertEquals(metadata.get("network"), info.network);
            assertEquals(((Number) metadata.get("temperature")).doubleValue(), info.temperature);
            assertEquals(((Number) metadata.get("threshold")).doubleValue(), info.threshold);
            assertEquals(metadata.get("precision"), info.precision);
            assertEquals(metadata.get("provenance"), info.provenance);
            assertEquals(((java.util.List<?>) metadata.get("labels")).size(), info.labels.size());
            assertThrows(UnsupportedOperationException.class, () -> info.labels.add(Script.UNKNOWN));
            assertThrows(UnsupportedOperationException.class, () -> info.provenance.clear());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "format      | 4          | its format is 4, but this scriptkd reads formats up to 3: update scriptkd",
        "format      | \"1\"      | its metadata has no format version: '1'",
        "format      | 0          | its metadata has no format version: 0",
        "format      | 1.0        | its metadata has no format version: 1.0",
        "format      | null       | its metadata has no format version: null",
        "labels      | []         | its labels must be a list of scripts, not []",
        "labels      | 7          | its labels must be a list of scripts, not 7",
        "labels      | [{\"name\":\"Latin\"}] | each of its labels must have a name and a code, not {name=Latin}",
        "labels      | [{\"name\":\"a\\u001b[2J\",\"code\":\"b\"}] | the name and the code of each of its labels must be printable, not {name=a [2J",
        "labels      | [{\"name\":\"a\",\"code\":\"b\\u2028\"}] | the name and the code of each of its labels must be printable, not {name=a",
        "labels      | [\"Latin\"] | each of its labels must have a name and a code, not 'Latin'",
        "labels      | [{\"name\":\"a\",\"code\":\"b\"},{\"name\":\"a\",\"code\":\"c\"}] | two of its labels have the same name",
        "labels      | [{\"name\":\"a\",\"code\":\"b\"}] | the metadata has 1 labels, but the network answers 2 blank images with",
        "preprocessing | {\"channels\":1} | must have exactly the fields channels, height, width_min, width_max, width_step, square_height, not channels",
        "preprocessing | {\"channels\":1,\"height\":48,\"width_min\":48,\"width_max\":384,\"width_step\":24,\"square_height\":0} | square_height must be an integer from 1 to 4096, not 0",
        "preprocessing | null     | pre-processing must have exactly the fields",
        "temperature | 0          | its temperature must lie in 0.001..1000, not 0",
        "temperature | 1e999      | its temperature must be a number, not Infinity",
        "temperature | true       | its temperature must be a number, not true",
        "temperature | \"hot\"    | its temperature must be a number, not 'hot'",
        "threshold   | 1.5        | its threshold must lie in 0..1, not 1.5",
        "input       | \"words\"  | its input must be 'pixels' or 'image', not 'words'",
        "input       | \"image\"  | but its metadata asks for [-1, -1, 3], -1 being any",
        "network     | null       | its network must be text, not null",
        "precision   | 8          | its precision must be text, not 8",
        "provenance  | []         | its provenance must be an object, not []",
    })
    void oneWrongField(String field, String json, String message) throws Exception {
        assertEquals("spoilt.onnx: ", refusal(withField(field, json)).substring(0, 13));
        assertTrue(refusal(withField(field, json)).contains(message), refusal(withField(field, json)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "channels  | 2      | pre-processing: channels must be 1 (luma) or 3 (RGB), not 2",
        "channels  | 1.0    | pre-processing: channels must be an integer from 1 to 4096, not 1.0",
        "height    | 0      | pre-processing: height must be an integer from 1 to 4096, not 0",
        "height    | 4097   | pre-processing: height must be an integer from 1 to 4096, not 4097",
        "width_min | 4096   | pre-processing: width_min (4096) must not exceed width_max",
        "channels  | 3      | the network's input has the shape",
        "height    | true   | pre-processing: height must be an integer from 1 to 4096, not true",
    })
    void oneWrongFieldOfThePreprocessing(String field, String value, String message) throws Exception {
        Map<?, ?> fields = (Map<?, ?>) ((Map<?, ?>) Json.parse(Samples.metadata())).get("preprocessing");
        StringBuilder json = new StringBuilder();
        for (Map.Entry<?, ?> each : fields.entrySet()) {
            json.append(json.length() == 0 ? "{" : ",").append('"').append(each.getKey()).append("\":");
            json.append(each.getKey().equals(field) ? value : each.getValue());
        }
        String refusal = refusal(withField("preprocessing", json + "}"));
        assertTrue(refusal.contains(message), refusal);
    }

    @Test
    void metadataThatAreNoObject() throws Exception {
        assertEquals("spoilt.onnx: an ONNX file without scriptkd's metadata; export it with scriptkd-export", refusal(null));
        assertEquals("spoilt.onnx: its metadata is not a JSON object", refusal("[1]"));
        assertEquals("spoilt.onnx: its metadata is not JSON: expected a value at character 1", refusal("not json"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "hello"})
    void contentThatIsNoModel(String content) {
        ModelException error =
                assertThrows(ModelException.class, () -> ScriptIdentifier.open(content.getBytes("UTF-8"), "it", 1));
        assertTrue(error.getMessage().startsWith("it: not an ONNX file that onnxruntime can load ("), error.getMessage());
    }

    @Test
    void filesThatAreNotThere(@TempDir Path folder) throws Exception {
        File none = folder.resolve("none.onnx").toFile();
        assertEquals(none + ": no such model file", openError(none));
        assertEquals(folder + ": a folder, not a model file", openError(folder.toFile()));
        byte[] model = Samples.model();
        Path cut = Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(model, model.length - 100));
        assertTrue(openError(cut.toFile()).startsWith(cut + ": "), openError(cut.toFile()));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 257})
    void wrongThreadCountsAreNotIgnored(int threads) {
        ArgumentException error =
                assertThrows(ArgumentException.class, () -> ScriptIdentifier.open(Samples.MODEL, threads));
        assertEquals("threads must be an integer from 1 to 256, not " + threads, error.getMessage());
    }

    @Test
    void aFieldOfALaterVersionIsPassedOver() throws Exception {
        byte[] model = Samples.modelWith(withField("a field of a later version", "{}"));
        try (ScriptIdentifier identifier = ScriptIdentifier.open(model, "it", 2)) {
            assertTrue(identifier.info().labels.size() > 1);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "3 |                       |               | its pre-processing must have square_height from format 3 on, not before; its is 3",
        "2 | ,\"square_height\":72 |               | its pre-processing must have square_height from format 3 on, not before; its is 2",
        "3 | ,\"square_height\":72 | \"orientation_temperature\":0    | its orientation_temperature must lie in 0.001..1000, not 0",
        "3 | ,\"square_height\":72 | \"orientation_threshold\":null   | its orientation_threshold must be a number, not null",
    })
    void format3HasFieldsOfItsOwn(String format, String squareHeight, String last, String message) throws Exception {
        String preprocessing = "{\"channels\":1,\"height\":48,\"width_min\":48,\"width_max\":384,\"width_step\":24"
                + (squareHeight == null ? "" : squareHeight) + "}";
        String fields = "\"orientation_temperature\":1,\"orientation_threshold\":0.5" + (last == null ? "" : "," + last);
        String refusal = refusal(withField("format", format + ",\"preprocessing\":" + preprocessing + "," + fields));
        assertEquals("spoilt.onnx: " + message, refusal);
    }

    /** The bundled model's metadata with one field replaced or added. The last of equal names counts in JSON. */
    static String withField(String field, String json) throws Exception {
        String metadata = Samples.metadata();
        return metadata.substring(0, metadata.lastIndexOf('}')) + ",\"" + field + "\":" + json + "}";
    }

    private static String refusal(String metadata) throws Exception {
        byte[] model = Samples.modelWith(metadata);
        return assertThrows(ModelException.class, () -> ScriptIdentifier.open(model, "spoilt.onnx", 1)).getMessage();
    }

    private static String openError(File file) {
        return assertThrows(ModelException.class, () -> ScriptIdentifier.open(file)).getMessage();
    }
}
