package org.scriptkd.demo;

import org.scriptkd.sdk.Region;

/** One box on a photo, and what is known of it. */
final class Word {
    /** Its own for as long as it lives, whatever boxes come and go beside it; TalkBack knows it by this number. */
    final int id;

    Region box; // in the photo's pixels
    Answer answer; // null: none yet
    String problem; // why there is no answer; null: nothing is wrong
    private volatile int asked; // read by the worker, which passes over what nobody waits for

    Word(int id, Region box) {
        this.id = id;
        this.box = box;
    }

    /** A new question, whose number this is: nobody waits for the answers to older ones. */
    int ask() {
        return ++asked;
    }

    boolean waitsFor(int question) {
        return question == asked;
    }
}
