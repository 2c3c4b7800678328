/* An ELF module with one of everything that a reader tells apart: typed, weak, thread-local and indirect exports, versioned,
   weak and plain imports. */
#include <stddef.h>
#include <string.h>

extern void *PyModule_Create2(void *, int);
extern void *PyLong_FromLong(long);
extern int perhaps_there(void) __attribute__((weak));
extern double cos(double);

int shared_table[4] = {1, 2, 3, 4};
__thread int per_thread;

__attribute__((weak)) int replaceable(void) { return 1; }
static int plain(void) { return 2; }
static int (*choose(void))(void) { return plain; }
int indirect(void) __attribute__((ifunc("choose")));

void *PyInit_module(void) {
    char text[64];
    memset(text, per_thread, sizeof text);
    if (perhaps_there != NULL) {
        perhaps_there();
    }
    return cos(text[1]) > 2 ? PyLong_FromLong(3) : PyModule_Create2(shared_table, 1013);
}
