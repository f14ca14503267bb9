// One channel of a selective scan with one state: h = exp(Δ A) h + Δ B u, y = C h.

// Step sizes Δ, states h, outputs y, and the matrix M (L, L) with y = M u, row after row.
export function scanData(u, {A, delta, B, C, selectivity}) {
  const bias = Math.log(Math.expm1(delta)); // softplus(bias) = delta
  const softplus = v => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  const step = u.map(v => softplus(bias + selectivity * v));
  let state = 0;
  const h = u.map((v, t) => state = Math.exp(step[t] * A) * state + step[t] * B * v);
  const y = h.map(v => C * v), L = u.length, M = new Float64Array(L * L);
  for (let t = 0; t < L; t++) {
    let passed = 0;
    for (let s = t; s >= 0; s--) {
      M[t * L + s] = C * Math.exp(A * passed) * step[s] * B;
      passed += step[s];
    }
  }
  return {step, h, y, M};
}

// What the input of one step adds to each output.
export function sharesOf({M}, u, s) {
  return u.map((_, t) => M[t * u.length + s] * u[s]);
}
