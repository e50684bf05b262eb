/*
 * What this machine can do at most, on N pinned threads: multiply-add fed from the first-level cache (a register tile over operands that stay there, the best of
 * a few tiles), reading from the second- and third-level cache and from memory, writing to memory and copying in it, and a barrier. Prints one JSON line.
 * Usage: ceilings THREADS L1_BYTES L2_BYTES L3_BYTES, the last for all threads together
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
typedef float vector __attribute__((vector_size(4 * LANES)));

static int threads = 1;
static long l1Bytes, l2Bytes, l3Bytes;
static volatile int arrived, turn;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void barrier(void) {
  int seen = __atomic_load_n(&turn, __ATOMIC_RELAXED);
  if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == threads) {
    arrived = 0;
    __atomic_store_n(&turn, seen + 1, __ATOMIC_RELEASE);
  } else {
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == seen) {
    }
  }
}

/* ROWS x VECTORS sums over `depth`: rows of `a` are broadcast, columns come from the panel `b`; what a matrix product does in its innermost loop. */
#define TILE(ROWS, VECTORS)                                                                                                    \
  static __attribute__((noinline)) void tile_##ROWS##_##VECTORS(const float *a, const vector *b, long depth, vector *out) {     \
    vector sum[ROWS][VECTORS];                                                                                                 \
    memset(sum, 0, sizeof sum);                                                                                                \
    for (long k = 0; k < depth; k++) {                                                                                         \
      vector column[VECTORS];                                                                                                  \
      _Pragma("GCC unroll 8") for (int v = 0; v < VECTORS; v++) column[v] = b[k * VECTORS + v];                                \
      _Pragma("GCC unroll 32") for (int r = 0; r < ROWS; r++) {                                                                \
        vector row = a[r * depth + k] - (vector){0};                                                                           \
        _Pragma("GCC unroll 8") for (int v = 0; v < VECTORS; v++) sum[r][v] += row * column[v];                                \
      }                                                                                                                        \
    }                                                                                                                          \
    for (int r = 0; r < ROWS; r++)                                                                                             \
      for (int v = 0; v < VECTORS; v++) out[r * VECTORS + v] += sum[r][v];                                                     \
  }
TILE(6, 2)
TILE(5, 2)
TILE(4, 3)
TILE(6, 4)
TILE(8, 3)
TILE(14, 2)
static const struct {
  void (*run)(const float *, const vector *, long, vector *);
  int rows, vectors;
} tiles[] = {{tile_6_2, 6, 2}, {tile_5_2, 5, 2}, {tile_4_3, 4, 3}, {tile_6_4, 6, 4}, {tile_8_3, 8, 3}, {tile_14_2, 14, 2}};
enum { TILES = sizeof tiles / sizeof *tiles };

typedef struct {
  double tile[TILES], l2, l3, memory, write, copy, barrier;
} rates;
static rates results[64];

static float *block(long bytes) {
  float *p = aligned_alloc(128, (size_t)((bytes + 127) / 128 * 128));
  if (!p) exit(1);
  for (long i = 0; i < bytes / 4; i++) p[i] = (float)(i % 7) * 0.01f;
  return p;
}

/* Bytes per second of reading `bytes` again and again for about a fifth of a second, all threads at once. */
static double reading(const vector *p, long bytes, vector *out) {
  long count = bytes / (long)sizeof(vector) / 8 * 8, rounds = 0;
  vector sum[8] = {{0}};
  barrier();
  double start = now(), seconds;
  do {
    for (long i = 0; i < count; i += 8)
      for (int j = 0; j < 8; j++) sum[j] += p[i + j];
    rounds++;
  } while ((seconds = now() - start) < 0.2);
  for (int j = 0; j < 8; j++) out[j] += sum[j];
  return (double)count * sizeof(vector) * (double)rounds / seconds;
}

/* The same for writing a number, or, where there is a source, copying (bytes read and bytes written count): with ordinary stores, as kernels do. */
static double writing(vector *p, const vector *source, long bytes) {
  long count = bytes / (long)sizeof(vector) / 8 * 8, rounds = 0;
  vector number = {0};
  barrier();
  double start = now(), seconds;
  do {
    for (long i = 0; i < count; i += 8) {
      if (source) for (int j = 0; j < 8; j++) p[i + j] = source[i + j] + number;
      else for (int j = 0; j < 8; j++) p[i + j] = number;
      __asm__ volatile("" ::: "memory"); /* no call of memset or memcpy, which go around the caches */
    }
    number += 1.0f, rounds++;
  } while ((seconds = now() - start) < 0.2);
  return (source ? 2.0 : 1.0) * (double)count * sizeof(vector) * (double)rounds / seconds;
}

static void *measure(void *argument) {
  long me = (long)(intptr_t)argument;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((int)me, &one);
  sched_setaffinity(0, sizeof one, &one);
  rates *rate = &results[me];
  vector *out = (vector *)block(64 * (long)sizeof(vector));
  for (int t = 0; t < TILES; t++) {
    long depth = l1Bytes / 2 / (4 * (tiles[t].rows + tiles[t].vectors * LANES));
    float *a = block(4 * depth * tiles[t].rows), *b = block(4 * depth * tiles[t].vectors * LANES);
    for (int attempt = 0; attempt < 5; attempt++) {
      long rounds = 0;
      barrier();
      double start = now(), seconds;
      do {
        for (int i = 0; i < 100; i++) tiles[t].run(a, (vector *)b, depth, out);
        rounds += 100;
      } while ((seconds = now() - start) < 0.05);
      double speed = 2.0 * (double)(depth * tiles[t].rows * tiles[t].vectors * LANES * rounds) / seconds;
      if (speed > rate->tile[t]) rate->tile[t] = speed;
    }
    free(a), free(b);
  }
  long far = 128L << 20;
  float *p = block(far);
  rate->l2 = reading((vector *)p, l2Bytes / 2, out);
  rate->l3 = reading((vector *)p, l3Bytes / 2 / threads, out);
  rate->memory = reading((vector *)p, far, out);
  rate->write = writing((vector *)p, NULL, far);
  rate->copy = writing((vector *)p, (vector *)p + far / 2 / (long)sizeof(vector), far / 2);
  barrier();
  double start = now();
  for (int i = 0; i < 10000; i++) barrier();
  rate->barrier = (now() - start) / 10000;
  free(p), free(out);
  return NULL;
}

int main(int count, char **values) {
  if (count != 5) return 2;
  threads = atoi(values[1]), l1Bytes = atol(values[2]), l2Bytes = atol(values[3]), l3Bytes = atol(values[4]);
  if (threads < 1 || threads > 64) return 2;
  pthread_t ids[64];
  for (long t = 1; t < threads; t++) pthread_create(&ids[t], NULL, measure, (void *)(intptr_t)t);
  measure((void *)0);
  for (long t = 1; t < threads; t++) pthread_join(ids[t], NULL);
  double tile = 0, l2 = 0, l3 = 0, memory = 0, write = 0, copy = 0;
  for (int i = 0; i < TILES; i++) {
    double sum = 0;
    for (int t = 0; t < threads; t++) sum += results[t].tile[i];
    if (sum > tile) tile = sum;
  }
  for (int t = 0; t < threads; t++) {
    l2 += results[t].l2, l3 += results[t].l3;
    memory += results[t].memory, write += results[t].write, copy += results[t].copy;
  }
  printf("{\"lanes\":%d,\"gflops\":%.1f,\"l2_gbps\":%.1f,\"l3_gbps\":%.1f,\"memory_gbps\":%.1f,\"memory_write_gbps\":%.1f,\"memory_copy_gbps\":%.1f,\"barrier_us\":%.3f}\n",
         LANES, tile / 1e9, l2 / 1e9, l3 / 1e9, memory / 1e9, write / 1e9, copy / 1e9, results[0].barrier * 1e6);
  return 0;
}
