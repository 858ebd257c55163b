package org.scriptkd.sdk;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A reader of JSON (RFC 8259), which Java 8 lacks. Objects become LinkedHashMap, arrays ArrayList, integers Long, other
 * numbers Double, text String, and true, false and null themselves.
 */
final class Json {
    private static final int DEEPEST = 64; // levels: a model file's metadata has four, an attacker's may have thousands

    private final String text;
    private int position;

    private Json(String text) {
        this.text = text;
    }

    /** Throws IllegalArgumentException. The message says what was expected at which character. */
    static Object parse(String text) {
        Json reader = new Json(text);
        Object value = reader.value(0);
        reader.skipSpace();
        if (reader.position < text.length()) {
            throw reader.expected("the end");
        }
        return value;
    }

    /** Returns a value as messages show it. */
    static String show(Object value) {
        String shown = value instanceof String ? "'" + value + "'" : String.valueOf(value);
        shown = printable(shown);
        return shown.length() > 200 ? shown.substring(0, 200) + "..." : shown;
    }

    /** Replaces every character that breaks a line or controls a terminal by a space. */
    static String printable(String text) {
        // Unicode's category Other (controls, formats, unassigned ...) and separators, except the space itself.
        return text.replaceAll("[\\p{C}\\p{Z}&&[^ ]]+", " ");
    }

    private Object value(int depth) {
        if (depth > DEEPEST) {
            throw expected("at most " + DEEPEST + " levels");
        }
        skipSpace();
        char next = peek();
        switch (next) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> result = new LinkedHashMap<String, Object>();
        position++;
        skipSpace();
        if (take('}')) {
            return result;
        }
        do {
            skipSpace();
            if (peek() != '"') {
                throw expected("a name in quotes");
            }
            String name = string();
            skipSpace();
            if (!take(':')) {
                throw expected("':'");
            }
            result.put(name, value(depth + 1));
            skipSpace();
        } while (take(','));
        if (!take('}')) {
            throw expected("',' or '}'");
        }
        return result;
    }

    private List<Object> array(int depth) {
        List<Object> result = new ArrayList<Object>();
        position++;
        skipSpace();
        if (take(']')) {
            return result;
        }
        do {
            result.add(value(depth + 1));
            skipSpace();
        } while (take(','));
        if (!take(']')) {
            throw expected("',' or ']'");
        }
        return result;
    }

    private String string() {
        StringBuilder result = new StringBuilder();
        position++;
        while (true) {
            char next = peek();
            if (next < ' ') {
                throw expected("the end of a text");
            }
            position++;
            if (next == '"') {
                return result.toString();
            }
            result.append(next == '\\' ? escaped() : next);
        }
    }

    private char escaped() {
        char kind = peek();
        position++;
        if (kind == 'u') {
            int code = 0;
            for (int i = 0; i < 4; i++, position++) {
                int digit = Character.digit(peek(), 16);
                if (digit < 0 || peek() > 'f') {
                    throw expected("four hexadecimal digits");
                }
                code = code * 16 + digit;
            }
            return (char) code;
        }
        int index = "\"\\/bfnrt".indexOf(kind);
        if (index < 0) {
            position--;
            throw expected("an escape");
        }
        return "\"\\/\b\f\n\r\t".charAt(index);
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, position)) {
            throw expected("a value");
        }
        position += word.length();
        return value;
    }

    private Object number() {
        int start = position;
        take('-');
        boolean leadingZero = peek() == '0';
        int digits = digits();
        if (digits == 0 || leadingZero && digits > 1) {
            position = start;
            throw expected("a value");
        }
        boolean whole = true;
        if (take('.')) {
            whole = false;
            if (digits() == 0) {
                throw expected("a digit");
            }
        }
        if (take('e') || take('E')) {
            whole = false;
            if (!take('+')) {
                take('-');
            }
            if (digits() == 0) {
                throw expected("a digit");
            }
        }
        String number = text.substring(start, position);
        if (whole && number.length() <= 18) {
            return Long.valueOf(number);
        }
        return Double.valueOf(number);
    }

    private int digits() {
        int start = position;
        while (peek() >= '0' && peek() <= '9') {
            position++;
        }
        return position - start;
    }

    private char peek() {
        return position < text.length() ? text.charAt(position) : '\0';
    }

    private boolean take(char wanted) {
        boolean there = position < text.length() && text.charAt(position) == wanted;
        if (there) {
            position++;
        }
        return there;
    }

    private void skipSpace() {
        while (position < text.length() && " \t\n\r".indexOf(text.charAt(position)) >= 0) {
            position++;
        }
    }

    private IllegalArgumentException expected(String what) {
        return new IllegalArgumentException("expected " + what + " at character " + (position + 1));
    }
}
