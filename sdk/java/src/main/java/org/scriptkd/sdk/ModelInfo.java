package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model file's metadata: section 4 of the model contract (sdk/contract/README.md). Immutable. */
public final class ModelInfo {
    static final String METADATA_KEY = "scriptkd";
    private static final long FORMAT = 3; // the newest format of metadata that this version reads
    private static final long ANY_CROP = 3; // from this format on, a network takes any crop and tells orientation

    /** Name of the architecture, for people. */
    public final String network;

    /** One script for each logit, in the order of the logits. Not modifiable. */
    public final List<Script> labels;

    /** How a crop becomes the network's input. */
    public final Preprocessing preprocessing;

    /** Divides the logits before the softmax. */
    public final double temperature;

    /** If the best score is lower, the answer is unknown. */
    public final double threshold;

    /** fp32, int8, int8-u8, int4-u8, int8-weights or another of the contract's values, for people. */
    public final String precision;

    /** Recipe, seed and more, for people, as read from JSON. Not modifiable. */
    public final Map<String, Object> provenance;

    /** Whether the network takes whole images, [height, width, 3], and pre-processes them itself. */
    public final boolean anySize;

    /** Divides the orientation's logits before the softmax; null in formats 1 and 2, which tell no orientation. */
    public final @Nullable Double orientationTemperature;

    /** If the orientation's best score is lower, the orientation is null. Null in formats 1 and 2. */
    public final @Nullable Double orientationThreshold;

    private ModelInfo(Map<?, ?> fields, long version) {
        provenance = provenance(fields.containsKey("provenance") ? fields.get("provenance") : Collections.emptyMap());
        anySize = anySize(fields.containsKey("input") ? fields.get("input") : "pixels");
        preprocessing = Preprocessing.from(fields.get("preprocessing"));
        boolean anyCrop = version >= ANY_CROP;
        if (anyCrop != (preprocessing.squareHeight != null)) {
            throw new ModelException("its pre-processing must have square_height from format " + ANY_CROP
                    + " on, not before; its is " + version);
        }
        network = text(fields, "network");
        labels = labels(fields.get("labels"));
        temperature = temperature(fields, "temperature");
        threshold = threshold(fields, "threshold");
        precision = text(fields, "precision");
        orientationTemperature = anyCrop ? (Double) temperature(fields, "orientation_temperature") : null;
        orientationThreshold = anyCrop ? (Double) threshold(fields, "orientation_threshold") : null;
    }

    /** Whether the network has a second output, for the orientation. */
    boolean tellsOrientation() {
        return orientationTemperature != null;
    }

    /** Reads the metadata's JSON object. Throws ModelException, which names the missing or wrong field. */
    static ModelInfo parse(String text) {
        Object json;
        try {
            json = Json.parse(text);
        } catch (IllegalArgumentException error) {
            throw new ModelException("its metadata is not JSON: " + error.getMessage(), error);
        }
        if (!(json instanceof Map)) {
            throw new ModelException("its metadata is not a JSON object");
        }
        Map<?, ?> fields = (Map<?, ?>) json;
        Object version = fields.get("format");
        if (!(version instanceof Long) || (Long) version < 1) {
            throw new ModelException("its metadata has no format version: " + Json.show(version));
        }
        if ((Long) version > FORMAT) {
            throw new ModelException("its format is " + version + ", but this scriptkd reads formats up to " + FORMAT
                    + ": update scriptkd");
        }
        return new ModelInfo(fields, (Long) version);
    }

    private static List<Script> labels(@Nullable Object values) {
        if (!(values instanceof List) || ((List<?>) values).isEmpty()) {
            throw new ModelException("its labels must be a list of scripts, not " + Json.show(values));
        }
        List<Script> labels = new ArrayList<Script>();
        HashSet<String> names = new HashSet<String>();
        for (Object value : (List<?>) values) {
            Object name = value instanceof Map ? ((Map<?, ?>) value).get("name") : null;
            Object code = value instanceof Map ? ((Map<?, ?>) value).get("code") : null;
            if (!(name instanceof String) || !(code instanceof String)) {
                throw new ModelException("each of its labels must have a name and a code, not " + Json.show(value));
            }
            // Labels are printed unescaped: a line break would break a table, and an escape sequence could control a
            // terminal.
            if (!Json.printable((String) name + code).equals((String) name + code)) {
                throw new ModelException(
                        "the name and the code of each of its labels must be printable, not " + Json.show(value));
            }
            labels.add(new Script((String) name, (String) code));
            names.add((String) name);
        }
        if (names.size() < labels.size()) {
            throw new ModelException("two of its labels have the same name");
        }
        return Collections.unmodifiableList(labels);
    }

    @SuppressWarnings("unchecked") // the keys of Json's objects are strings
    private static Map<String, Object> provenance(@Nullable Object value) {
        if (!(value instanceof Map)) {
            throw new ModelException("its provenance must be an object, not " + Json.show(value));
        }
        return Collections.unmodifiableMap((Map<String, Object>) value);
    }

    private static boolean anySize(Object input) {
        if (!"pixels".equals(input) && !"image".equals(input)) {
            throw new ModelException("its input must be 'pixels' or 'image', not " + Json.show(input));
        }
        return "image".equals(input);
    }

    private static String text(Map<?, ?> fields, String name) {
        Object value = fields.get(name);
        if (!(value instanceof String)) {
            throw new ModelException("its " + name + " must be text, not " + Json.show(value));
        }
        return (String) value;
    }

    private static double temperature(Map<?, ?> fields, String name) {
        return number(fields, name, 1e-3, 1e3, "0.001..1000");
    }

    private static double threshold(Map<?, ?> fields, String name) {
        return number(fields, name, 0, 1, "0..1");
    }

    private static double number(Map<?, ?> fields, String name, double low, double high, String range) {
        Object value = fields.get(name);
        if (!(value instanceof Number) || Double.isInfinite(((Number) value).doubleValue())) {
            throw new ModelException("its " + name + " must be a number, not " + Json.show(value));
        }
        double number = ((Number) value).doubleValue();
        if (!(number >= low && number <= high)) {
            throw new ModelException("its " + name + " must lie in " + range + ", not " + Json.show(value));
        }
        return number;
    }
}
