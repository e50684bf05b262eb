/** Special functions that JavaScript does not have, to float64 accuracy. */

/** Makes erf and its table. Everything it needs is inside: its text also runs in workers. */
export function makeErf(): (x: number) => number {
  const spacing = 1 / 8;
  const terms = 11;
  /** erf(x) rounds to 1 from here on. */
  const one = 6;
  let table: Float64Array | undefined;

  /**
   * Taylor coefficients of erf about 0, 1/8, 2/8, … 6. The value is Kummer's series 2/√π · exp(−c²) · Σ 2ⁿ c^(2n+1) / (2n+1)!! (all terms positive; DLMF 7.6.2);
   * the derivatives are 2/√π · (−1)ⁿ Hₙ(c) exp(−c²) with Hermite polynomials Hₙ₊₁ = 2c Hₙ − 2n Hₙ₋₁ (DLMF 7.10.1).
   */
  function expandErf(): Float64Array {
    const centres = one / spacing + 1;
    const coefficients = new Float64Array(centres * terms);
    for (let k = 0; k < centres; k++) {
      const c = k * spacing;
      const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-c * c);
      let series = 0;
      for (let n = 0, term = c; term > series * 1e-18; n++, term *= (2 * c * c) / (2 * n + 1)) series += term;
      coefficients[k * terms] = slope * series;
      let previous = 0;
      let hermite = 1;
      let factor = slope; // slope · (−1)ⁿ / (n + 1)!
      for (let n = 0; n + 1 < terms; n++) {
        coefficients[k * terms + n + 1] = factor * hermite;
        [previous, hermite] = [hermite, 2 * c * hermite - 2 * n * previous];
        factor *= -1 / (n + 2);
      }
    }
    return coefficients;
  }

  return (x) => {
    const magnitude = Math.abs(x);
    if (!(magnitude < one)) return Math.sign(x);
    table ??= expandErf();
    const centre = Math.round(magnitude / spacing);
    const h = magnitude - centre * spacing;
    let value = 0;
    for (let i = centre * terms + terms - 1; i >= centre * terms; i--) value = value * h + table[i];
    return x < 0 ? -value : value;
  };
}

/** 2/√π ∫₀ˣ exp(−t²) dt, to about 4e-16: the expansion about the nearest multiple of 1/8. */
export const erf = makeErf();
