package org.scriptkd.demo;

import java.util.HashMap;
import java.util.Map;

/** The colours of scripts: those of `scriptkd page`. Scripts that often stand together are far apart. */
final class Colours {
    private static final int OTHER = 0xFF6E6E6E; // gray

    private static final Map<String, Integer> COLOURS = new HashMap<String, Integer>();

    static {
        COLOURS.put("Latn", 0xFF0057E7);
        COLOURS.put("Deva", 0xFFD62D20);
        COLOURS.put("Arab", 0xFF008744);
        COLOURS.put("Hani", 0xFF8E24AA);
        COLOURS.put("Cyrl", 0xFFF57C00);
        COLOURS.put("Beng", 0xFF00ACC1);
        COLOURS.put("Taml", 0xFFE91E8C);
        COLOURS.put("Telu", 0xFF795548);
        COLOURS.put("Hang", 0xFFAFB42B);
        COLOURS.put("Hrkt", 0xFF3F2B96);
        COLOURS.put("Grek", 0xFFC0A000);
        COLOURS.put("Hebr", 0xFF26A69A);
        COLOURS.put("Thai", 0xFF9E1B32);
        COLOURS.put("Gujr", 0xFF5B8C00);
        COLOURS.put("Guru", 0xFFFF6B6B);
        COLOURS.put("Knda", 0xFF5F9BEA);
        COLOURS.put("Mlym", 0xFFB76E79);
        COLOURS.put("Orya", 0xFF1F6B57);
        COLOURS.put("Sinh", 0xFFB388FF);
        COLOURS.put("Khmr", 0xFFE0674C);
        COLOURS.put("Laoo", 0xFF557A95);
        COLOURS.put("Mymr", 0xFFC2185B);
        COLOURS.put("Tibt", 0xFFFFB300);
        COLOURS.put("Armn", 0xFF4E6B2F);
        COLOURS.put("Ethi", 0xFFA0522D);
        COLOURS.put("Geor", 0xFF7B5EA7);
    }

    private Colours() {}

    /** The colour of a script by its code; gray for the unknown one and for scripts without a colour. */
    static int of(String code) {
        Integer colour = COLOURS.get(code);
        return colour == null ? OTHER : colour;
    }
}
