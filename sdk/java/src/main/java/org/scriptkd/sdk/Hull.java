package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The convex hull of points {x, y}. */
final class Hull {
    private Hull() {}

    /** Clockwise as it is seen, from the topmost, leftmost point on; no three are in a line. The points come in rows from the top. */
    static List<int[]> of(List<int[]> points) {
        List<int[]> backwards = new ArrayList<int[]>(points);
        Collections.reverse(backwards);
        List<int[]> hull = chain(points);
        hull.addAll(chain(backwards));
        return hull;
    }

    /** The half of the hull from the first point to the last, without the last. */
    private static List<int[]> chain(List<int[]> points) {
        List<int[]> kept = new ArrayList<int[]>();
        for (int[] point : points) {
            while (kept.size() > 1 && cross(kept.get(kept.size() - 2), kept.get(kept.size() - 1), point) <= 0) {
                kept.remove(kept.size() - 1);
            }
            kept.add(point);
        }
        kept.remove(kept.size() - 1);
        return kept;
    }

    /** Positive where the way over three points turns clockwise as it is seen. */
    private static long cross(int[] one, int[] two, int[] three) {
        return (long) (two[0] - one[0]) * (three[1] - two[1]) - (long) (two[1] - one[1]) * (three[0] - two[0]);
    }
}
