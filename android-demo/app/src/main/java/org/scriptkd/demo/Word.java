package org.scriptkd.demo;

import org.scriptkd.sdk.Corners;
import org.scriptkd.sdk.Region;

/** One box on a photo, and what is known of it. The app found it, or it was drawn by hand. */
final class Word {
    /** Its own for as long as it lives, whatever boxes come and go beside it; TalkBack knows it by this number. */
    final int id;

    Region box; // in the photo's pixels
    Corners corners; // of a word that was found, whose box is around them; null: drawn or changed by hand
    Answer answer; // null: none yet
    String problem; // why there is no answer; null: nothing is wrong
    private volatile int asked; // read by the worker, which passes over what nobody waits for

    Word(int id, Region box, Corners corners) {
        this.id = id;
        this.box = box;
        this.corners = corners;
    }

    /** By hand. */
    void change(Region other) {
        box = other;
        corners = null;
    }

    /** Whether a point of the photo is in it. */
    boolean holds(float x, float y) {
        boolean inside = x >= box.left && x < box.right && y >= box.top && y < box.bottom;
        for (int i = 0; inside && corners != null && i < 4; i++) { // clockwise: inside is on the right of each side
            double right = corners.x((i + 1) % 4) - corners.x(i);
            double down = corners.y((i + 1) % 4) - corners.y(i);
            inside = right * (y - corners.y(i)) - down * (x - corners.x(i)) >= 0;
        }
        return inside;
    }

    /** A new question, whose number this is: nobody waits for the answers to older ones. */
    int ask() {
        return ++asked;
    }

    boolean waitsFor(int question) {
        return question == asked;
    }
}
