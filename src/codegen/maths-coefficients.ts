/**
 * Polynomials of the vectorised float32 maths, from the constant upwards: minimax fits (Remez exchange) on the ranges named beside them.
 * Every renderer uses these; runtime/native/c/maths.h and wasm/maths.ts say what they are put together to.
 */

/** expm1(r) = r + r² (a + r² (b + c r²)), each of them linear in r; |r| ≤ ½ log 2. */
export const exponential = { a: [0.5, 0.166666672], b: [0.0416665487, 0.00833328534], c: [0.0013929191, 0.000199079339] } as const;
/** tanh(x) = x + x³ p(x²), |x| < 0.6. */
export const hyperbolicTangent = [-0.333332986, 0.133319244, -0.0537838303, 0.0207959693, -0.00589515595] as const;
/** erf(x) = x + x p(x²) for |x| < 0.9; log(1 − erf(x)) = q(x) from there to 4. */
export const errorFunction = {
  near: [0.128379151, -0.376125246, 0.112821408, -0.0267789084, 0.00501196273, -0.000609035953],
  far: [-0.00017751324, -1.12774944, -0.637059927, -0.104037195, 0.0222770013, -0.00305558369, 0.000197179063],
} as const;
/** log(1 + f) = f − f²/2 + f³ p(f), f from −1/4 to 1/2. */
export const logarithm = [0.333334506, -0.250000954, 0.199908614, -0.16647312, 0.144783944, -0.131611958, 0.104630254, -0.0450748242] as const;
/** In float64: log2((1 + s) / (1 − s)) = s p(s²); 2^r = q(r), |r| ≤ ½. */
export const power = {
  logarithm: [2.8853900818363827, 0.9617966214247335, 0.5770923910906076, 0.4112042155328819, 0.34842239465766855],
  exponential: [
    1.0000000005542222, 0.6931472057371089, 0.24022646890405355, 0.05550328777509786, 0.009618488985280236, 0.0013399931049639334, 0.00015345804192248,
  ],
} as const;
/** sin(r) = r + r³ s(r²), cos(r) = 1 − r²/2 + r⁴ c(r²), |r| ≤ π/4; `wideSine` is for float64. */
export const circular = {
  sine: [-0.166666552, 0.00833209604, -0.000195032932],
  cosine: [0.0416666456, -0.00138873619, 2.44377316e-5],
  wideSine: [-0.16666666641426747, 0.008333329362301738, -0.00019839327141621857, 2.718237311079548e-6],
} as const;
