package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/** From a text detector's map to boxes: section 3 of sdk/contract/words.md. */
final class Boxing {
    private static final int THINNEST = 3; // pixels of the map: the shorter side
    private static final double SUREST = 0.5; // the least mean probability
    private static final double GROWTH = 1.6; // the detector was trained on shrunken words; this undoes it
    private static final int MOST = 1000; // boxes

    private Boxing() {}

    private static final class Found {
        final double area;
        final TextBox box;

        Found(double area, TextBox box) {
            this.area = area;
            this.box = box;
        }
    }

    /** The boxes, line by line, in pixels of a picture of that size. */
    static List<TextBox> of(TextMap map, int width, int height) {
        List<Found> found = new ArrayList<Found>();
        for (List<int[]> points : Components.of(map)) {
            Rectangle rectangle = Rectangle.least(Hull.of(points));
            double u = rectangle.width();
            double v = rectangle.height();
            double score = Math.min(u, v) < THINNEST ? 0 : map.mean(rectangle);
            if (score >= SUREST) {
                double[] corners = rectangle.corners(GROWTH * u * v / (2 * (u + v)));
                for (int i = 0; i < corners.length; i += 2) {
                    corners[i] = corners[i] * width / map.width;
                    corners[i + 1] = corners[i + 1] * height / map.height;
                }
                found.add(new Found(u * v, new TextBox(fromTopLeft(corners), score)));
            }
        }
        Collections.sort(found, Comparator.comparingDouble((Found each) -> -each.area)); // stable, as all sorting here
        List<TextBox> boxes = new ArrayList<TextBox>();
        for (Found each : found.subList(0, Math.min(found.size(), MOST))) {
            boxes.add(each.box);
        }
        return Lines.inOrder(boxes);
    }

    /** The corners clockwise from the one with the least x + y, of equals the one with the least y. */
    private static Corners fromTopLeft(double[] places) {
        int first = 0;
        for (int i = 2; i < places.length; i += 2) {
            double sum = places[i] + places[i + 1];
            double least = places[first] + places[first + 1];
            first = sum < least || sum == least && places[i + 1] < places[first + 1] ? i : first;
        }
        double[] turned = new double[places.length];
        for (int i = 0; i < places.length; i++) {
            turned[i] = places[(first + i) % places.length];
        }
        return new Corners(
                turned[0], turned[1], turned[2], turned[3], turned[4], turned[5], turned[6], turned[7]);
    }
}
