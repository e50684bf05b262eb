/*
 * What kernels are written with: vectors of LANES elements (4, 8 or 16; defined before), loads and stores, conversions, arithmetic. Stands at the head of
 * every compile unit; maths.h follows. codegen/c.ts knows the functions by name: they end in the operand's type, sf32 a float, vf32 a vector of them.
 * A mask is a vector of 32-bit lanes, 0 or -1.
 */
typedef signed char int8_t; typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef int int32_t; typedef unsigned int uint32_t;
typedef long long int64_t;

/* HALF(x): x once for half of the lanes. LOW, HIGH: the numbers of the lower and the upper lanes. */
#if LANES == 4
#define HALF(x) x, x
#define LOW 0, 1
#define HIGH 2, 3
#elif LANES == 8
#define HALF(x) x, x, x, x
#define LOW 0, 1, 2, 3
#define HIGH 4, 5, 6, 7
#elif LANES == 16
#define HALF(x) x, x, x, x, x, x, x, x
#define LOW 0, 1, 2, 3, 4, 5, 6, 7
#define HIGH 8, 9, 10, 11, 12, 13, 14, 15
#else
#error "LANES must be 4, 8 or 16"
#endif
#if defined(__AVX512F__) && LANES == 16
#define WITH_AVX512 1
#endif
#define INLINE static inline __attribute__((always_inline))
/* The body of a function of vectors that goes lane by lane. */
#define LANEWISE(type, value) { type r; for (int l = 0; l < LANES; l++) r[l] = value; return r; }

/* Before a loop over lanes whose number is known where it is inlined. */
#define UNROLLED _Pragma("GCC unroll 16")

#define VECTOR(bytes) __attribute__((vector_size((bytes) * LANES)))
typedef float f32; typedef double f64; typedef int32_t i32; typedef uint8_t u8;
typedef float f32v VECTOR(4); typedef double f64v VECTOR(8); typedef int32_t i32v VECTOR(4); typedef uint8_t u8v VECTOR(1);
typedef uint32_t u32v VECTOR(4); typedef int8_t i8v VECTOR(1); typedef short i16v VECTOR(2); typedef uint16_t u16v VECTOR(2); typedef int64_t i64v VECTOR(8);
/* Only kept in memory: arithmetic is done in float32. */
typedef uint16_t f16; typedef uint16_t bf16; typedef u16v f16v; typedef u16v bf16v;
typedef float f32x4 __attribute__((vector_size(16))); typedef int32_t i32x4 __attribute__((vector_size(16))); typedef double f64x2 __attribute__((vector_size(16)));
typedef double f64x2u __attribute__((vector_size(16), aligned(4), may_alias)); typedef double f64u __attribute__((aligned(4), may_alias));
static const i32v lane_indices = {LOW, HIGH};

/* ---- loads and stores: of whole vectors, of elements that lie apart, of the first n lanes ---- */
/* A vector that is subscripted by a variable lives in memory, and so does the accumulator that it was; a copy in a union spares that. */
#define MEMORY(t) \
  INLINE t##v splat_##t(t x) { t##v v = {HALF(x), HALF(x)}; return v; } \
  typedef t t##vu __attribute__((vector_size(sizeof(t) * LANES), aligned(sizeof(t)), may_alias)); \
  union lanes_##t { t##v whole; t lane[LANES]; }; \
  INLINE t##v load_##t(const t *p) { return *(const t##vu *)p; } \
  INLINE void store_##t(t *p, t##v x) { *(t##vu *)p = x; } \
  INLINE t##v load_strided_##t(const t *p, int64_t s, int64_t n) { t##v v = {0}; UNROLLED for (int64_t l = 0; l < n; l++) v[l] = p[l * s]; return v; } \
  INLINE void store_strided_##t(t *p, t##v x, int64_t s, int64_t n) { union lanes_##t u = {x}; UNROLLED for (int64_t l = 0; l < n; l++) p[l * s] = u.lane[l]; } \
  INLINE void scatter_##t(t *p, i32v i, t##v x, int64_t n) { union lanes_##t u = {x}; UNROLLED for (int64_t l = 0; l < n; l++) p[i[l]] = u.lane[l]; } \
  INLINE t##v gather_##t(const t *p, i32v i) { t##v v; for (int l = 0; l < LANES; l++) v[l] = p[i[l]]; return v; }
MEMORY(f32) MEMORY(f64) MEMORY(i32) MEMORY(u8) MEMORY(f16) MEMORY(bf16)

#define PARTS(t) \
  INLINE t##v load_part_##t(const t *p, int64_t n) { t##v v = {0}; for (int64_t l = 0; l < n; l++) v[l] = p[l]; return v; } \
  INLINE void store_part_##t(t *p, t##v x, int64_t n) { union lanes_##t u = {x}; UNROLLED for (int64_t l = 0; l < n; l++) p[l] = u.lane[l]; }
PARTS(f64) PARTS(u8) PARTS(f16) PARTS(bf16)
#ifdef WITH_AVX512
#define FIRST(n) ((unsigned short)((1u << (n)) - 1))
INLINE f32v load_part_f32(const f32 *p, int64_t n) { f32v z = {0}; return __builtin_ia32_loadups512_mask(p, z, FIRST(n)); }
INLINE i32v load_part_i32(const i32 *p, int64_t n) { i32v z = {0}; return __builtin_ia32_loaddqusi512_mask(p, z, FIRST(n)); }
INLINE void store_part_f32(f32 *p, f32v x, int64_t n) { __builtin_ia32_storeups512_mask(p, x, FIRST(n)); }
INLINE void store_part_i32(i32 *p, i32v x, int64_t n) { __builtin_ia32_storedqusi512_mask(p, x, FIRST(n)); }
#elif defined(__AVX2__) && LANES == 8
#define MASKED_PARTS(t) \
  INLINE t##v load_part_##t(const t *p, int64_t n) { return (t##v)__builtin_ia32_maskloadps256((const f32v *)p, splat_i32((int32_t)n) > lane_indices); } \
  INLINE void store_part_##t(t *p, t##v x, int64_t n) { \
    if (n >= 8) { store_##t(p, x); return; } \
    union { t##v whole; f64x2 half[2]; } u = {x}; \
    f64x2 q = u.half[0]; \
    if (n & 4) { *(f64x2u *)p = q; p += 4; q = u.half[1]; } \
    if (n & 2) { *(f64u *)p = q[0]; p += 2; q[0] = q[1]; } \
    if (n & 1) *p = ((t##x4)q)[0]; \
  }
MASKED_PARTS(f32) MASKED_PARTS(i32)
#else
PARTS(f32) PARTS(i32)
#endif

/* ---- horizontal folds, pairwise: lane l with lane l + half ---- */
#define FOLD(op, t, combined) \
  INLINE t fold_##op##_##t(t##v v) { for (int h = LANES / 2; h > 0; h /= 2) for (int l = 0; l < h; l++) { t a = v[l], b = v[l + h]; v[l] = combined; } return v[0]; }
#define FOLDS(t) FOLD(add, t, a + b) FOLD(mul, t, a * b) FOLD(max, t, a > b || a != a ? a : b) FOLD(min, t, a < b || a != a ? a : b)
FOLDS(f32) FOLDS(f64) FOLDS(i32) FOLDS(u8)

/* ---- booleans ---- */
INLINE i32v splat_bool(int32_t x) { return splat_i32(-(x != 0)); }
/* By way of 16 bits, for between bytes and 32 bits compilers convert one by one. */
INLINE i32v wide_bytes(u8v x) { return __builtin_convertvector(__builtin_convertvector(x, u16v), i32v); }
INLINE u8v narrow_bytes(i32v x) { return __builtin_convertvector(__builtin_convertvector(x, u16v), u8v); }
INLINE i32v load_bool(const uint8_t *p) { return -wide_bytes(load_u8(p)); }
INLINE i32v load_part_bool(const uint8_t *p, int64_t n) { return -wide_bytes(load_part_u8(p, n)); }
INLINE i32v load_strided_bool(const uint8_t *p, int64_t s, int64_t n) { return -wide_bytes(load_strided_u8(p, s, n)); }
INLINE i32v gather_bool(const uint8_t *p, i32v i) { return -wide_bytes(gather_u8(p, i)); }
INLINE u8v mask_bytes(i32v m) { return narrow_bytes(m & 1); }
INLINE void store_bool(uint8_t *p, i32v m) { store_u8(p, mask_bytes(m)); }
INLINE void store_part_bool(uint8_t *p, i32v m, int64_t n) { store_part_u8(p, mask_bytes(m), n); }
INLINE void scatter_bool(uint8_t *p, i32v i, i32v m, int64_t n) { scatter_u8(p, i, mask_bytes(m), n); }
INLINE void store_strided_bool(uint8_t *p, i32v m, int64_t s, int64_t n) { store_strided_u8(p, mask_bytes(m), s, n); }
INLINE int32_t fold_max_bool(i32v m) { int32_t any = 0; for (int l = 0; l < LANES; l++) any |= m[l]; return any != 0; }
INLINE int32_t fold_min_bool(i32v m) { int32_t all = -1; for (int l = 0; l < LANES; l++) all &= m[l]; return all != 0; }
INLINE int32_t max_sbool(int32_t a, int32_t b) { return a | b; }
INLINE int32_t min_sbool(int32_t a, int32_t b) { return a & b; }
INLINE i32v max_vbool(i32v a, i32v b) { return a | b; }
INLINE i32v min_vbool(i32v a, i32v b) { return a & b; }

/* ---- casts ---- */
#define CAST(from, to) \
  INLINE to cast_s##from##_##to(from x) { return (to)x; } \
  INLINE to##v cast_v##from##_##to(from##v x) { return __builtin_convertvector(x, to##v); }
/* Through int32, so that values wrap as in JavaScript's typed arrays. */
#define FROM_BYTES(to) INLINE to cast_su8_##to(u8 x) { return (to)x; } INLINE to##v cast_vu8_##to(u8v x) { return __builtin_convertvector(wide_bytes(x), to##v); }
#define TO_BYTES(from) \
  INLINE u8 cast_s##from##_u8(from x) { return (u8)(int32_t)x; } INLINE u8v cast_v##from##_u8(from##v x) { return narrow_bytes(__builtin_convertvector(x, i32v)); }
#define CAST_BOOL(t) \
  INLINE int32_t cast_s##t##_bool(t x) { return x != 0; } \
  INLINE i32v cast_v##t##_bool(t##v x) { return __builtin_convertvector(x != 0, i32v); } \
  INLINE t cast_sbool_##t(int32_t x) { return (t)(x != 0); } \
  INLINE t##v cast_vbool_##t(i32v m) { return __builtin_convertvector(m & 1, t##v); }
CAST(f32, f32) CAST(f32, f64) CAST(f32, i32) TO_BYTES(f32) CAST_BOOL(f32)
CAST(f64, f32) CAST(f64, f64) CAST(f64, i32) TO_BYTES(f64) CAST_BOOL(f64)
CAST(i32, f32) CAST(i32, f64) CAST(i32, i32) TO_BYTES(i32) CAST_BOOL(i32)
FROM_BYTES(f32) FROM_BYTES(f64) FROM_BYTES(i32) CAST(u8, u8) CAST_BOOL(u8)
CAST(f16, f16) CAST(bf16, bf16)
INLINE int32_t cast_sbool_bool(int32_t x) { return x; }
INLINE i32v cast_vbool_bool(i32v x) { return x; }

/* bfloat16: the upper half of a float32, rounded to nearest even. */
INLINE float cast_sbf16_f32(bf16 h) { union { uint32_t u; float f; } w = {(uint32_t)h << 16}; return w.f; }
INLINE bf16 cast_sf32_bf16(float x) {
  union { float f; uint32_t u; } w = {x};
  if (x != x) return (bf16)((w.u >> 16) | 64);
  return (bf16)((w.u + 0x7fff + ((w.u >> 16) & 1)) >> 16);
}
INLINE f32v cast_vbf16_f32(u16v x) { return (f32v)(__builtin_convertvector(x, u32v) << 16); }
INLINE u16v cast_vf32_bf16(f32v x) {
  u32v u = (u32v)x, nan = (u32v)(x != x), rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return __builtin_convertvector((nan & ((u >> 16) | 64)) ^ (~nan & rounded), u16v);
}
/* float16: through the compiler's own type. */
INLINE float cast_sf16_f32(f16 h) { union { uint16_t u; _Float16 f; } w = {h}; return (float)w.f; }
INLINE f16 cast_sf32_f16(float x) { union { _Float16 f; uint16_t u; } w = {(_Float16)x}; return w.u; }
#if defined(WITH_AVX512)
INLINE f32v cast_vf16_f32(u16v x) { f32v z = {0}; return __builtin_ia32_vcvtph2ps512_mask((i16v)x, z, -1, 4); }
INLINE u16v cast_vf32_f16(f32v x) { i16v z = {0}; return (u16v)__builtin_ia32_vcvtps2ph512_mask(x, 0, z, -1); }
#elif defined(__F16C__) && LANES == 8
INLINE f32v cast_vf16_f32(u16v x) { return __builtin_ia32_vcvtph2ps256((i16v)x); }
INLINE u16v cast_vf32_f16(f32v x) { return (u16v)__builtin_ia32_vcvtps2ph256(x, 0); }
#else
INLINE f32v cast_vf16_f32(u16v x) LANEWISE(f32v, cast_sf16_f32(x[l]))
INLINE u16v cast_vf32_f16(f32v x) LANEWISE(u16v, cast_sf32_f16(x[l]))
#endif

/* ---- select. Written with ^: GCC sees one blend in it; with | it does not ---- */
INLINE f32v sel_f32(i32v m, f32v a, f32v b) { return (f32v)((m & (i32v)a) ^ (~m & (i32v)b)); }
INLINE i32v sel_i32(i32v m, i32v a, i32v b) { return (m & a) ^ (~m & b); }
INLINE i32v sel_bool(i32v m, i32v a, i32v b) { return (m & a) ^ (~m & b); }
INLINE f64v sel_f64(i32v m, f64v a, f64v b) { i64v w = __builtin_convertvector(m, i64v); return (f64v)((w & (i64v)a) ^ (~w & (i64v)b)); }
INLINE u16v sel_f16(i32v m, u16v a, u16v b) { u16v w = (u16v)__builtin_convertvector(m, i16v); return (w & a) ^ (~w & b); }
INLINE u16v sel_bf16(i32v m, u16v a, u16v b) { return sel_f16(m, a, b); }
INLINE u8v sel_u8(i32v m, u8v a, u8v b) { u8v w = (u8v)__builtin_convertvector(m, i8v); return (w & a) ^ (~w & b); }

/* ---- multiply and add ---- */
#if defined(WITH_AVX512)
INLINE f32v fma_vf32(f32v a, f32v b, f32v c) { return __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4); }
#elif defined(__FMA__) && LANES == 8 && !defined(__clang__)
INLINE f32v fma_vf32(f32v a, f32v b, f32v c) { return __builtin_ia32_vfmaddps256(a, b, c); }
#elif defined(__FMA__) || defined(__ARM_FEATURE_FMA)
INLINE f32v fma_vf32(f32v a, f32v b, f32v c) LANEWISE(f32v, __builtin_fmaf(a[l], b[l], c[l]))
#else
INLINE f32v fma_vf32(f32v a, f32v b, f32v c) { return a * b + c; }
#endif
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
INLINE float fma_sf32(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
INLINE double fma_sf64(double a, double b, double c) { return __builtin_fma(a, b, c); }
INLINE f64v fma_vf64(f64v a, f64v b, f64v c) LANEWISE(f64v, __builtin_fma(a[l], b[l], c[l]))
#else
INLINE float fma_sf32(float a, float b, float c) { return a * b + c; }
INLINE double fma_sf64(double a, double b, double c) { return a * b + c; }
INLINE f64v fma_vf64(f64v a, f64v b, f64v c) { return a * b + c; }
#endif

/* ---- rounding. Without the instruction: numbers from 2^23 on are whole, zeros keep their sign ---- */
#if defined(WITH_AVX512)
#define ROUND_VECTOR(name, mode) INLINE f32v name##_vf32(f32v x) { return __builtin_ia32_rndscaleps_mask(x, mode, x, -1, 4); }
#elif defined(__AVX__) && LANES == 8
#define ROUND_VECTOR(name, mode) INLINE f32v name##_vf32(f32v x) { return __builtin_ia32_roundps256(x, mode); }
#else
INLINE f32v truncated(f32v x) { return __builtin_convertvector(__builtin_convertvector(x, i32v), f32v); }
INLINE f32v small_floor(f32v x) { f32v t = truncated(x); return t - __builtin_convertvector((t > x) & 1, f32v); }
INLINE f32v small_ceil(f32v x) { f32v t = truncated(x); return t + __builtin_convertvector((t < x) & 1, f32v); }
INLINE f32v small_round(f32v x) { return ((f32v)((i32v)x & 0x7fffffff) + 0x1p23f) - 0x1p23f; }
#define ROUND_VECTOR(name, mode) \
  INLINE f32v name##_vf32(f32v x) { \
    i32v small = (i32v)x & 0x7fffffff, sign = (i32v)x ^ small; \
    return sel_f32(small < 0x4b000000, (f32v)((i32v)small_##name(x) | sign), x); \
  }
#endif
#define ROUND(name, mode, builtin) \
  ROUND_VECTOR(name, mode) \
  INLINE float name##_sf32(float x) { return builtin##f(x); } \
  INLINE double name##_sf64(double x) { return builtin(x); } \
  INLINE f64v name##_vf64(f64v x) LANEWISE(f64v, builtin(x[l]))
ROUND(floor, 9, __builtin_floor) ROUND(ceil, 10, __builtin_ceil) ROUND(round, 8, __builtin_rint)

/* ---- square roots ---- */
#if defined(WITH_AVX512) && !defined(__clang__)
INLINE f32v sqrt_vf32(f32v x) { return __builtin_ia32_sqrtps512_mask(x, x, -1, 4); }
#elif defined(__AVX__) && LANES == 8 && !defined(__clang__)
INLINE f32v sqrt_vf32(f32v x) { return __builtin_ia32_sqrtps256(x); }
#else
INLINE f32v sqrt_vf32(f32v x) LANEWISE(f32v, __builtin_sqrtf(x[l]))
#endif
INLINE float sqrt_sf32(float x) { return __builtin_sqrtf(x); }
INLINE double sqrt_sf64(double x) { return __builtin_sqrt(x); }
INLINE f64v sqrt_vf64(f64v x) LANEWISE(f64v, __builtin_sqrt(x[l]))
#define RSQRT(t) INLINE t rsqrt_s##t(t x) { return 1 / sqrt_s##t(x); } INLINE t##v rsqrt_v##t(t##v x) { return 1 / sqrt_v##t(x); }
RSQRT(f32) RSQRT(f64)

/* ---- the smaller, the larger; NaN wins ---- */
#define CHOOSE(name, t, wins) \
  INLINE t name##_s##t(t a, t b) { return a wins b ? a : b; } \
  INLINE t##v name##_v##t(t##v a, t##v b) { return sel_##t(__builtin_convertvector(a wins b, i32v), a, b); }
#define CHOOSE_FLOATING(name, t, wins) \
  INLINE t name##_s##t(t a, t b) { return a wins b || a != a ? a : b; } \
  INLINE t##v name##_v##t(t##v a, t##v b) { return sel_##t(__builtin_convertvector((a wins b) | (a != a), i32v), a, b); }
CHOOSE_FLOATING(min, f32, <) CHOOSE_FLOATING(max, f32, >) CHOOSE_FLOATING(min, f64, <) CHOOSE_FLOATING(max, f64, >)
CHOOSE(min, i32, <) CHOOSE(max, i32, >) CHOOSE(min, u8, <) CHOOSE(max, u8, >)

/* ---- magnitude and sign ---- */
INLINE float abs_sf32(float x) { return __builtin_fabsf(x); }
INLINE f32v abs_vf32(f32v x) { return (f32v)((i32v)x & 0x7fffffff); }
INLINE double abs_sf64(double x) { return __builtin_fabs(x); }
INLINE f64v abs_vf64(f64v x) LANEWISE(f64v, __builtin_fabs(x[l]))
INLINE float sign_sf32(float x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
INLINE f32v sign_vf32(f32v x) { return sel_f32(x > 0, splat_f32(1), sel_f32(x < 0, splat_f32(-1), x)); }
INLINE double sign_sf64(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
INLINE f64v sign_vf64(f64v x) LANEWISE(f64v, sign_sf64(x[l]))

/* ---- whole numbers: they wrap; division is floored, by zero it gives 0 ---- */
INLINE i32 div_si32(i32 a, i32 b) { return b == 0 ? 0 : b == -1 ? -a : a / b - (a % b != 0 && (a < 0) != (b < 0)); }
INLINE i32 mod_si32(i32 a, i32 b) { return b == 0 ? 0 : b == -1 ? 0 : a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0); }
INLINE u8 div_su8(u8 a, u8 b) { return b == 0 ? 0 : a / b; }
INLINE u8 mod_su8(u8 a, u8 b) { return b == 0 ? 0 : a % b; }
INLINE u8 pow_su8(u8 a, u8 b) { u8 r = 1; for (; b; b >>= 1, a *= a) if (b & 1) r *= a; return r; }
INLINE i32 pow_si32(i32 a, i32 b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
  i32 r = 1;
  for (; b; b >>= 1, a *= a) if (b & 1) r *= a;
  return r;
}
INLINE i32 abs_si32(i32 x) { return x < 0 ? -x : x; }
INLINE u8 abs_su8(u8 x) { return x; }
INLINE i32 sign_si32(i32 x) { return (x > 0) - (x < 0); }
INLINE u8 sign_su8(u8 x) { return x > 0; }
#define WHOLE(t) \
  INLINE t##v div_v##t(t##v a, t##v b) LANEWISE(t##v, div_s##t(a[l], b[l])) \
  INLINE t##v mod_v##t(t##v a, t##v b) LANEWISE(t##v, mod_s##t(a[l], b[l])) \
  INLINE t##v pow_v##t(t##v a, t##v b) LANEWISE(t##v, pow_s##t(a[l], b[l])) \
  INLINE t##v abs_v##t(t##v x) LANEWISE(t##v, abs_s##t(x[l])) \
  INLINE t fma_s##t(t a, t b, t x) { return a * b + x; } \
  INLINE t##v fma_v##t(t##v a, t##v b, t##v x) { return a * b + x; } \
  INLINE t##v sign_v##t(t##v x) { return (t##v)((x < 0) - (x > 0)); }
WHOLE(i32) WHOLE(u8)

/* ---- random bits to numbers in [0, 1) ---- */
INLINE float uniform_sf32(int32_t x) { return (float)(int32_t)((uint32_t)x >> 8) * 0x1p-24f; }
INLINE f32v uniform_vf32(i32v x) { return __builtin_convertvector((i32v)((u32v)x >> 8), f32v) * 0x1p-24f; }
INLINE double uniform_sf64(int32_t x) { return (double)(uint32_t)x * 0x1p-32; }
INLINE f64v uniform_vf64(i32v x) { return __builtin_convertvector((u32v)x, f64v) * 0x1p-32; }
