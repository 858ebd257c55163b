package org.scriptkd.demo;

import android.graphics.Bitmap;
import java.util.List;
import org.scriptkd.sdk.Bitmaps;
import org.scriptkd.sdk.ScriptkdException;
import org.scriptkd.sdk.TextBox;

/** Looks for a photo's words off the screen's thread. Only what is found in the newest photo is told. */
final class WordSearch {
    /** Hears of the newest search, on the screen's thread. */
    interface Listener {
        /** In order; empty where there are none. */
        void onWords(List<TextBox> boxes);

        void onProblem(String sentence);
    }

    private final DemoApplication application;
    private int newest; // its number

    WordSearch(DemoApplication application) {
        this.application = application;
    }

    void start(Bitmap photo, Listener listener) {
        int search = ++newest;
        application.seek(() -> {
            try {
                List<TextBox> boxes = application.detector().find(Bitmaps.pixels(photo));
                show(search, () -> listener.onWords(boxes));
            } catch (Problem error) {
                show(search, () -> listener.onProblem(error.getMessage()));
            } catch (ScriptkdException error) {
                String sentence = application.getString(R.string.error_detector, error.getMessage());
                show(search, () -> listener.onProblem(sentence));
            } catch (OutOfMemoryError error) {
                show(search, () -> listener.onProblem(application.getString(R.string.error_photo_memory)));
            }
        });
    }

    private void show(int search, Runnable task) {
        application.show(() -> {
            if (search == newest) {
                task.run();
            }
        });
    }

    /** Nobody waits for words any more. */
    void stop() {
        newest++;
    }
}
