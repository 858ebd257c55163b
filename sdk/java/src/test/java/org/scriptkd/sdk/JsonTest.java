package org.scriptkd.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @Test
    void readsEveryKindOfValue() {
        assertEquals(Arrays.asList(0L, -12L, 0.5, -1.5e3, 1e3, true, false, null, ""),
                Json.parse(" [0,-12 ,0.5, -1.5e+3,1E3,\ttrue,false\n,null,\"\"] "));
        assertEquals("a\"\\/\b\f\n\r\t\u00e9\ud83d\ude00 é", Json.parse("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\uDE00 é\""));
        assertEquals("{a={b=[]}, c={}}", Json.parse("{\"a\": {\"b\": []}, \"c\":{} }").toString());
        assertEquals(Collections.singletonMap("a", 2L), Json.parse("{\"a\":1,\"a\":2}")); // as in Python, the last counts
        assertEquals(1e25, Json.parse("10000000000000000000000000"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", " ", "[", "]", "{", "{}}", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "{,}", "'a'",
        "\"a", "\"a\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "01", "-", "+1", "1.", ".5", "1e", "1e+",
        "tru", "truee", "nul", "NaN", "Infinity", "-Infinity", "0x10", "1 1", "// a\n1", "\u00a01"
    })
    void refusesWhatIsNotJson(String text) {
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> Json.parse(text));
        assertTrue(error.getMessage().matches("expected .+ at character \\d+"), error.getMessage());
    }

    @Test
    void refusesNestingThatWouldOverflowTheStack() {
        String deep = String.join("", Collections.nCopies(100000, "["));
        assertEquals("expected at most 64 levels at character 66",
                assertThrows(IllegalArgumentException.class, () -> Json.parse(deep)).getMessage());
    }

    @Test
    void showsValuesInOneShortLine() {
        assertEquals("'a b'", Json.show("a\r\nb"));
        assertEquals(203, Json.show(String.join("", Collections.nCopies(1000, "x"))).length());
    }
}
