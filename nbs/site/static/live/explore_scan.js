// One channel of a selective scan: what it remembers of three pulses, and its matrix M.
import {picture} from './arrays.js';
import {Chart, legend, range} from './chart.js';
import {element, slider} from './controls.js';
import {css, enlarged, mixed, Plate} from './plate.js';
import {scanData, sharesOf} from './scan.js';

const LOOKS = [['blue', []], ['orange', [6, 3]], ['green', [2, 2]]]; // of the three pulses
const two = v => v.toFixed(2).replace('-0.00', '0.00');

// The five numbers of the scan, and the row of M that is looked at.
function knobs(parent, last, update) {
  const bar = element('div', {class: 'controls'});
  parent.append(bar);
  const one = (name, settings) => slider(bar, name, settings, update);
  const inputs = {
    selectivity: one('selectivity', {min: -6, max: 6, step: .5, value: 6}),
    delta: one('step size Δ', {min: -2.3, max: .3, step: .05, value: -2,
      show: v => (10 ** v).toPrecision(2)}),
    A: one('decay A', {min: -3, max: 0, step: .1, value: -1}),
    B: one('in B', {min: -2, max: 2, step: .1, value: 1}),
    C: one('out C', {min: -2, max: 2, step: .1, value: .8}),
    row: one('row t of M', {min: 0, max: last, step: 1, value: 40}),
  };
  return () => {
    const values = Object.entries(inputs).map(([name, input]) => [name, Number(input.value)]);
    const found = Object.fromEntries(values);
    return {...found, delta: 10 ** found.delta};
  };
}

// The matrix as a picture: blue above 0, orange below; grey is masked, the future.
function heat({M}, L, colours) {
  const top = M.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1;
  return picture([L, L], i => i % L > Math.floor(i / L) ? colours.unread :
    mixed(colours.paper, M[i] < 0 ? colours.orange : colours.blue, Math.abs(M[i]) / top));
}

// What happens to the pulses, in words.
function told({M}, u, pulses, row) {
  const L = u.length, before = pulses.filter(s => s <= row);
  const shares = before.map(s => `step ${s}: ${two(M[row * L + s] * u[s])}`);
  const all = u.reduce((sum, v, s) => sum + M[row * L + s] * v, 0);
  return `Output ${row} is ${two(all)}. ` +
    (before.length ? `Of it the pulses give: ${shares.join('; ')}.` : 'No pulse has come yet.');
}

// The explorer: controls, five plates, a sentence.
export function scanExplorer(root, {scan: {u, pulses}}) {
  const L = u.length, x = [0, L], now = knobs(root, L - 1, update);
  const above = element('div', {class: 'plates'}), below = element('div', {class: 'plates'});
  const said = element('p', {class: 'said', role: 'status'});
  root.append(above, said, below);
  let values, data;

  const given = new Plate(above, 'In:', .7, (context, width, height, colours) => {
    const axes = {x, y: range(u, data.step), label: 'step'};
    const chart = new Chart(context, width, height, colours, axes);
    chart.stems(u, 'faint');
    chart.line(data.step, 'green');
  });
  legend(given, [['input u', 'faint'], ['step size Δ', 'green']]);
  const out = new Plate(above, 'Inside and out:', .7, (context, width, height, colours) => {
    const axes = {x, y: range(data.h, data.y), label: 'step'};
    const chart = new Chart(context, width, height, colours, axes);
    chart.line(data.h, 'blue', {wide: 4});
    chart.line(data.y, 'orange');
  });
  legend(out, [['state h', 'blue'], ['output y = C h', 'orange']]);
  const from = 'Of it from the pulse at';
  const memory = new Plate(above, from, .7, (context, width, height, colours) => {
    const shares = pulses.map(s => sharesOf(data, u, s));
    const axes = {x, y: range(...shares), label: 'step'};
    const chart = new Chart(context, width, height, colours, axes);
    shares.forEach((share, k) => chart.line(share, LOOKS[k][0], {dash: LOOKS[k][1]}));
  });
  legend(memory, pulses.map((s, k) => [`step ${s}`, LOOKS[k][0]]));
  const matrix = new Plate(below, 'M: row t is what output t takes from each input s', 1,
    (context, width, height, colours) => {
      const scale = enlarged(context, heat(data, L, colours), width);
      Object.assign(context, {strokeStyle: css(colours.ink), lineWidth: 1.5});
      context.strokeRect(1, values.row * scale, width - 2, scale);
    });
  const row = new Plate(below, 'The row in the frame: weights on the inputs', 1,
    (context, width, height, colours) => {
      const weights = data.M.subarray(values.row * L, (values.row + 1) * L);
      const axes = {x, y: range(weights), label: 'from step s'};
      const chart = new Chart(context, width, height, colours, axes);
      chart.stems(weights, 'blue', 'orange');
      chart.path([[values.row, axes.y[0]], [values.row, axes.y[1]]], 'line', {dash: [2, 3]});
    });

  function update() {
    values = now();
    data = scanData(u, values);
    said.textContent = told(data, u, pulses, values.row);
    given.says(`The input, noise with pulses at ${pulses.join(', ')}, and the step sizes, ` +
      `from ${two(Math.min(...data.step))} to ${two(Math.max(...data.step))}`);
    out.says(`State and output; the output lies between ${range(data.y).map(two).join(' and ')}`);
    memory.says(said.textContent);
    matrix.says(`The matrix, zero right of its diagonal; its largest weight is ` +
      `${two(data.M.reduce((most, v) => Math.abs(v) > Math.abs(most) ? v : most, 0))}`);
    row.says(`Row ${values.row} of the matrix as stems. ${said.textContent}`);
    for (const plate of [given, out, memory, matrix, row]) plate.redraw();
  }
  update();
}
