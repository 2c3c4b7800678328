/* Entry points that are there and cannot be found by name, each for another reason. */
extern void *PyModule_Create2(void *, int);

static __attribute__((used)) void *PyInit_local(void) { return PyModule_Create2(0, 1); }
__attribute__((visibility("hidden"))) void *PyInit_hidden(void) { return PyModule_Create2(0, 2); }
void *PyModExport_versioned(void) { return PyModule_Create2(0, 3); }
void *PyInit_found(void) { return PyModule_Create2(0, 4); }
void *other(void) { return PyInit_local(); }
