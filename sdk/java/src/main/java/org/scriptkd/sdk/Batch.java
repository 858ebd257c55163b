package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Many images that are identified together. Inputs of the same size share a run of the network. */
final class Batch {
    /** Most inputs in one run. Measured in the Python SDK on one core, more gain nothing and need more memory. */
    private static final int INPUTS = 8;

    private final ScriptIdentifier identifier;
    private final Decision decision;
    private final boolean upright;
    private final List<Item> items = new ArrayList<Item>();
    private final Map<List<Integer>, List<Window>> waiting = new LinkedHashMap<List<Integer>, List<Window>>(); // by size

    Batch(ScriptIdentifier identifier, Decision decision, boolean upright) {
        this.identifier = identifier;
        this.decision = decision;
        this.upright = upright;
    }

    /**
     * Adds an image.
     *
     * @param name the image's name in errors
     * @param picture reads the image; its ImageException becomes the image's result
     */
    void add(String name, Supplier<Picture> picture) {
        Item item = new Item();
        items.add(item);
        Input input;
        try {
            input = identifier.input(picture.get(), upright);
        } catch (ImageException error) {
            item.error = new ImageException(name + ": " + error.getMessage());
            return;
        }
        item.turned = input.turned;
        if (input.count == Input.ANY_COUNT) {
            item.answers = identifier.answers(input);
            return;
        }
        item.answers = new float[identifier.outputs()][input.count][];
        List<Window> group = waiting.computeIfAbsent(Arrays.asList(input.rows, input.columns), size -> new ArrayList<Window>());
        for (int i = 0; i < input.count; i++) {
            group.add(new Window(item, i, input));
            if (group.size() == INPUTS) {
                run(group);
            }
        }
    }

    /** Returns the results of all images, in order. */
    List<Result> results() {
        for (List<Window> group : waiting.values()) {
            if (!group.isEmpty()) {
                run(group);
            }
        }
        List<Result> results = new ArrayList<Result>();
        for (Item item : items) {
            boolean seen = item.answers != null;
            results.add(new Result(
                    seen ? identifier.prediction(item.answers, decision, upright, item.turned) : null, item.error));
        }
        return results;
    }

    /** Runs a group of windows of one size, stores the outputs by image and window, and empties the group. */
    private void run(List<Window> group) {
        Input first = group.get(0).input;
        int length = first.bytes.length / first.count;
        byte[] bytes = new byte[group.size() * length];
        for (int i = 0; i < group.size(); i++) {
            Window window = group.get(i);
            System.arraycopy(window.input.bytes, window.index * length, bytes, i * length, length);
        }
        float[][][] answers = identifier.answers(new Input(bytes, group.size(), first.rows, first.columns, 0));
        for (int i = 0; i < group.size(); i++) {
            Window window = group.get(i);
            for (int output = 0; output < answers.length; output++) {
                window.item.answers[output][window.index] = answers[output][i];
            }
        }
        group.clear();
    }

    private static final class Item {
        float @Nullable [][][] answers; // by output and window
        int turned;
        @Nullable ImageException error;
    }

    private static final class Window {
        final Item item;
        final int index;
        final Input input;

        Window(Item item, int index, Input input) {
            this.item = item;
            this.index = index;
            this.input = input;
        }
    }
}
