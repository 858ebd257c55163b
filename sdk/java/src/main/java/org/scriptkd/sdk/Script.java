package org.scriptkd.sdk;

/** A writing system: its English name ("Devanagari") and its ISO 15924 code ("Deva"). */
public final class Script {
    /** What is answered when the best score lies below the threshold (Zyyy: undetermined script). */
    public static final Script UNKNOWN = new Script("unknown", "Zyyy");

    public final String name;
    public final String code;

    public Script(String name, String code) {
        this.name = name;
        this.code = code;
    }

    @Override
    public boolean equals(Object other) {
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
