// A threshold on a network's probabilities: the outline, and three scores of it.
import {picture, unpacked} from './arrays.js';
import {Chart, legend} from './chart.js';
import {choice, element, slider, tick} from './controls.js';
import {above, border, cleanMask} from './mask.js';
import {css, enlarged, mixed, Plate, stroked} from './plate.js';
import {scores} from './scores.js';

const THRESHOLDS = Array.from({length: 37}, (_, k) => .05 + .025 * k);
const LOOKS = { // colour, dashes and name of each score
  dice: ['blue', [], 'Dice'],
  precision: ['orange', [6, 3], 'precision'],
  recall: ['green', [2, 2], 'recall'],
};
const three = v => v.toFixed(3);

// A phantom as the network sees it: photograph, truth, probabilities.
function lesionOf({image, truth, p}) {
  const [h, w] = truth.shape, bytes = unpacked(image), mask = unpacked(truth);
  return {
    size: [h, w], truth: mask, p: unpacked(p), edge: border(mask, [h, w]),
    photo: picture([h, w], i => bytes.slice(3 * i, 3 * i + 3))};
}

// The mask of a lesion at a threshold.
export function maskAt({p, size}, threshold, clean) {
  const mask = above(p, threshold);
  return clean ? cleanMask(mask, size) : mask;
}

// The explorer: controls, three plates, a sentence.
export function thresholdExplorer(root, {lesions}) {
  const bar = element('div', {class: 'controls'}), plates = element('div', {class: 'plates'});
  const said = element('p', {class: 'said', role: 'status'});
  root.append(bar, plates, said);
  let lesion, mask, curve;

  const which = choice(bar, 'show', Object.keys(lesions), another);
  const range = {min: .05, max: .95, step: .025, value: .5, show: v => v.toFixed(3)};
  const threshold = slider(bar, 'threshold', range, update);
  const clean = tick(bar, 'largest region only, holes filled', another);

  const both = (context, scale, truth, own, rim) => {
    stroked(context, lesion.edge, scale, truth, 1.5, rim);
    stroked(context, border(mask, lesion.size), scale, own, 2.5, rim);
  };
  const photo = new Plate(plates, 'White: the truth. Cyan: the outline', .75, (context, width) => {
    both(context, enlarged(context, lesion.photo, width), 'white', 'cyan', 'black');
  });
  const map = new Plate(plates, 'Probability: the bluer, the higher', .75,
    (context, width, height, colours) => {
      const shown = picture(lesion.size, i => mixed(colours.paper, colours.blue, lesion.p[i]));
      const scale = enlarged(context, shown, width);
      both(context, scale, css(colours.ink), css(colours.orange), css(colours.paper));
    });
  const chart = new Plate(plates, 'At every threshold:', .75, (context, width, height, colours) => {
    const lines = new Chart(context, width, height, colours,
      {x: [0, 1], y: [0, 1], label: 'threshold'});
    for (const [name, [colour, dash]] of Object.entries(LOOKS)) {
      lines.path(THRESHOLDS.map((t, k) => [t, curve[k][name]]), colour, {dash});
      lines.dot(Number(threshold.value), scores(mask, lesion.truth)[name], colour);
    }
  });
  legend(chart, Object.values(LOOKS).map(([colour, , name]) => [name, colour]));

  function another() {
    lesion = lesionOf(lesions[which.value]);
    curve = THRESHOLDS.map(t => scores(maskAt(lesion, t, clean.checked), lesion.truth));
    update();
  }

  function update() {
    mask = maskAt(lesion, Number(threshold.value), clean.checked);
    const {dice, precision, recall} = scores(mask, lesion.truth);
    said.textContent = `Dice ${three(dice)}, precision ${three(precision)} (of what is called ` +
      `lesion, so much is), recall ${three(recall)} (of the lesion, so much is found).`;
    photo.says(`A synthetic lesion with its true border and the outline at this threshold. ` +
      said.textContent);
    map.says(`The network's probabilities with the same two borders`);
    chart.says(`Dice, precision and recall at thresholds from .05 to .95. ${said.textContent}`);
    for (const plate of [photo, map, chart]) plate.redraw();
  }
  another();
}
