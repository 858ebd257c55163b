package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
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

/** An app that was built with a model it cannot use, or with none: a sentence, and it goes on. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class BadModelTest {
    @Test
    public void theAppSaysWhatIsWrong() {
        String wrong = System.getProperty("scriptkd.wrong");
        MainActivity activity = Robolectric.buildActivity(MainActivity.class).setup().get();
        pick(activity, photo());
        for (int time = 0; time < 2; time++) {
            drag(activity, 205, 555, 690, 645);
            waitFor(activity, () -> text(activity, R.id.status).contains(wrong));
            pick(activity, photo()); // the app goes on
            assertEquals(activity.getString(R.string.hint_box), text(activity, R.id.status));
        }
    }
}
