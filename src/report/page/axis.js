// The one time axis of all charts: the span in view, the mapping from time to pixel, its round numbers, and
// the frame (bands, grid, labels) that every chart is drawn in.

const axis = { from: tape.start, to: tape.end, left: 60, right: 60, width: 600, scale: 1, colours: {} };
const LABEL = '11px system-ui, sans-serif';

const plotWidth = () => Math.max(axis.width - axis.left - axis.right, 10);
const xOf = (time) => axis.left + ((time - axis.from) / (axis.to - axis.from)) * plotWidth();
const timeAt = (x) => axis.from + ((x - axis.left) / plotWidth()) * (axis.to - axis.from);

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = [
    'ink', 'soft', 'grid', 'panel', 'command', 'wish', 'human', 'speed', 'bad', 'heat-0', 'heat-1', 'heat-2',
    ...STATES.map((state) => `state-${state}`), ...head.stages.map(([stage]) => `stage-${stage}`),
  ];
  for (const name of names) axis.colours[name] = style.getPropertyValue(`--${name}`).trim() || '#888888';
}

// About `count` round numbers in low..high.
function roundNumbers(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= rough * 0.8);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-6; k += 1) found.push(k * step);
  return found;
}

function digitsFor(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : 1;
  return Math.min(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), 6);
}

// For each device pixel column of the plot, the first and the last tick that fall on it.
function columns(each) {
  const wide = Math.round(plotWidth() * axis.scale);
  let first = tickAt(axis.from);
  for (let column = 0; column < wide; column += 1) {
    const until = axis.from + ((column + 1) / wide) * (axis.to - axis.from);
    let last = first;
    while (last + 1 < tape.n && tape.time[last + 1] < until) last += 1;
    each(column, first, last);
    first = timeAfter(last) <= until && last + 1 < tape.n ? last + 1 : last;
  }
}

// Runs of equal state in view, as first and last tick.
function stateRuns(each) {
  const last = tickAt(axis.to);
  let from = tickAt(axis.from);
  for (let i = from; i <= last; i += 1) {
    if (i === last || tape.state[i + 1] !== tape.state[i]) {
      each(tape.state[from], Math.max(xOf(tape.time[from]), axis.left), Math.min(xOf(timeAfter(i)), axis.left + plotWidth()));
      from = i + 1;
    }
  }
}

function begin(chart) {
  const pen = chart.canvas.getContext('2d');
  fit(chart.canvas, axis.width, chart.height, axis.scale);
  pen.setTransform(axis.scale, 0, 0, axis.scale, 0, 0);
  pen.clearRect(0, 0, axis.width, chart.height);
  pen.font = LABEL;
  pen.textBaseline = 'middle';
  return pen;
}

// The text, or as much of its beginning as `wide` pixels hold.
function trimmed(pen, text, wide) {
  if (pen.measureText(text).width <= wide) return text;
  let cut = text.slice(0, 80);
  while (cut.length > 0 && pen.measureText(`${cut}…`).width > wide) cut = cut.slice(0, -1);
  return `${cut}…`;
}

const crisp = (x) => Math.round(x * axis.scale) / axis.scale + 0.5 / axis.scale;

function bands(pen, height) {
  pen.globalAlpha = 0.13;
  stateRuns((state, left, right) => {
    pen.fillStyle = axis.colours[`state-${STATES[state]}`];
    pen.fillRect(left, 0, right - left, height);
  });
  pen.globalAlpha = 1;
}

const timeMarks = () => roundNumbers(axis.from, axis.to, plotWidth() / 72);

function rule(pen, from, to, colour, dash = []) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
  pen.setLineDash([]);
}

function timeGrid(pen, height) {
  for (const time of timeMarks()) rule(pen, [crisp(xOf(time)), 0], [crisp(xOf(time)), height], axis.colours.grid);
}

// Lines across with a label at the left and, where `right` says so, another at the right.
function levels(pen, marks) {
  const end = axis.left + plotWidth();
  for (const { y, left, right, strong } of marks) {
    rule(pen, [axis.left, crisp(y)], [end, crisp(y)], strong ? axis.colours.soft : axis.colours.grid);
    pen.fillStyle = axis.colours.soft;
    pen.textAlign = 'right';
    if (left) pen.fillText(left, axis.left - 6, y);
    pen.textAlign = 'left';
    if (right) pen.fillText(right, end + 6, y);
  }
}

function inPlot(pen, height, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(axis.left, 0, plotWidth(), height);
  pen.clip();
  draw();
  pen.restore();
}

// Values are held until the next tick, so the line is a staircase; a gap where there is no value.
function staircase(pen, values, yOf, { colour, wide = 2, dash = [] }) {
  const last = tickAt(axis.to);
  pen.strokeStyle = colour;
  pen.lineWidth = wide;
  pen.lineJoin = 'round';
  pen.setLineDash(dash);
  pen.beginPath();
  let drawing = false;
  for (let i = tickAt(axis.from); i <= last; i += 1) {
    if (Number.isNaN(values[i])) {
      drawing = false;
    } else {
      const y = yOf(values[i]);
      if (drawing) pen.lineTo(xOf(tape.time[i]), y);
      else pen.moveTo(xOf(tape.time[i]), y);
      pen.lineTo(xOf(timeAfter(i)), y);
      drawing = true;
    }
  }
  pen.stroke();
  pen.setLineDash([]);
}
