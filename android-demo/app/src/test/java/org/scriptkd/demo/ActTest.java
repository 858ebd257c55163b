package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import android.view.KeyEvent;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class ActTest {
    @Test
    void everyActHasAKey() {
        EnumSet<Act> found = EnumSet.noneOf(Act.class);
        for (int key = 0; key <= KeyEvent.KEYCODE_NUMPAD_ENTER; key++) {
            for (boolean shift : new boolean[] {false, true}) {
                Act act = Act.ofKey(key, shift);
                found.addAll(act == null ? EnumSet.noneOf(Act.class) : EnumSet.of(act));
            }
        }
        assertEquals(EnumSet.allOf(Act.class), found);
        assertNull(Act.ofKey(KeyEvent.KEYCODE_TAB, false)); // which leaves the photo
    }

    @Test
    void everyActHasAnIdOfItsOwnAndIsOffered() {
        EnumSet<Act> offered = EnumSet.noneOf(Act.class);
        for (Act[] some : new Act[][] {Act.OF_A_BOX, Act.OF_THE_PHOTO}) {
            for (Act each : some) {
                assertSame(each, Act.withId(each.id));
                assertTrue(offered.add(each));
            }
        }
        assertEquals(EnumSet.allOf(Act.class), offered);
        assertNull(Act.withId(R.id.pick));
    }
}
