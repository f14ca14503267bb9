"""What the compiler makes of our Triton kernels, for an A100 (80) and an H100 (90); needs no GPU.

    machine_code.py scan.gpu         the scan of one sequence, at the size of the first stage
    machine_code.py scan.ss2d_gpu    the fused core of SS2D, at the size of the first stage

Triton compiles for any GPU on any computer, and brings NVIDIA's tools that read the result. Here a
stand-in takes the place of the GPU's driver. The package launches its kernels as it would on a GPU,
so Triton compiles exactly what a GPU would get; only, nothing is executed. This prints a JSON
object: kernel -> GPU -> registers of a lane, bytes of stack (spills), instructions in all and those
of each loop, and of these the shuffles. Where the tools are missing, it is empty. Triton keeps what
it has compiled, so a second call takes seconds.
"""
import json, os, re, subprocess, sys
from pathlib import Path
from tempfile import TemporaryDirectory

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))
os.environ.pop('TRITON_INTERPRET', None) # an interpreted kernel has no machine code

import torch, triton
from triton.backends.compiler import GPUTarget
from triton.runtime import driver

TOOLS = Path(triton.__file__).parent/'backends'/'nvidia'/'bin'
launched = [] # name and machine code of each launch


class Launcher:
    "Notes a launch; its `function` is the machine code, as `Utils.load_binary` left it"
    def __init__(self, src, metadata): self.name = metadata.name
    def __call__(self, x, y, z, stream, function, *rest): launched.append((self.name, function))


class Utils:
    "The H100's limits, and a loader that only hands on"
    def get_device_properties(self, device):
        return dict(max_shared_mem=232448, multiprocessor_count=132, warpSize=32,
                    sm_clock_rate=1755000, mem_clock_rate=2619000, mem_bus_width=5120)
    def load_binary(self, name, code, shared, device): return None, code, 0, 0, 1024


class Driver:
    "A GPU that is not there"
    utils, launcher_cls = Utils(), Launcher
    def __init__(self, capability): self.target = GPUTarget('cuda', capability, 32)
    def get_current_target(self): return self.target
    def get_current_device(self): return self.target.arch # Triton keeps kernels by this number
    def get_current_stream(self, device): return 0
    def get_active_torch_device(self): return torch.device('cpu')
    def map_python_to_cpp_type(self, t): return t


def empty(*shape): return torch.empty(*shape, device='meta')


def launch_scan(B=48, D=32, G=4, L=192*256, N=16):
    "Forward and backward of the plain scan, on tensors without numbers"
    from dermomamba.scan import gpu
    args = empty(B, D, L), empty(B, D, L), empty(D, N), empty(B, G, N, L), empty(B, G, N, L)
    states = gpu._forward(*args)[-1]
    yield launched.copy()
    launched.clear()
    gpu._backward(empty(B, D, L), empty(B, D, N), *args, states)
    yield launched.copy()


def launch_ss2d(B=48, D=8, H=192, W=256, N=16, R=1):
    "Forward and backward of the fused core, channels last"
    from dermomamba.scan import ss2d_gpu
    x = empty(B, D, H, W).to(memory_format=torch.channels_last)
    args = x, empty(4, R + 2*N, D), empty(4, D, R), empty(4, D), empty(4, D, N), empty(4, D)
    states = ss2d_gpu._forward(*args)[-1]
    yield launched.copy()
    launched.clear()
    ss2d_gpu._backward(torch.empty_like(x), *args, states)
    yield launched.copy()


def kernels(module, capability):
    "name -> machine code, of one forward and one backward pass"
    driver.set_active(Driver(capability))
    launched.clear()
    forward, backward = {'scan.gpu': launch_scan, 'scan.ss2d_gpu': launch_ss2d}[module]()
    names = {n: n.strip('_') for n, _ in forward + backward}
    again = {names[n] + ', backward'*(n != '_gradients'): code for n, code in backward}
    return {names[n]: code for n, code in forward} | again


def ask(tool, *args):
    "What one of NVIDIA's tools says"
    return subprocess.run([TOOLS/tool, *args], capture_output=True, text=True, check=True).stdout


def count(code):
    "Instructions of a disassembly: all, those of each loop (a jump back), and their shuffles"
    labels, listing, loops, shuffles = {}, [], [], []
    for line in code.splitlines():
        label = re.match(r'\s*(\.L_x_\d+):', line)
        instruction = re.match(r'\s*/\*[0-9a-f]{4,}\*/\s+(.+?);', line)
        if label:
            labels[label[1]] = len(listing)
        elif instruction:
            listing.append(instruction[1])
            jump = re.search(r'\bBRA\b.*?(\.L_x_\d+)', instruction[1])
            body = listing[labels[jump[1]]:] if jump and jump[1] in labels else []
            if len(body) > 1:
                loops.append(len(body))
                shuffles.append(sum('SHFL' in i for i in body))
    return dict(instructions=len(listing), loops=loops, shuffles=shuffles)


def read(code):
    "Registers, spills and instructions of a kernel's machine code"
    with TemporaryDirectory() as folder:
        file = Path(folder)/'kernel.cubin'
        file.write_bytes(code)
        usage, listing = ask('cuobjdump', '-res-usage', file), ask('nvdisasm', '-c', file)
    registers, stack = (int(re.search(what + r':(\d+)', usage)[1]) for what in ('REG', 'STACK'))
    return dict(registers=registers, stack=stack, **count(listing))


def main(module):
    made = {}
    if all((TOOLS/tool).exists() for tool in ('ptxas', 'cuobjdump', 'nvdisasm')):
        for gpu in (80, 90):
            for name, code in kernels(module, gpu).items():
                made.setdefault(name, {})[gpu] = read(code)
    print(json.dumps(made, indent=1))


if __name__ == '__main__':
    main(*sys.argv[1:])
