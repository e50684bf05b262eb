/**
 * The C text at the top of every compile unit: vector types, loads and stores, conversions, arithmetic; then the maths of c-maths.ts.
 * Helpers end in the operand's type: sf32 a float, vf32 a vector of them. A mask is a vector of 32-bit lanes, 0 or -1.
 */
import type { Target } from '../ir/ir.ts';
import { cMaths, lanewise } from './c-maths.ts';

interface Element {
  readonly name: string;
  /** The C types of one element and of a vector. */
  readonly c: string;
  readonly v: string;
  readonly bytes: number;
}

const dtypes: readonly Element[] = [
  { name: 'f32', c: 'float', v: 'f32v', bytes: 4 },
  { name: 'f64', c: 'double', v: 'f64v', bytes: 8 },
  { name: 'i32', c: 'int32_t', v: 'i32v', bytes: 4 },
  { name: 'u8', c: 'uint8_t', v: 'u8v', bytes: 1 },
];
/** Only kept in memory: arithmetic is done in float32. */
const halves: readonly Element[] = ['f16', 'bf16'].map((name) => ({ name, c: 'uint16_t', v: 'u16v', bytes: 2 }));

export function cPrelude(target: Target): string {
  const L = target.lanes;
  return [
    'typedef signed char int8_t; typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef int int32_t; typedef unsigned int uint32_t; typedef long long int64_t;',
    `#define LANES ${L}`,
    `typedef float f32v __attribute__((vector_size(${4 * L}))); typedef double f64v __attribute__((vector_size(${8 * L})));`,
    `typedef int32_t i32v __attribute__((vector_size(${4 * L}))); typedef uint32_t u32v __attribute__((vector_size(${4 * L})));`,
    `typedef uint8_t u8v __attribute__((vector_size(${L}))); typedef int8_t i8v __attribute__((vector_size(${L})));`,
    `typedef uint16_t u16v __attribute__((vector_size(${2 * L}))); typedef short i16v __attribute__((vector_size(${2 * L}))); typedef int64_t i64v __attribute__((vector_size(${8 * L})));`,
    'typedef float f32x4 __attribute__((vector_size(16))); typedef int32_t i32x4 __attribute__((vector_size(16))); typedef double f64x2 __attribute__((vector_size(16)));',
    'typedef double f64x2u __attribute__((vector_size(16), aligned(4), may_alias)); typedef double f64u __attribute__((aligned(4), may_alias));',
    '#define INLINE static inline __attribute__((always_inline))',
    `static const i32v lane_indices = {${Array.from({ length: L }, (_, l) => l).join(', ')}};`,
    ...[...dtypes, ...halves].map(
      ({ name, c, v }) => `INLINE ${v} splat_${name}(${c} x) { ${v} v = {${Array.from({ length: L }, () => 'x').join(', ')}}; return v; }`,
    ),
    ...[...dtypes, ...halves].map((element) => memory(element, L)),
    ...dtypes.map(folds),
    booleans,
    casts(),
    select,
    arithmetic(target),
    cMaths(target),
  ].join('\n');
}

/** Loads and stores: of whole vectors, of the first n lanes (masked where the machine can), of elements that lie apart. */
function memory({ name, c, v, bytes }: Element, L: number): string {
  return [
    `typedef ${c} ${name}vu __attribute__((vector_size(${bytes * L}), aligned(${bytes}), may_alias));`,
    `INLINE ${v} load_${name}(const ${c} *p) { return *(const ${name}vu *)p; }`,
    `INLINE void store_${name}(${c} *p, ${v} x) { *(${name}vu *)p = x; }`,
    `INLINE ${v} load_strided_${name}(const ${c} *p, int64_t s, int64_t n) { ${v} v = {0}; for (int64_t l = 0; l < n; l++) v[l] = p[l * s]; return v; }`,
    // A vector that is subscripted by a variable lives in memory, and so does the accumulator that it was; a copy spares that.
    `union lanes_${name} { ${v} whole; ${c} lane[LANES]; };`,
    `INLINE void store_strided_${name}(${c} *p, ${v} x, int64_t s, int64_t n) { union lanes_${name} u = {x}; for (int64_t l = 0; l < n; l++) p[l * s] = u.lane[l]; }`,
    `INLINE void scatter_${name}(${c} *p, i32v i, ${v} x, int64_t n) { union lanes_${name} u = {x}; for (int64_t l = 0; l < n; l++) p[i[l]] = u.lane[l]; }`,
    `INLINE ${v} gather_${name}(const ${c} *p, i32v i) { ${v} v; for (int l = 0; l < LANES; l++) v[l] = p[i[l]]; return v; }`,
    partial(name, c, v, L),
  ].join('\n');
}

function partial(name: string, c: string, v: string, L: number): string {
  const load = `INLINE ${v} load_part_${name}(const ${c} *p, int64_t n)`;
  const store = `INLINE void store_part_${name}(${c} *p, ${v} x, int64_t n)`;
  const loops = `${load} { ${v} v = {0}; for (int64_t l = 0; l < n; l++) v[l] = p[l]; return v; }
${store} { union lanes_${name} u = {x}; for (int64_t l = 0; l < n; l++) p[l] = u.lane[l]; }`;
  if (L === 4 || (name !== 'f32' && name !== 'i32')) return loops;
  if (L === 8)
    return `#ifdef __AVX2__
${load} { return (${v})__builtin_ia32_maskloadps256((const f32v *)p, splat_i32((int32_t)n) > lane_indices); }
${store} {
  if (n >= 8) { store_${name}(p, x); return; }
  union { ${v} whole; f64x2 half[2]; } u = {x};
  f64x2 q = u.half[0];
  if (n & 4) { *(f64x2u *)p = q; p += 4; q = u.half[1]; }
  if (n & 2) { *(f64u *)p = q[0]; p += 2; q[0] = q[1]; }
  if (n & 1) *p = (${c})((${name}x4)q)[0];
}
#else
${loops}
#endif`;
  const [loads, stores] = name === 'f32' ? ['loadups512', 'storeups512'] : ['loaddqusi512', 'storedqusi512'];
  return `#ifdef __AVX512F__
${load} { ${v} z = {0}; return __builtin_ia32_${loads}_mask(p, z, (unsigned short)((1u << n) - 1)); }
${store} { __builtin_ia32_${stores}_mask(p, x, (unsigned short)((1u << n) - 1)); }
#else
${loops}
#endif`;
}

/** Horizontal folds, pairwise: lane l with lane l + half. */
function folds({ name, c, v }: Element): string {
  const fold = (op: string, combine: string): string =>
    `INLINE ${c} fold_${op}_${name}(${v} v) { for (int h = LANES / 2; h > 0; h /= 2) for (int l = 0; l < h; l++) { ${c} a = v[l], b = v[l + h]; v[l] = ${combine}; } return v[0]; }`;
  return [fold('add', 'a + b'), fold('mul', 'a * b'), fold('max', 'a > b || a != a ? a : b'), fold('min', 'a < b || a != a ? a : b')].join('\n');
}

const booleans = `
INLINE i32v splat_bool(int32_t x) { return splat_i32(-(x != 0)); }
INLINE i32v load_bool(const uint8_t *p) { return -__builtin_convertvector(load_u8(p), i32v); }
INLINE i32v load_part_bool(const uint8_t *p, int64_t n) { return -__builtin_convertvector(load_part_u8(p, n), i32v); }
INLINE i32v load_strided_bool(const uint8_t *p, int64_t s, int64_t n) { return -__builtin_convertvector(load_strided_u8(p, s, n), i32v); }
INLINE i32v gather_bool(const uint8_t *p, i32v i) { return -__builtin_convertvector(gather_u8(p, i), i32v); }
INLINE u8v mask_bytes(i32v m) { return __builtin_convertvector(m & 1, u8v); }
INLINE void store_bool(uint8_t *p, i32v m) { store_u8(p, mask_bytes(m)); }
INLINE void store_part_bool(uint8_t *p, i32v m, int64_t n) { store_part_u8(p, mask_bytes(m), n); }
INLINE void scatter_bool(uint8_t *p, i32v i, i32v m, int64_t n) { scatter_u8(p, i, mask_bytes(m), n); }
INLINE void store_strided_bool(uint8_t *p, i32v m, int64_t s, int64_t n) { store_strided_u8(p, mask_bytes(m), s, n); }
INLINE int32_t fold_max_bool(i32v m) { int32_t any = 0; for (int l = 0; l < LANES; l++) any |= m[l]; return any != 0; }
INLINE int32_t fold_min_bool(i32v m) { int32_t all = -1; for (int l = 0; l < LANES; l++) all &= m[l]; return all != 0; }
INLINE int32_t max_sbool(int32_t a, int32_t b) { return a | b; }
INLINE int32_t min_sbool(int32_t a, int32_t b) { return a & b; }
INLINE i32v max_vbool(i32v a, i32v b) { return a | b; }
INLINE i32v min_vbool(i32v a, i32v b) { return a & b; }`;

function casts(): string {
  const out: string[] = [];
  for (const from of dtypes) {
    for (const to of dtypes) {
      // Through int32 between floating numbers and bytes, so that values wrap as in JavaScript's typed arrays, and because compilers convert bytes one by one.
      const through = (to.name === 'u8' && from.name[0] === 'f') || (from.name === 'u8' && to.name[0] === 'f');
      out.push(`INLINE ${to.c} cast_s${from.name}_${to.name}(${from.c} x) { return (${to.c})${through ? '(int32_t)' : ''}x; }`);
      const wider = through ? '__builtin_convertvector(x, i32v)' : 'x';
      const value = from.name === to.name ? 'x' : `__builtin_convertvector(${wider}, ${to.name}v)`;
      out.push(`INLINE ${to.name}v cast_v${from.name}_${to.name}(${from.name}v x) { return ${value}; }`);
    }
    out.push(`INLINE int32_t cast_s${from.name}_bool(${from.c} x) { return x != 0; }`);
    const wide = from.bytes === 4 ? 'x != 0' : '__builtin_convertvector(x != 0, i32v)';
    out.push(`INLINE i32v cast_v${from.name}_bool(${from.name}v x) { return ${wide}; }`);
    out.push(`INLINE ${from.c} cast_sbool_${from.name}(int32_t x) { return (${from.c})(x != 0); }`);
    out.push(
      `INLINE ${from.name}v cast_vbool_${from.name}(i32v m) { return ${from.name === 'i32' ? 'm & 1' : `__builtin_convertvector(m & 1, ${from.name}v)`}; }`,
    );
  }
  out.push(
    'INLINE int32_t cast_sbool_bool(int32_t x) { return x; }',
    'INLINE i32v cast_vbool_bool(i32v x) { return x; }',
    // bfloat16: the upper half of a float32, rounded to nearest even. float16 through the compiler's own type.
    'INLINE float cast_sbf16_f32(uint16_t h) { union { uint32_t u; float f; } w = {(uint32_t)h << 16}; return w.f; }',
    'INLINE uint16_t cast_sf32_bf16(float x) { union { float f; uint32_t u; } w = {x}; if (x != x) return (uint16_t)((w.u >> 16) | 64); return (uint16_t)((w.u + 0x7fff + ((w.u >> 16) & 1)) >> 16); }',
    'INLINE float cast_sf16_f32(uint16_t h) { union { uint16_t u; _Float16 f; } w = {h}; return (float)w.f; }',
    'INLINE uint16_t cast_sf32_f16(float x) { union { _Float16 f; uint16_t u; } w = {(_Float16)x}; return w.u; }',
  );
  for (const { name } of halves) {
    out.push(`INLINE u16v cast_v${name}_${name}(u16v x) { return x; }`, `INLINE uint16_t cast_s${name}_${name}(uint16_t x) { return x; }`);
  }
  out.push(halfPrecision);
  return out.join('\n');
}

const halfPrecision = `
INLINE f32v cast_vbf16_f32(u16v x) { return (f32v)(__builtin_convertvector(x, u32v) << 16); }
INLINE u16v cast_vf32_bf16(f32v x) {
  u32v u = (u32v)x, nan = (u32v)(x != x), rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return __builtin_convertvector((nan & ((u >> 16) | 64)) ^ (~nan & rounded), u16v);
}
#if defined(__AVX512F__) && LANES == 16
INLINE f32v cast_vf16_f32(u16v x) { f32v z = {0}; return __builtin_ia32_vcvtph2ps512_mask((i16v)x, z, -1, 4); }
INLINE u16v cast_vf32_f16(f32v x) { i16v z = {0}; return (u16v)__builtin_ia32_vcvtps2ph512_mask(x, 0, z, -1); }
#elif defined(__F16C__) && LANES == 8
INLINE f32v cast_vf16_f32(u16v x) { return __builtin_ia32_vcvtph2ps256((i16v)x); }
INLINE u16v cast_vf32_f16(f32v x) { return (u16v)__builtin_ia32_vcvtps2ph256(x, 0); }
#else
INLINE f32v cast_vf16_f32(u16v x) { f32v v; for (int l = 0; l < LANES; l++) v[l] = cast_sf16_f32(x[l]); return v; }
INLINE u16v cast_vf32_f16(f32v x) { u16v v; for (int l = 0; l < LANES; l++) v[l] = cast_sf32_f16(x[l]); return v; }
#endif`;

/** Written with ^: GCC sees one blend in it; with | it does not. */
const select = `
INLINE f32v sel_f32(i32v m, f32v a, f32v b) { return (f32v)((m & (i32v)a) ^ (~m & (i32v)b)); }
INLINE i32v sel_i32(i32v m, i32v a, i32v b) { return (m & a) ^ (~m & b); }
INLINE i32v sel_bool(i32v m, i32v a, i32v b) { return (m & a) ^ (~m & b); }
INLINE f64v sel_f64(i32v m, f64v a, f64v b) { i64v w = __builtin_convertvector(m, i64v); return (f64v)((w & (i64v)a) ^ (~w & (i64v)b)); }
INLINE u16v sel_f16(i32v m, u16v a, u16v b) { u16v w = (u16v)__builtin_convertvector(m, i16v); return (w & a) ^ (~w & b); }
INLINE u16v sel_bf16(i32v m, u16v a, u16v b) { return sel_f16(m, a, b); }
INLINE u8v sel_u8(i32v m, u8v a, u8v b) { u8v w = (u8v)__builtin_convertvector(m, i8v); return (w & a) ^ (~w & b); }`;

function arithmetic(target: Target): string {
  const fma = `
#if defined(__AVX512F__) && LANES == 16
INLINE f32v fma_vf32(f32v a, f32v b, f32v c) { return __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4); }
#elif defined(__FMA__) && LANES == 8 && !defined(__clang__)
INLINE f32v fma_vf32(f32v a, f32v b, f32v c) { return __builtin_ia32_vfmaddps256(a, b, c); }
#elif defined(__FMA__) || defined(__ARM_FEATURE_FMA)
INLINE f32v fma_vf32(f32v a, f32v b, f32v c) ${lanewise('f32v', '__builtin_fmaf(a[l], b[l], c[l])')}
#else
INLINE f32v fma_vf32(f32v a, f32v b, f32v c) { return a * b + c; }
#endif
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
INLINE float fma_sf32(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
INLINE double fma_sf64(double a, double b, double c) { return __builtin_fma(a, b, c); }
INLINE f64v fma_vf64(f64v a, f64v b, f64v c) ${lanewise('f64v', '__builtin_fma(a[l], b[l], c[l])')}
#else
INLINE float fma_sf32(float a, float b, float c) { return a * b + c; }
INLINE double fma_sf64(double a, double b, double c) { return a * b + c; }
INLINE f64v fma_vf64(f64v a, f64v b, f64v c) { return a * b + c; }
#endif`;
  const whole = '__builtin_convertvector(__builtin_convertvector(x, i32v), f32v)';
  // Without the instruction: numbers from 2^23 on are whole, zeros keep their sign.
  const round = (name: string, mode: number, builtin: string, generic: string): string => `
#if defined(__AVX512F__) && LANES == 16
INLINE f32v ${name}_vf32(f32v x) { return __builtin_ia32_rndscaleps_mask(x, ${mode}, x, -1, 4); }
#elif defined(__AVX__) && LANES == 8
INLINE f32v ${name}_vf32(f32v x) { return __builtin_ia32_roundps256(x, ${mode}); }
#else
INLINE f32v ${name}_vf32(f32v x) {
  i32v small = (i32v)x & 0x7fffffff, sign = (i32v)x ^ small;
  f32v t = ${generic};
  return sel_f32(small < 0x4b000000, (f32v)((i32v)t | sign), x);
}
#endif
INLINE float ${name}_sf32(float x) { return __builtin_${builtin}f(x); }
INLINE double ${name}_sf64(double x) { return __builtin_${builtin}(x); }
INLINE f64v ${name}_vf64(f64v x) ${lanewise('f64v', `__builtin_${builtin}(x[l])`)}`;
  const sqrt = `
#if defined(__AVX512F__) && LANES == 16 && !defined(__clang__)
INLINE f32v sqrt_vf32(f32v x) { return __builtin_ia32_sqrtps512_mask(x, x, -1, 4); }
#elif defined(__AVX__) && LANES == 8 && !defined(__clang__)
INLINE f32v sqrt_vf32(f32v x) { return __builtin_ia32_sqrtps256(x); }
#else
INLINE f32v sqrt_vf32(f32v x) ${lanewise('f32v', '__builtin_sqrtf(x[l])')}
#endif
INLINE float sqrt_sf32(float x) { return __builtin_sqrtf(x); }
INLINE double sqrt_sf64(double x) { return __builtin_sqrt(x); }
INLINE f64v sqrt_vf64(f64v x) ${lanewise('f64v', '__builtin_sqrt(x[l])')}`;
  const out = [
    `/* ${target.lanes} lanes */`,
    fma,
    round('floor', 9, 'floor', `${whole}; t -= __builtin_convertvector((t > x) & 1, f32v)`),
    round('ceil', 10, 'ceil', `${whole}; t += __builtin_convertvector((t < x) & 1, f32v)`),
    round('round', 8, 'rint', '((f32v)small + 0x1p23f) - 0x1p23f'),
    sqrt,
  ];
  for (const { name: t, c } of dtypes) {
    const floating = t[0] === 'f';
    const nan = floating ? ' || a != a' : '';
    const vnan = (comparison: string): string => {
      const m = floating ? `(${comparison}) | (a != a)` : comparison;
      return t === 'f32' || t === 'i32' ? m : `__builtin_convertvector(${m}, i32v)`;
    };
    out.push(
      `INLINE ${c} min_s${t}(${c} a, ${c} b) { return a < b${nan} ? a : b; }`,
      `INLINE ${c} max_s${t}(${c} a, ${c} b) { return a > b${nan} ? a : b; }`,
      `INLINE ${t}v min_v${t}(${t}v a, ${t}v b) { return sel_${t}(${vnan('a < b')}, a, b); }`,
      `INLINE ${t}v max_v${t}(${t}v a, ${t}v b) { return sel_${t}(${vnan('a > b')}, a, b); }`,
    );
    if (!floating) {
      const low = t === 'i32' ? 'a % b != 0 && (a < 0) != (b < 0)' : '0';
      out.push(
        `INLINE ${c} div_s${t}(${c} a, ${c} b) { return b == 0 ? 0 : ${t === 'i32' ? `b == -1 ? -a : ` : ''}a / b - (${low}); }`,
        `INLINE ${c} mod_s${t}(${c} a, ${c} b) { return b == 0 ? 0 : ${t === 'i32' ? `b == -1 ? 0 : ` : ''}a % b + (${low} ? b : 0); }`,
        `INLINE ${t}v div_v${t}(${t}v a, ${t}v b) ${lanewise(`${t}v`, `div_s${t}(a[l], b[l])`)}`,
        `INLINE ${t}v mod_v${t}(${t}v a, ${t}v b) ${lanewise(`${t}v`, `mod_s${t}(a[l], b[l])`)}`,
        `INLINE ${c} pow_s${t}(${c} a, ${c} b) { ${t === 'i32' ? 'if (b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0; ' : ''}${c} r = 1; for (; b; b >>= 1, a *= a) if (b & 1) r *= a; return r; }`,
        `INLINE ${t}v pow_v${t}(${t}v a, ${t}v b) ${lanewise(`${t}v`, `pow_s${t}(a[l], b[l])`)}`,
        `INLINE ${c} fma_s${t}(${c} a, ${c} b, ${c} x) { return a * b + x; }`,
        `INLINE ${t}v fma_v${t}(${t}v a, ${t}v b, ${t}v x) { return a * b + x; }`,
        `INLINE ${c} sign_s${t}(${c} x) { return (x > 0) - (x < 0); }`,
        `INLINE ${t}v sign_v${t}(${t}v x) { return (${t}v)((x < 0) - (x > 0)); }`,
        `INLINE ${c} abs_s${t}(${c} x) { return x < 0 ? -x : x; }`,
        `INLINE ${t}v abs_v${t}(${t}v x) ${lanewise(`${t}v`, `abs_s${t}(x[l])`)}`,
      );
    } else {
      const f = t === 'f32' ? 'f' : '';
      out.push(
        `INLINE ${c} abs_s${t}(${c} x) { return __builtin_fabs${f}(x); }`,
        t === 'f32'
          ? 'INLINE f32v abs_vf32(f32v x) { return (f32v)((i32v)x & 0x7fffffff); }'
          : `INLINE f64v abs_vf64(f64v x) ${lanewise('f64v', '__builtin_fabs(x[l])')}`,
        `INLINE ${c} sign_s${t}(${c} x) { return x > 0 ? 1 : x < 0 ? -1 : x; }`,
        `INLINE ${t}v sign_v${t}(${t}v x) ${t === 'f32' ? '{ return sel_f32(x > 0, splat_f32(1), sel_f32(x < 0, splat_f32(-1), x)); }' : lanewise('f64v', 'sign_sf64(x[l])')}`,
        `INLINE ${c} rsqrt_s${t}(${c} x) { return 1 / sqrt_s${t}(x); }`,
        `INLINE ${t}v rsqrt_v${t}(${t}v x) { return 1 / sqrt_v${t}(x); }`,
      );
    }
  }
  out.push(
    'INLINE float uniform_sf32(int32_t x) { return (float)(int32_t)((uint32_t)x >> 8) * 0x1p-24f; }',
    'INLINE f32v uniform_vf32(i32v x) { return __builtin_convertvector((i32v)((u32v)x >> 8), f32v) * 0x1p-24f; }',
    'INLINE double uniform_sf64(int32_t x) { return (double)(uint32_t)x * 0x1p-32; }',
    'INLINE f64v uniform_vf64(i32v x) { return __builtin_convertvector((u32v)x, f64v) * 0x1p-32; }',
  );
  return out.join('\n');
}
