// How well a mask fits the truth.

const ratio = (part, whole, otherwise) => whole ? part / whole : Number(otherwise);

// Dice, precision and recall; where there is nothing to divide by, 1 if the answer is right.
export function scores(mask, truth) {
  let tp = 0, fp = 0, fn = 0;
  for (let i = 0; i < mask.length; i++) {
    tp += mask[i] && truth[i];
    fp += mask[i] && !truth[i];
    fn += !mask[i] && truth[i];
  }
  return {
    dice: ratio(2 * tp, 2 * tp + fp + fn, fp + fn === 0),
    precision: ratio(tp, tp + fp, fn === 0),
    recall: ratio(tp, tp + fn, fp === 0),
  };
}
