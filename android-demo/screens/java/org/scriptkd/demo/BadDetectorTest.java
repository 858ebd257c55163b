package org.scriptkd.demo;

import static org.junit.Assert.assertTrue;
import static org.scriptkd.demo.Screens.drag;
import static org.scriptkd.demo.Screens.photo;
import static org.scriptkd.demo.Screens.pick;
import static org.scriptkd.demo.Screens.text;
import static org.scriptkd.demo.Screens.waitFor;

import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** An app whose text detector cannot be used: a sentence, and boxes are drawn by hand. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class BadDetectorTest {
    @Test
    public void theAppSaysWhatIsWrongAndGoesOn() {
        MainActivity activity = Robolectric.buildActivity(MainActivity.class).setup().get();
        pick(activity, photo());
        String wrong = "Words cannot be found, so drag a box around one: detector/PP-OCRv6_det_small.onnx: "
                + "not a text detector of PP-OCR's kind (";
        waitFor(activity, () -> text(activity, R.id.found).startsWith(wrong));
        drag(activity, 205, 555, 690, 645);
        waitFor(activity, () -> text(activity, R.id.script).equals("Tamil (Taml)"));
        assertTrue(text(activity, R.id.found).startsWith(wrong));
    }
}
