/**
 * Accuracy of the C prelude's float32 maths, measured in C: some millions of bit patterns over the whole range (denormals, zeros, infinities and NaN among
 * them) against libm's float64, for each vector width that this machine can run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cPrelude } from '../src/runtime/native/c-text.ts';
import { findCompiler } from '../src/runtime/native/compiler.ts';
import { targetOf } from '../src/runtime/native/machine.ts';

const directory = mkdtempSync(join(tmpdir(), 'gradix-maths-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const compiler = findCompiler(directory);

/** Largest errors allowed, in units of the last place. */
const unary = {
  ...{ exp: 2, expm1: 2, log: 2, log1p: 2, sigmoid: 2, tanh: 2, erf: 2, sin: 2, cos: 2, tan: 2, rsqrt: 2 },
  ...{ sqrt: 0.5, floor: 0, ceil: 0, round: 0 },
};
const references: Record<string, string> = {
  sigmoid: 'sigmoid_reference',
  rsqrt: '1 / __builtin_sqrt',
  sqrt: '__builtin_sqrt',
  floor: '__builtin_floor',
  ceil: '__builtin_ceil',
  round: '__builtin_rint',
};

const harness = `
typedef unsigned long long uint64_t;
extern int printf(const char *, ...);
static double sigmoid_reference(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double mod_reference(double a, double b) { double r = fmod(a, b); return (r != 0 && (r < 0) != (b < 0) ? r + b : r) + 0.0; }
static double ulps(double wanted, float got) {
  if (wanted != wanted || got != got) return wanted != wanted && got != got ? 0 : 1e9;
  double size = __builtin_fabs(wanted);
  if (__builtin_signbit(wanted) != 0 != (__builtin_signbit(got) != 0)) return 1e9;
  if (size == 0) return got == 0 ? 0 : 1e9;
  if (size >= 0x1.ffffffp127) return got == (float)wanted ? 0 : 1e9;
  double unit = size < 0x1p-126 ? 0x1p-149 : __builtin_ldexp(1, __builtin_ilogb(size) - 23);
  double value = __builtin_isinf(got) ? __builtin_copysign(0x1p128, wanted) : got;
  return __builtin_fabs(value - wanted) / unit;
}
static float number(uint32_t bits) { union { uint32_t u; float f; } w = {bits}; return w.f; }
static uint32_t bits(float x) { union { float f; uint32_t u; } w = {x}; return x != x ? 0x7fc00000 : w.u; }
static const float edges[] = {0.0f, 1.0f, 0.5f, 2.0f, 3.0f, 0.333f, 1.5f, 0.99999994f, 1.0000001f, 88.7f, 127.0f, 128.0f, 149.0f, 150.0f, 16777215.0f, 16777216.0f, 3e9f, 1e-3f,
  0x1p-149f, 0x1.fffffep-127f, 0x1p-126f, 0x1.fffffep127f, __builtin_inff(), 1e20f, 1e-20f, __builtin_nanf("")};
#define EDGES (2 * (int)(sizeof edges / sizeof edges[0]))
static float edge(int i) { return i % 2 ? -edges[i / 2] : edges[i / 2]; }
struct worst { double error; float at, also; long differ; };
static void report(const char *name, struct worst w) { printf("%s %.4f %ld %a %a\\n", name, w.error, w.differ, w.at, w.also); }
static void note(struct worst *w, double error, float at, float also) { if (error > w->error) { w->error = error; w->at = at; w->also = also; } }
static uint32_t state = 1;
static uint32_t random_bits(void) { state ^= state << 13; state ^= state >> 17; state ^= state << 5; return state; }
static float between(float low, float high) { return low + (high - low) * ((random_bits() >> 8) * 0x1p-24f); }
#define UNARY(name, reference) { struct worst w = {0}; \\
  for (uint64_t b = 0; b < (1ull << 32) + STRIDE * LANES; b += STRIDE * LANES) { \\
    float in[LANES], out[LANES]; \\
    for (int l = 0; l < LANES; l++) in[l] = b >> 32 ? edge((random_bits() >> 8) % EDGES) : number(b + l * STRIDE); \\
    store_f32(out, name##_vf32(load_f32(in))); \\
    for (int l = 0; l < LANES; l++) note(&w, ulps(reference((double)in[l]), out[l]), in[l], 0); \\
    int l = b % LANES; w.differ += bits(name##_sf32(in[l])) != bits(out[l]); \\
  } \\
  for (int i = 0; i < EDGES; i++) note(&w, ulps(reference((double)edge(i)), name##_sf32(edge(i))), edge(i), 0); \\
  report(#name, w); }
#define BINARY(name, reference) { struct worst w = {0}; \\
  for (int i = 0; i < EDGES * EDGES + COUNT; i += LANES) { \\
    float a[LANES], b[LANES], out[LANES]; \\
    for (int l = 0; l < LANES; l++) { \\
      int k = i + l, kind = k % 4; \\
      a[l] = k < EDGES * EDGES ? edge(k / EDGES) : kind == 0 ? number(random_bits()) : kind == 1 ? between(0, 3) : kind == 2 ? between(-20, 20) : number(random_bits() >> 1); \\
      b[l] = k < EDGES * EDGES ? edge(k % EDGES) : kind == 0 ? number(random_bits()) : kind == 1 ? between(-80, 80) : kind == 2 ? (float)(int)between(-9, 9) : between(-2, 2); \\
    } \\
    store_f32(out, name##_vf32(load_f32(a), load_f32(b))); \\
    for (int l = 0; l < LANES; l++) note(&w, ulps(reference((double)a[l], (double)b[l]), out[l] + NO_SIGN_##name), a[l], b[l]); \\
    int l = i / LANES % LANES; w.differ += bits(name##_sf32(a[l], b[l])) != bits(out[l]); \\
  } \\
  report(#name, w); }
/* Vectors round to half precision and back as scalars do. */
#define HALF(type) { struct worst w = {0}; \\
  for (uint64_t b = 0; b < 1ull << 32; b += STRIDE * LANES) { \\
    float in[LANES], back[LANES]; uint16_t out[LANES]; \\
    for (int l = 0; l < LANES; l++) in[l] = number(b + l * STRIDE); \\
    store_##type(out, cast_vf32_##type(load_f32(in))); \\
    store_f32(back, cast_v##type##_f32(load_##type(out))); \\
    for (int l = 0; l < LANES; l++) w.differ += out[l] != cast_sf32_##type(in[l]) || bits(back[l]) != bits(cast_s##type##_f32(out[l])); \\
  } \\
  report(#type, w); }
#define NO_SIGN_pow (-0.0f)
#define NO_SIGN_mod 0.0f
int main(void) {
${Object.keys(unary)
  .map((name) => `  UNARY(${name}, ${references[name] ?? name})`)
  .join('\n')}
  BINARY(pow, pow) BINARY(mod, mod_reference) HALF(f16) HALF(bf16)
  return 0;
}`;

interface Variant {
  readonly name: string;
  readonly lanes: number;
  readonly machine: readonly string[];
  /** Distance between the bit patterns tried. */
  readonly stride: number;
}

function variants(): Variant[] {
  if ('unavailable' in compiler) return [];
  const lanes = targetOf(compiler, 1).lanes;
  const own = compiler.flags.filter((flag) => flag.startsWith('-m'));
  const has = (macro: string) => compiler.macros.some((line) => line.startsWith(`${macro} `));
  const all: Variant[] = [{ name: `this machine, ${lanes} lanes`, lanes, machine: own, stride: 1431 }];
  if (has('__AVX2__') && has('__FMA__'))
    all.push({ name: 'AVX2, 8 lanes', lanes: 8, machine: ['-mavx2', '-mfma', ...(has('__F16C__') ? ['-mf16c'] : [])], stride: 4801 });
  if (has('__x86_64__') && has('__SSE2__')) all.push({ name: 'SSE2, 4 lanes, no fused multiply-add', lanes: 4, machine: ['-msse2'], stride: 4801 });
  return all;
}

function measure({ lanes, machine, stride }: Variant): Map<string, { error: number; differ: number; at: string }> {
  if ('unavailable' in compiler) throw new Error(compiler.unavailable);
  const target = { ...targetOf(compiler, 1), lanes };
  const [source, program] = [join(directory, `maths-${lanes}-${stride}.c`), join(directory, `maths-${lanes}-${stride}`)];
  writeFileSync(source, `${cPrelude(target)}\n#define STRIDE ${stride}ull\n#define COUNT 400000\n${harness}`);
  const flags = compiler.flags.filter((flag) => !flag.startsWith('-m') && flag !== '-shared' && flag !== '-fPIC');
  const [command, ...leading] = compiler.command;
  const compiled = spawnSync(command, [...leading, ...flags, ...machine, source, '-o', program, '-lm'], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`the harness does not compile: ${compiled.stderr.slice(0, 2000)}`);
  const run = spawnSync(program, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`the harness was stopped by ${run.signal ?? `status ${run.status}`}: ${run.stdout}`);
  return new Map(
    run.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name, error, differ, ...at]) => [name, { error: Number(error), differ: Number(differ), at: at.join(' ') }]),
  );
}

const reason = 'unavailable' in compiler ? compiler.unavailable : undefined;
describe.skipIf(reason)(`float32 maths in C${reason ? ` (skipped: ${reason})` : ''}`, () => {
  for (const variant of variants()) {
    test(`${variant.name}: within the bounds everywhere, scalars as vectors`, () => {
      const measured = measure(variant);
      const bounds: Record<string, number> = { ...unary, pow: 1, mod: 1, f16: 0, bf16: 0 };
      const wrong = Object.entries(bounds).flatMap(([name, bound]) => {
        const result = measured.get(name);
        if (!result) return [`${name} was not measured`];
        const problems = result.error <= bound ? [] : [`${name}: ${result.error} ulp at ${result.at}`];
        return result.differ === 0 ? problems : [...problems, `${name}: ${result.differ} scalars differ from the vector's lane`];
      });
      expect(wrong).toEqual([]);
    });
  }
});
