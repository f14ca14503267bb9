"""Move notebooks into chapters and modules into sub-packages: chapter folder = sub-package, notebook = module.

Run once in the root of a clean checkout, then `nbdev_export`; take this script away with the same commit. It rewrites links
between notebooks, imports, commands, paths to data/ and pictures, the style and the cell for Colab, and writes the faces of
the sub-packages. Tried on a copy: the package exports and every module imports; the notebooks were not yet run there.
"""
import json, os, re, subprocess, sys
from pathlib import Path
root = Path('.')
MOVES = '''
00_tour                 tour
02_glossary             glossary
00a_cover               more/cover
01_core                 more/core                           core
10_state_space          1_scan/1_state_space
11_selective_scan       1_scan/3_selection                  scan.selection
20_ss2d                 1_scan/6_ss2d                       scan.ss2d
11a_vectors             1_scan/more/vectors                 scan.vectors
12_scan_cpu             1_scan/more/cpu                     scan.cpu
13_scan_gpu             1_scan/more/gpu                     scan.gpu
14_scan_engines         1_scan/more/engines                 scan.engines
20a_ss2d_cpu            1_scan/more/ss2d_cpu                scan.ss2d_cpu
20b_ss2d_gpu            1_scan/more/ss2d_gpu                scan.ss2d_gpu
21_csmb                 2_network/1_csmb                    network.csmb
22_cbam                 2_network/2_cbam                    network.cbam
23_bottleneck           2_network/3_bottleneck              network.bottleneck
24_dermomamba           2_network/4_dermomamba              network.dermomamba
21a_receptive_field     2_network/5_receptive_field
23a_hub                 2_network/more/weights              network.weights
24a_drawing             2_network/more/anatomy              network.anatomy
30_phantom              3_data/1_phantom                    data.phantom
30a_loading             3_data/2_images                     data.images
31_datasets             3_data/3_datasets                   data.datasets
32_augment              3_data/4_augment                    data.augment
38_protocols            3_data/more/splits                  data.splits
30_dermoscopy           3_data/more/skin                    data.skin
30b_archives            3_data/more/archives                data.archives
53a_look_alikes         3_data/more/look_alikes             data.look_alikes
53b_data_doctor         3_data/more/data_check              data.data_check
33_guide_fusion_loss    4_training/1_guide_fusion_loss      training.guide_fusion_loss
34_metrics              4_training/2_metrics                training.metrics
35_learner              4_training/3_learner                training.learner
40_train                4_training/4_recipe                 training.recipe
34a_boundary            4_training/more/boundary            training.boundary
40a_search              4_training/more/search              training.search
39_distributed          4_training/more/distributed         training.distributed
55_scale_out            4_training/more/scale_out           training.scale_out
36_inference            5_evidence/1_inference              evidence.inference
37_statistics           5_evidence/2_statistics             evidence.statistics
41_evaluate             5_evidence/3_evaluate               evidence.evaluate
46_do_the_scans_matter  5_evidence/4_do_the_scans_matter    evidence.do_the_scans_matter
45_release_vs_paper     5_evidence/6_release_vs_paper
41a_runs                5_evidence/more/runs                evidence.runs
41b_evidence            5_evidence/more/plan                evidence.plan
43a_cost                5_evidence/more/cost                evidence.cost
43b_ranking             5_evidence/more/ranking             evidence.ranking
44_benchmark            5_evidence/more/speed               evidence.speed
44a_gpu_check           5_evidence/more/gpu_check           evidence.gpu_check
44b_compare             5_evidence/more/comparison          evidence.comparison
24b_overhead            5_evidence/more/overhead            evidence.overhead
53c_profile             5_evidence/more/profiling           evidence.profiling
50_predict              6_use/1_predict                     use.predict
50d_folders             6_use/2_folders                     use.folders
51_explore              6_use/3_explore                     use.explore
52_app                  6_use/4_app                         use.app
54_deploy               6_use/5_onnx                        use.onnx
50a_geometry            6_use/more/geometry                 use.geometry
50b_shards              6_use/more/shards                   use.shards
50c_files               6_use/more/files                    use.files
51a_one_image           6_use/more/one_image                use.one_image
52a_serve               6_use/more/serve                    use.serve
53_doctor               6_use/more/doctor                   use.doctor
53d_doctor_command      6_use/more/doctor_command           use.doctor_command
53e_doctor_trial        6_use/more/doctor_trial             use.doctor_trial
54a_small               6_use/more/small                    use.small
56_bad_inputs           6_use/more/bad_inputs               use.bad_inputs
60_exercises            7_exercises/exercises
61_solutions            7_exercises/solutions_scan_and_network
62_solutions            7_exercises/solutions_data_to_use
index                   index
'''
new_place, new_module, old_module = {}, {}, {}
for line in MOVES.strip().splitlines():
    old, new, *module = line.split()
    new_place[old] = new
    path = root/'nbs'/f'{old}.ipynb'
    if not path.exists(): print('missing', old); continue
    s = path.read_text(encoding='utf-8')
    m = re.search(r'#\| default_exp (\w+)', s)
    if m:
        if not module: sys.exit(f'{old} exports {m[1]}: give a module')
        new_module[m[1]] = module[0]
left = {p.stem for p in (root/'nbs').glob('*.ipynb')} - set(new_place)
if left: sys.exit(f'no place for {left}')
short = lambda stem: re.sub(r'^\d+_', '', Path(new_place[stem]).name)
stems = sorted((s for s in new_place if s != 'index'), key=len, reverse=True)
MODULES = re.compile(r'(?<!ops\.)(?<![\w/])dermomamba\.(' + '|'.join(sorted(new_module, key=len, reverse=True)) + r')(?![\w])(?!\.(?:ipynb|github))')
STEMS = re.compile(r'(?<![\w/])(' + '|'.join(stems) + r')(?![\w])')
def relative(target, start): # both under nbs, without suffix
    return os.path.relpath(target, os.path.dirname(start) or '.').replace(os.sep, '/')
def modules(s):
    s = MODULES.sub(lambda m: 'dermomamba.' + new_module[m[1]], s)
    def several(m):
        out = []
        for part in m[2].split(','):
            name, _, alias = part.strip().partition(' as ')
            new = new_module.get(name)
            if not new: out.append(f'{m[1]}from dermomamba import {part.strip()}'); continue
            package, _, leaf = new.rpartition('.')
            alias = alias or (name if name != leaf else '')
            out.append(f"{m[1]}from dermomamba{'.' + package if package else ''} import {leaf}" + (f' as {alias}' if alias else ''))
        return '\n'.join(out)
    return re.sub(r"(?m)^([ \t]*)from dermomamba import ((?:\w+(?: as \w+)?)(?:, ?\w+(?: as \w+)?)*)[ \t]*$", several, s)
def text(s, at, code): # at: the file's new place under nbs, without suffix; None: a file elsewhere
    def link(m):
        label, old, rest = m[1], m[2], m[3]
        if old not in new_place: return m[0]
        label = short(old) if label == old else label
        return f'[{label}]({relative(new_place[old], at) if at is not None else "nbs/" + new_place[old]}.ipynb{rest})'
    if at is not None:
        s = re.sub(r'\[([^\]]*)\]\((\w+)\.ipynb((?:#[^)]*)?)\)', link, s)
        depth = at.count('/')
        if depth:
            s = re.sub(r"(\]\()((?:\.\./)?(?:data|images)/|\.\./(?=[A-Z]))", lambda m: m[1] + '../'*depth + m[2], s)
            s = re.sub(r"((?:\"|'|\b\())(\.\./(?:data|settings\.ini))", lambda m: m[1] + '../'*depth + m[2], s)
            s = re.sub(r"((?:\"|'))images/", lambda m: m[1] + '../'*depth + 'images/', s)
    s = re.sub(r'(?<![\w])nbs/(\w+)\.ipynb', lambda m: f'nbs/{new_place.get(m[1], m[1])}.ipynb', s)
    s = s.replace("'book.mplstyle'", "'dermomamba.book'").replace('"book.mplstyle"', '"dermomamba.book"')
    s = re.sub(r'%cd -q /content/dermomamba/nbs(?=\s|$)', '%cd -q /content/dermomamba/nbs' + (f'/{os.path.dirname(at)}' if at and os.path.dirname(at) else ''), s)
    s = re.sub(r'#\| default_exp (\w+)', lambda m: '#| default_exp ' + new_module.get(m[1], m[1]), s)
    s = modules(s)
    if code: return s
    return STEMS.sub(lambda m: short(m[1]), s)
def git(*a): subprocess.run(['git', *a], check=True, stdout=subprocess.DEVNULL)
for old, new in new_place.items():
    path = root/'nbs'/f'{old}.ipynb'
    if not path.exists(): continue
    nb = json.loads(path.read_text(encoding='utf-8'))
    for c in nb['cells']:
        s = ''.join(c['source'])
        t = text(s, new, c['cell_type'] == 'code')
        if t != s: c['source'] = t.splitlines(keepends=True)
    target = root/'nbs'/f'{new}.ipynb'
    target.parent.mkdir(parents=True, exist_ok=True)
    if new != old: git('mv', str(path), str(target))
    target.write_text(json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + '\n', encoding='utf-8')
for module in new_module:
    if '.' in new_module[module] and (root/f'dermomamba/{module}.py').exists(): git('rm', '-qf', f'dermomamba/{module}.py')
if (root/'nbs/book.mplstyle').exists(): git('mv', 'nbs/book.mplstyle', 'dermomamba/book.mplstyle')
others = [*root.glob('.ci/*'), *root.glob('.github/workflows/*'), root/'Makefile', root/'settings.ini', root/'setup.py', root/'data/README.md', *root.glob('dermomamba/weights/*/README.md'), root/'MANIFEST.in', root/'pyproject.toml']
for path in others:
    if not path.is_file() or path.name == 'words.txt': continue
    s = path.read_text(encoding='utf-8')
    t = text(s, None, True)
    t = re.sub(r'(?<![\w/])(' + '|'.join(stems) + r')(?=\.ipynb)', lambda m: new_place[m[1]], t)
    t = re.sub(r'(\]\()\.\./nbs/(\w+)\.ipynb', lambda m: f'{m[1]}../nbs/{new_place.get(m[2], m[2])}.ipynb', t)
    if t != s: path.write_text(t, encoding='utf-8'); print('changed', path)
s = (root/'settings.ini').read_text()
(root/'settings.ini').write_text(s.replace('recursive = False', 'recursive = True'))

# the front door, and a face for each sub-package
Path('dermomamba/__init__.py').write_text('''"""Skin lesion segmentation with 2-D state-space scans; what is named here is loaded when it is first used"""
__version__ = "0.1.0"

_PLACES = dict(
    DermoMamba='network.dermomamba',
    convert_original_state_dict='network.dermomamba',
    load_model='network.dermomamba',
    save_model='network.dermomamba',
    CrossScaleMambaBlock='network.csmb',
    CBAM='network.cbam',
    PCAM='network.bottleneck',
    SweepMamba='network.bottleneck',
    SS2D='scan.ss2d',
    VSSBlock='scan.ss2d',
    selective_scan='scan.engines',
    engines='scan.engines',
    register_engine='scan.engines',
    use_engine='scan.engines',
    ISIC2018='data.datasets',
    PH2='data.datasets',
    FolderPairs='data.datasets',
    make_phantom='data.phantom',
    phantom_dls='data.phantom',
    GuideFusionLoss='training.guide_fusion_loss',
    dermo_learner='training.learner',
    segment='use.predict',
)
__all__ = [*_PLACES]


def __getattr__(name):
    if name not in _PLACES: raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module
    return getattr(import_module(f'{__name__}.{_PLACES[name]}'), name)


def __dir__(): return sorted([*globals(), *_PLACES])
''')
FACES = dict(
    scan=('One scan in one dimension, four in two, and the engines that compute them', dict(selective_scan='engines', register_engine='engines', use_engine='engines', SS2D='ss2d', VSSBlock='ss2d')),
    network=('The blocks of DermoMamba and the whole network', dict(DermoMamba='dermomamba', load_model='dermomamba', save_model='dermomamba', CrossScaleMambaBlock='csmb', CBAM='cbam', PCAM='bottleneck', SweepMamba='bottleneck')),
    data=('Photographs, masks and data sets', dict(ISIC2018='datasets', PH2='datasets', FolderPairs='datasets', open_dataset='datasets', make_phantom='phantom', phantom_dls='phantom')),
    training=('Loss, metrics, the learner and its recipe', dict(GuideFusionLoss='guide_fusion_loss', dermo_learner='learner')),
    evidence=('What was measured, and how', {}),
    use=('Photographs in, masks out', dict(segment='predict')))
for package, (doc, names) in FACES.items():
    folder = Path('dermomamba')/package
    folder.mkdir(exist_ok=True)
    places = '\n'.join(f"    {k}='{v}'," for k, v in names.items())
    body = f'"""{doc}"""\n' if not names else f'''"""{doc}; what is named here is loaded when it is first used"""
_PLACES = dict(
{places}
)
__all__ = [*_PLACES]


def __getattr__(name):
    if name not in _PLACES: raise AttributeError(f'module {{__name__!r}} has no attribute {{name!r}}')
    from importlib import import_module
    return getattr(import_module(f'{{__name__}}.{{_PLACES[name]}}'), name)
'''
    (folder/'__init__.py').write_text(body)
s = Path('setup.py').read_text()
if 'book.mplstyle' not in s:
    Path('setup.py').write_text(s.replace('"weights/SHA256SUMS"', '"book.mplstyle", "weights/SHA256SUMS"'))
p = Path('nbs/more/core.ipynb')
nb = json.loads(p.read_text(encoding='utf-8'))
if 'def book_path' not in str(nb['cells']):
    c = next(c for c in nb['cells'] if ''.join(c['source']).startswith('#| export\ndef golden('))
    i = c['id']
    j = nb['cells'].index(c)
    new = dict(cell_type='code', id='bookpath', metadata={}, outputs=[], execution_count=None, source='''#| export
def book_path(
    path:str, # from the top of the project, such as 'data/golden'
) -> Path:
    "A file of the project, from whichever of its folders a notebook runs in"
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder/'settings.ini').exists() and (folder/'data').is_dir(): return folder/path
    raise FileNotFoundError(f'{path}: not inside a checkout of the project; run from its folder nbs')
'''.strip().splitlines(keepends=True))
    nb['cells'].insert(j, new)
    s = ''.join(c['source'])
    s = re.sub(r"    folder='[./]*data/golden',\s*#[^\n]*\n", "    folder=None, # where the files are; None: data/golden of the project\n", s)
    s = re.sub(r"np\.load\(f'\{folder\}/\{tag\}\.npz'\)", "np.load((folder or book_path('data/golden'))/f'{tag}.npz')", s)
    c['source'] = s.splitlines(keepends=True)
    p.write_text(json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + '\n', encoding='utf-8')
