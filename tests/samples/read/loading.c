/* What a loader is told of: thread-local data at fixed distances, functions that are chosen by ifunc, calls. With PLAIN
   the thread-local data is another library's, as errno is. */
extern __thread int errors __attribute__((tls_model("initial-exec")));
extern int elsewhere(void);

static int one(void) {
    return 1;
}

static void *pick(void) {
    return one;
}

#ifdef PLAIN
int PyInit_loading(void) {
    return errors + elsewhere();
}
#else
static __thread int counts[25] __attribute__((tls_model("initial-exec"), aligned(32)));
static int chosen(void) __attribute__((ifunc("pick")));
int by_name(void) __attribute__((ifunc("pick")));

int PyInit_loading(void) {
    return errors + counts[0]++ + chosen() + by_name() + elsewhere();
}
#endif
