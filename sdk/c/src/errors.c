#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static void add(skd_text *text, const char *format, va_list arguments) {
    size_t room = sizeof(text->bytes) - text->length;
    int length = vsnprintf(text->bytes + text->length, room, format, arguments);
    if (length < 0) { /* an invalid format, which we never pass */
        text->bytes[text->length] = '\0';
    } else if ((size_t)length < room) {
        text->length += (size_t)length;
    } else {
        text->length = sizeof(text->bytes) - 1;
    }
}

void skd_add(skd_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(text, format, arguments);
    va_end(arguments);
}

/* With a decimal point in any locale, and integers without one. */
void skd_add_number(skd_text *text, double value) {
    size_t from = text->length;
    if (fabs(value) < 1e15 && value == floor(value)) {
        skd_add(text, "%.0f", value);
        return;
    }
    skd_add(text, "%.15g", value);
    for (size_t i = from; i < text->length; i++) {
        if (strchr("+-.0123456789aefiny", text->bytes[i]) == NULL) {
            text->bytes[i] = '.';
        }
    }
}

/* Characters that break the line or control a terminal become spaces, because the text may come from a file. */
scriptkd_status skd_fail(scriptkd_error *error, scriptkd_status status, const char *format, ...) {
    if (error == NULL) {
        return status;
    }
    skd_text text = {.length = 0};
    va_list arguments;
    va_start(arguments, format);
    add(&text, format, arguments);
    va_end(arguments);
    size_t to = 0;
    for (size_t from = 0; from < text.length;) {
        uint32_t character;
        size_t size = skd_utf8(text.bytes + from, text.length - from, &character);
        if (size == 0 || !skd_printable(character)) {
            error->message[to++] = ' ';
        } else {
            memcpy(error->message + to, text.bytes + from, size);
            to += size;
        }
        from += size > 0 ? size : 1;
    }
    error->message[to] = '\0';
    return status;
}

scriptkd_status skd_no_memory(scriptkd_error *error) {
    return skd_fail(error, SCRIPTKD_MEMORY_ERROR, "there is not enough memory");
}

size_t skd_utf8(const char *text, size_t size, uint32_t *character) {
    unsigned char first = (unsigned char)text[0];
    if (first < 0x80) {
        *character = first;
        return 1;
    }
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || length > size) {
        return 0;
    }
    uint32_t code = first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (next & 0x3F);
    }
    static const uint32_t least[] = {0x80, 0x800, 0x10000};
    if (code < least[length - 2] || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) {
        return 0;
    }
    *character = code;
    return length;
}

bool skd_printable(uint32_t character) {
    /* Unicode's controls, formats, private characters and separators, except the space. Unassigned characters pass, as
     * a newer Unicode may assign them. */
    static const uint32_t hidden[][2] = {{0, 0x1F}, {0x7F, 0xA0}, {0xAD, 0xAD}, {0x600, 0x605}, {0x61C, 0x61C},
        {0x6DD, 0x6DD}, {0x70F, 0x70F}, {0x890, 0x891}, {0x8E2, 0x8E2}, {0x1680, 0x1680}, {0x180E, 0x180E},
        {0x2000, 0x200F}, {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000}, {0xD800, 0xF8FF}, {0xFDD0, 0xFDEF},
        {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F},
        {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF}, {0xE01F0, 0x10FFFF}};
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (character >= hidden[i][0] && character <= hidden[i][1]) {
            return false;
        }
    }
    return (character & 0xFFFE) != 0xFFFE;
}
