#include <stdlib.h>

#include "internal.h"

struct skd_block {
    skd_block *before;
    max_align_t bytes[];
};

void *skd_allocate(skd_memory *memory, size_t count, size_t size) {
    if (size > 0 && count > (SIZE_MAX - sizeof(skd_block)) / size) {
        return NULL;
    }
    skd_block *block = malloc(sizeof(skd_block) + count * size);
    if (block == NULL) {
        return NULL;
    }
    block->before = memory->last;
    memory->last = block;
    return block->bytes;
}

void skd_release(skd_memory *memory) {
    while (memory->last != NULL) {
        skd_block *before = memory->last->before;
        free(memory->last);
        memory->last = before;
    }
}
