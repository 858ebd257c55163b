package org.scriptkd.sdk;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A writing system: its English name ("Devanagari") and its ISO 15924 code ("Deva"). */
public final class Script {
    /** The answer when the best score is below the threshold. Zyyy is the code of an undetermined script. */
    public static final Script UNKNOWN = new Script("unknown", "Zyyy");

    /** Other names that callers may use, in lower case, such as names of languages and in data sets. */
    static final Map<String, String> ALIASES = new HashMap<String, String>();

    static {
        ALIASES.put("english", "Latin");
        ALIASES.put("roman", "Latin");
        ALIASES.put("hindi", "Devanagari");
        ALIASES.put("punjabi", "Gurmukhi");
        ALIASES.put("gujrathi", "Gujarati");
        ALIASES.put("telegu", "Telugu");
        ALIASES.put("bangla", "Bengali");
        ALIASES.put("odia", "Oriya");
        ALIASES.put("amharic", "Ethiopic");
        ALIASES.put("burmese", "Myanmar");
        ALIASES.put("chinese", "Han");
        ALIASES.put("hiragana", "Kana");
        ALIASES.put("katakana", "Kana");
        ALIASES.put("korean", "Hangul");
        ALIASES.put("russian", "Cyrillic");
        ALIASES.put("sinhalese", "Sinhala");
    }

    /** In English. */
    public final String name;

    /** Four letters. */
    public final String code;

    /** A script by its English name and its ISO 15924 code. */
    public Script(String name, String code) {
        this.name = Arguments.given(name, "name");
        this.code = Arguments.given(code, "code");
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Script && name.equals(((Script) other).name) && code.equals(((Script) other).code);
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + code.hashCode();
    }

    @Override
    public String toString() {
        return name + " (" + code + ")";
    }
}
