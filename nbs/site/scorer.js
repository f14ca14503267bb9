// A title that holds the whole query comes first; the other numbers are Sphinx's own
var Scorer = {
  score: ([page, title, anchor, text, score, file, kind]) => score + (kind === "title" ? 100 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: {0: 15, 1: 5, 2: -5},
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
