package org.scriptkd.demo;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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
        Word word = new Word(++ids, box);
        words.add(word);
        chosen = word;
        return word;
    }

    /** A box as a finger draws it: a second try at a word takes the place of the first. */
    Word mark(Region box) {
        for (Word each : new ArrayList<Word>(words)) {
            if (Boxes.alike(each.box, box)) {
                drop(each);
            }
        }
        return add(box);
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
            Region box = each.box;
            boolean inside = x >= box.left && x < box.right && y >= box.top && y < box.bottom;
            if (inside && (found == null || Boxes.area(box) < Boxes.area(found.box))) {
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
            for (int side : new int[] {each.box.left, each.box.top, each.box.right, each.box.bottom}) {
                sides[to++] = side;
            }
        }
        return sides;
    }

    /** Its place among the others, from 1; 0 for null. */
    int number(Word word) {
        return words.indexOf(word) + 1;
    }
}
