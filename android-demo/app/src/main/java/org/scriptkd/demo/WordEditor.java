package org.scriptkd.demo;

import android.graphics.RectF;
import org.scriptkd.sdk.Region;

/** Does to the boxes of a photo what an act says. Directions are those of the screen, also on a turned photo. */
final class WordEditor {
    private static final float CLOSER = 1.5f; // times as large by one press
    private static final float STEP = 8; // dp on the screen, so a step is finer where the photo is closer

    private final Words words;
    private final Viewport viewport;
    private final float step; // in the view's pixels
    private int width; // of the photo
    private int height;

    WordEditor(Words words, Viewport viewport, float density) {
        this.words = words;
        this.viewport = viewport;
        this.step = STEP * density;
    }

    void setSize(int width, int height) {
        this.width = width;
        this.height = height;
    }

    /** Returns whether anything changed: a box at the photo's border moves no further. */
    boolean perform(Act act) {
        boolean changed = change(act);
        if (words.chosen() != null && act != Act.ZOOM_OUT) {
            viewport.show(words.chosen().box);
        }
        return changed;
    }

    private boolean change(Act act) {
        switch (act) {
            case LEFT:
                return move(-1, 0);
            case RIGHT:
                return move(1, 0);
            case UP:
                return move(0, -1);
            case DOWN:
                return move(0, 1);
            case WIDER:
                return grow(1, 0, 1);
            case NARROWER:
                return grow(1, 0, -1);
            case TALLER:
                return grow(0, 1, 1);
            case FLATTER:
                return grow(0, 1, -1);
            case NEXT:
                return next();
            case NEW:
                words.add(fresh());
                return true;
            case REMOVE:
                return remove();
            case ZOOM_IN:
                return zoom(CLOSER);
            case ZOOM_OUT:
                return zoom(1 / CLOSER);
            default:
                throw new IllegalArgumentException(act.name());
        }
    }

    private boolean move(int right, int down) {
        int[] way = viewport.direction(right, down);
        int far = viewport.pixels(step);
        Word word = words.chosen();
        return word != null && put(word, Boxes.moved(word.box, far * way[0], far * way[1], width, height));
    }

    private boolean grow(int across, int along, int sign) {
        int[] way = viewport.direction(across, along);
        int far = sign * viewport.pixels(step / 2);
        Word word = words.chosen();
        return word != null
                && put(word, Boxes.grown(word.box, far * Math.abs(way[0]), far * Math.abs(way[1]), width, height));
    }

    private static boolean put(Word word, Region box) {
        boolean changed = !box.equals(word.box);
        if (changed) {
            word.change(box);
        }
        return changed;
    }

    private boolean next() {
        if (words.all().isEmpty()) {
            words.add(fresh());
        } else {
            words.next();
        }
        return true;
    }

    private boolean remove() {
        if (words.chosen() == null) {
            return false;
        }
        words.remove();
        return true;
    }

    /** Beside the chosen box where there is room: to the right, below, to the left, above. Else in the middle. */
    private Region fresh() {
        Word beside = words.chosen();
        int[][] ways = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
        for (int i = 0; beside != null && i < ways.length; i++) {
            Region box = beside.box;
            int[] way = viewport.direction(ways[i][0], ways[i][1]);
            int right = way[0] * (box.right - box.left);
            int down = way[1] * (box.bottom - box.top);
            Region found = Boxes.moved(box, right, down, width, height);
            if (found.left == box.left + right && found.top == box.top + down && free(found)) {
                return found;
            }
        }
        return Boxes.middle(viewport.seen());
    }

    private boolean free(Region box) {
        for (Word each : words.all()) {
            if (Boxes.alike(each.box, box)) {
                return false;
            }
        }
        return true;
    }

    private boolean zoom(float factor) {
        Region about = words.chosen() == null ? viewport.seen() : words.chosen().box;
        RectF place = viewport.toView(about);
        return viewport.zoom(factor, place.centerX(), place.centerY());
    }
}
