"""What the compiler makes of our Triton kernels, for an A100 (80) and an H100 (90); needs no GPU.

    machine_code.py scan.gpu         the scan of one sequence, at the size of the first stage
    machine_code.py scan.ss2d_gpu    the fused core of SS2D, at the size of the first stage
    machine_code.py step             all scans of a training step of 16 images of 192x256: the least
                                     milliseconds on an H100, by instructions; minutes of compiling

Triton compiles for any GPU on any computer, and brings NVIDIA's tools that read the result. Here a
stand-in takes the place of the GPU's driver. The package launches its kernels as it would on a GPU,
so Triton compiles exactly what a GPU would get; only, nothing is executed. This prints a JSON
object: kernel -> GPU -> registers of a lane, bytes of stack (spills), instructions in all and those
of each loop, and of these the shuffles. It is empty where the tools are missing, or Triton is older
than 3.5. Triton keeps what it has compiled, so a second call takes seconds.
"""
import json, math, os, re, subprocess, sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))
os.environ.pop('TRITON_INTERPRET', None) # an interpreted kernel has no machine code

import torch, triton
from triton.backends.compiler import GPUTarget
from triton.runtime import driver

TOOLS = Path(triton.__file__).parent/'backends'/'nvidia'/'bin'
launched = [] # name, machine code and programs of each launch
CLOCK, PROCESSORS = 1.755e9, 132 # of an H100
# clock cycles for which an instruction of a warp keeps its unit of a processor busy
UNITS = dict(issue=.25, exponentials=2, shuffles=1, memory=1)


class Launcher:
    "Notes a launch; its `function` is the machine code, as `Utils.load_binary` left it"
    def __init__(self, src, metadata): self.name = metadata.name
    def __call__(self, x, y, z, stream, function, *rest):
        launched.append((self.name, function, x*y*z))


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
    names = {n: n.strip('_') for n, *_ in forward + backward}
    again = {names[n] + ', backward'*(n != '_gradients'): code for n, code, _ in backward}
    return {names[n]: code for n, code, _ in forward} | again


def ask(tool, *args):
    "What one of NVIDIA's tools says"
    return subprocess.run([TOOLS/tool, *args], capture_output=True, text=True, check=True).stdout


def parse(code):
    "Instructions of a disassembly, and where its loops (jumps back) begin and end"
    labels, listing, loops = {}, [], []
    for line in code.splitlines():
        label = re.match(r'\s*(\.L_x_\d+):', line)
        instruction = re.match(r'\s*/\*[0-9a-f]{4,}\*/\s+(.+?);', line)
        if label:
            labels[label[1]] = len(listing)
        elif instruction:
            listing.append(instruction[1])
            jump = re.search(r'\bBRA\b.*?(\.L_x_\d+)', instruction[1])
            start = labels.get(jump[1], len(listing)) if jump else len(listing)
            if len(listing) - start > 1:
                loops.append((start, len(listing)))
    return listing, loops


def disassemble(code):
    "What the tools say of a kernel's machine code: what it uses, and its listing"
    with TemporaryDirectory() as folder:
        file = Path(folder)/'kernel.cubin'
        file.write_bytes(code)
        return ask('cuobjdump', '-res-usage', file), ask('nvdisasm', '-c', file)


def read(code):
    "Registers, spills, instructions in all and of each loop, and the loops' shuffles"
    usage, text = disassemble(code)
    listing, loops = parse(text)
    registers, stack = (int(re.search(what + r':(\d+)', usage)[1]) for what in ('REG', 'STACK'))
    shuffles = [sum('SHFL' in i for i in listing[a:b]) for a, b in loops]
    return dict(registers=registers, stack=stack, instructions=len(listing),
                loops=[b - a for a, b in loops], shuffles=shuffles)


def unit(instruction):
    "The unit that does an instruction, beside the one that issues it; '' for others"
    name = re.sub(r'^@!?U?P\w+\s+', '', instruction).split()[0].split('.')[0]
    memory = dict.fromkeys(('LDG', 'STG', 'LDS', 'STS'), 'memory')
    return dict(memory, MUFU='exponentials', SHFL='shuffles').get(name, '')


def work(code, rounds):
    "Instructions of one warp, by unit; `rounds(holds, inside)`: how often a loop goes round"
    listing, loops = parse(disassemble(code)[1])
    def within(a, b): return a != b and b[0] <= a[0] and a[1] <= b[1]
    times = {loop: rounds(any(within(o, loop) for o in loops), any(within(loop, o) for o in loops))
             for loop in loops}
    total = Counter()
    for at, instruction in enumerate(listing):
        often = math.prod(n for (a, b), n in times.items() if a <= at < b)
        total['issue'] += often
        total[unit(instruction)] += often
    return total


def rounds_of(name, B, D, H, W, R):
    "How often the loops of a kernel go round on a map: a function of where a loop stands"
    from dermomamba.scan import ss2d_gpu
    walk, _, _, chunks = ss2d_gpu.launch_sizes(empty(B, D, H, W), 16, R)
    reps = math.ceil(chunks*B/ss2d_gpu.PROGRAMS)
    def rounds(holds, inside):
        if name == 'carry': return math.ceil(chunks/min(256, triton.next_power_of_2(chunks)))
        if name == '_gradients': return reps if holds else D
        return math.ceil(D/walk['CB']) if inside else walk['T']
    return rounds


def bound(*sizes):
    "Least milliseconds of the launches on one map, forward and backward; nothing waits for memory"
    launched.clear()
    first, second = launch_ss2d(*sizes[:4], R=sizes[4])
    total = 0
    for (name, code, programs), times in Counter(first + second).items():
        done = work(code, rounds_of(name, *sizes))
        cycles = max(cost*done[unit] for unit, cost in UNITS.items())
        total += 1e3*cycles*times*programs/PROCESSORS/CLOCK
    return total


def maps(batch):
    "Where the paper's network scans -> images, channels, rows, columns, rank"
    from dermomamba.network.dermomamba import DermoMamba
    from dermomamba.scan.engines import use_engine
    from dermomamba.scan.ss2d import SS2D
    model, found = DermoMamba().to('meta').eval(), {}
    for name, core in model.named_modules():
        if not isinstance(core, SS2D): continue
        def note(conv, inputs, out, name=name, rank=core.dt_rank):   # what comes out is scanned
            B, *shape = out.shape
            found[name] = batch*B, *shape, rank
        core.conv2d.register_forward_hook(note)
    with torch.no_grad(), use_engine('count'): model(empty(1, 3, *model.img_size))
    return found.items()


STEP = (
    'instructions of the compiled kernels over the rates of their units, on an H100 with 132 '
    'processors at 1.755 GHz; forward and backward, 16 images of 192x256; nothing was run')


def step():
    "Milliseconds of each map's scans in a training step, and their sum"
    driver.set_active(Driver(90))
    ms = {name: round(bound(*sizes), 3) for name, sizes in maps(16)}
    return dict(protocol=STEP, triton=triton.__version__, gpu='sm_90', milliseconds=ms,
                total=round(sum(ms.values()), 2))


def code_of(module):
    "kernel -> GPU -> what `read` says, for both GPUs"
    made = {}
    for gpu in (80, 90):
        for name, code in kernels(module, gpu).items():
            made.setdefault(name, {})[gpu] = read(code)
    return made


def main(module):
    from dermomamba.scan.gpu import OLD_TRITON
    there = all((TOOLS/tool).exists() for tool in ('ptxas', 'cuobjdump', 'nvdisasm'))
    found = {}
    if there and not OLD_TRITON:
        found = step() if module == 'step' else code_of(module)
    print(json.dumps(found, indent=1))


if __name__ == '__main__':
    main(*sys.argv[1:])
