/* From the network's logits to the answer: sections 5 and 7 of the model contract, in double precision. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const scriptkd_script UNKNOWN = {"unknown", "Zyyy"};

/* Data sets name scripts after a language. These are the Python SDK's aliases. */
static const char *const ALIASES[][2] = {{"english", "Latin"}, {"roman", "Latin"}, {"hindi", "Devanagari"},
    {"punjabi", "Gurmukhi"}, {"gujrathi", "Gujarati"}, {"telegu", "Telugu"}, {"bangla", "Bengali"}, {"odia", "Oriya"},
    {"amharic", "Ethiopic"}, {"burmese", "Myanmar"}, {"chinese", "Han"}, {"hiragana", "Kana"}, {"katakana", "Kana"},
    {"korean", "Hangul"}, {"russian", "Cyrillic"}, {"sinhalese", "Sinhala"}};

static char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool space(char letter) {
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

/* Whether a caller's name, without spaces around it, equals a text. The case of A to Z is ignored. */
static bool is(const char *name, const char *text) {
    while (space(*name)) {
        name++;
    }
    size_t length = strlen(name);
    while (length > 0 && space(name[length - 1])) {
        length--;
    }
    if (length != strlen(text)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (lower(name[i]) != lower(text[i])) {
            return false;
        }
    }
    return true;
}

/* A script's index among the labels; the number of labels if it is none of them. */
static size_t find(const scriptkd_info *info, const char *name) {
    for (size_t label = info->label_count; label-- > 0;) { /* of equal codes the last counts, as in Python */
        if (is(name, info->labels[label].name) || is(name, info->labels[label].code)) {
            return label;
        }
    }
    for (size_t i = 0; i < sizeof(ALIASES) / sizeof(ALIASES[0]); i++) {
        if (is(name, ALIASES[i][0])) {
            return find(info, ALIASES[i][1]);
        }
    }
    return info->label_count;
}

static void add_names(skd_text *text, const scriptkd_info *info) {
    for (size_t i = 0; i < info->label_count; i++) {
        skd_add(text, "%s%s", i > 0 ? ", " : "", info->labels[i].name);
    }
}

/* Mark the listed scripts. argument: the list's name in errors. */
static scriptkd_status mark(const scriptkd_info *info, const char *argument, const char *const *names, size_t count, bool to,
    bool *allowed, scriptkd_error *error) {
    for (size_t i = 0; i < count; i++) {
        const char *name = names[i] != NULL ? names[i] : "";
        size_t label = find(info, name);
        if (label == info->label_count) {
            skd_text text = {.length = 0};
            skd_add(&text, "%s: the model does not know the script '%.100s', but ", argument, name);
            add_names(&text, info);
            return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "%s", text.bytes);
        }
        allowed[label] = to;
    }
    return SCRIPTKD_OK;
}

scriptkd_status skd_decision_of(skd_memory *memory, const scriptkd_info *info, const scriptkd_options *options,
    skd_decision *decision, scriptkd_error *error) {
    decision->threshold = options->threshold != NULL ? *options->threshold : info->threshold;
    if (!(decision->threshold >= 0 && decision->threshold <= 1)) {
        skd_text given = {.length = 0};
        skd_add_number(&given, decision->threshold);
        return skd_fail(
            error, SCRIPTKD_ARGUMENT_ERROR, "threshold must be a number from 0 to 1, not %s", given.bytes);
    }
    if (options->deny == NULL && options->deny_count > 0) {
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "deny is NULL, but deny_count is not 0");
    }
    if (options->allow == NULL && options->allow_count > 0) {
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "allow is NULL, but allow_count is not 0");
    }
    bool *allowed = skd_allocate(memory, info->label_count, sizeof(*allowed));
    decision->allowed = skd_allocate(memory, info->label_count, sizeof(*decision->allowed));
    if (allowed == NULL || decision->allowed == NULL) {
        return skd_no_memory(error);
    }
    memset(allowed, options->allow == NULL, info->label_count * sizeof(*allowed));
    scriptkd_status status = mark(info, "allow", options->allow, options->allow_count, true, allowed, error);
    if (status == SCRIPTKD_OK) {
        status = mark(info, "deny", options->deny, options->deny_count, false, allowed, error);
    }
    if (status != SCRIPTKD_OK) {
        return status;
    }
    decision->count = 0;
    for (size_t label = 0; label < info->label_count; label++) {
        if (allowed[label]) {
            decision->allowed[decision->count++] = label;
        }
    }
    if (decision->count == 0) {
        skd_text text = {.length = 0};
        skd_add(&text, "allow and deny leave no script to answer; the model knows ");
        add_names(&text, info);
        return skd_fail(error, SCRIPTKD_ARGUMENT_ERROR, "%s", text.bytes);
    }
    return SCRIPTKD_OK;
}

/* The softmax of the logits divided by the temperature. allowed: the indices to include; NULL is all. */
static void softmax(const float *logits, const size_t *allowed, size_t count, double temperature, double *result) {
    double highest = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++) {
        result[i] = logits[allowed != NULL ? allowed[i] : i] / temperature;
        highest = fmax(highest, result[i]);
    }
    for (size_t i = 0; i < count; i++) {
        result[i] = exp(result[i] - highest);
        sum += result[i];
    }
    for (size_t i = 0; i < count; i++) {
        result[i] /= sum;
    }
}

/* The index of the largest value; the first one if several are equal. */
static size_t best_of(const double *values, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        best = values[i] > values[best] ? i : best;
    }
    return best;
}

static void add_to(double *sums, const double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sums[i] += values[i];
    }
}

static void divide(double *sums, size_t count, double divisor) {
    for (size_t i = 0; i < count; i++) {
        sums[i] /= divisor;
    }
}

/* A value and its index, so that sorting gives the same order on every platform. */
typedef struct ranked {
    double value;
    size_t place;
} ranked;

static int by_value(const void *one, const void *other) {
    const ranked *a = one, *b = other;
    if (a->value != b->value) {
        return a->value > b->value ? -1 : 1;
    }
    return a->place < b->place ? -1 : 1;
}

/* In descending order, equal values by index. A network's NaN, which has no order, is last. */
static void rank(const double *values, size_t count, ranked *result) {
    for (size_t i = 0; i < count; i++) {
        result[i] = (ranked){isnan(values[i]) ? -INFINITY : values[i], i};
    }
    qsort(result, count, sizeof(*result), by_value);
}

/* From the four orientations' logits: sets the best one's number of quarter turns and returns its score. */
static double ways_up(const scriptkd_info *info, const skd_logits *logits, int *quarters) {
    double means[4] = {0, 0, 0, 0}, each[4];
    for (size_t window = 0; window < logits->windows; window++) {
        softmax(logits->orientation + 4 * window, NULL, 4, info->orientation_temperature, each);
        add_to(means, each, 4);
    }
    divide(means, 4, (double)logits->windows);
    *quarters = (int)best_of(means, 4);
    return means[*quarters];
}

/* The prediction, its lists and its texts share one block of memory, which one call frees. */
typedef struct answer {
    scriptkd_prediction prediction;
    scriptkd_score scores[];
} answer;

static const char *keep(char **texts, const char *text) {
    char *copy = *texts;
    size_t size = strlen(text) + 1;
    memcpy(copy, text, size);
    *texts += size;
    return copy;
}

scriptkd_status skd_decide(skd_memory *memory, const scriptkd_info *info, const skd_decision *decision,
    const skd_logits *logits, int turned, bool upright, scriptkd_prediction **prediction, scriptkd_error *error) {
    size_t count = decision->count;
    double *means = skd_allocate(memory, 2 * count, sizeof(double)), *each = means + count;
    double *won = skd_allocate(memory, count + 1, sizeof(double)); /* windows of each script; the last counts unknown */
    ranked *order = skd_allocate(memory, count, sizeof(ranked)), *winners = skd_allocate(memory, count + 1, sizeof(ranked));
    scriptkd_script *scripts = skd_allocate(memory, count + 1, sizeof(scriptkd_script));
    if (means == NULL || won == NULL || order == NULL || winners == NULL || scripts == NULL) {
        return skd_no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        means[i] = won[i] = 0;
    }
    won[count] = 0;
    for (size_t window = 0; window < logits->windows; window++) {
        softmax(logits->scripts + window * info->label_count, decision->allowed, count, info->temperature, each);
        add_to(means, each, count);
        size_t best = best_of(each, count);
        won[each[best] >= decision->threshold ? best : count]++;
    }
    divide(means, count, (double)logits->windows);
    divide(won, count + 1, (double)logits->windows);
    rank(means, count, order);
    rank(won, count + 1, winners);
    size_t shares = 0, size = strlen(UNKNOWN.name) + strlen(UNKNOWN.code) + 2;
    while (shares < count + 1 && winners[shares].value > 0) {
        shares++;
    }
    for (size_t i = 0; i < count; i++) {
        const scriptkd_script *label = &info->labels[decision->allowed[i]];
        size += strlen(label->name) + strlen(label->code) + 2;
    }
    answer *result = malloc(sizeof(answer) + (count + shares) * sizeof(scriptkd_score) + size);
    if (result == NULL) {
        return skd_no_memory(error);
    }
    char *texts = (char *)(result->scores + count + shares);
    for (size_t i = 0; i < count + 1; i++) {
        const scriptkd_script *label = i < count ? &info->labels[decision->allowed[i]] : &UNKNOWN;
        scripts[i].name = keep(&texts, label->name);
        scripts[i].code = keep(&texts, label->code);
    }
    for (size_t i = 0; i < count + shares; i++) {
        const ranked *from = i < count ? &order[i] : &winners[i - count];
        result->scores[i] = (scriptkd_score){scripts[from->place].name, scripts[from->place].code, i < count ? means[from->place] : from->value};
    }
    size_t best = order[0].place, said = means[best] >= decision->threshold ? best : count;
    result->prediction = (scriptkd_prediction){.script = scripts[said].name, .code = scripts[said].code, .score = means[best],
        .best = scripts[best].name, .orientation = SCRIPTKD_NO_ORIENTATION, .orientation_score = -1,
        .scores = result->scores, .score_count = count, .shares = result->scores + count, .share_count = shares};
    if (logits->orientation != NULL && upright) {
        result->prediction.orientation = 0;
        result->prediction.orientation_score = 1;
    } else if (logits->orientation != NULL) {
        int quarters;
        double score = ways_up(info, logits, &quarters);
        result->prediction.orientation_score = score;
        if (score >= info->orientation_threshold) {
            result->prediction.orientation = (90 * quarters + turned) % 360;
        }
    }
    *prediction = &result->prediction;
    return SCRIPTKD_OK;
}

void scriptkd_prediction_free(scriptkd_prediction *prediction) {
    free(prediction); /* the first member of its block */
}
