/*
 * The vectorised maths: every float32 function within 2 ulp over the whole range, on all lanes at once; float64 goes through libm. Follows vectors.h.
 * The polynomials, POLY_NAME(x), are macros that codegen/c-polynomials.ts writes from the coefficients that all renderers share. Cody-Waite range reductions
 * (Muller, Elementary Functions, ch. 11). Scalars use the vector function, so a value does not depend on which of the two computed it.
 */

/* Long functions are called, not inlined. */
#define OUTLINE static __attribute__((noinline, unused))

/* ---- vectors of half as many lanes in float64, for what needs more digits than float32 has ---- */
typedef float f32h VECTOR(2); typedef double f64h VECTOR(4); typedef int64_t i64h VECTOR(4);
INLINE f64h splat_half(double x) { f64h v = {HALF(x)}; return v; }
#if defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
INLINE f64h widen_low(f32v x) { return __builtin_convertvector(__builtin_shufflevector(x, x, LOW), f64h); }
INLINE f64h widen_high(f32v x) { return __builtin_convertvector(__builtin_shufflevector(x, x, HIGH), f64h); }
INLINE f32v narrow(f64h low, f64h high) {
  return __builtin_shufflevector(__builtin_convertvector(low, f32h), __builtin_convertvector(high, f32h), LOW, HIGH);
}
#else
union halves { f32v whole; f32h part[2]; };
INLINE f64h widen_low(f32v x) { union halves u = {x}; return __builtin_convertvector(u.part[0], f64h); }
INLINE f64h widen_high(f32v x) { union halves u = {x}; return __builtin_convertvector(u.part[1], f64h); }
INLINE f32v narrow(f64h low, f64h high) {
  union halves u;
  u.part[0] = __builtin_convertvector(low, f32h);
  u.part[1] = __builtin_convertvector(high, f32h);
  return u.whole;
}
#endif
#if defined(WITH_AVX512)
INLINE f64h fma_half(f64h a, f64h b, f64h c) { return __builtin_ia32_vfmaddpd512_mask(a, b, c, -1, 4); }
#elif defined(__FMA__) && LANES == 8 && !defined(__clang__)
INLINE f64h fma_half(f64h a, f64h b, f64h c) { return __builtin_ia32_vfmaddpd256(a, b, c); }
#else
INLINE f64h fma_half(f64h a, f64h b, f64h c) { return a * b + c; }
#endif

/* ---- helpers. Clamps keep NaN: the bound is taken only where it is the smaller (larger) one ---- */
#if defined(WITH_AVX512) && !defined(__clang__)
INLINE f32v at_most(f32v x, float bound) { return __builtin_ia32_minps512_mask(splat_f32(bound), x, x, -1, 4); }
INLINE f32v at_least(f32v x, float bound) { return __builtin_ia32_maxps512_mask(splat_f32(bound), x, x, -1, 4); }
INLINE int any_lane(i32v m) { return __builtin_ia32_ptestmd512(m, m, -1) != 0; }
#elif defined(__AVX__) && LANES == 8 && !defined(__clang__)
INLINE f32v at_most(f32v x, float bound) { return __builtin_ia32_minps256(splat_f32(bound), x); }
INLINE f32v at_least(f32v x, float bound) { return __builtin_ia32_maxps256(splat_f32(bound), x); }
INLINE int any_lane(i32v m) { return __builtin_ia32_movmskps256((f32v)m) != 0; }
#else
INLINE f32v at_most(f32v x, float bound) { return sel_f32(x > bound, splat_f32(bound), x); }
INLINE f32v at_least(f32v x, float bound) { return sel_f32(x < bound, splat_f32(bound), x); }
INLINE int any_lane(i32v m) { int32_t any = 0; for (int l = 0; l < LANES; l++) any |= m[l]; return any; }
#endif
INLINE f32v with_sign(f32v magnitude, f32v x) { return (f32v)((i32v)magnitude | ((i32v)x & (int32_t)0x80000000)); }
/* x + rounding is the nearest whole number, in the low bits: its shift by 23 is an exponent. */
static const float rounding = 12582912.0f;
INLINE f32v power_of_two(f32v rounded, int32_t more) { return (f32v)(((i32v)rounded << 23) + ((127 + more) << 23)); }
/* x times two to the power n, which is whole and within 150 of zero: one rounding even where the result is denormal. */
INLINE f32v scale(f32v x, f32v n) {
#if defined(WITH_AVX512)
  return __builtin_ia32_scalefps512_mask(x, n, x, -1, 4);
#else
  i32v i = __builtin_convertvector(n, i32v), half = i >> 1;
  return x * (f32v)((half + 127) << 23) * (f32v)((i - half + 127) << 23);
#endif
}
/* x = m times two to the power n, m from 3/4 to 3/2. Where vectors have it, n is infinite for 0 and infinity and NaN below 0. */
INLINE f32v split(f32v x, f32v *m) {
#if defined(WITH_AVX512)
  *m = __builtin_ia32_getmantps512_mask(x, 15, x, -1, 4);
  return __builtin_ia32_getexpps512_mask(x, x, -1, 4) - __builtin_ia32_getexpps512_mask(*m, x, -1, 4);
#else
  i32v tiny = x < 0x1p-126f;
  i32v bits = (i32v)sel_f32(tiny, x * 0x1p23f, x);
  i32v n = (bits - 0x3f400000) >> 23;
  *m = (f32v)(bits - (n << 23));
  return __builtin_convertvector(n - (tiny & 23), f32v);
#endif
}

/* ---- exponentials ---- */
/* expm1 of x - n log 2, and n + rounding. x within 104. */
INLINE f32v reduced_expm1(f32v x, f32v *rounded) {
  *rounded = fma_vf32(x, splat_f32(1.44269504f), splat_f32(rounding));
  f32v n = *rounded - rounding;
  f32v r = fma_vf32(n, splat_f32(-0.693359375f), x);
  r = fma_vf32(n, splat_f32(2.12194440e-4f), r);
  f32v z = r * r;
  f32v a = POLY_EXPM1_A(r), b = POLY_EXPM1_B(r), c = POLY_EXPM1_C(r);
  return fma_vf32(z, fma_vf32(fma_vf32(c, z, b), z, a), r);
}
INLINE f32v exp_vf32(f32v x) {
  f32v rounded, p = reduced_expm1(at_least(at_most(x, 89.0f), -104.0f), &rounded);
  return scale(1.0f + p, rounded - rounding);
}
INLINE f32v expm1_vf32(f32v x) {
  f32v rounded, p = reduced_expm1(at_least(at_most(x, 89.0f), -20.0f), &rounded);
  f32v t = power_of_two(rounded, -1);
  f32v r = fma_vf32(t, p, t - 0.5f);
  return sel_f32(abs_vf32(x) < 0x1p-26f, x, r + r);
}
/* 1 / (1 + exp(-x)), both sides times 2^-30: exp(104) has room and the quotient is rounded once even where it is denormal. */
INLINE f32v sigmoid_vf32(f32v x) {
  f32v rounded, p = reduced_expm1(-at_least(at_most(x, 20.0f), -104.0f), &rounded);
  f32v t = power_of_two(rounded, -30);
  return 0x1p-30f / (t + fma_vf32(t, p, splat_f32(0x1p-30f)));
}
/* Beyond 0.6: 1 - 2 / (exp(2 a) + 1). */
INLINE f32v tanh_vf32(f32v x) {
  f32v a = at_most(abs_vf32(x), 10.0f), z = x * x;
  f32v small = fma_vf32(POLY_TANH(z) * z, a, a);
  f32v rounded, p = reduced_expm1(a + a, &rounded);
  f32v t = power_of_two(rounded, 0);
  return with_sign(sel_f32(a < 0.6f, small, 1.0f - 2.0f / fma_vf32(t, p, t + 1.0f)), x);
}
/* Beyond 0.9, log(1 - erf) is nearly a parabola. */
INLINE f32v erf_vf32(f32v x) {
  f32v a = at_most(abs_vf32(x), 4.0f), z = x * x;
  f32v small = fma_vf32(x, POLY_ERF(z), x);
  f32v g = POLY_LOG_ERFC(a);
  f32v rounded, p = reduced_expm1(g, &rounded);
  f32v t = power_of_two(rounded, 0);
  return sel_f32(a < 0.9f, small, with_sign(1.0f - fma_vf32(t, p, t), x));
}

/* ---- logarithms and powers ---- */
/* log((1 + f) times two to the power n), f from -1/4 to 1/2. An infinite n passes through. */
INLINE f32v joined_log(f32v f, f32v n) {
  f32v z = f * f;
  f32v p = POLY_LOG(f);
  p = fma_vf32(n, splat_f32(1.42860682e-6f), p * f * z);
  return fma_vf32(n, splat_f32(0.693145752f), f + fma_vf32(z, splat_f32(-0.5f), p));
}
INLINE f32v log_vf32(f32v x) {
  f32v m, n = split(x, &m), r = joined_log(m - 1.0f, n);
#if defined(WITH_AVX512)
  return r;
#else
  r = sel_f32(x == 0, splat_f32(-__builtin_inff()), r);
  r = sel_f32(x < 0, splat_f32(__builtin_nanf("")), r);
  return sel_f32((x == __builtin_inff()) | (x != x), x, r);
#endif
}
/* The digits that 1 + x loses: m - 1 is formed from x itself. */
INLINE f32v log1p_vf32(f32v x) {
  f32v m, n = split(1.0f + x, &m);
  f32v r = joined_log(scale(x, -n) + (scale(splat_f32(1.0f), -n) - 1.0f), n);
  r = sel_f32(x == -1.0f, splat_f32(-__builtin_inff()), r);
#if !defined(WITH_AVX512)
  r = sel_f32(x < -1.0f, splat_f32(__builtin_nanf("")), r);
  r = sel_f32(x != x, x, r);
#endif
  return sel_f32((abs_vf32(x) < 0x1p-26f) | (x == __builtin_inff()), x, r);
}
/* Two to the power y (n + log2 m), in float64: the one rounding is the last. */
INLINE f64h pow_half(f64h m, f64h n, f64h y) {
  f64h s = (m - 1.0) / (m + 1.0), z = s * s;
  f64h l = fma_half(s, POLY_WIDE_LOG2(z), n);
  f64h t = y * l;
  i64h out = (t < -200.0) | (t > 200.0), above = t > 0;
  t = (f64h)((out & (i64h)((above & (i64h)splat_half(200.0)) ^ (~above & (i64h)splat_half(-200.0)))) ^ (~out & (i64h)t));
  f64h w = t + 0x1.8p52, r = t - (w - 0x1.8p52);
  f64h p = POLY_WIDE_EXP2(r);
  return (f64h)((i64h)p + ((i64h)w << 52));
}
OUTLINE f32v pow_vf32(f32v x, f32v y) {
  f32v a = abs_vf32(x), b = abs_vf32(y), m, n = split(a, &m);
  n = sel_f32((a == 0) | (a == __builtin_inff()), splat_f32(0), n);
  f32v r = narrow(pow_half(widen_low(m), widen_low(n), widen_low(y)), pow_half(widen_high(m), widen_high(n), widen_high(y)));
  i32v zero = a == 0, infinite = a == __builtin_inff(), whole = round_vf32(y) == y;
  r = sel_f32(zero | infinite, (f32v)(((y < 0) ^ infinite) & 0x7f800000), r);
  i32v odd = whole & (b < 0x1p24f) & -(__builtin_convertvector(sel_f32(b < 0x1p24f, y, splat_f32(0)), i32v) & 1);
  r = (f32v)((i32v)r | ((i32v)x & odd & (int32_t)0x80000000));
  r = sel_f32((x < 0) & ~infinite & ~whole, splat_f32(__builtin_nanf("")), r);
  r = sel_f32((x != x) | (y != y), x + y, r);
  return sel_f32((x == 1.0f) | (y == 0) | ((a == 1.0f) & (b == __builtin_inff())), splat_f32(1.0f), r);
}

/* ---- circular functions ---- */
extern float sinf(float); extern float cosf(float); extern float tanf(float); extern float fmodf(float, float);
/* x - n pi/2 in float64 (the first part of pi/2 has 33 bits), exact enough up to 2^20. */
INLINE f64h reduced_angle(f64h x, f64h *n) {
  *n = (x * 0.6366197723675814 + 0x1.8p52) - 0x1.8p52;
  return (x - *n * 0x1.921fb544p0) - *n * 6.077100506506192e-11;
}
INLINE f32v sine(f32v x, int32_t quarter) {
  f64h m, n, low = reduced_angle(widen_low(x), &m), high = reduced_angle(widen_high(x), &n);
  f32v r = narrow(low, high), z = r * r;
  i32v q = __builtin_convertvector(narrow(m, n), i32v) + quarter;
  f32v s = fma_vf32(POLY_SIN(z) * z, r, r);
  f32v c = fma_vf32(POLY_COS(z) * z, z, fma_vf32(z, splat_f32(-0.5f), splat_f32(1.0f)));
  f32v v = sel_f32((q & 1) != 0, c, s);
  return (f32v)((i32v)v ^ ((q & 2) << 30));
}
INLINE f64h tan_half(f64h x) {
  f64h n, r = reduced_angle(x, &n), z = r * r;
  f64h s = fma_half(r * z, POLY_WIDE_SIN(z), r);
  f64h c = fma_half(z * z, POLY_WIDE_COS(z), fma_half(z, splat_half(-0.5), splat_half(1.0)));
  i64h odd = -((i64h)(n + 0x1.8p52) & 1);
  return (f64h)((odd & (i64h)-c) ^ (~odd & (i64h)s)) / (f64h)((odd & (i64h)s) ^ (~odd & (i64h)c));
}
/* Beyond 2^20 (and infinities): libm, lane by lane. */
#define PERIODIC(name, near) \
  OUTLINE f32v name##_vf32(f32v x) { \
    f32v r = near; \
    i32v far = ~(abs_vf32(x) <= 0x1p20f); \
    if (any_lane(far)) for (int l = 0; l < LANES; l++) if (far[l]) r[l] = name##f(x[l]); \
    return r; \
  }
PERIODIC(sin, sel_f32(x == 0, x, sine(x, 0)))
PERIODIC(cos, sine(x, 1))
PERIODIC(tan, sel_f32(x == 0, x, narrow(tan_half(widen_low(x)), tan_half(widen_high(x)))))
/* a - b floor(a / b): exact in float64 while the quotient has at most 28 bits. */
INLINE f64h mod_half(f64h a, f64h b) {
  f64h q = a / b + 0x1.8p52, r = a - (q - 0x1.8p52) * b;
  i64h wrong = ((r < 0) & (b > 0)) | ((r > 0) & (b < 0));
  return r + (f64h)(wrong & (i64h)b);
}
OUTLINE f32v mod_vf32(f32v a, f32v b) {
  f32v r = narrow(mod_half(widen_low(a), widen_low(b)), mod_half(widen_high(a), widen_high(b)));
  i32v far = ~((abs_vf32(a) < abs_vf32(b) * 0x1p28f) & (abs_vf32(b) < __builtin_inff()));
  if (any_lane(far)) for (int l = 0; l < LANES; l++) if (far[l]) {
    float f = fmodf(a[l], b[l]);
    r[l] = f != 0 && (f < 0) != (b[l] < 0) ? f + b[l] : f;
  }
  return r;
}

/* ---- scalars, and float64: libm, lane by lane ---- */
#define ELEMENTARY(f) \
  INLINE float f##_sf32(float x) { return f##_vf32(splat_f32(x))[0]; } \
  OUTLINE f64v f##_vf64(f64v x) LANEWISE(f64v, f##_sf64(x[l]))
#define ELEMENTARY_OF_LIBM(f) extern double f(double); INLINE double f##_sf64(double x) { return f(x); } ELEMENTARY(f)
ELEMENTARY_OF_LIBM(exp) ELEMENTARY_OF_LIBM(expm1) ELEMENTARY_OF_LIBM(log) ELEMENTARY_OF_LIBM(log1p) ELEMENTARY_OF_LIBM(tanh)
ELEMENTARY_OF_LIBM(erf) ELEMENTARY_OF_LIBM(sin) ELEMENTARY_OF_LIBM(cos) ELEMENTARY_OF_LIBM(tan)
INLINE double sigmoid_sf64(double x) { double e = exp(-__builtin_fabs(x)); return (x < 0 ? e : 1) / (1 + e); }
ELEMENTARY(sigmoid)

extern double pow(double, double); extern double fmod(double, double);
INLINE double pow_sf64(double a, double b) { return pow(a, b); }
INLINE double mod_sf64(double a, double b) { double r = fmod(a, b); return r != 0 && (r < 0) != (b < 0) ? r + b : r; }
#define OF_TWO(f) \
  INLINE float f##_sf32(float a, float b) { return f##_vf32(splat_f32(a), splat_f32(b))[0]; } \
  OUTLINE f64v f##_vf64(f64v a, f64v b) LANEWISE(f64v, f##_sf64(a[l], b[l]))
OF_TWO(pow) OF_TWO(mod)
