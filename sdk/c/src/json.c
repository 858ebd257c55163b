#include <math.h>
#include <string.h>

#include "internal.h"

#define DEEPEST 64 /* levels: a model file's metadata has four, an attacker's may have thousands */

typedef struct reader {
    skd_memory *memory;
    const char *source;
    const char *at;
    const char *end;
    char *texts; /* where the next string goes: all strings together are shorter than the source */
    skd_text *expected;
    bool failed;
} reader;

static skd_json *value(reader *r, int depth);

static char peek(const reader *r) {
    return r->at < r->end ? *r->at : '\0';
}

static bool take(reader *r, char wanted) {
    bool there = r->at < r->end && *r->at == wanted;
    r->at += there;
    return there;
}

static void skip_space(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
}

/* Only the first error is reported. */
static void *expected(reader *r, const char *what) {
    if (!r->failed) {
        r->failed = true;
        size_t character = 1;
        for (const char *each = r->source; each < r->at; each++) {
            character += ((unsigned char)*each & 0xC0) != 0x80;
        }
        skd_add(r->expected, "expected %s at character %zu", what, character);
    }
    return NULL;
}

static bool four_digits(reader *r, uint32_t *code) {
    *code = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        char next = peek(r);
        int digit = next >= '0' && next <= '9' ? next - '0'
            : next >= 'a' && next <= 'f'       ? next - 'a' + 10
            : next >= 'A' && next <= 'F'       ? next - 'A' + 10
                                               : -1;
        if (digit < 0) {
            return expected(r, "four hexadecimal digits");
        }
        *code = *code << 4 | (uint32_t)digit;
    }
    return true;
}

static void put(reader *r, uint32_t code) {
    if (code < 0x80) {
        *r->texts++ = (char)code;
        return;
    }
    static const uint32_t firsts[] = {0, 0xC0, 0xE0, 0xF0};
    int rest = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *r->texts++ = (char)(firsts[rest] | code >> 6 * rest);
    while (rest-- > 0) {
        *r->texts++ = (char)(0x80u | (code >> 6 * rest & 0x3F));
    }
}

static bool escaped(reader *r) {
    static const char kinds[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char kind = peek(r);
    if (kind == 'u') {
        r->at++;
        uint32_t code, low;
        if (!four_digits(r, &code)) {
            return false;
        }
        if (code >= 0xD800 && code <= 0xDFFF) { /* a lone surrogate, which UTF-8 cannot hold */
            if (code > 0xDBFF || !take(r, '\\') || !take(r, 'u') || !four_digits(r, &low) || low < 0xDC00 || low > 0xDFFF) {
                return expected(r, "a pair of surrogates");
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        put(r, code);
        return true;
    }
    const char *found = kind == '\0' ? NULL : strchr(kinds, kind);
    if (found == NULL) {
        return expected(r, "an escape");
    }
    r->at++;
    *r->texts++ = meanings[found - kinds];
    return true;
}

/* A string in quotes; its first byte is at `text`. */
static bool string(reader *r, const char **text, size_t *length) {
    *text = r->texts;
    r->at++;
    while (!take(r, '"')) {
        if (r->at == r->end || (unsigned char)*r->at < ' ') {
            return expected(r, "the end of a text");
        }
        if (take(r, '\\')) {
            if (!escaped(r)) {
                return false;
            }
        } else {
            *r->texts++ = *r->at++;
        }
    }
    *length = (size_t)(r->texts - *text);
    *r->texts++ = '\0';
    return true;
}

/*
 * strtod is not used, because some locales have a decimal comma. The first nineteen digits make an exact integer. It is
 * multiplied or divided by a power of ten, which may change a few last bits. No score shows the difference.
 */
static bool number(reader *r, skd_json *result) {
    const char *start = r->at;
    bool negative = take(r, '-');
    const char *digits = r->at;
    uint64_t mantissa = 0;
    int exponent = 0, power = 0;
    bool fraction = false;
    result->integer = true;
    for (;; r->at++) {
        char next = peek(r);
        if (next == '.' && !fraction && r->at > digits) {
            fraction = true;
            digits = r->at + 1;
            result->integer = false;
        } else if (next >= '0' && next <= '9') {
            if (!fraction && r->at == digits + 1 && *digits == '0') { /* a leading zero */
                r->at = start;
                return expected(r, "a value");
            }
            bool kept = mantissa < UINT64_MAX / 10 - 1;
            mantissa = kept ? mantissa * 10 + (uint64_t)(next - '0') : mantissa;
            exponent += (kept ? 0 : 1) - (fraction ? 1 : 0);
        } else {
            break;
        }
    }
    if (r->at == digits) {
        r->at = fraction ? r->at : start;
        return expected(r, fraction ? "a digit" : "a value");
    }
    if (take(r, 'e') || take(r, 'E')) {
        result->integer = false;
        bool down = take(r, '-');
        if (!down) {
            take(r, '+');
        }
        if (peek(r) < '0' || peek(r) > '9') {
            return expected(r, "a digit");
        }
        for (; peek(r) >= '0' && peek(r) <= '9'; r->at++) {
            power = power < 100000 ? power * 10 + (peek(r) - '0') : power;
        }
        power = down ? -power : power;
    }
    double value = (double)mantissa;
    for (int left = exponent + power; left != 0 && value != 0 && isfinite(value);) {
        int step = left > 300 ? 300 : left < -300 ? -300 : left; /* 1e300 is within a double, 1e400 is not */
        value = step > 0 ? value * pow(10, step) : value / pow(10, -step);
        left -= step;
    }
    result->kind = SKD_NUMBER;
    result->number = negative ? -value : value;
    return true;
}

static bool word(reader *r, const char *wanted, skd_json *result, skd_kind kind) {
    size_t length = strlen(wanted);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, wanted, length) != 0) {
        return expected(r, "a value");
    }
    r->at += length;
    result->kind = kind;
    return true;
}

/* The values of an array, or the members of an object. */
static bool list(reader *r, skd_json *result, int depth, bool named) {
    char close = named ? '}' : ']';
    const skd_json **place = &result->first;
    result->kind = named ? SKD_OBJECT : SKD_ARRAY;
    r->at++;
    skip_space(r);
    if (take(r, close)) {
        return true;
    }
    do {
        const char *name = NULL;
        size_t length = 0;
        if (named) {
            skip_space(r);
            if (peek(r) != '"') {
                return expected(r, "a name in quotes");
            }
            if (!string(r, &name, &length)) {
                return false;
            }
            skip_space(r);
            if (!take(r, ':')) {
                return expected(r, "':'");
            }
        }
        skd_json *next = value(r, depth + 1);
        if (next == NULL) {
            return false;
        }
        next->name = name;
        next->name_length = length;
        *place = next;
        place = &next->next;
        skip_space(r);
    } while (take(r, ','));
    return take(r, close) || expected(r, named ? "',' or '}'" : "',' or ']'");
}

static skd_json *value(reader *r, int depth) {
    if (depth > DEEPEST) {
        return expected(r, "at most 64 levels");
    }
    skd_json *result = skd_allocate(r->memory, 1, sizeof(*result));
    if (result == NULL) {
        r->failed = true;
        return NULL;
    }
    memset(result, 0, sizeof(*result));
    skip_space(r);
    result->source = r->at;
    bool read;
    switch (peek(r)) {
        case '{':
        case '[':
            read = list(r, result, depth, *r->at == '{');
            break;
        case '"':
            result->kind = SKD_STRING;
            read = string(r, &result->text, &result->length);
            break;
        case 't':
            read = word(r, "true", result, SKD_TRUE);
            break;
        case 'f':
            read = word(r, "false", result, SKD_FALSE);
            break;
        case 'n':
            read = word(r, "null", result, SKD_NULL);
            break;
        default:
            read = number(r, result);
    }
    result->source_length = (size_t)(r->at - result->source);
    return read ? result : NULL;
}

const skd_json *skd_json_read(skd_memory *memory, const char *source, size_t size, skd_text *message) {
    reader r = {memory, source, source, source + size, skd_allocate(memory, size + 1, 1), message, false};
    const skd_json *result = r.texts == NULL ? NULL : value(&r, 0);
    skip_space(&r);
    return result != NULL && r.at < r.end ? expected(&r, "the end") : result;
}

const skd_json *skd_json_member(const skd_json *object, const char *name) {
    const skd_json *found = NULL;
    if (object != NULL && object->kind == SKD_OBJECT) {
        for (const skd_json *each = object->first; each != NULL; each = each->next) {
            found = each->name_length == strlen(name) && memcmp(each->name, name, each->name_length) == 0 ? each : found;
        }
    }
    return found;
}

bool skd_json_is(const skd_json *value, const char *text) {
    return value != NULL && value->kind == SKD_STRING && value->length == strlen(text)
        && memcmp(value->text, text, value->length) == 0;
}

void skd_json_show(skd_text *message, const skd_json *value) {
    if (value == NULL) {
        skd_add(message, "none");
        return;
    }
    bool text = value->kind == SKD_STRING;
    size_t length = text ? value->length : value->source_length;
    int shown = length > 200 ? 200 : (int)length;
    const char *quote = text ? "'" : "";
    skd_add(message, "%s%.*s%s%s", quote, shown, text ? value->text : value->source, length > 200 ? "..." : "", quote);
}
