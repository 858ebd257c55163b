package org.scriptkd.demo;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.scriptkd.sdk.Corners;
import org.scriptkd.sdk.Region;

/** The boxes on one photo. One of them is the chosen one, unless there is none. */
final class Words {
    private final List<Word> words = new ArrayList<Word>();
    private Word chosen;
    private int ids;

    /** In the order in which they were marked. Not modifiable. */
    List<Word> all() {
        return Collections.unmodifiableList(words);
    }

    /** Null where there is none. */
    Word chosen() {
        return chosen;
    }

    void choose(Word word) {
        chosen = word;
    }

    /** One more box, which is chosen. */
    Word add(Region box) {
        chosen = add(box, null);
        return chosen;
    }

    private Word add(Region box, Corners corners) {
        Word word = new Word(++ids, box, corners);
        words.add(word);
        return word;
    }

    /** A word that was found; null where a box drawn by hand is there already. */
    Word addFound(Region box, Corners corners) {
        for (Word each : words) {
            if (each.corners == null && Boxes.same(each.box, box)) {
                return null;
            }
        }
        return add(box, corners);
    }

    /** A box as a finger draws it: a second try at a word takes the place of the first, and of a word that was found there. */
    Word mark(Region box) {
        for (Word each : new ArrayList<Word>(words)) {
            if (each.corners == null ? Boxes.alike(each.box, box) : Boxes.same(each.box, box)) {
                drop(each);
            }
        }
        return add(box);
    }

    /** Those that were found, as far as nobody changed them. */
    List<Word> found() {
        List<Word> found = new ArrayList<Word>();
        for (Word each : words) {
            if (each.corners != null) {
                found.add(each);
            }
        }
        return found;
    }

    /** Takes the chosen box away and chooses the one before it. */
    void remove() {
        int place = words.indexOf(chosen);
        drop(chosen);
        chosen = words.isEmpty() ? null : words.get(Math.max(place - 1, 0));
    }

    void clear() {
        for (Word each : new ArrayList<Word>(words)) {
            drop(each);
        }
        chosen = null;
    }

    private void drop(Word word) {
        word.ask(); // so that nobody waits for an answer any more
        words.remove(word);
    }

    /** Chooses the word after the chosen one; after the last comes the first. */
    void next() {
        chosen = words.get((words.indexOf(chosen) + 1) % words.size());
    }

    /** The smallest box around a point of the photo; null where there is none. */
    Word at(float x, float y) {
        Word found = null;
        for (Word each : words) {
            if (each.holds(x, y) && (found == null || Boxes.area(each.box) < Boxes.area(found.box))) {
                found = each;
            }
        }
        return found;
    }

    /** The word with this number of its own; null where there is none any more. */
    Word withId(int id) {
        for (Word each : words) {
            if (each.id == id) {
                return each;
            }
        }
        return null;
    }

    /** Left, top, right and bottom of each box, one after the other. */
    int[] sides() {
        int[] sides = new int[4 * words.size()];
        int to = 0;
        for (Word each : words) {
            Region box = each.box;
            for (int side : new int[] {box.left, box.top, box.right, box.bottom}) {
                sides[to++] = side;
            }
        }
        return sides;
    }

    /** The x and y of each word's corners, one after the other; NaN where the box was drawn by hand. */
    double[] corners() {
        double[] places = new double[8 * words.size()];
        int to = 0;
        for (Word each : words) {
            for (int corner = 0; corner < 4; corner++) {
                places[to++] = each.corners == null ? Double.NaN : each.corners.x(corner);
                places[to++] = each.corners == null ? Double.NaN : each.corners.y(corner);
            }
        }
        return places;
    }

    /** Its place among the others, from 1; 0 for null. */
    int number(Word word) {
        return words.indexOf(word) + 1;
    }
}
