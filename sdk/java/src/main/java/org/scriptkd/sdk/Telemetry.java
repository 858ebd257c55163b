package org.scriptkd.sdk;

import java.lang.reflect.InvocationTargetException;

/**
 * onnxruntime's telemetry, which since 1.29 writes a device id and a queue of events and looks up a host to send them to.
 *
 * <p>It reads an environment variable once, when its library is loaded. Android lets an app set one, a JVM does not.
 */
final class Telemetry {
    private Telemetry() {}

    /** Switch it off where that can be done, on Android, unless the app has set the variable itself. */
    static void off() {
        try {
            Class.forName("android.system.Os")
                    .getMethod("setenv", String.class, String.class, boolean.class)
                    .invoke(null, "ORT_DISABLE_TELEMETRY", "1", false);
        } catch (ClassNotFoundException error) {
            // A JVM: see the README.
        } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException error) {
            throw new IllegalStateException(error); // it is public since Android 5, and this name and value are allowed
        }
    }
}
