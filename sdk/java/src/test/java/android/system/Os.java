package android.system;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Replaces Android's class of this name, with which an app sets environment variables. */
public final class Os {
    public static final Map<String, String> SET = new ConcurrentHashMap<>();

    private Os() {}

    public static void setenv(String name, String value, boolean overwrite) {
        if (overwrite) {
            SET.put(name, value);
        } else {
            SET.putIfAbsent(name, value);
        }
    }
}
