"""What the compiler makes of our Triton kernels, for an A100 (80) and an H100 (90); needs no GPU.

    machine_code.py scan.gpu         the scan of one sequence
    machine_code.py scan.ss2d_gpu    the fused core of SS2D, at the sizes of the first stage

Triton compiles for any GPU on any computer, and brings NVIDIA's tools that read the result. This
prints a JSON object: kernel -> GPU -> registers of a lane, bytes of stack (spills), instructions in
all, and those of each loop. Where the tools are missing, it is empty.
"""
import json, os, re, subprocess, sys
from pathlib import Path
from tempfile import TemporaryDirectory

root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(root))
os.environ.pop('TRITON_INTERPRET', None) # an interpreted kernel has no machine code

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

TOOLS = Path(triton.__file__).parent/'backends'/'nvidia'/'bin'


def scan_kernels():
    "name -> kernel, its arguments that point to float32, its compile-time arguments"
    from dermomamba.scan import gpu
    walk, tile = dict(T=32, DB=4, NP=16, K=32), gpu.tile_sizes(16, 32)
    ends = 'x delta A2 W states total'
    gradients = 'u delta A2 B C states back dy du ddelta dA dB dC'
    return {
        'ends': (gpu._ends, ends, dict(walk, REV=False)),
        'outputs': (gpu._outputs, 'u delta A2 B C states y', walk),
        'ends, backward': (gpu._ends, ends, dict(walk, REV=True)),
        'gradients': (gpu._gradients, gradients, tile),
        'carry': (gpu.carry, 'states total A2', dict(REV=False, GIVEN=False, W=256)),
    }


def ss2d_kernels():
    "The same for images: 8 channels, 16 states, rank 1"
    from dermomamba.scan import gpu, ss2d_gpu
    walk = dict(T=32, DB=4, NP=16, RP=4, K=32, CB=2)
    tile = dict(gpu.tile_sizes(16, 32), RI=1, ADD=True)
    weights = 'Wp Wt bias A2'
    ends, gradients = f'x src {weights} states total', f'x {weights} skip states back dy dx part'
    return {
        'ends': (ss2d_gpu._ends, ends, dict(walk, REV=False)),
        'outputs': (ss2d_gpu._outputs, f'x {weights} skip states y', dict(walk, ADD=True)),
        'ends, backward': (ss2d_gpu._ends, ends, dict(walk, REV=True)),
        'gradients': (ss2d_gpu._gradients, gradients, tile),
    }


def ask(tool, *args):
    "What one of NVIDIA's tools says"
    return subprocess.run([TOOLS/tool, *args], capture_output=True, text=True, check=True).stdout


def count(code):
    "Instructions of a disassembly: all, and those of each loop (a jump back to a label)"
    labels, n, loops = {}, 0, []
    for line in code.splitlines():
        label = re.match(r'\s*(\.L_x_\d+):', line)
        instruction = re.match(r'\s*/\*[0-9a-f]{4,}\*/\s+(.+?);', line)
        if label:
            labels[label[1]] = n
        elif instruction:
            n += 1
            jump = re.search(r'\bBRA\b.*?(\.L_x_\d+)', instruction[1])
            if jump and n - labels.get(jump[1], n) > 1:
                loops.append(n - labels[jump[1]])
    return dict(instructions=n, loops=loops)


def machine_code(kernel, pointers, constants, capability):
    "Compile a kernel ahead of time, with one warp a program, and read what came out"
    place, pointers = {n: (i,) for i, n in enumerate(kernel.arg_names)}, pointers.split()
    types = dict.fromkeys(place, 'i32') | dict.fromkeys(pointers, '*fp32')
    source = ASTSource(
        fn=kernel, signature=types | dict.fromkeys(constants, 'constexpr'),
        constexprs={place[n]: v for n, v in constants.items()},
        attrs={place[n]: [['tt.divisibility', 16]] for n in pointers})
    target, options = GPUTarget('cuda', capability, 32), dict(num_warps=1)
    made = triton.compile(source, target=target, options=options)
    with TemporaryDirectory() as folder:
        file = Path(folder)/'kernel.cubin'
        file.write_bytes(made.asm['cubin'])
        usage, code = ask('cuobjdump', '-res-usage', file), ask('nvdisasm', '-c', file)
    registers, stack = (int(re.search(what + r':(\d+)', usage)[1]) for what in ('REG', 'STACK'))
    return dict(registers=registers, stack=stack, **count(code))


def main(module):
    made = {}
    if (TOOLS/'ptxas').exists():
        kernels = {'scan.gpu': scan_kernels, 'scan.ss2d_gpu': ss2d_kernels}[module]()
        for name, kernel in kernels.items():
            made[name] = {gpu: machine_code(*kernel, gpu) for gpu in (80, 90)}
    print(json.dumps(made, indent=1))


if __name__ == '__main__':
    main(*sys.argv[1:])
