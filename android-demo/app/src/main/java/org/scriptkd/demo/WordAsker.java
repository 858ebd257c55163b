package org.scriptkd.demo;

import android.graphics.Bitmap;
import org.scriptkd.sdk.Corners;
import org.scriptkd.sdk.Region;
import org.scriptkd.sdk.ScriptkdException;

/** Asks the model about words off the screen's thread. A box that moved on meanwhile is not asked about. */
final class WordAsker {
    /** Hears on the screen's thread that a word has its answer, or a problem instead. */
    interface Listener {
        void onAnswer(Word word);
    }

    private final DemoApplication application;
    private final Listener listener;

    WordAsker(DemoApplication application, Listener listener) {
        this.application = application;
        this.listener = listener;
    }

    void ask(Bitmap photo, Word word) {
        int question = word.ask();
        Region box = word.box;
        Corners corners = word.corners;
        application.work(() -> {
            if (!word.waitsFor(question)) {
                return;
            }
            Answer answer = null;
            String problem = null;
            try {
                answer = Answer.to(application.identifier(), application.stopwatch, photo, box, corners);
            } catch (Problem error) {
                problem = error.getMessage();
            } catch (ScriptkdException error) {
                problem = application.getString(R.string.error_image, error.getMessage());
            } catch (OutOfMemoryError error) {
                problem = application.getString(R.string.error_photo_memory);
            }
            tell(word, question, answer, problem);
        });
    }

    private void tell(Word word, int question, Answer answer, String problem) {
        application.show(() -> {
            if (word.waitsFor(question)) {
                word.answer = answer;
                word.problem = problem;
                listener.onAnswer(word);
            }
        });
    }
}
