package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/** The order of boxes, line by line: section 4 of sdk/contract/words.md. */
final class Lines {
    private Lines() {}

    /** From the top, each line from the left. */
    static List<TextBox> inOrder(List<TextBox> boxes) {
        List<TextBox> byY = new ArrayList<TextBox>(boxes);
        Collections.sort(byY, Comparator.comparingDouble(TextBox::centreY));
        List<TextBox> ordered = new ArrayList<TextBox>();
        List<TextBox> line = new ArrayList<TextBox>();
        for (TextBox box : byY) {
            if (!line.isEmpty() && !joins(box, line)) {
                end(line, ordered);
            }
            line.add(box);
        }
        end(line, ordered);
        return ordered;
    }

    private static boolean joins(TextBox box, List<TextBox> line) {
        double y = 0;
        double height = 0;
        for (TextBox each : line) {
            y += each.centreY();
            height += each.height();
        }
        return box.centreY() - y / line.size() < Math.min(box.height(), height / line.size()) / 2;
    }

    private static void end(List<TextBox> line, List<TextBox> ordered) {
        Collections.sort(line, Comparator.comparingDouble(TextBox::centreX));
        ordered.addAll(line);
        line.clear();
    }
}
