/* Eight threads share one identifier while they open and close others. All must get the answers of a single thread. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { THREADS = 8, PICTURES = 20, ROUNDS = 5 };

static scriptkd_identifier *shared;
static scriptkd_image images[PICTURES];
static scriptkd_prediction *expected[PICTURES];

static const char *path_of_model(void) {
    return below_sdk("web/test/models/any-crop.onnx");
}

/* Returns the number of wrong answers. */
static intptr_t identify_all(const scriptkd_identifier *identifier, int first) {
    intptr_t wrong = 0;
    for (int i = 0; i < PICTURES; i++) {
        int picture = (first + i) % PICTURES;
        scriptkd_error error;
        scriptkd_prediction *answer;
        if (scriptkd_identify(identifier, &images[picture], NULL, &answer, &error) != SCRIPTKD_OK) {
            return 1;
        }
        const scriptkd_prediction *wanted = expected[picture];
        wrong += answer->score != wanted->score || strcmp(answer->best, wanted->best) != 0 || answer->orientation != wanted->orientation;
        scriptkd_prediction_free(answer);
    }
    return wrong;
}

static void *work(void *number) {
    intptr_t wrong = 0;
    char path[1024];
    strcpy(path, (const char *)number + 1);
    for (int round = 0; round < ROUNDS; round++) {
        wrong += identify_all(shared, *(const char *)number - '0' + round);
        scriptkd_identifier *own;
        scriptkd_error error;
        if (scriptkd_open(path, 1, &own, &error) != SCRIPTKD_OK) {
            return (void *)1;
        }
        wrong += identify_all(own, round);
        scriptkd_close(own);
    }
    return (void *)wrong;
}

int main(int count, char **arguments) {
    sdk = count > 1 ? arguments[1] : sdk;
    scriptkd_error error;
    if (scriptkd_open(path_of_model(), 1, &shared, &error) != SCRIPTKD_OK) {
        printf("%s\n", error.message);
        return 1;
    }
    for (int i = 0; i < PICTURES; i++) {
        int width = 20 + 9 * i, height = 20 + i, size = width * height * 4;
        uint8_t *pixels = malloc((size_t)size);
        for (int j = 0; j < size; j++) {
            pixels[j] = (uint8_t)(j % (7 + i) < 3 + i / 2 ? 40 + 5 * i : 250 - 9 * i);
        }
        images[i] = (scriptkd_image){pixels, width, height, 4 * (ptrdiff_t)width, SCRIPTKD_BGRA};
        scriptkd_identify(shared, &images[i], NULL, &expected[i], &error);
        CHECK(expected[i] != NULL, "%s", error.message);
    }
    pthread_t threads[THREADS];
    char orders[THREADS][1024];
    for (int i = 0; i < THREADS; i++) {
        snprintf(orders[i], sizeof(orders[i]), "%d%s", i, path_of_model());
        CHECK(pthread_create(&threads[i], NULL, work, orders[i]) == 0, "a thread");
    }
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        CHECK(wrong == NULL, "thread %d: %d answers differ", i, (int)(intptr_t)wrong);
    }
    for (int i = 0; i < PICTURES; i++) {
        scriptkd_prediction_free(expected[i]);
        free((void *)images[i].pixels);
    }
    scriptkd_close(shared);
    return summary();
}
