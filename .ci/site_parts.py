"""What the site's two live pages need beside their code: made here, never committed.

`nbs/site/static/live/made/` gets the numbers of the explorers, an example photograph (a synthetic
one), the shipped network `tiny` as an ONNX file, and the runtime onnxruntime-web from npm. What was
made from the same sources is kept; the ONNX file takes one or two minutes. Where npm or the
exporter is missing, a sentence says so: the explorers work without them, the page "try" does not.

    python .ci/site_parts.py
"""
import base64, hashlib, json, os, shutil, subprocess, sys, tempfile
from pathlib import Path

from explorers import NOTEBOOK, explorers

os.environ.setdefault('OMP_NUM_THREADS', '1') # read when torch is imported: one core
root = Path(__file__).resolve().parent.parent
made = root/'nbs'/'site'/'static'/'live'/'made'
RUNTIME = 'onnxruntime-web@1.30.0'
FILES = 'ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm'
SIDE = 32                # of the image that is walked over: a power of two, for Hilbert's curve
LESIONS = 36, 40, 4      # held-out phantoms of the threshold's explorer


def packed(array):
    "An array as JSON can carry it: no digit is lost"
    return dict(
        shape=array.shape, type=array.dtype.name, bytes=base64.b64encode(array.tobytes()).decode())


def numbers():
    "What the explorers draw and cannot compute: phantoms, a noisy input, a network's answer"
    book = explorers()
    walk = book.walk_data(size=(SIDE, SIDE))
    lesions = {n: book.segmentation_data(n) for n in LESIONS}
    return dict(
        walk=dict(image=packed(walk.image), mask=packed(walk.mask)),
        scan=dict(u=book.scan_data().u.tolist(), pulses=book.PULSES),
        lesions={
            f'lesion {n}': dict(image=packed(d.image), truth=packed(d.truth), p=packed(d.p))
            for n, d in lesions.items()})


def write_numbers(path):
    path.write_text(json.dumps(numbers()), encoding='utf-8')


def write_example(path):
    shutil.copy(root/'data'/'phantom'/'images'/'phantom_0004.jpg', path)


def write_network(path):
    "The ONNX file; raises ImportError where the exporter is missing"
    from dermomamba.network.dermomamba import DermoMamba
    from dermomamba.use.onnx import export_onnx
    print('the ONNX file takes one or two minutes ...', flush=True)
    export_onnx(DermoMamba.from_pretrained('tiny'), path)


def write_runtime(folder):
    "Two files of the runtime; raises OSError where npm is missing or finds nothing"
    npm = shutil.which('npm')
    if not npm:
        raise OSError('npm is not installed')
    quiet = '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--fetch-retries=0'
    with tempfile.TemporaryDirectory() as d:
        done = subprocess.run(
            [npm, 'install', *quiet, '--prefix', d, RUNTIME], capture_output=True, text=True)
        if done.returncode:
            raise OSError(f'npm install {RUNTIME} failed: {done.stderr.strip()[:200]}')
        for name in FILES:
            shutil.copy(Path(d)/'node_modules'/'onnxruntime-web'/'dist'/name, folder/name)


def made_from(*sources):
    "One number for what a part is made from: files, by their bytes, or texts"
    parts = (s.read_bytes() if isinstance(s, Path) else s.encode() for s in sources)
    return hashlib.sha256(b'\0'.join(parts)).hexdigest()


def make(path, write, *sources):
    "Make a part, unless it is there and was made from the same; beside it stands what from"
    note, now = path.with_name(f'{path.name}.from'), made_from(*sources)
    if path.exists() and note.exists() and note.read_text() == now:
        return
    write(path)
    note.write_text(now)


def main():
    "Make what is missing or old; what could not be made, as sentences"
    made.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(root))
    package, here, missing = root/'dermomamba', Path(__file__), []
    weights = package/'weights'/'tiny'/'model.safetensors'
    for path, write, *sources in (
            (made/'explore.json', write_numbers, here, weights, NOTEBOOK),
            (made/'example.jpg', write_example, here),
            (made/'tiny.onnx', write_network, weights, package/'use'/'onnx.py'),
            (made/FILES[0], lambda path: write_runtime(path.parent), RUNTIME)):
        try:
            make(path, write, *sources)
        except (ImportError, OSError) as e:
            missing.append(f'{path.name} could not be made: {e}')
    return missing


if __name__ == '__main__':
    print(*(main() or ['the parts of the live pages are in place']), sep='\n')
