package org.scriptkd.demo;

import android.content.Context;
import org.scriptkd.sdk.Script;

/** How answers read. */
final class Texts {
    private Texts() {}

    /** "Tamil (Taml)", or that the script is unknown in the reader's language. */
    static String script(Context context, Script script) {
        return script.equals(Script.UNKNOWN)
                ? context.getString(R.string.unknown)
                : context.getString(R.string.script, script.name, script.code);
    }
}
