package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The components of a map's text. A pixel of text is a square with four corners; points of that lattice that are
 * neighbours, also diagonally, belong together.
 */
final class Components {
    private final List<Run> runs = new ArrayList<Run>(); // row by row

    private Components() {}

    /** Neighbouring points of one row. */
    private static final class Run {
        final int y;
        final int start;
        final int end; // the last point
        Run parent = this; // in the tree of its component; the root is the component's first run

        Run(int y, int start, int end) {
            this.y = y;
            this.start = start;
            this.end = end;
        }
    }

    /** Each component's points {x, y} at the ends of its runs, in rows from the top. The one with the first point comes first. */
    static Iterable<List<int[]>> of(TextMap map) {
        Components found = new Components();
        int above = 0; // where the runs of the row above begin
        for (int y = 0; y <= map.height; y++) {
            int first = found.runs.size();
            found.addRow(map, y, above);
            above = first;
        }
        Map<Run, List<int[]>> points = new LinkedHashMap<Run, List<int[]>>();
        for (Run run : found.runs) {
            List<int[]> component = points.computeIfAbsent(root(run), each -> new ArrayList<int[]>());
            component.add(new int[] {run.start, run.y});
            if (run.end > run.start) {
                component.add(new int[] {run.end, run.y});
            }
        }
        return points.values();
    }

    private void addRow(TextMap map, int y, int above) {
        int first = runs.size();
        int next = above;
        for (int x = 0; x <= map.width; x++) {
            if (!map.touchesText(x, y)) {
                continue;
            }
            int start = x;
            while (x < map.width && map.touchesText(x + 1, y)) {
                x++;
            }
            Run run = new Run(y, start, x);
            runs.add(run);
            while (next < first && runs.get(next).end < start - 1) {
                next++;
            }
            for (int i = next; i < first && runs.get(i).start <= x + 1; i++) {
                join(runs.get(i), run);
            }
        }
    }

    private static Run root(Run run) {
        Run each = run;
        while (each.parent != each) {
            each.parent = each.parent.parent;
            each = each.parent;
        }
        return each;
    }

    private static void join(Run one, Run other) {
        Run first = root(one);
        Run second = root(other);
        boolean inOrder = first.y < second.y || first.y == second.y && first.start <= second.start;
        if (inOrder) {
            second.parent = first;
        } else {
            first.parent = second;
        }
    }
}
