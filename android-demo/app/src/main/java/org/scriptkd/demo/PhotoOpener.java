package org.scriptkd.demo;

import android.graphics.Bitmap;
import android.net.Uri;

/** Opens photos off the screen's thread. The newest one asked for is shown, whichever comes first. */
final class PhotoOpener {
    /** Hears of the newest photo, on the screen's thread. */
    interface Listener {
        void onPhoto(Bitmap photo);

        void onProblem(String sentence);
    }

    private final DemoApplication application;
    private int newest; // its number

    PhotoOpener(DemoApplication application) {
        this.application = application;
    }

    void open(Uri uri, Listener listener) {
        int wish = ++newest;
        application.work(() -> {
            try {
                Bitmap photo = Photos.open(application, uri);
                show(wish, () -> listener.onPhoto(photo));
            } catch (Problem error) {
                show(wish, () -> listener.onProblem(error.getMessage()));
            }
        });
    }

    private void show(int wish, Runnable task) {
        application.show(() -> {
            if (wish == newest) {
                task.run();
            }
        });
    }

    /** Nobody waits for a photo any more. */
    void stop() {
        newest++;
    }
}
