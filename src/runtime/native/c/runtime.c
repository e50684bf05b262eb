/*
 * The C half of the native device, compiled once per machine: the thread pool, and the walk over a program's steps.
 * descriptor.ts writes the words that `walk` reads; runtime.ts calls the gx_ functions. No kernel is in here.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <malloc.h>
#include <sys/syscall.h>
#endif

typedef void (*kernel_t)(char *const *restrict arguments, int64_t unitsFrom, int64_t unitsTo);
typedef struct { double seconds; int64_t calls; } timing_t;

typedef struct {
  int64_t arguments, launches, codeLength, arenaBytes, boundArguments;
  int threads;
  double seconds;         /* estimated time on one thread */
  int64_t *code;
  int64_t *bindings;      /* boundArguments times: argument, binding, byte offset */
  const double *bound;    /* JavaScript memory: the sequence number of the run, then one address per binding */
  char *arena;
  void *arenaBlock;       /* the mapping that holds it */
  size_t arenaMapped;
  char ***tables;         /* per thread: its argument table, followed by one saved copy per loop depth */
  timing_t **timings;     /* per thread */
} program_t;

enum { MAX_THREADS = 1024 };
enum { LAUNCH = 1, SWEEP = 2, BARRIER = 3, LOOP = 4 };

#if defined(__x86_64__) || defined(__i386__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() ((void)0)
#endif
#define ALIGNED __attribute__((aligned(128)))

static ALIGNED uint32_t generation;          /* of runs: a change starts the workers */
static ALIGNED uint32_t sleepers;
typedef struct { ALIGNED uint32_t count; ALIGNED uint32_t generation; } barrier_t;
static barrier_t stepBarrier;                /* of the threads that run the program */
static barrier_t endBarrier;                 /* of the whole pool */
static ALIGNED pthread_mutex_t runLock = PTHREAD_MUTEX_INITIALIZER;
static const program_t *job;
static int jobProfiled;
static int poolThreads = 1;                  /* the caller counted; changes under runLock */
static int barrierSpins = 20000;
static int64_t idleNanoseconds = 300000;
static int64_t lastEnd;
static const char *message = "";

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- sleeping and waking ---- */
#ifdef __linux__
static void sleepWhile(uint32_t seen) { syscall(SYS_futex, &generation, 128 | 0 /* FUTEX_WAIT_PRIVATE */, seen, NULL, NULL, 0); }
static void wakeAll(void) { syscall(SYS_futex, &generation, 128 | 1 /* FUTEX_WAKE_PRIVATE */, INT32_MAX, NULL, NULL, 0); }
#else
static pthread_mutex_t sleepLock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleepCondition = PTHREAD_COND_INITIALIZER;
static void sleepWhile(uint32_t seen) {
  pthread_mutex_lock(&sleepLock);
  if (__atomic_load_n(&generation, __ATOMIC_SEQ_CST) == seen) pthread_cond_wait(&sleepCondition, &sleepLock);
  pthread_mutex_unlock(&sleepLock);
}
static void wakeAll(void) { pthread_mutex_lock(&sleepLock); pthread_cond_broadcast(&sleepCondition); pthread_mutex_unlock(&sleepLock); }
#endif

static void barrier(barrier_t *b, int threads) {
  uint32_t seen = __atomic_load_n(&b->generation, __ATOMIC_RELAXED);
  if (__atomic_add_fetch(&b->count, 1, __ATOMIC_ACQ_REL) == (uint32_t)threads) {
    __atomic_store_n(&b->count, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&b->generation, seen + 1, __ATOMIC_RELEASE);
    return;
  }
  for (int spins = 0; __atomic_load_n(&b->generation, __ATOMIC_ACQUIRE) == seen; spins++) {
    if (spins < barrierSpins) PAUSE();
    else sched_yield();
  }
}

/* ---- the walk: every thread goes through the same steps and does its share ---- */
typedef struct { const program_t *program; int thread, threads; timing_t *timings; uint32_t turn; } walker_t;

static inline void call(const walker_t *w, const int64_t *launch, char **table, int64_t from, int64_t to) {
  kernel_t kernel = (kernel_t)(uintptr_t)launch[0];
  if (!w->timings) { kernel(table + launch[1], from, to); return; }
  int64_t start = now();
  kernel(table + launch[1], from, to);
  w->timings[launch[2]].seconds += (double)(now() - start) * 1e-9;
}

/* This thread's share of the blocks. A single one stays on the caller, whose cache is warm. */
static inline int share(const walker_t *w, int64_t blocks, int64_t *from, int64_t *to) {
  if (blocks == 1) { *from = 0; *to = 1; return w->thread == 0; }
  *from = blocks * w->thread / w->threads;
  *to = blocks * (w->thread + 1) / w->threads;
  return *from < *to;
}

/*
 * Between two barriers a launch may go to whoever has time: each thread takes pieces from the front of its own share, then from the back of another's. What is
 * left of a share is one word, turn (8 bits), from, to (28 bits each); whoever comes first in a turn fills it in, for its owner may be delayed.
 */
typedef struct { ALIGNED uint64_t left; } pile_t;
static pile_t piles[MAX_THREADS]; /* emptied before each run */
static const int64_t mostShared = (1 << 28) - 1;

static int claim(const walker_t *w, int owner, int64_t blocks, int64_t piece, int64_t *from, int64_t *to) {
  uint64_t turn = (uint64_t)(w->turn & 255) << 56, *pile = &piles[owner].left, seen = __atomic_load_n(pile, __ATOMIC_RELAXED);
  for (;;) {
    uint64_t left = seen;
    if ((left ^ turn) >> 56) left = turn | (uint64_t)(blocks * owner / w->threads) << 28 | (uint64_t)(blocks * (owner + 1) / w->threads);
    int64_t first = (int64_t)(left >> 28 & (uint64_t)mostShared), last = (int64_t)(left & (uint64_t)mostShared);
    if (first >= last) return 0;
    *from = first, *to = last;
    if (owner == w->thread) *to = last - first > piece ? first + piece : last;
    else *from = last - first > piece ? last - piece : first;
    uint64_t rest = owner == w->thread ? turn | (uint64_t)*to << 28 | (uint64_t)last : turn | (uint64_t)first << 28 | (uint64_t)*from;
    if (__atomic_compare_exchange_n(pile, &seen, rest, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return 1;
  }
}

/* The next range of blocks for this thread: its whole share at once (piece 0), or piece by piece. "offset" counts the owners it has been to. */
static inline int next(const walker_t *w, int64_t blocks, int64_t piece, int *offset, int64_t *from, int64_t *to) {
  if (piece == 0 || w->threads == 1) return (*offset)++ == 0 && share(w, blocks, from, to);
  for (; *offset < w->threads; ++*offset) if (claim(w, (w->thread + *offset) % w->threads, blocks, piece, from, to)) return 1;
  return 0;
}

static void walk(walker_t *w, const int64_t *at, const int64_t *end, char **table, char **save) {
  int64_t from, to;
  while (at < end) switch (*at) {
    case LAUNCH: { /* function, first argument, launch, units, units of a block, blocks of a piece */
      int64_t units = at[4], block = at[5], blocks = (units + block - 1) / block;
      if (w->timings) w->timings[at[3]].calls++;
      w->turn += at[6] > 0;
      for (int owners = 0; next(w, blocks, at[6], &owners, &from, &to);) call(w, at + 1, table, from * block, to * block < units ? to * block : units);
      at += 7;
      break;
    }
    case SWEEP: { /* blocks, count, blocks of a piece, then (function, first argument, launch, units of a block) each */
      int64_t count = at[2];
      if (w->timings) for (int64_t i = 0; i < count; i++) w->timings[at[6 + 4 * i]].calls++;
      w->turn += at[3] > 0;
      for (int owners = 0; next(w, at[1], at[3], &owners, &from, &to);) {
        for (int64_t u = from; u < to; u++) {
          for (int64_t i = 0; i < count; i++) { int64_t units = at[7 + 4 * i]; call(w, at + 4 + 4 * i, table, u * units, (u + 1) * units); }
        }
      }
      at += 4 + 4 * count;
      break;
    }
    case BARRIER:
      if (w->threads > 1) barrier(&stepBarrier, w->threads);
      at += 1;
      break;
    case LOOP: { /* turns, first argument, arguments, moves, body words, then (argument, stride)*, body */
      int64_t first = at[2], arguments = at[3], moves = at[4], length = at[5];
      const int64_t *move = at + 6, *body = move + 2 * moves;
      memcpy(save, table + first, (size_t)arguments * sizeof *table);
      for (int64_t turn = at[1]; turn > 0; turn--) {
        walk(w, body, body + length, table, save + arguments);
        for (int64_t i = 0; i < moves; i++) table[move[2 * i]] += move[2 * i + 1];
      }
      memcpy(table + first, save, (size_t)arguments * sizeof *table);
      at = body + length;
      break;
    }
    default: __builtin_trap();
  }
}

static void walkAll(const program_t *p, int thread, int threads, int profiled) {
  if (thread >= threads) return;
  char **table = p->tables[thread];
  for (int64_t i = 0; i < p->boundArguments; i++) {
    const int64_t *b = p->bindings + 3 * i;
    table[b[0]] = (char *)(uintptr_t)p->bound[1 + b[1]] + b[2];
  }
  walker_t w = { p, thread, threads, profiled ? p->timings[thread] : NULL, 0 };
  if (profiled) memset(w.timings, 0, (size_t)p->launches * sizeof *w.timings);
  walk(&w, p->code, p->code + p->codeLength, table, table + p->arguments);
}

/* ---- the pool ---- */
#ifdef __linux__
#define MAX_CPUS 4096
typedef struct { unsigned long bits[MAX_CPUS / (8 * sizeof(unsigned long))]; } cpus_t;
static int cpuList[MAX_CPUS], cpuCount;
static char workerCpu[MAX_CPUS];

static int pin(int cpu) {
  cpus_t one;
  memset(&one, 0, sizeof one);
  one.bits[cpu / (8 * sizeof(long))] |= 1UL << cpu % (8 * sizeof(long));
  return sched_setaffinity(0, sizeof one, (cpu_set_t *)&one);
}

/* A caller that sits on a worker's CPU is moved to its own for this run; the mask comes back afterwards, for children inherit it. */
static int settle(cpus_t *saved) {
  int cpu = cpuCount ? sched_getcpu() : -1;
  if (cpu < 0 || cpu >= MAX_CPUS || !workerCpu[cpu]) return 0;
  memset(saved, 0, sizeof *saved);
  return sched_getaffinity(0, sizeof *saved, (cpu_set_t *)saved) == 0 && pin(cpuList[0]) == 0;
}
#endif

static void *worker(void *argument) {
  int thread = (int)((intptr_t)argument & 0xffff);
  uint32_t seen = (uint32_t)((uintptr_t)argument >> 16);
#ifdef __linux__
  if (thread < cpuCount) pin(cpuList[thread]);
#endif
  for (;;) {
    for (int64_t deadline = now() + idleNanoseconds;;) {
      int spins = 0;
      while (spins < 32 && __atomic_load_n(&generation, __ATOMIC_ACQUIRE) == seen) { PAUSE(); spins++; }
      if (spins < 32) break;
      if (now() < deadline) continue;
      __atomic_add_fetch(&sleepers, 1, __ATOMIC_SEQ_CST);
      sleepWhile(seen);
      __atomic_sub_fetch(&sleepers, 1, __ATOMIC_SEQ_CST);
      deadline = now() + idleNanoseconds;
    }
    seen++;
    walkAll(job, thread, job->threads, jobProfiled);
    barrier(&endBarrier, poolThreads);
  }
  return NULL;
}

/* Makes the pool at least so large; returns how many threads a program may have, the caller counted. */
int gx_start(int threads, const double *cpus, int count) {
#ifdef __GLIBC__
  /* Freed tensors are kept for the next ones instead of going back to the system page by page. */
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
  pthread_mutex_lock(&runLock);
  if (poolThreads == 1) {
    /* Threads live until the process ends: this code must never be unmapped. */
    Dl_info self;
    if (dladdr((void *)gx_start, &self)) dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE);
  }
  if (threads > MAX_THREADS) threads = MAX_THREADS;
  if (threads > count) barrierSpins = 100, idleNanoseconds = 20000;
#ifdef __linux__
  for (int i = cpuCount; i < count && i < MAX_CPUS && cpus[i] < MAX_CPUS; i++) cpuList[cpuCount++] = (int)cpus[i];
#endif
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 8 << 20);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (; poolThreads < threads; poolThreads++) {
    pthread_t id;
    if (pthread_create(&id, &attributes, worker, (void *)((uintptr_t)generation << 16 | (uintptr_t)poolThreads))) break;
#ifdef __linux__
    if (poolThreads < cpuCount) workerCpu[cpuList[poolThreads]] = 1;
#endif
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  int result = threads < poolThreads ? threads : poolThreads;
  pthread_mutex_unlock(&runLock);
  return result;
}

static void execute(const program_t *p, int profiled) {
  int threads = p->threads;
  if (threads > 1 && p->seconds < 40e-6 && __atomic_load_n(&sleepers, __ATOMIC_SEQ_CST)) {
    /* Waking takes longer than the work. Wake for the next run if runs follow each other closely. */
    if (now() - lastEnd < idleNanoseconds) wakeAll();
    threads = 1;
  }
  if (threads == 1) {
    walkAll(p, 0, 1, profiled);
    for (int t = 1; profiled && t < p->threads; t++) memset(p->timings[t], 0, (size_t)p->launches * sizeof **p->timings);
  } else {
#ifdef __linux__
    cpus_t saved;
    int moved = settle(&saved);
#endif
    job = p;
    jobProfiled = profiled;
    for (int t = 0; t < threads; t++) piles[t].left = 0;
    __atomic_add_fetch(&generation, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST)) wakeAll();
    walkAll(p, 0, threads, profiled);
    barrier(&endBarrier, poolThreads);
#ifdef __linux__
    if (moved) sched_setaffinity(0, sizeof saved, (cpu_set_t *)&saved);
#endif
  }
  if (p->threads != 1) lastEnd = now();
}

/* Runs the program if its bindings still carry this sequence number: a run that was asked for asynchronously may have been done already. */
void gx_run(double address, double sequence, int profiled) {
  program_t *p = (program_t *)(uintptr_t)address;
  pthread_mutex_lock(&runLock);
  double *pending = (double *)p->bound;
  if (*pending == sequence) *pending = 0, execute(p, profiled);
  pthread_mutex_unlock(&runLock);
}

/* ---- programs ---- */
/* Zeros, in whole cache lines of their own: threads do not disturb each other. NULL when there is no memory. */
static void *zeros(int64_t count, size_t size) {
  void *block;
  size_t bytes = ((size_t)count * size + 128) & ~(size_t)127;
  return posix_memalign(&block, 128, bytes) ? NULL : memset(block, 0, bytes);
}

/* Large pages for a large tensor that has not been touched yet: fewer page faults, fewer misses of the address cache. */
void gx_large_pages(double address, double bytes) {
#ifdef MADV_HUGEPAGE
  madvise((void *)(uintptr_t)address, (size_t)bytes, MADV_HUGEPAGE);
#else
  (void)address; (void)bytes;
#endif
}

/* Fresh pages are zero. A large arena starts where a large page does. */
static int reserveArena(program_t *p) {
  size_t bytes = (size_t)p->arenaBytes + 128, huge = 2 << 20, aligned = bytes >= 2 * huge ? huge : 1;
  if ((double)bytes > (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE)) return 0;
  void *block = mmap(NULL, bytes + aligned, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return 0;
  p->arenaBlock = block, p->arenaMapped = bytes + aligned;
  p->arena = (char *)(((uintptr_t)block + aligned - 1) & ~(uintptr_t)(aligned - 1));
  if (aligned == huge) gx_large_pages((double)(uintptr_t)p->arena, (double)bytes);
  return 1;
}

void gx_free(double address) {
  program_t *p = (program_t *)(uintptr_t)address;
  if (p->arenaBlock) munmap(p->arenaBlock, p->arenaMapped);
  for (int t = 0; t < p->threads; t++) {
    if (p->tables) free(p->tables[t]);
    if (p->timings) free(p->timings[t]);
  }
  free(p->tables); free(p->timings); free(p->code); free(p->bindings); free(p);
}

/* words: threads, arguments, saved arguments, launches, code words, arena bytes, bound arguments, seconds, then (binding or -1, byte offset) per argument, then the code. 0 on failure. */
double gx_create(const double *words, const double *bound) {
  program_t *p = zeros(1, sizeof *p);
  if (!p) { message = "out of memory"; return 0; }
  p->threads = (int)words[0];
  p->arguments = (int64_t)words[1], p->launches = (int64_t)words[3];
  p->codeLength = (int64_t)words[4], p->arenaBytes = (int64_t)words[5];
  p->boundArguments = (int64_t)words[6];
  p->seconds = words[7];
  p->bound = bound;
  const double *places = words + 8, *code = places + 2 * p->arguments;
  p->code = zeros(p->codeLength, sizeof *p->code);
  p->bindings = zeros(3 * p->boundArguments, sizeof *p->bindings);
  p->tables = zeros(p->threads, sizeof *p->tables);
  p->timings = zeros(p->threads, sizeof *p->timings);
  int good = p->code && p->bindings && p->tables && p->timings;
  for (int t = 0; good && t < p->threads; t++) {
    p->tables[t] = zeros(p->arguments + (int64_t)words[2], sizeof(char *));
    p->timings[t] = zeros(p->launches, sizeof(timing_t));
    good = p->tables[t] && p->timings[t];
  }
  if (!good || !reserveArena(p)) {
    message = good ? "arena" : "out of memory";
    gx_free((double)(uintptr_t)p);
    return 0;
  }
  for (int64_t i = 0; i < p->codeLength; i++) p->code[i] = (int64_t)code[i];
  for (int64_t i = 0, b = 0; i < p->arguments; i++) {
    int64_t binding = (int64_t)places[2 * i], offset = (int64_t)places[2 * i + 1];
    for (int t = 0; t < p->threads; t++) p->tables[t][i] = p->arena + offset;
    if (binding < 0) continue;
    p->bindings[3 * b] = i, p->bindings[3 * b + 1] = binding, p->bindings[3 * b++ + 2] = offset;
  }
  return (double)(uintptr_t)p;
}

/* calls and seconds of each launch in the last profiled run: those of the slowest thread. */
void gx_times(double address, double *out) {
  program_t *p = (program_t *)(uintptr_t)address;
  for (int64_t i = 0; i < p->launches; i++) {
    out[2 * i] = out[2 * i + 1] = 0;
    for (int t = 0; t < p->threads; t++) {
      timing_t timing = p->timings[t][i];
      if (timing.calls > out[2 * i]) out[2 * i] = (double)timing.calls;
      if (timing.seconds > out[2 * i + 1]) out[2 * i + 1] = timing.seconds;
    }
  }
}

/* ---- libraries of kernels; they are never closed ---- */
double gx_open(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) message = dlerror();
  return (double)(uintptr_t)library;
}
double gx_symbol(double library, const char *name) { return (double)(uintptr_t)dlsym((void *)(uintptr_t)library, name); }
const char *gx_message(void) { return message; }
