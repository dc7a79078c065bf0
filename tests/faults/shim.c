/* A kernel's stand-in for tests, preloaded into a dynamic program (LD_PRELOAD). It plays a V4L2 camera that can
 * stall, corrupt and unplug, lets writes to the pins fail or hang, fills the disk, and breaks the drive loop.
 *
 * Build: cc -shared -fPIC -O2 -Wall -Wextra -Werror -o shim.so shim.c -ldl -lpthread
 *
 * Environment
 *   HAIRPIN_SHIM=DIR         DIR/control is a page of 32-bit words, shared and live; DIR/log takes one line an event:
 *                            "t_ns pid what details", t_ns on CLOCK_MONOTONIC. Without it nothing is hooked.
 *   HAIRPIN_SHIM_FRAMES=DIR  0000.jpg, 0001.jpg ... shown in a loop; a folder DIR/videoN is preferred for that node.
 *                            black.jpg is what a covered lens sends. Without it there are no cameras.
 *   HAIRPIN_SHIM_SYS=DIR     paths that begin with /sys/class/gpio are looked up below DIR.
 *   HAIRPIN_SHIM_THREAD=NAME the thread that part 5 breaks; "drive" without it, "*" is any.
 *   HAIRPIN_DRIVER           set in the driver process: its role. Everybody else is the guardian.
 *
 * It sees calls that go through the C library by name. A program that makes its system calls itself (rustix as it
 * comes) is not seen.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

/* ---- 1. The control page. One word a line, in the order of their offsets (4 bytes each, the first at 0); the Rust
 * side reads the names from here. All are 0 at first, which is a healthy world without cameras. ---- */
#define WORDS(WORD) \
    WORD(ready)            /* the shim's: 1 once a process has mapped the page */ \
    /* cameras */ \
    WORD(nodes)            /* bit N: /dev/videoN is there */ \
    WORD(unplug)           /* bit N: opening it gives ENODEV, and a stream that sees this is dead for good */ \
    WORD(busy)             /* bit N: another program streams from it, EBUSY */ \
    WORD(only)             /* bit N: the faults below are this node's; 0 is all nodes */ \
    WORD(rate_mhz)         /* frames in 1000 s; 0: what S_PARM asked for, 30000 at first */ \
    WORD(latency_us)       /* from the stamp to the frame's being ready; 0 is 8000 */ \
    WORD(format)           /* 0 MJPG and YUYV, 1 YUYV alone, 2 MJPG of 320x240 alone, 3 H264 alone, 4 padded YUYV */ \
    WORD(stall)            /* no frame, no error */ \
    WORD(frozen)           /* the same picture again and again */ \
    WORD(torn)             /* the second half is missing */ \
    WORD(garbage)          /* noise instead of a picture */ \
    WORD(black)            /* black.jpg */ \
    WORD(error_flag)       /* V4L2_BUF_FLAG_ERROR */ \
    WORD(zero_length)      /* bytesused 0 */ \
    WORD(over_long)        /* bytesused beyond the buffer */ \
    WORD(old_stamp)        /* the stamp of the frame before, again */ \
    WORD(back_ms)          /* stamps lie this much too far back */ \
    WORD(ahead_ms)         /* stamps lie in the future */ \
    WORD(no_clock)         /* the flags do not say which clock stamped it, and the stamp is 1 s */ \
    WORD(seq_gap)          /* once: so many sequence numbers are left out, then back to 0 */ \
    WORD(eintr)            /* about N of N + 1 polls are interrupted */ \
    WORD(eagain)           /* the next N DQBUF find nothing although poll said so */ \
    WORD(dqbuf_errno)      /* DQBUF fails with it */ \
    WORD(streamoff_errno)  /* STREAMOFF fails with it, and so does freeing the buffers */ \
    /* pins; match: 1 duty_cycle, 2 value, 4 enable, 8 period, 16 export; nth: 0 all, N the N-th that matches alone */ \
    WORD(guardian_match) \
    WORD(guardian_errno) \
    WORD(guardian_hang_ms) \
    WORD(guardian_nth) \
    WORD(guardian_count)   /* the shim's: writes that matched; set it to 0 with nth */ \
    WORD(driver_match) \
    WORD(driver_errno) \
    WORD(driver_hang_ms) \
    WORD(driver_nth) \
    WORD(driver_count) \
    /* disk: files that end in .mcap or .partial */ \
    WORD(disk_errno)       /* writes fail with it (28: no space) ... */ \
    WORD(disk_from)        /* ... from the N-th on; 0 and 1 are at once */ \
    WORD(disk_count)       /* the shim's: writes seen */ \
    WORD(sync_ms)          /* fsync and fdatasync take so long */ \
    /* the drive loop, when it asks for the time */ \
    WORD(loop_fault)       /* 1 panic, 2 hang until cleared, 3 slow, 4 leak until killed, 5 abort */ \
    WORD(loop_amount)      /* slow: ms, at most once in 5 ms of asking; leak: MiB a call */ \
    WORD(loop_skip)        /* so many calls are let through before it fires */ \
    /* memory */ \
    WORD(counting)         /* count what the program allocates */ \
    WORD(allocations)      /* the shim's: so often */

enum word {
#define WORD(name) W_##name,
    WORDS(WORD)
#undef WORD
    W_COUNT
};
#define PAGE_BYTES 4096
_Static_assert(W_COUNT * 4 <= PAGE_BYTES, "the words fit in the page");

static uint32_t quiet[W_COUNT];
static volatile uint32_t *page = quiet;
static int log_fd = -1;
static int is_driver;
static const char *frames_dir, *sys_dir, *broken_thread = "drive";

static uint32_t word(enum word w) { return __atomic_load_n(&page[w], __ATOMIC_RELAXED); }
static uint32_t bump(enum word w) { return __atomic_add_fetch(&page[w], 1, __ATOMIC_RELAXED); }
static uint32_t take(enum word w) { return __atomic_exchange_n(&page[w], 0, __ATOMIC_RELAXED); }
/* Counts a word down; true while it was above 0. */
static int spend(enum word w) {
    uint32_t left = word(w);
    while (left > 0)
        if (__atomic_compare_exchange_n(&page[w], &left, left - 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return 1;
    return 0;
}

/* ---- System calls of the shim's own, past all hooks and without touching errno: the result, or -errno. ---- */
#if defined(__x86_64__)
static long raw(long n, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static long raw(long n, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                  x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "no system calls for this processor"
#endif
#define RAW(n, a, b, c, d) raw(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* The C library's own, found on first use; a hook's name in here would be the hook. */
#define REAL(name, type) \
    ({ static __typeof__(type) found_; if (!found_) found_ = (__typeof__(type))dlsym(RTLD_NEXT, name); found_; })
#define HOOK(result, name, ...) \
    __attribute__((visibility("default"))) result hooked_##name(__VA_ARGS__) __asm__(#name); \
    result hooked_##name(__VA_ARGS__)

typedef int open_fn(const char *, int, ...);
typedef int openat_fn(int, const char *, int, ...);
typedef int clock_fn(clockid_t, struct timespec *);
typedef long syscall_fn(long, long, long, long, long, long, long);

static int fails(int code) { errno = code; return -1; }

static int64_t now_ns(void) {
    struct timespec t;
    REAL("clock_gettime", clock_fn *)(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Sleeps until a time on CLOCK_MONOTONIC; -EINTR where a signal came first. */
static int sleep_until(int64_t when) {
    struct timespec t = {when / 1000000000, when % 1000000000};
    return (int)RAW(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Sleeps `ms`, but ends early when the word is cleared: a test can let go. */
static void hold(enum word w, uint32_t ms) {
    int64_t end = now_ns() + (int64_t)ms * 1000000, now;
    while ((now = now_ns()) < end && word(w)) sleep_until(end < now + 2000000 ? end : now + 2000000);
}

/* ---- The log: one write a line, so that lines of several processes do not mix. ---- */
__attribute__((format(printf, 2, 3))) static void say_at(int64_t when, const char *format, ...) {
    if (log_fd < 0) return;
    char line[1400];
    int head = snprintf(line, sizeof line, "%lld %ld ", (long long)when, RAW(SYS_getpid, 0, 0, 0, 0));
    va_list list;
    va_start(list, format);
    int body = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, list);
    va_end(list);
    int length = head + body;
    if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
    line[length] = '\n';
    RAW(SYS_write, log_fd, line, length + 1, 0);
}
#define say(...) say_at(now_ns(), __VA_ARGS__)

__attribute__((constructor)) static void begin(void) {
    const char *dir = getenv("HAIRPIN_SHIM");
    if (!dir || !*dir) return;
    char path[4096];
    snprintf(path, sizeof path, "%s/control", dir);
    int fd = (int)RAW(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    struct stat st;
    if (fd < 0) return;
    /* Growing alone: a second process must not see the words vanish. */
    if (fstat(fd, &st) == 0 && st.st_size < PAGE_BYTES) RAW(SYS_ftruncate, fd, PAGE_BYTES, 0, 0);
    long at = raw(SYS_mmap, 0, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    RAW(SYS_close, fd, 0, 0, 0);
    if (at < 0 && at > -4096) return;
    page = (volatile uint32_t *)at;
    snprintf(path, sizeof path, "%s/log", dir);
    fd = (int)RAW(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    /* Out of the way of numbers that a parent hands down. */
    log_fd = (int)RAW(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 900, 0);
    if (log_fd < 0) log_fd = fd; else RAW(SYS_close, fd, 0, 0, 0);
    is_driver = getenv("HAIRPIN_DRIVER") != NULL;
    frames_dir = getenv("HAIRPIN_SHIM_FRAMES");
    sys_dir = getenv("HAIRPIN_SHIM_SYS");
    if (getenv("HAIRPIN_SHIM_THREAD")) broken_thread = getenv("HAIRPIN_SHIM_THREAD");
    page[W_ready] = 1;
    say("start %s", is_driver ? "driver" : "guardian");
}

static int active(void) { return page != quiet; }

/* The path behind a descriptor; empty where there is none. */
static const char *path_of(int fd, char *into, size_t room) {
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = RAW(SYS_readlinkat, AT_FDCWD, link, into, room - 1);
    into[length > 0 ? length : 0] = 0;
    return into;
}

static int ends_in(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* ---- 2. Cameras. Frames become due by the clock; what is due is filled in when the program looks, in the order of
 * time, so that no thread is needed and no frame lies about when it was ready. ---- */
#define BUFFER_BYTES 614400 /* 640 x 480 x 2, and a whole number of pages */
#define BUFFERS 8
#define HANDLES 16
#define PICTURES 2048

struct picture { uint8_t *bytes; uint32_t length; };
struct album { int loaded, count; struct picture pictures[PICTURES], black; };
struct line { int length, index[BUFFERS]; }; /* a queue of buffer numbers */
struct handle {
    int used, fd, node, blocking, dead, streaming, count, polls;
    uint32_t fourcc, width, height, stride, fps, seq, last_picture;
    int64_t next_due, last_stamp;
    uint8_t *memory;
    struct line queued, done;
    int held[BUFFERS]; /* 1: with the program */
    struct v4l2_buffer filled[BUFFERS];
};
static struct album albums[32];
static struct handle handles[HANDLES];
static pthread_mutex_t cameras = PTHREAD_MUTEX_INITIALIZER;

static void push(struct line *line, int index) { line->index[line->length++] = index; }
static int shift(struct line *line) {
    int first = line->index[0];
    line->length--;
    memmove(line->index, line->index + 1, sizeof(int) * (size_t)line->length);
    return first;
}

static int read_picture(const char *path, struct picture *into) {
    struct stat st;
    int fd = (int)RAW(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return 0;
    into->bytes = NULL;
    if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= BUFFER_BYTES) into->bytes = malloc((size_t)st.st_size);
    if (into->bytes) into->length = (uint32_t)RAW(SYS_read, fd, into->bytes, st.st_size, 0);
    RAW(SYS_close, fd, 0, 0, 0);
    return into->bytes != NULL;
}

/* The pictures of a node: its own folder, else the one for all. */
static struct album *album_of(int node) {
    struct album *album = &albums[node];
    char path[4096];
    for (int own = 1; own >= 0 && !album->loaded; own--) {
        char folder[4000];
        if (own) snprintf(folder, sizeof folder, "%s/video%d", frames_dir, node);
        else snprintf(folder, sizeof folder, "%s", frames_dir);
        while (album->count < PICTURES) {
            snprintf(path, sizeof path, "%s/%04d.jpg", folder, album->count);
            if (!read_picture(path, &album->pictures[album->count])) break;
            album->count++;
        }
        snprintf(path, sizeof path, "%s/black.jpg", folder);
        if (!album->black.bytes) read_picture(path, &album->black);
        album->loaded = album->count > 0;
    }
    return album;
}

static struct handle *handle_of(int fd) {
    for (int i = 0; i < HANDLES && fd >= 0; i++)
        if (handles[i].used && handles[i].fd == fd) return &handles[i];
    return NULL;
}

/* The node that a path means: .../dev/videoN. -1 for all other paths. */
static int node_of(const char *path) {
    const char *at = path ? strstr(path, "/dev/video") : NULL;
    if (!at || !frames_dir || !active()) return -1;
    char *end;
    long node = strtol(at + 10, &end, 10);
    return end == at + 10 || *end || node < 0 || node > 31 ? -1 : (int)node;
}

static int has(enum word w, int node) { return (int)(word(w) >> node & 1); }
/* A fault word as this node sees it. */
static uint32_t fault(const struct handle *h, enum word w) {
    return word(W_only) && !has(W_only, h->node) ? 0 : word(w);
}
static int gone(struct handle *h) {
    if (!has(W_nodes, h->node) || has(W_unplug, h->node)) h->dead = 1;
    return h->dead;
}

static void agree(struct handle *h, uint32_t fourcc, uint32_t width) {
    uint32_t kind = fault(h, W_format), small = width <= 240 ? 160 : width <= 480 ? 320 : 640;
    h->fourcc = fourcc == V4L2_PIX_FMT_YUYV ? V4L2_PIX_FMT_YUYV : V4L2_PIX_FMT_MJPEG;
    if (kind == 1 || kind == 4) h->fourcc = V4L2_PIX_FMT_YUYV;
    if (kind == 2) h->fourcc = V4L2_PIX_FMT_MJPEG, small = 320;
    if (kind == 3) h->fourcc = V4L2_PIX_FMT_H264;
    h->width = small;
    h->height = small * 3 / 4;
    h->stride = h->fourcc != V4L2_PIX_FMT_YUYV ? 0 : small * 2 + (kind == 4 ? 64 : 0);
}

static int open_node(int node, int flags) {
    if (!has(W_nodes, node)) return fails(ENOENT);
    if (has(W_unplug, node)) return fails(ENODEV);
    pthread_mutex_lock(&cameras);
    struct handle *h = NULL;
    for (int i = 0; i < HANDLES && !h; i++)
        if (!handles[i].used) h = &handles[i];
    int fd = h ? (int)RAW(SYS_memfd_create, "camera", MFD_CLOEXEC, 0, 0) : -EMFILE;
    long at = -1;
    if (fd >= 0) {
        RAW(SYS_ftruncate, fd, BUFFER_BYTES * BUFFERS, 0, 0);
        at = raw(SYS_mmap, 0, BUFFER_BYTES * BUFFERS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (fd >= 0) {
        *h = (struct handle){.used = 1, .fd = fd, .node = node, .blocking = !(flags & O_NONBLOCK),
                             .fps = 30, .memory = (uint8_t *)at};
        agree(h, V4L2_PIX_FMT_MJPEG, 640);
        album_of(node);
    }
    pthread_mutex_unlock(&cameras);
    if (fd < 0) return fails(-fd);
    say("open video%d", node);
    return fd;
}

static int64_t period_ns(const struct handle *h) {
    uint32_t rate = word(W_rate_mhz);
    return 1000000000000 / (rate ? rate : h->fps ? h->fps * 1000 : 30000);
}

/* What the camera sends for one sequence number; the length. */
static uint32_t paint(struct handle *h, uint8_t *into, uint32_t seq) {
    struct album *album = album_of(h->node);
    if (h->fourcc == V4L2_PIX_FMT_YUYV) {
        uint32_t length = h->stride * h->height;
        if (length > BUFFER_BYTES) length = BUFFER_BYTES;
        for (uint32_t at = 0; at < length; at++) into[at] = (uint8_t)(at * 7 + seq * 31);
        return length;
    }
    if (album->count == 0) return 0;
    uint32_t number = fault(h, W_frozen) ? h->last_picture : seq % (uint32_t)album->count;
    h->last_picture = number;
    struct picture picture = album->pictures[number];
    if (fault(h, W_black) && album->black.bytes) picture = album->black;
    memcpy(into, picture.bytes, picture.length);
    if (fault(h, W_garbage))
        for (uint32_t at = 0, x = seq | 1; at < picture.length; at++) {
            x = x * 1664525 + 1013904223;
            into[at] = (uint8_t)(x >> 24);
        }
    return fault(h, W_torn) ? picture.length / 2 : picture.length;
}

static int64_t stamp(struct handle *h, int64_t due) {
    uint32_t latency = word(W_latency_us);
    int64_t at = due - (int64_t)(latency ? latency : 8000) * 1000;
    at -= (int64_t)fault(h, W_back_ms) * 1000000;
    at += (int64_t)fault(h, W_ahead_ms) * 1000000;
    if (fault(h, W_old_stamp)) at = h->last_stamp;
    return h->last_stamp = at / 1000 * 1000; /* the struct carries microseconds */
}

/* One frame comes in from the sensor; without a free buffer it is lost, and its number with it. */
static void expose(struct handle *h, int64_t due) {
    if (fault(h, W_seq_gap)) h->seq += take(W_seq_gap);
    uint32_t seq = h->seq++;
    if (h->queued.length == 0) return;
    int index = shift(&h->queued);
    struct v4l2_buffer *b = &h->filled[index];
    uint32_t length = paint(h, h->memory + (size_t)index * BUFFER_BYTES, seq);
    int64_t at = stamp(h, due);
    if (fault(h, W_zero_length)) length = 0;
    if (fault(h, W_over_long)) length = BUFFER_BYTES + 4096;
    *b = (struct v4l2_buffer){.index = (uint32_t)index, .bytesused = length, .sequence = seq,
                              .field = V4L2_FIELD_NONE, .timestamp = {at / 1000000000, at % 1000000000 / 1000}};
    b->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_TSTAMP_SRC_SOE;
    if (fault(h, W_no_clock)) b->flags = 0, b->timestamp = (struct timeval){1, 0};
    if (fault(h, W_error_flag)) b->flags |= V4L2_BUF_FLAG_ERROR;
    push(&h->done, index);
}

static void advance(struct handle *h) {
    int64_t now = now_ns();
    if (!h->streaming || gone(h)) return;
    for (; h->next_due <= now; h->next_due += period_ns(h))
        if (!fault(h, W_stall)) expose(h, h->next_due);
}

static void reset(struct handle *h) {
    h->streaming = h->queued.length = h->done.length = 0;
    for (int i = 0; i < BUFFERS; i++) h->held[i] = 1;
}

/* Another handle of this node owns the queue, or another program does. */
static int taken(const struct handle *h) {
    if (has(W_busy, h->node)) return 1;
    for (int i = 0; i < HANDLES; i++)
        if (handles[i].used && &handles[i] != h && handles[i].node == h->node && handles[i].count) return 1;
    return 0;
}

static int request(struct handle *h, struct v4l2_requestbuffers *r) {
    if (r->memory != V4L2_MEMORY_MMAP) return EINVAL;
    if (h->streaming || taken(h)) return EBUSY;
    if (r->count == 0 && fault(h, W_streamoff_errno)) return (int)fault(h, W_streamoff_errno);
    if (r->count > BUFFERS) r->count = BUFFERS;
    h->count = (int)r->count;
    reset(h);
    return 0;
}

static void describe(const struct handle *h, struct v4l2_buffer *b, uint32_t index) {
    b->index = index;
    b->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    b->memory = V4L2_MEMORY_MMAP;
    b->length = BUFFER_BYTES;
    b->m.offset = index * BUFFER_BYTES;
    if (!h->held[index]) b->flags |= V4L2_BUF_FLAG_QUEUED;
}

static int queue(struct handle *h, struct v4l2_buffer *b) {
    if (b->memory != V4L2_MEMORY_MMAP || b->index >= (uint32_t)h->count || !h->held[b->index]) return EINVAL;
    h->held[b->index] = 0;
    push(&h->queued, (int)b->index);
    return 0;
}

static int dequeue(struct handle *h, struct v4l2_buffer *b) {
    if (b->memory != V4L2_MEMORY_MMAP || !h->streaming) return EINVAL;
    if (fault(h, W_dqbuf_errno)) return (int)fault(h, W_dqbuf_errno);
    if (h->done.length == 0) return EAGAIN;
    if (fault(h, W_eagain) && spend(W_eagain)) return EAGAIN;
    int index = shift(&h->done);
    *b = h->filled[index];
    h->held[index] = 1;
    describe(h, b, (uint32_t)index);
    say("dqbuf video%d %u %lld", h->node, b->sequence,
        (long long)b->timestamp.tv_sec * 1000000000 + b->timestamp.tv_usec * 1000);
    return 0;
}

static int stream_on(struct handle *h) {
    if (h->count == 0) return EINVAL;
    if (h->streaming) return 0; /* vb2: nothing to do */
    h->streaming = 1;
    h->seq = 0;
    h->next_due = now_ns() + period_ns(h);
    say("streamon video%d", h->node);
    return 0;
}

static int stream_off(struct handle *h) {
    if (fault(h, W_streamoff_errno)) return (int)fault(h, W_streamoff_errno);
    if (h->streaming) say("streamoff video%d", h->node);
    reset(h);
    return 0;
}

static void fill_format(const struct handle *h, struct v4l2_pix_format *pix) {
    memset(pix, 0, sizeof *pix);
    pix->width = h->width;
    pix->height = h->height;
    pix->pixelformat = h->fourcc;
    pix->field = V4L2_FIELD_NONE;
    pix->bytesperline = h->stride;
    pix->sizeimage = BUFFER_BYTES;
    pix->colorspace = V4L2_COLORSPACE_SRGB;
}

static int format(struct handle *h, unsigned long request, struct v4l2_format *f) {
    if (f->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return EINVAL;
    struct handle trial = *h;
    if (request != VIDIOC_G_FMT) agree(&trial, f->fmt.pix.pixelformat, f->fmt.pix.width);
    if (request == VIDIOC_S_FMT) {
        if (h->count || taken(h)) return EBUSY;
        h->fourcc = trial.fourcc, h->width = trial.width, h->height = trial.height, h->stride = trial.stride;
    }
    fill_format(&trial, &f->fmt.pix);
    return 0;
}

static int rate(struct handle *h, unsigned long request, struct v4l2_streamparm *p) {
    if (p->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return EINVAL;
    struct v4l2_fract asked = p->parm.capture.timeperframe;
    if (request == VIDIOC_S_PARM && asked.numerator) h->fps = asked.denominator / asked.numerator;
    memset(&p->parm, 0, sizeof p->parm);
    p->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
    p->parm.capture.timeperframe = (struct v4l2_fract){1, h->fps};
    return 0;
}

static int list_format(const struct handle *h, struct v4l2_fmtdesc *d) {
    uint32_t kind = fault(h, W_format), first[] = {V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_MJPEG,
                                                   V4L2_PIX_FMT_H264, V4L2_PIX_FMT_YUYV};
    if (d->index > (kind == 0)) return EINVAL;
    d->pixelformat = d->index ? V4L2_PIX_FMT_YUYV : first[kind < 5 ? kind : 0];
    return 0;
}

static int list_size(const struct handle *h, struct v4l2_frmsizeenum *s) {
    static const uint32_t widths[] = {640, 320, 160};
    uint32_t small = fault(h, W_format) == 2;
    if (s->index >= (small ? 1 : 3)) return EINVAL;
    uint32_t width = small ? 320 : widths[s->index];
    s->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    s->discrete.width = width;
    s->discrete.height = width * 3 / 4;
    return 0;
}

static int capabilities(const struct handle *h, struct v4l2_capability *c) {
    memset(c, 0, sizeof *c);
    memcpy(c->driver, "uvcvideo", 9);
    memcpy(c->card, "a camera", 9);
    snprintf((char *)c->bus_info, sizeof c->bus_info, "usb-%d", h->node);
    c->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    c->capabilities = c->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

/* One ioctl with the lock held; 0 or an errno. */
static int answer(struct handle *h, unsigned long request_, void *arg) {
    advance(h);
    if (gone(h)) return ENODEV;
    switch (request_) {
    case VIDIOC_QUERYCAP: return capabilities(h, arg);
    case VIDIOC_ENUM_FMT: return list_format(h, arg);
    case VIDIOC_ENUM_FRAMESIZES: return list_size(h, arg);
    case VIDIOC_G_FMT: case VIDIOC_S_FMT: case VIDIOC_TRY_FMT: return format(h, request_, arg);
    case VIDIOC_G_PARM: case VIDIOC_S_PARM: return rate(h, request_, arg);
    case VIDIOC_REQBUFS: return request(h, arg);
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *b = arg;
        if (b->index >= (uint32_t)h->count) return EINVAL;
        describe(h, b, b->index);
        return 0;
    }
    case VIDIOC_QBUF: return queue(h, arg);
    case VIDIOC_DQBUF: return dequeue(h, arg);
    case VIDIOC_STREAMON: return stream_on(h);
    case VIDIOC_STREAMOFF: return stream_off(h);
    default: return ENOTTY;
    }
}

/* Sleeps until the next frame may be due, at most 5 ms: the words can change. */
static int doze(const struct handle *h, int64_t end) {
    int64_t until = now_ns() + 5000000;
    if (h->streaming && h->next_due < until) until = h->next_due;
    return sleep_until(end < until ? end : until);
}

static int control(struct handle *h, unsigned long request_, void *arg) {
    for (;;) {
        pthread_mutex_lock(&cameras);
        int code = answer(h, request_, arg);
        pthread_mutex_unlock(&cameras);
        if (code == EAGAIN && request_ == VIDIOC_DQBUF && h->blocking) {
            if (doze(h, INT64_MAX) == -EINTR) return fails(EINTR);
            continue;
        }
        return code ? fails(code) : 0;
    }
}

static int await(struct handle *h, struct pollfd *p, int timeout_ms) {
    int64_t end = timeout_ms < 0 ? INT64_MAX : now_ns() + (int64_t)timeout_ms * 1000000;
    uint32_t storm = fault(h, W_eintr);
    /* Scattered, since in step with the program's own polls it could hit the same one for ever. */
    if (storm && ((uint32_t)h->polls++ * 2654435761u >> 16) % (storm + 1) != 0) return fails(EINTR);
    for (;;) {
        pthread_mutex_lock(&cameras);
        advance(h);
        p->revents = (short)(gone(h) ? POLLERR | POLLHUP
                             : !h->streaming ? POLLERR
                             : h->done.length ? (POLLIN | POLLRDNORM) & p->events : 0);
        pthread_mutex_unlock(&cameras);
        if (p->revents) return 1;
        if (now_ns() >= end) return 0;
        if (doze(h, end) == -EINTR) return fails(EINTR);
    }
}

/* Frees what stands behind a descriptor that is being closed. */
static void forget(int fd) {
    if (!active()) return;
    pthread_mutex_lock(&cameras);
    struct handle *h = handle_of(fd);
    if (h) {
        say("close video%d", h->node);
        RAW(SYS_munmap, h->memory, BUFFER_BYTES * BUFFERS, 0, 0);
        h->used = 0;
    }
    pthread_mutex_unlock(&cameras);
}

HOOK(int, close, int fd) {
    forget(fd);
    return REAL("close", int (*)(int))(fd);
}

HOOK(int, ioctl, int fd, unsigned long request_, void *arg) {
    struct handle *h = handle_of(fd);
    return h ? control(h, request_, arg) : REAL("ioctl", int (*)(int, unsigned long, ...))(fd, request_, arg);
}

/* A mapping is the real mapping of the memory file; only what no buffer has is refused. */
static int misplaced(int fd, size_t length, off_t offset) {
    struct handle *h = handle_of(fd);
    return h && (length > BUFFER_BYTES || offset % BUFFER_BYTES || offset / BUFFER_BYTES >= h->count);
}
#define MAP_HOOK(name) \
    HOOK(void *, name, void *at, size_t length, int prot, int flags, int fd, off_t offset) { \
        if (misplaced(fd, length, offset)) return errno = EINVAL, MAP_FAILED; \
        return REAL(#name, void *(*)(void *, size_t, int, int, int, off_t))(at, length, prot, flags, fd, offset); \
    }
MAP_HOOK(mmap)
MAP_HOOK(mmap64)

/* A camera is waited for alone, as v4l does; other descriptors go to the kernel. */
HOOK(int, poll, struct pollfd *fds, nfds_t count, int timeout) {
    struct handle *h = count == 1 ? handle_of(fds->fd) : NULL;
    return h ? await(h, fds, timeout) : REAL("poll", int (*)(struct pollfd *, nfds_t, int))(fds, count, timeout);
}

/* ---- 7. Another tree for the GPIO class, whose path the driver of the gate cannot be told. ---- */
static const char *redirect(const char *path, char into[4096]) {
    if (!sys_dir || !path || strncmp(path, "/sys/class/gpio", 15) != 0) return path;
    snprintf(into, 4096, "%s%s", sys_dir, path);
    return into;
}

#define OPEN_MODE(flags, last) \
    ({ mode_t mode_ = 0; \
       if ((flags) & (O_CREAT | __O_TMPFILE)) { \
           va_list list_; \
           va_start(list_, last); \
           mode_ = va_arg(list_, mode_t); \
           va_end(list_); \
       } \
       mode_; })
#define OPEN_HOOK(name) \
    HOOK(int, name, const char *path, int flags, ...) { \
        char other[4096]; \
        int node = node_of(path); \
        mode_t mode = OPEN_MODE(flags, flags); \
        return node >= 0 ? open_node(node, flags) : REAL(#name, open_fn *)(redirect(path, other), flags, mode); \
    }
#define OPENAT_HOOK(name) \
    HOOK(int, name, int folder, const char *path, int flags, ...) { \
        char other[4096]; \
        int node = node_of(path); \
        mode_t mode = OPEN_MODE(flags, flags); \
        return node >= 0 ? open_node(node, flags) \
                         : REAL(#name, openat_fn *)(folder, redirect(path, other), flags, mode); \
    }
OPEN_HOOK(open)
OPEN_HOOK(open64)
OPENAT_HOOK(openat)
OPENAT_HOOK(openat64)

#define STAT_HOOK(name) \
    HOOK(int, name, const char *path, void *st) { \
        char other[4096]; \
        return REAL(#name, int (*)(const char *, void *))(redirect(path, other), st); \
    }
STAT_HOOK(stat)
STAT_HOOK(stat64)
STAT_HOOK(lstat)
STAT_HOOK(lstat64)
HOOK(int, statx, int folder, const char *path, int flags, unsigned mask, void *st) {
    char other[4096];
    return REAL("statx", int (*)(int, const char *, int, unsigned, void *))(folder, redirect(path, other), flags,
                                                                            mask, st);
}
HOOK(ssize_t, readlink, const char *path, char *into, size_t room) {
    char other[4096];
    return REAL("readlink", ssize_t (*)(const char *, char *, size_t))(redirect(path, other), into, room);
}
HOOK(char *, realpath, const char *path, char *into) {
    char other[4096];
    return REAL("realpath", char *(*)(const char *, char *))(redirect(path, other), into);
}
HOOK(int, access, const char *path, int mode) {
    char other[4096];
    return REAL("access", int (*)(const char *, int))(redirect(path, other), mode);
}

/* v4l's ioctls come through here. */
HOOK(long, syscall, long n, long a, long b, long c, long d, long e, long f) {
    char other[4096];
    if (n == SYS_ioctl && active()) {
        struct handle *h = handle_of((int)a);
        if (h) return control(h, (unsigned long)b, (void *)c);
    }
    if (n == SYS_statx) b = (long)redirect((const char *)b, other);
    return REAL("syscall", syscall_fn *)(n, a, b, c, d, e, f);
}

/* ---- 3. Pins, 4. the disk and 6. sockets: all that is written and read through a descriptor. ---- */
static int pin_bit(const char *path) {
    static const char *const ends[] = {"/duty_cycle", "/value", "/enable", "/period", "/export"};
    for (int i = 0; i < 5; i++)
        if (ends_in(path, ends[i])) return 1 << i;
    return 0;
}

/* The fault of a write to a pin: waits it out, and gives the errno to fail with, or 0. */
static int pin_fault(int bit, const char *path) {
    int at = is_driver ? W_driver_match - W_guardian_match : 0;
    if (!(word(W_guardian_match + at) & (uint32_t)bit)) return 0;
    uint32_t count = bump(W_guardian_count + at), nth = word(W_guardian_nth + at), ms = word(W_guardian_hang_ms + at);
    if (nth && nth != count) return 0;
    if (ms) {
        say("fault hang %s %u", path, ms);
        hold(W_guardian_hang_ms + at, ms);
    }
    return (int)word(W_guardian_errno + at);
}

static int is_tape(const char *path) { return ends_in(path, ".mcap") || ends_in(path, ".partial"); }

static int disk_fault(const char *path) {
    uint32_t count = bump(W_disk_count), code = word(W_disk_errno);
    if (!code || count < word(W_disk_from)) return 0;
    say("fault disk %s %u", path, code);
    return (int)code;
}

/* The record sockets of the lease; a plain stream or a datagram to the journal is nobody's business. */
static int is_record_socket(int fd) {
    int type = 0;
    socklen_t length = sizeof type;
    return raw(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long)&type, (long)&length, 0) == 0 && type == SOCK_SEQPACKET;
}

static void say_record(int fd, const char *what, const void *bytes, ssize_t length, int64_t when) {
    if (!active() || length < 0 || !is_record_socket(fd)) return;
    if (is_driver) {
        if (*what == 's') say_at(when, "send %zd", length);
        return;
    }
    if (*what == 's') return;
    char hex[2 * 256 + 1] = "-";
    for (ssize_t i = 0; i < length && i < 256; i++) snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    say_at(when, "recv %zd %s", length, hex);
}

/* A line's worth of what was written: without the end of line, and without spaces that would split the log. */
static const char *text_of(const void *bytes, size_t length, char into[64]) {
    size_t n = 0;
    for (; n < length && n < 63 && ((const char *)bytes)[n] > ' '; n++) into[n] = ((const char *)bytes)[n];
    into[n] = 0;
    return into;
}

/* Before a write: an errno that stands instead of it, or 0. `*pin` tells what to log behind it. */
static int before_write(int fd, const void *bytes, size_t length, char path[4096], int *pin) {
    char text[64];
    *pin = path[0] = 0;
    if (!active() || fd == log_fd) return 0;
    path_of(fd, path, 4096);
    if ((*pin = pin_bit(path))) {
        int code = pin_fault(*pin, path);
        if (code) say("writefail %s %s %d", path, text_of(bytes, length, text), code);
        return code;
    }
    return is_tape(path) ? disk_fault(path) : 0;
}

/* The time is taken behind the real call: only then has the pin the value. */
static void after_write(int fd, const void *bytes, ssize_t done, const char *path, int pin) {
    int code = errno;
    char text[64];
    int64_t when = now_ns();
    if (pin && done >= 0) say_at(when, "write %s %s", path, text_of(bytes, (size_t)done, text));
    else if (pin) say_at(when, "writefail %s - %d", path, code);
    else if (done >= 0) say_record(fd, "send", bytes, done, when);
    errno = code;
}

#define WRITE(fd, bytes, length, call) \
    ({ char path_[4096]; \
       int pin_, code_ = before_write(fd, bytes, length, path_, &pin_); \
       ssize_t done_ = code_ ? (errno = code_, -1) : (call); \
       if (!code_) after_write(fd, bytes, done_, path_, pin_); \
       done_; })

HOOK(ssize_t, write, int fd, const void *bytes, size_t length) {
    return WRITE(fd, bytes, length, REAL("write", ssize_t (*)(int, const void *, size_t))(fd, bytes, length));
}
#define PWRITE_HOOK(name) \
    HOOK(ssize_t, name, int fd, const void *bytes, size_t length, off_t offset) { \
        return WRITE(fd, bytes, length, \
                     REAL(#name, ssize_t (*)(int, const void *, size_t, off_t))(fd, bytes, length, offset)); \
    }
PWRITE_HOOK(pwrite)
PWRITE_HOOK(pwrite64)
HOOK(ssize_t, writev, int fd, const struct iovec *parts, int count) {
    const struct iovec none = {"", 0}, *first = count > 0 ? parts : &none;
    return WRITE(fd, first->iov_base, first->iov_len,
                 REAL("writev", ssize_t (*)(int, const struct iovec *, int))(fd, parts, count));
}

static void slow_sync(int fd) {
    uint32_t ms = word(W_sync_ms);
    if (!ms) return;
    char path[4096];
    say("fault sync %s %u", path_of(fd, path, sizeof path), ms);
    hold(W_sync_ms, ms);
}
HOOK(int, fsync, int fd) {
    slow_sync(fd);
    return REAL("fsync", int (*)(int))(fd);
}
HOOK(int, fdatasync, int fd) {
    slow_sync(fd);
    return REAL("fdatasync", int (*)(int))(fd);
}

#define RECORD(fd, what, bytes, call) \
    ({ ssize_t done_ = (call); \
       int code_ = errno; \
       say_record(fd, what, bytes, done_, now_ns()); \
       errno = code_; \
       done_; })
HOOK(ssize_t, read, int fd, void *into, size_t room) {
    return RECORD(fd, "recv", into, REAL("read", ssize_t (*)(int, void *, size_t))(fd, into, room));
}
HOOK(ssize_t, recv, int fd, void *into, size_t room, int flags) {
    return RECORD(fd, "recv", into, REAL("recv", ssize_t (*)(int, void *, size_t, int))(fd, into, room, flags));
}
HOOK(ssize_t, recvfrom, int fd, void *into, size_t room, int flags, void *from, void *size) {
    return RECORD(fd, "recv", into,
                  REAL("recvfrom", ssize_t (*)(int, void *, size_t, int, void *, void *))(fd, into, room, flags,
                                                                                          from, size));
}
HOOK(ssize_t, recvmsg, int fd, struct msghdr *m, int flags) {
    return RECORD(fd, "recv", m->msg_iovlen ? m->msg_iov->iov_base : NULL,
                  REAL("recvmsg", ssize_t (*)(int, struct msghdr *, int))(fd, m, flags));
}
HOOK(ssize_t, send, int fd, const void *bytes, size_t length, int flags) {
    return RECORD(fd, "send", bytes,
                  REAL("send", ssize_t (*)(int, const void *, size_t, int))(fd, bytes, length, flags));
}
HOOK(ssize_t, sendto, int fd, const void *bytes, size_t length, int flags, const void *to, socklen_t size) {
    return RECORD(fd, "send", bytes,
                  REAL("sendto", ssize_t (*)(int, const void *, size_t, int, const void *, socklen_t))(
                      fd, bytes, length, flags, to, size));
}
HOOK(ssize_t, sendmsg, int fd, const struct msghdr *m, int flags) {
    return RECORD(fd, "send", m->msg_iovlen ? m->msg_iov->iov_base : NULL,
                  REAL("sendmsg", ssize_t (*)(int, const struct msghdr *, int))(fd, m, flags));
}

/* ---- 5. The drive loop, which asks for the time between its stages: what it is doing then goes wrong. ---- */
static int is_broken_thread(void) {
    char name[17] = "";
    if (strcmp(broken_thread, "*") == 0) return 1;
    RAW(SYS_prctl, PR_GET_NAME, name, 0, 0);
    return strcmp(name, broken_thread) == 0;
}

static void leak(uint32_t mib) {
    size_t bytes = (size_t)(mib ? mib : 1) << 20;
    char *memory = malloc(bytes);
    if (!memory) { /* as the program's own allocator would */
        say("fault memory");
        abort();
    }
    for (size_t at = 0; at < bytes; at += 4096) ((volatile char *)memory)[at] = 1;
}

/* True where the clock is to fail: the standard library takes that for a reason to panic. */
static int break_loop(void) {
    static __thread int64_t last_slow;
    static __thread int leaking;
    uint32_t what = word(W_loop_fault), amount = word(W_loop_amount);
    if (!is_broken_thread() || spend(W_loop_skip)) return 0;
    switch (what) {
    case 1: /* once: a second panic while the first unwinds would be an abort */
        if (take(W_loop_fault) != 1) return 0;
        say("fault panic");
        return 1;
    case 2:
        say("fault hang");
        while (word(W_loop_fault) == 2) __asm__ volatile("" ::: "memory");
        say("fault over");
        return 0;
    case 3:
        if (now_ns() - last_slow < 5000000) return 0;
        say("fault slow %u", amount);
        hold(W_loop_fault, amount);
        last_slow = now_ns();
        return 0;
    case 4:
        if (!leaking++) say("fault leak %u", amount);
        leak(amount);
        return 0;
    case 5:
        if (take(W_loop_fault) != 5) return 0;
        say("fault abort");
        abort();
    default: return 0;
    }
}

HOOK(int, clock_gettime, clockid_t clock, struct timespec *into) {
    if (is_driver && clock == CLOCK_MONOTONIC && word(W_loop_fault) && break_loop()) return fails(EINVAL);
    return REAL("clock_gettime", clock_fn *)(clock, into);
}

/* ---- 8. Memory: how often the program asks for some. The C library's own names for these need no look-up, which would
 * itself allocate. ---- */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static void count_one(void) {
    if (word(W_counting)) bump(W_allocations);
}
HOOK(void *, malloc, size_t size) {
    count_one();
    return __libc_malloc(size);
}
HOOK(void *, calloc, size_t count, size_t size) {
    count_one();
    return __libc_calloc(count, size);
}
HOOK(void *, realloc, void *old, size_t size) {
    count_one();
    return __libc_realloc(old, size);
}
