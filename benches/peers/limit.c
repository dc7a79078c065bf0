/* Makes a process believe that its CPU stops at SSE4.2, and says whether it kept to that. Preloaded by interleave.py.
 *
 * The limit: Linux can make CPUID fault in user mode (arch_prctl ARCH_SET_CPUID, on CPUs whose /proc/cpuinfo shows
 * `cpuid_fault`). The fault arrives as SIGSEGV; the handler runs the real CPUID, clears what a Goldmont does not have,
 * and steps over the instruction. Nothing needs to be patched, threads inherit the setting, and code that is made at run
 * time is limited too. Family, model and cache leaves stay the machine's own.
 *
 * The check: in 64-bit code every VEX or EVEX instruction (AVX, FMA, AVX-512, and BMI) begins with C4, C5 or 62. A
 * profiling timer looks at the next instruction of whatever thread is running.
 *
 * PEERS_LIMIT=sse4.2 limits; anything else leaves CPUID alone. PEERS_SAMPLE=FILE samples from start to end of the
 * process and appends a line to FILE. Refuses, with exit code 78, to go on where CPUID cannot be made to fault.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif

enum { CANNOT_LIMIT = 78, SAMPLE_MICROSECONDS = 1000 };

#define BIT(n) (UINT32_C(1) << (n))

/* Intel SDM volume 2A, table of CPUID leaves; what Goldmont (E3900) keeps of each register. */
static const uint32_t LEAF_1_ECX_GONE = BIT(12) /* FMA */ | BIT(26) | BIT(27) /* XSAVE, OSXSAVE */
                                        | BIT(28) /* AVX */ | BIT(29) /* F16C */;
static const uint32_t LEAF_7_EBX_KEPT = BIT(0) /* FSGSBASE */ | BIT(7) /* SMEP */ | BIT(9) /* ERMS */
                                        | BIT(18) /* RDSEED */ | BIT(20) /* SMAP */ | BIT(23) /* CLFLUSHOPT */
                                        | BIT(29) /* SHA */;
static const uint32_t LEAF_EXTENDED_1_ECX_GONE = BIT(5) /* LZCNT */ | BIT(11) /* XOP */ | BIT(16) /* FMA4 */
                                                 | BIT(21) /* TBM */;

static struct sigaction previous_segv;

static int set_faulting(int faulting) { return (int)syscall(SYS_arch_prctl, ARCH_SET_CPUID, !faulting); }

static void mask(uint32_t leaf, uint32_t subleaf, uint32_t reg[4]) {
    switch (leaf) {
    case 0x1:
        reg[2] &= ~LEAF_1_ECX_GONE;
        break;
    case 0x7: /* AVX2, BMI, AVX-512, VNNI, GFNI, AMX, AVX10 */
        if (subleaf == 0) {
            reg[0] = 0;
            reg[1] &= LEAF_7_EBX_KEPT;
        } else {
            reg[0] = reg[1] = 0;
        }
        reg[2] = reg[3] = 0;
        break;
    case 0xd:  /* extended states */
    case 0x1d: /* tiles */
    case 0x1e:
    case 0x24: /* AVX10 */
        memset(reg, 0, 4 * sizeof reg[0]);
        break;
    case 0x80000001:
        reg[2] &= ~LEAF_EXTENDED_1_ECX_GONE;
        break;
    default:
        break;
    }
}

static void on_segv(int number, siginfo_t *info, void *context) {
    (void)number;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *at = (const uint8_t *)regs[REG_RIP];
    if (info->si_code != SI_KERNEL || at[0] != 0x0f || at[1] != 0xa2) {
        sigaction(SIGSEGV, &previous_segv, NULL); /* not ours: the instruction runs again under the old handler */
        return;
    }
    uint32_t leaf = (uint32_t)regs[REG_RAX], subleaf = (uint32_t)regs[REG_RCX], reg[4];
    int before = errno;
    set_faulting(0);
    __cpuid_count(leaf, subleaf, reg[0], reg[1], reg[2], reg[3]);
    set_faulting(1);
    errno = before;
    mask(leaf, subleaf, reg);
    regs[REG_RAX] = reg[0];
    regs[REG_RBX] = reg[1];
    regs[REG_RCX] = reg[2];
    regs[REG_RDX] = reg[3];
    regs[REG_RIP] += 2;
}

/* Whether the instruction is VEX or EVEX; only segment and address-size prefixes may stand before one. */
static int is_vector_extended(const uint8_t *at) {
    for (;; at++) {
        switch (*at) {
        case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: case 0x67:
            continue;
        case 0x62: case 0xc4: case 0xc5:
            return 1;
        default:
            return 0;
        }
    }
}

static volatile uint64_t sampled, sampled_extended;

static void on_sample(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    __atomic_add_fetch(&sampled, 1, __ATOMIC_RELAXED);
    if (is_vector_extended((const uint8_t *)regs[REG_RIP]))
        __atomic_add_fetch(&sampled_extended, 1, __ATOMIC_RELAXED);
}

static void set_timer(long microseconds) {
    struct itimerval every = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_PROF, &every, NULL);
}

/* Starts to look at the instruction that is next, as often per CPU second as the kernel's tick allows. */
void peers_sample_begin(void) {
    struct sigaction action = {.sa_sigaction = on_sample, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGPROF, &action, NULL);
    sampled = sampled_extended = 0;
    set_timer(SAMPLE_MICROSECONDS);
}

/* Stops; writes how many were looked at, and how many were VEX or EVEX. */
void peers_sample_end(uint64_t *looked, uint64_t *extended) {
    set_timer(0);
    *looked = sampled;
    *extended = sampled_extended;
}

__attribute__((constructor)) static void begin(void) {
    const char *limit = getenv("PEERS_LIMIT");
    if (limit != NULL && strcmp(limit, "sse4.2") == 0) {
        struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER};
        sigaction(SIGSEGV, &action, &previous_segv);
        if (set_faulting(1) != 0) {
            fprintf(stderr, "cannot limit: this CPU or kernel cannot make CPUID fault (%s)\n", strerror(errno));
            _exit(CANNOT_LIMIT);
        }
    }
    if (getenv("PEERS_SAMPLE") != NULL)
        peers_sample_begin();
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("PEERS_SAMPLE");
    if (path == NULL)
        return;
    uint64_t looked, extended;
    char line[64];
    peers_sample_end(&looked, &extended);
    int length = snprintf(line, sizeof line, "%llu %llu\n", (unsigned long long)looked, (unsigned long long)extended);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file < 0 || write(file, line, (size_t)length) != length)
        fprintf(stderr, "cannot write the samples to %s\n", path);
    if (file >= 0)
        close(file);
}
