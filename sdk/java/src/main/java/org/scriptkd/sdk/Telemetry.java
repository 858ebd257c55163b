package org.scriptkd.sdk;

import java.lang.reflect.InvocationTargetException;

/**
 * onnxruntime's telemetry. Since 1.29 it writes a device id and a queue of events, and looks up a host to send them to.
 *
 * <p>onnxruntime reads an environment variable once, when its library is loaded. An Android app can set it, a JVM
 * program cannot.
 */
final class Telemetry {
    private Telemetry() {}

    /** Disables telemetry on Android, unless the app has set the variable itself. */
    static void off() {
        try {
            Class.forName("android.system.Os")
                    .getMethod("setenv", String.class, String.class, boolean.class)
                    .invoke(null, "ORT_DISABLE_TELEMETRY", "1", false);
        } catch (ClassNotFoundException error) {
            // On a JVM: see the README.
        } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException error) {
            throw new IllegalStateException(error); // impossible: public since Android 5, and the arguments are valid
        }
    }
}
