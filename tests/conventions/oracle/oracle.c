/* oracle: runs functions of a module and tells what each did to its caller and to what it called.
 *
 *   oracle MODULE < jobs > answers
 *
 * A job is a line `SYMBOL RESULT INPUT;INPUT...`, an input is `ARGUMENT,ARGUMENT...`, or `-` for none:
 *   5  -1  0x10     an integer                       1.5     a double, known by its point
 *   @64  @64+3      the address of 64 bytes, 64-byte aligned, or so many bytes behind that
 *   $text           the address of a text            &name   that of a stand-in or a variable
 *   %name           the address of an object whose type is that variable; whatever else is in it is 3
 *   ^A|B            the address of an array with these
 *   =A =A~5 =A!     no argument: what the next of the stand-ins without a meaning of their own returns, and what it puts into the
 *                   number that its second argument points to (a Py_buffer's length, for PyObject_GetBuffer);
 *                   behind `!` an error is set
 * RESULT is void, int32, int64 or double, with `/unwind` behind it where the function's .eh_frame is to be held against where its
 * caller's registers are, at each instruction. For each job there is a line `SYMBOL WHAT HASH REACHED`: what broke, by the names below
 * with a comma between them, or `intact`; a hash of what the function returned and wrote; and the offsets of the instructions
 * that ran, from the symbol.
 *
 * Each job runs in a process of its own, on a stack that is known to the last byte, one instruction at a time: at each of them
 * the memory below rsp that a signal may overwrite is overwritten.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

struct call {
    uint64_t function, rsp, integers[6];
    double vectors[8];
    uint64_t steps;
};
struct registers {
    uint64_t general[16], flags, upper;
    uint64_t vectors[16][2];
    uint32_t mxcsr, control, tags, unused;
};
extern struct registers left, given;
extern struct { uint64_t integer; double vector; } answer;
void enter(const struct call *call);
extern const char after_call[];         /* where functions return to */
void note_call(int which);

#define MARK(number) (0x5AFEC0DE000000E7ull | ((uint64_t)(number) << 8))
enum { RSP = 4, DIRECTION = 0x400, STACK = 1 << 16, EDGE = 4096, ARENA = 1 << 16, OFFSETS = 4096, MOST_STEPS = 20000 };

enum broken { REGISTER, VECTOR, BALANCE, DIRECTION_AT_RETURN, CONTROL, CALLERS_STACK, ALIGNMENT, DIRECTION_AT_CALL, UPPER_AT_CALL,
              UPPER_AT_RETURN, UNWIND, KINDS };
static const char *const NAMES[KINDS] = {"register", "vector", "balance", "direction-at-return", "control", "callers-stack",
                                         "alignment", "direction-at-call", "upper-at-call", "upper-at-return", "unwind"};
#ifdef WIN64
static const int KEPT[] = {3, 5, 6, 7, 12, 13, 14, 15};
enum { RED_ZONE = 0, HOME = 32, FIRST_KEPT_VECTOR = 6 };
#else
static const int KEPT[] = {3, 5, 12, 13, 14, 15};
enum { RED_ZONE = 128, HOME = 0, FIRST_KEPT_VECTOR = 16 };
#endif

/* What a job's process tells, also when it dies. */
struct told {
    uint32_t broken;
    uint64_t hash;
    uint8_t reached[OFFSETS];
};
static struct told *told;
static uint8_t *stack, *arena;          /* the stack has an edge that must not be touched above, and no memory below */
static uint64_t arena_used, module_start, module_end, function_start;
static long steps;
static int is_error;                    /* CPython's error indicator */
static struct { uint64_t answer; int puts, is_error; uint64_t number; } script[16];
static unsigned answers, next_answer;
static uint64_t callers_rsp;            /* 0 where unwind data does not matter */

static void break_rule(enum broken rule) { told->broken |= 1u << rule; }

static void hash(const void *bytes, size_t size) {
    for (size_t i = 0; i < size; ++i) told->hash = (told->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ull;
}

/* ---- Stand-ins ---------------------------------------------------------------------------------------------------------- */
enum { OCCURRED, FROM_LONG, AS_LONG, ADD, MALLOC, FREE, FROM_DOUBLE, AS_DOUBLE, FROM_FORMAT, NO_MEMORY, SET_STRING, DEFINE, GENERIC };

static uint64_t integer_argument(int index) {
#ifdef WIN64
    static const int ORDER[] = {1, 2, 8, 9};
    enum { IN_REGISTERS = 4 };
    const int on_stack = index;
#else
    static const int ORDER[] = {7, 6, 2, 1, 8, 9};
    enum { IN_REGISTERS = 6 };
    const int on_stack = index - IN_REGISTERS;
#endif
    return index < IN_REGISTERS ? given.general[ORDER[index]] : ((const uint64_t *)given.general[RSP])[1 + on_stack];
}

static double vector_argument(int index) {
    double value;
    memcpy(&value, given.vectors[index], sizeof value);
    return value;
}

static void answer_by_script(int which) {
    if (next_answer == answers) return;
    answer.integer = script[next_answer].answer;
    is_error |= script[next_answer].is_error;
    if (script[next_answer].puts && integer_argument(1)) {
        if (which - GENERIC == PY_BUFFER) *(uint64_t *)(integer_argument(1) + 16) = script[next_answer].number;
        else *(uint32_t *)integer_argument(1) = script[next_answer].number;
    }
    ++next_answer;
}

/* `which` in the order of enter.asm. Errors and results are made up, the same for the same arguments. */
void note_call(int which) {
    if (given.general[RSP] % 16 != 8) break_rule(ALIGNMENT);
    if (given.flags & DIRECTION) break_rule(DIRECTION_AT_CALL);
    if (given.upper) break_rule(UPPER_AT_CALL);
    answer.integer = 0;
    answer.vector = -123.25;
    const uint64_t first = integer_argument(0);
    switch (which) {
        case OCCURRED: answer.integer = is_error; break;
        case FROM_LONG: answer.integer = first * 3 + 1; break;
        case AS_LONG:
            is_error = first == 99;
            answer.integer = is_error ? (uint64_t)-1 : first + 5;
            break;
        case ADD: answer.integer = first == 77 ? 0 : first * 2 + integer_argument(1) + 7; break;
        case MALLOC:
            if (first <= 4096) {
                answer.integer = (uint64_t)arena + arena_used;
                arena_used += (first + 63) / 64 * 64;
            }
            break;
        case FREE: break;
        case FROM_DOUBLE: answer.integer = (uint64_t)(int64_t)(vector_argument(0) * 16); break;
        case AS_DOUBLE: answer.vector = first * 0.5; break;
        case FROM_FORMAT:
            for (int i = 1; i < 8; ++i) answer.integer = answer.integer * 5 + integer_argument(i);
            break;
        case DEFINE: break;
        case NO_MEMORY:
        case SET_STRING: is_error = 1; break;
        default:
            if (which - GENERIC != NO_ARGUMENTS && first - (uint64_t)stack >= STACK) hash(&first, 8);
            answer_by_script(which);
    }
    uint8_t *const rsp = (uint8_t *)given.general[RSP];
    if (HOME) memset(rsp + 8, 0xb5, HOME);
    memset(rsp - 512, 0xb6, 512);
}

/* ---- One instruction at a time ------------------------------------------------------------------------------------------ */
static _Unwind_Reason_Code look_at_caller(struct _Unwind_Context *context, void *is_right) {
    if (_Unwind_GetIP(context) != (uint64_t)after_call) return _URC_NO_REASON;
    static const int KEPT_BY_DWARF[] = {3, 6, 12, 13, 14, 15};
    static const int NUMBERS[] = {3, 5, 12, 13, 14, 15};
    int right = _Unwind_GetCFA(context) == callers_rsp;
    for (int i = 0; i < 6; ++i) right &= _Unwind_GetGR(context, KEPT_BY_DWARF[i]) == MARK(NUMBERS[i]);
    *(int *)is_right = right;
    return _URC_NORMAL_STOP;
}

static void step(int signal, siginfo_t *information, void *context) {
    (void)signal, (void)information;
    const greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint64_t rip = registers[REG_RIP], rsp = registers[REG_RSP];
    if (rip < module_start || rip >= module_end) return;
    if (++steps > MOST_STEPS) _exit(3);
    const int is_own = rip - function_start < OFFSETS;
    if (is_own) told->reached[rip - function_start] = 1;
    if (is_own && callers_rsp) {
        int is_right = 0;
        _Unwind_Backtrace(look_at_caller, &is_right);
        if (!is_right) break_rule(UNWIND);
    }
    const uint64_t low = (uint64_t)stack, from = rsp - RED_ZONE - 512;
    if (from >= low && rsp < low + STACK) memset((void *)from, 0xb7, 512);
}

/* ---- One input ---------------------------------------------------------------------------------------------------------- */
static uint64_t take(uint64_t size) {
    const uint64_t address = (uint64_t)arena + arena_used;
    arena_used += size;
    return address;
}

static uint64_t value_of(char *word) {
    if (*word == '@') {
        const char *const plus = strchr(word, '+');
        return take((strtoull(word + 1, NULL, 0) + 127) / 64 * 64) + (plus ? strtoull(plus + 1, NULL, 0) : 0);
    }
    if (*word == '$') return (uint64_t)strcpy((char *)take(64), word + 1);
    if (*word == '&') return (uint64_t)dlsym(RTLD_DEFAULT, word + 1);
    if (*word == '%') {
        uint64_t *const object = (uint64_t *)take(256);
        for (int i = 0; i < 32; ++i) object[i] = 3;
        object[1] = (uint64_t)dlsym(RTLD_DEFAULT, word + 1);
        return (uint64_t)object;
    }
    if (*word == '^') {
        uint64_t *const array = (uint64_t *)take(64);
        char *rest = NULL;
        unsigned count = 0;
        for (char *one = strtok_r(word + 1, "|", &rest); one && count < 8; one = strtok_r(NULL, "|", &rest)) array[count++] = value_of(one);
        return (uint64_t)array;
    }
    if (strchr(word, '.')) {
        uint64_t value;
        const double number = strtod(word, NULL);
        memcpy(&value, &number, sizeof value);
        return value;
    }
    return strtoull(word, NULL, 0);
}

static void prepare(struct call *call, char *input, unsigned *stack_arguments) {
    unsigned integers = 0, vectors = 0, position = 0;
    uint64_t on_stack[16];
    *stack_arguments = answers = next_answer = 0;
    char *rest = NULL;
    for (char *word = strtok_r(input, ",", &rest); word && strcmp(word, "-"); word = strtok_r(NULL, ",", &rest)) {
        if (*word == '=') {
            const char *const number = strchr(word, '~');
            script[answers].is_error = strchr(word, '!') != NULL;
            script[answers].puts = number != NULL;
            script[answers].number = number ? strtoull(number + 1, NULL, 0) : 0;
            script[answers++].answer = value_of(word + 1);
            continue;
        }
        const uint64_t value = value_of(word);
        const int is_vector = strchr(word, '.') && !strpbrk(word, "@$&%^");
#ifdef WIN64
        integers = vectors = position;
        enum { MOST_INTEGERS = 4, MOST_VECTORS = 4 };
#else
        enum { MOST_INTEGERS = 6, MOST_VECTORS = 8 };
#endif
        if (is_vector && vectors < MOST_VECTORS) memcpy(&call->vectors[vectors++], &value, sizeof value);
        else if (!is_vector && integers < MOST_INTEGERS) call->integers[integers++] = value;
        else on_stack[(*stack_arguments)++] = value;
        ++position;
    }
    call->rsp = ((uint64_t)stack + STACK - HOME - 8 * *stack_arguments) & ~15ull;
    memcpy((void *)(call->rsp + HOME), on_stack, 8 * *stack_arguments);
}

static void run(uint64_t function, const char *result, char *input) {
    struct call call = {.function = function, .steps = 0x100};
    for (int i = 0; i < 6; ++i) call.integers[i] = MARK(0x20 + i);
    memset(stack, 0xc5, STACK + EDGE);
    for (int i = 0; i < ARENA; ++i) arena[i] = (uint8_t)(i * 7 + (i >> 8));
    arena_used = 0, is_error = 0, steps = 0, function_start = function;
    unsigned stack_arguments;
    prepare(&call, input, &stack_arguments);
    callers_rsp = strstr(result, "/unwind") ? call.rsp : 0;
    uint32_t mxcsr = __builtin_ia32_stmxcsr(), control = 0;
    __asm__ volatile("fnstcw %0" : "=m"(control));
    enter(&call);
    for (unsigned i = 0; i < sizeof KEPT / sizeof *KEPT; ++i)
        if (left.general[KEPT[i]] != MARK(KEPT[i])) break_rule(REGISTER);
    for (int i = FIRST_KEPT_VECTOR; i < 16; ++i)
        if (left.vectors[i][0] != MARK(0x40 + i) || left.vectors[i][1] != MARK(0x80 + i)) break_rule(VECTOR);
    if (left.general[RSP] != call.rsp) break_rule(BALANCE);
    if (left.flags & DIRECTION) break_rule(DIRECTION_AT_RETURN);
    if ((left.mxcsr ^ mxcsr) & 0xffc0 || (uint16_t)left.control != (uint16_t)control || left.tags) break_rule(CONTROL);
    if (left.upper) break_rule(UPPER_AT_RETURN);
    for (const uint8_t *at = (uint8_t *)call.rsp + HOME + 8 * stack_arguments; at < stack + STACK + EDGE; ++at)
        if (*at != 0xc5) break_rule(CALLERS_STACK);
    if (!strncmp(result, "int64", 5)) hash(&left.general[0], 8);
    if (!strncmp(result, "int32", 5)) hash(&left.general[0], 4);
    if (!strncmp(result, "double", 6)) hash(&left.vectors[0], 8);
    hash(arena, ARENA);
}

static void run_all(uint64_t function, const char *result, char *inputs) {
    stack_t other = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_sigaction = step, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGTRAP, &action, NULL);
    const struct itimerval limit = {.it_value = {.tv_sec = 5}};
    setitimer(ITIMER_REAL, &limit, NULL);
    char *rest = NULL;
    for (char *input = strtok_r(inputs, ";", &rest); input; input = strtok_r(NULL, ";", &rest)) run(function, result, input);
    _exit(0);
}

static int find_module(struct dl_phdr_info *information, size_t size, void *path) {
    (void)size;
    if (!strstr(information->dlpi_name, path)) return 0;
    for (int i = 0; i < information->dlpi_phnum; ++i) {
        const ElfW(Phdr) *header = &information->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X)) continue;
        module_start = information->dlpi_addr + header->p_vaddr;
        module_end = module_start + header->p_memsz;
    }
    return 1;
}

static void tell(const char *symbol, int status) {
    printf("%s ", symbol);
    int count = 0;
    if (WIFSIGNALED(status)) count += printf("died-of-signal-%d", WTERMSIG(status));
    else if (WEXITSTATUS(status)) count += printf("died-of-steps");
    for (int i = 0; i < KINDS; ++i)
        if (told->broken >> i & 1) count += printf("%s%s", count ? "," : "", NAMES[i]);
    printf("%s %016lx ", count ? "" : "intact", told->hash);
    for (int i = 0, separator = 0; i < OFFSETS; ++i)
        if (told->reached[i]) printf("%s%x", separator++ ? "," : "", i);
    printf("\n");
}

int main(int count, char **words) {
    if (count != 2) return fprintf(stderr, "usage: oracle MODULE < jobs\n"), 2;
    unsigned eax = 0, ebx, ecx, edx;
    __get_cpuid_count(13, 1, &eax, &ebx, &ecx, &edx);
    if (!__builtin_cpu_supports("avx2") || !(eax & 4))
        return fprintf(stderr, "this processor has no AVX2, or does not tell which registers are in use (XGETBV with ECX 1)\n"), 2;
    void *const module = dlopen(words[1], RTLD_NOW);
    if (!module) return fprintf(stderr, "%s\n", dlerror()), 2;
    dl_iterate_phdr(find_module, words[1]);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint8_t *const whole = mmap(NULL, EDGE + STACK + EDGE, PROT_READ | PROT_WRITE, flags, -1, 0);
    mprotect(whole, EDGE, PROT_NONE);
    stack = whole + EDGE;
    arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, flags, -1, 0);
    static char line[65536];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *rest = NULL, *symbol = strtok_r(line, " ", &rest), *result = strtok_r(NULL, " ", &rest), *inputs = strtok_r(NULL, " ", &rest);
        void *const function = symbol ? dlsym(module, symbol) : NULL;
        if (!function || !result || !inputs) return fprintf(stderr, "no such job: %s\n", line), 2;
        memset(told, 0, sizeof *told);
        told->hash = 0xcbf29ce484222325ull;
        fflush(stdout);
        const pid_t child = fork();
        if (child < 0) return perror("fork"), 2;
        if (child == 0) run_all((uint64_t)function, result, inputs);
        int status;
        waitpid(child, &status, 0);
        tell(symbol, status);
    }
    return 0;
}
