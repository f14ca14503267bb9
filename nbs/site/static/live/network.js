// The shipped network `tiny` in onnxruntime-web, fetched when it is first needed.
import {Refusal} from './photo.js';
import {resizeBytes} from './resample.js';

const made = new URL('./made/', import.meta.url);
let loading;

// The runtime, one thread of WebAssembly, and the network in it.
async function load() {
  if (typeof WebAssembly === 'undefined') {
    throw new Refusal('This browser has no WebAssembly, or it is switched off; the network ' +
      'cannot run in it. Try a current Firefox, Chrome, Edge or Safari.');
  }
  try {
    const ort = await import(new URL('ort.wasm.bundle.min.mjs', made));
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = {wasm: new URL('ort-wasm-simd-threaded.wasm', made).href};
    const session = await ort.InferenceSession.create(new URL('tiny.onnx', made).href);
    return {ort, session, size: session.inputMetadata[0].shape.slice(2)};
  } catch (e) {
    throw new Refusal(`The network could not be loaded (${e.message}). Reload the page; ` +
      'if that does not help, try another browser.');
  }
}

// The network, loaded once; after a failure it is tried again.
export function network() {
  loading ??= load().catch(e => {
    loading = undefined;
    throw e;
  });
  return loading;
}

// Pixels (h, w, 4) to bytes (3, H, W) of the network's size, red first.
export function networkInput(pixels, from, to) {
  const small = resizeBytes(pixels, from, to, 4), n = to[0] * to[1];
  return Uint8Array.from({length: 3 * n}, (_, i) => small[4 * (i % n) + Math.floor(i / n)]);
}

// Probabilities (H, W) of a photograph, at the network's size.
export async function probabilities({ort, session, size}, photo) {
  const bytes = networkInput(photo.pixels, photo.size, size);
  const image = new ort.Tensor('uint8', bytes, [1, 3, ...size]);
  const {probability} = await session.run({image});
  return probability.data;
}
