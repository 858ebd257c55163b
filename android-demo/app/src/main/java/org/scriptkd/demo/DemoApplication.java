package org.scriptkd.demo;

import android.app.Application;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.scriptkd.sdk.ScriptIdentifier;
import org.scriptkd.sdk.TextDetector;

/** What outlives a turn of the phone: the threads and the identifier. */
public final class DemoApplication extends Application {
    private final ExecutorService worker = Executors.newSingleThreadExecutor();
    private final ExecutorService seeker = Executors.newSingleThreadExecutor();
    private final Handler screen = new Handler(Looper.getMainLooper());
    private Handler camera; // used by the screen's thread alone
    private ScriptIdentifier identifier; // used by the worker alone
    private TextDetector detector; // used by the seeker alone
    final Stopwatch stopwatch = new Stopwatch(); // of the identifier; used by the worker alone

    /** Do this after what else was asked for, off the screen's thread. */
    void work(Runnable task) {
        worker.execute(task);
    }

    /** Do this beside all else: a photo's words are looked for for a second or more. */
    void seek(Runnable task) {
        seeker.execute(task);
    }

    /** Do this on the screen's thread. */
    void show(Runnable task) {
        screen.post(task);
    }

    /** A thread for the camera's frames; to be called on the screen's thread. */
    Handler camera() {
        if (camera == null) {
            HandlerThread thread = new HandlerThread("camera");
            thread.start();
            camera = new Handler(thread.getLooper());
        }
        return camera;
    }

    /** The opened model; on the worker only. A model that could not be opened is tried again. */
    ScriptIdentifier identifier() throws Problem {
        if (identifier == null) {
            identifier = Models.open(this, Models.read(this, Models.STUDENT), Models.STUDENT, 1);
        }
        return identifier;
    }

    /** The opened text detector; on the seeker only. */
    TextDetector detector() throws Problem {
        if (detector == null) {
            detector = Models.openDetector(this);
        }
        return detector;
    }
}
