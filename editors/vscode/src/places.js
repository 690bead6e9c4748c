// The answer to `dsvmc/preview`, and which line of a template belongs to which place of a source. Knows nothing of the editor.

// The source of a line: the last entry that holds it is the most exact one.
exports.sourceOf = (part, line) => {
  const holds = part.map.filter((entry) => entry.lines[0] <= line && line <= entry.lines[1]);
  return holds[holds.length - 1];
};

const before = (a, b) => a.line < b.line || (a.line === b.line && a.character <= b.character);

// The entry for a place in a source: the smallest range that holds it; without one, the range that begins last before it on its line
// or above.
exports.templateOf = (part, uri, position) => {
  const here = part.map.filter((entry) => entry.uri === uri);
  const size = ({ range }) => (range.end.line - range.start.line) * 10000 + range.end.character - range.start.character;
  const inside = here.filter(({ range }) => before(range.start, position) && before(position, range.end));
  if (inside.length > 0) return inside.reduce((best, entry) => (size(entry) < size(best) ? entry : best));
  const above = here.filter(({ range }) => before(range.start, position) || range.start.line === position.line);
  return above.reduce((best, entry) => (best === undefined || before(best.range.start, entry.range.start) ? entry : best), undefined);
};

// The name of the test that a line is in: that of the last heading above.
exports.testAt = (text, line) => {
  const lines = text.split("\n");
  for (let at = Math.min(line, lines.length - 1); at >= 0; at--) {
    const heading = /^\s*test\s+"((?:[^"\\]|\\.)*)"/.exec(lines[at]);
    if (heading !== null) return heading[1].replace(/\\(["\\$])/g, "$1");
    if (at < line && /^\}/.test(lines[at])) return undefined;
  }
  return undefined;
};
