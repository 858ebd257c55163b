package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import android.system.Os;
import org.junit.jupiter.api.Test;

/** On Android onnxruntime's telemetry is off. The tests have their own android.system.Os. */
class TelemetryTest {
    @Test
    void openingAModelSwitchesItOffUnlessTheAppHasChosen() {
        Os.SET.clear();
        ScriptIdentifier.open(Samples.MODEL).close();
        assertEquals("1", Os.SET.get("ORT_DISABLE_TELEMETRY"));
        Os.SET.put("ORT_DISABLE_TELEMETRY", "0");
        ScriptIdentifier.open(Samples.MODEL).close();
        assertEquals("0", Os.SET.get("ORT_DISABLE_TELEMETRY"));
    }
}
