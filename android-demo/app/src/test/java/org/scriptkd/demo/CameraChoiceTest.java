package org.scriptkd.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import android.util.Size;
import org.junit.jupiter.api.Test;

class CameraChoiceTest {
    private static final Size SIZE = new Size(1280, 720);

    @Test
    void theLargestSizeThatIsNotTooLarge() {
        Size[] sizes = {new Size(4000, 3000), new Size(640, 480), SIZE, new Size(1920, 1080), new Size(176, 144)};
        assertEquals(SIZE, CameraChoice.best(sizes));
        assertEquals(new Size(1920, 1080), CameraChoice.best(new Size[] {sizes[0], sizes[3]}));
    }

    /** As Android's documentation of JPEG_ORIENTATION has it; a screen's turn counts the other way than a phone's. */
    @Test
    void framesStandUprightHoweverThePhoneIsHeld() {
        CameraChoice back = new CameraChoice("0", SIZE, 90, false);
        CameraChoice front = new CameraChoice("1", SIZE, 270, true);
        int[][] wanted = {{0, 90, 270}, {90, 0, 0}, {180, 270, 90}, {270, 180, 180}};
        for (int[] each : wanted) {
            assertEquals(each[1], back.clockwise(each[0]));
            assertEquals(each[2], front.clockwise(each[0]));
        }
    }
}
