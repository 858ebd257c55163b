#include <scriptkd.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

// consumer-cpp MODEL: prints the number of scripts that the model knows, and its answer to a plain gray picture.
int main(int count, char **arguments) {
    scriptkd_error error{};
    scriptkd_identifier *opened = nullptr;
    if (count != 2 || scriptkd_open(arguments[1], 1, &opened, &error) != SCRIPTKD_OK) {
        std::fprintf(stderr, "%s\n", count == 2 ? error.message : "usage: consumer-cpp MODEL");
        return 1;
    }
    std::unique_ptr<scriptkd_identifier, decltype(&scriptkd_close)> identifier(opened, scriptkd_close);
    std::vector<std::uint8_t> pixels(90 * 30, 128);
    scriptkd_image image{pixels.data(), 90, 30, 90, SCRIPTKD_GRAY};
    scriptkd_prediction *answer = nullptr;
    if (scriptkd_identify(identifier.get(), &image, nullptr, &answer, &error) != SCRIPTKD_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    std::printf("%zu scripts\n", scriptkd_model_info(identifier.get())->label_count);
    scriptkd_prediction_free(answer);
    return 0;
}
