#include <scriptkd.h>
#include <stdio.h>
#include <stdlib.h>

/* consumer MODEL PICTURE.ppm: prints the script of a picture, PPM of type P6. */
int main(int count, char **arguments) {
    scriptkd_error error;
    scriptkd_identifier *identifier;
    if (count != 3 || scriptkd_open(arguments[1], 1, &identifier, &error) != SCRIPTKD_OK) {
        fprintf(stderr, "%s\n", count == 3 ? error.message : "usage: consumer MODEL PICTURE.ppm");
        return 1;
    }
    int width, height;
    FILE *file = fopen(arguments[2], "rb");
    if (file == NULL || fscanf(file, "P6 %d %d 255", &width, &height) != 2 || fgetc(file) == EOF) {
        fprintf(stderr, "%s: not a PPM picture\n", arguments[2]);
        return 1;
    }
    size_t size = 3 * (size_t)width * (size_t)height;
    uint8_t *pixels = malloc(size);
    size = fread(pixels, 1, size, file);
    fclose(file);

    scriptkd_image image = {pixels, width, height, 3 * width, SCRIPTKD_RGB};
    scriptkd_prediction *answer;
    scriptkd_status status = scriptkd_identify(identifier, &image, NULL, &answer, &error);
    if (status == SCRIPTKD_OK) {
        printf("%s %s %.4f\n", answer->script, answer->code, answer->score);
    } else {
        fprintf(stderr, "%s\n", error.message);
    }
    scriptkd_prediction_free(answer);
    scriptkd_close(identifier);
    free(pixels);
    return status;
}
