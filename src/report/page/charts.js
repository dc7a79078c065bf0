// The charts: state and notes, steering, throttle and speed, the policy's outputs, stage times, pulses.
// Each is drawn once per size, span and theme; scrubbing moves one line over all of them.

const charts = [];
const PAD = 7;

function addChart({ title, height, series = [], paint }) {
  const box = make('figure', 'chart');
  const legend = make('figcaption', 'legend');
  legend.append(make('strong', '', title));
  const readings = series.map((one) => {
    const item = make('span', 'item');
    const value = make('span', 'value');
    item.append(make('i', `swatch ${one.look}`), make('span', '', one.name), ...(one.read ? [value] : []));
    legend.append(item);
    return { value, read: one.read };
  });
  const canvas = make('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `${title} over time`);
  box.append(legend, canvas);
  byId('charts').append(box);
  charts.push({ canvas, height, paint, readings });
}

function paintCharts() {
  axis.scale = window.devicePixelRatio || 1;
  axis.width = byId('charts').clientWidth;
  for (const chart of charts) {
    const pen = begin(chart);
    chart.paint(pen, chart.height);
  }
}

function readCharts(i) {
  for (const chart of charts) {
    for (const { value, read } of chart.readings) {
      if (read) value.textContent = read(i);
    }
  }
}

const reading = (values, digits = 2) => (i) => signed(values[i], digits);
const scaleOf = (height, low, high) => (value) => PAD + ((high - value) / (high - low)) * (height - 2 * PAD);

function addCharts() {
  addStrip();
  addSteering();
  addThrottle();
  if (tape.outputs.length > 0) (head.actions.length > 0 ? addHeat : addOutputs)();
  addStages();
  addPulses();
  addChart({ title: '', height: 22, paint: paintTime });
  const labels = head.actions.length > 0 && tape.outputs.length > 0 ? tape.outputs.map((_, k) => actionName(k)) : [];
  const pen = charts[0].canvas.getContext('2d');
  pen.font = LABEL;
  axis.left = Math.min(Math.max(60, ...labels.map((label) => pen.measureText(label).width + 12)), 132);
}

function addStrip() {
  addChart({
    title: 'State and notes',
    height: 34,
    series: STATES.filter((_, k) => tape.state.includes(k)).map((name) => ({ name, look: `block state-${name}` })),
    paint(pen) {
      stateRuns((state, left, right) => {
        pen.fillStyle = axis.colours[`state-${STATES[state]}`];
        pen.fillRect(left, 0, right - left, 18);
        if (right - left > pen.measureText(STATES[state]).width + 12) {
          pen.fillStyle = '#000000';
          pen.textAlign = 'left';
          pen.fillText(STATES[state], left + 6, 9.5);
        }
      });
      pen.fillStyle = axis.colours.ink;
      for (const i of tape.noted) {
        const x = xOf(tape.time[i]);
        if (x >= axis.left - 1 && x <= axis.left + plotWidth() + 1) {
          pen.beginPath();
          pen.moveTo(x, 21);
          pen.lineTo(x + 5, 31);
          pen.lineTo(x - 5, 31);
          pen.fill();
        }
      }
      divergenceLine(pen, 34);
    },
  });
}

function divergenceLine(pen, height) {
  if (tape.diverged === undefined) return;
  const x = crisp(xOf(tape.time[tape.diverged]));
  if (x >= axis.left && x <= axis.left + plotWidth()) rule(pen, [x, 0], [x, height], axis.colours.bad, [5, 3]);
}

function framed(pen, height, marks, draw) {
  bands(pen, height);
  timeGrid(pen, height);
  levels(pen, marks);
  inPlot(pen, height, draw);
  divergenceLine(pen, height);
}

const shareSeries = (command, wish, human) => [
  { name: 'command', look: 'line command', read: reading(command) },
  ...(has(wish) ? [{ name: 'wish', look: 'line wish', read: reading(wish) }] : []),
  ...(has(human) ? [{ name: 'human', look: 'line human', read: reading(human) }] : []),
];

function shareLines(pen, y, command, wish, human) {
  staircase(pen, human, y, { colour: axis.colours.human, wide: 2, dash: [2, 3] });
  staircase(pen, wish, y, { colour: axis.colours.wish, wide: 2, dash: [7, 4] });
  staircase(pen, command, y, { colour: axis.colours.command, wide: 2.25 });
}

function addSteering() {
  const lock = Math.abs(head.lock);
  addChart({
    title: 'Steering',
    height: 132,
    series: shareSeries(tape.steering, tape.wishSteering, tape.humanSteering),
    paint(pen, height) {
      const y = scaleOf(height, -1, 1);
      const marks = [[1, 'left +1'], [0.5, ''], [0, '0'], [-0.5, ''], [-1, 'right −1']].map(([share, left]) => (
        { y: y(share), left, right: left && lock > 0 ? `${signed(share * lock, 0)}°` : '', strong: share === 0 }));
      framed(pen, height, marks, () => {
        shareLines(pen, y, tape.steering, tape.wishSteering, tape.humanSteering);
      });
    },
  });
}

function addThrottle() {
  const full = Math.abs(head.speed);
  const series = shareSeries(tape.throttle, tape.wishThrottle, tape.humanThrottle);
  const withSpeed = full > 0 && has(tape.speed);
  if (withSpeed) series.push({ name: 'wished speed', look: 'line speed', read: (i) => `${plain(tape.speed[i], 2)} m/s` });
  addChart({
    title: 'Throttle',
    height: 104,
    series,
    paint(pen, height) {
      const y = scaleOf(height, viewer.reverse ? -1 : 0, 1);
      const marks = (viewer.reverse ? [1, 0.5, 0, -0.5, -1] : [1, 0.5, 0]).map((share) => (
        { y: y(share), left: signed(share, 1), right: withSpeed ? `${plain(share * full, 1)} m/s` : '', strong: share === 0 }));
      framed(pen, height, marks, () => {
        if (withSpeed) staircase(pen, tape.speed.map((speed) => speed / full), y, { colour: axis.colours.speed, wide: 1.5 });
        shareLines(pen, y, tape.throttle, tape.wishThrottle, tape.humanThrottle);
      });
    },
  });
}

// Colours of 0..=1 in 256 steps, through three stops of the theme.
function ramp() {
  const stops = ['heat-0', 'heat-1', 'heat-2'].map((name) => {
    const hex = axis.colours[name].replace('#', '');
    return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
  });
  return Array.from({ length: 256 }, (_, k) => {
    const place = (k / 255) * 2;
    const low = Math.min(Math.floor(place), 1);
    return stops[low].map((value, c) => Math.round(value + (stops[low + 1][c] - value) * (place - low)));
  });
}

function heatPicture(rows) {
  const colours = ramp();
  const sheet = make('canvas');
  sheet.width = Math.max(Math.round(plotWidth() * axis.scale), 1);
  sheet.height = rows;
  const pen = sheet.getContext('2d');
  const image = pen.createImageData(sheet.width, rows);
  columns((column, first, last) => {
    for (let k = 0; k < rows; k += 1) {
      let most = NaN;
      for (let i = first; i <= last; i += 1) {
        const score = tape.outputs[k][i];
        if (!(most >= score)) most = score;
      }
      if (Number.isFinite(most)) {
        const colour = colours[Math.round(Math.min(Math.max(most, 0), 1) * 255)];
        image.data.set([...colour, 255], (k * sheet.width + column) * 4);
      }
    }
  });
  pen.putImageData(image, 0, 0);
  return sheet;
}

function addHeat() {
  const rows = tape.outputs.length;
  const row = Math.min(Math.max(Math.round(190 / rows), 4), 18);
  addChart({
    title: 'Probabilities',
    height: rows * row,
    series: [
      { name: '0', look: 'block heat' },
      { name: '1, chosen:', look: 'none', read: chosen },
    ],
    paint(pen, height) {
      pen.imageSmoothingEnabled = false;
      pen.drawImage(heatPicture(rows), axis.left, 0, plotWidth(), height);
      pen.fillStyle = axis.colours.soft;
      pen.textAlign = 'right';
      const every = Math.ceil(11 / row);
      for (let k = 0; k < rows; k += every) {
        pen.fillText(trimmed(pen, actionName(k), axis.left - 8), axis.left - 6, (k + 0.5) * row);
      };
      divergenceLine(pen, height);
    },
  });
}

function chosen(i) {
  const k = tape.best[i];
  return k < 0 ? 'no action' : `${actionName(k)}, ${plain(tape.outputs[k][i] * 100, 1)} %`;
}

function addOutputs() {
  const looks = [['command', []], ['wish', [7, 4]]];
  addChart({
    title: 'Policy outputs',
    height: 110,
    series: tape.outputs.map((values, k) => (
      { name: outputName(k), look: `line ${looks[k]?.[0] ?? 'human'}`, read: reading(values) })),
    paint(pen, height) {
      const reach = Math.max(1, ...tape.outputs.map((values) => (
        values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0))));
      const y = scaleOf(height, -reach, reach);
      const marks = roundNumbers(-reach, reach, 4).map((value) => (
        { y: y(value), left: signed(value, 1), strong: Math.abs(value) < 1e-9 }));
      framed(pen, height, marks, () => {
        tape.outputs.forEach((values, k) => staircase(pen, values, y, {
          colour: axis.colours[looks[k]?.[0] ?? 'human'], dash: looks[k]?.[1] ?? [2, 3],
        }));
      });
    },
  });
}

// The scale holds what is usual and, if it is not far away, the budget: one slow tick must not flatten the rest.
function stageScale() {
  const totals = Array.from({ length: tape.n }, (_, i) => totalOf(i)).filter(Number.isFinite).sort((a, b) => a - b);
  if (totals.length === 0) return 1;
  const most = totals.at(-1);
  const usual = totals[Math.floor((totals.length - 1) * 0.99)] * 1.25;
  const limit = WHOLE >= 0 ? head.stages[WHOLE][1] : null;
  const top = most < usual * 2 ? most * 1.05 : usual;
  return Math.max(limit !== null && limit < top * 4 ? limit * 1.1 : 0, top, 1e-3);
}

const partsOf = (i) => PARTS.reduce((sum, k) => sum + (tape.stages[k][i] || 0), 0);
const totalOf = (i) => Math.max(WHOLE >= 0 ? tape.stages[WHOLE][i] || 0 : 0, partsOf(i));

function addStages() {
  if (tape.stages.length === 0) return;
  const top = stageScale();
  addChart({
    title: 'Latency, ms',
    height: 120,
    series: [...PARTS, ...(WHOLE >= 0 ? [WHOLE] : [])].map((k) => ({
      name: head.stages[k][0],
      look: `${k === WHOLE ? 'line' : 'block'} stage-${head.stages[k][0]}`,
      read: (i) => plain(tape.stages[k][i], 2),
    })),
    paint(pen, height) {
      const y = (ms) => height - PAD - (ms / top) * (height - 2 * PAD);
      const marks = roundNumbers(0, top, 4);
      const digits = digitsFor(marks);
      framed(pen, height, marks.map((ms) => ({ y: y(ms), left: ms.toFixed(digits) })), () => {
        paintStacks(pen, y, top);
        paintBudget(pen, y, top);
      });
    },
  });
}

function paintStacks(pen, y, top) {
  const one = 1 / axis.scale;
  columns((column, first, last) => {
    let slowest = first;
    for (let i = first + 1; i <= last; i += 1) if (totalOf(i) > totalOf(slowest)) slowest = i;
    const x = axis.left + column * one;
    let sum = 0;
    for (const k of PARTS) {
      const next = sum + (tape.stages[k][slowest] || 0);
      pen.fillStyle = axis.colours[`stage-${head.stages[k][0]}`];
      pen.fillRect(x, y(next), one, y(sum) - y(next));
      sum = next;
    }
    if (totalOf(slowest) > top) {
      pen.fillStyle = axis.colours.bad; // cut off: longer than the scale
      pen.fillRect(x, 0, Math.max(one, 2), 4);
    }
  });
  if (WHOLE >= 0) staircase(pen, tape.stages[WHOLE], y, { colour: axis.colours.ink, wide: 1 });
}

function paintBudget(pen, y, top) {
  const limit = WHOLE >= 0 ? head.stages[WHOLE][1] : null;
  if (limit === null) return;
  const inside = limit <= top;
  const text = inside ? `budget ${plain(limit, 1)} ms` : `budget ${plain(limit, 1)} ms, above this scale ↑`;
  const end = axis.left + plotWidth();
  if (inside) rule(pen, [axis.left, crisp(y(limit))], [end, crisp(y(limit))], axis.colours.bad, [8, 4]);
  const at = inside ? y(limit) + 9 : 9;
  const wide = pen.measureText(text).width;
  pen.fillStyle = axis.colours.panel;
  pen.fillRect(end - wide - 10, at - 7, wide + 8, 14);
  pen.fillStyle = axis.colours.bad;
  pen.textAlign = 'right';
  pen.fillText(text, end - 6, at);
}

function addPulses() {
  const both = [tape.pulseSteering, tape.pulseThrottle];
  const micro = (values) => (i) => plain(values[i], 1);
  addChart({
    title: 'Pulses, µs',
    height: 112,
    series: [
      { name: 'steering', look: 'line command', read: micro(both[0]) },
      { name: 'throttle', look: 'line speed', read: micro(both[1]) },
    ],
    paint(pen, height) {
      const ends = both.flatMap((values) => [
        values.reduce((low, value) => Math.min(low, value), Infinity), values.reduce((high, value) => Math.max(high, value), 0)]);
      const low = Math.min(...ends, 1440);
      const high = Math.max(...ends, 1460);
      const y = scaleOf(height, low, high);
      const marks = roundNumbers(low, high, 5).map((value) => ({ y: y(value), left: value.toFixed(0) }));
      framed(pen, height, marks, () => {
        staircase(pen, both[1], y, { colour: axis.colours.speed, wide: 2 });
        staircase(pen, both[0], y, { colour: axis.colours.command, wide: 2.25 });
      });
    },
  });
}

function paintTime(pen) {
  const marks = timeMarks();
  const digits = digitsFor(marks);
  pen.fillStyle = axis.colours.soft;
  pen.textAlign = 'center';
  for (const time of marks) {
    rule(pen, [crisp(xOf(time)), 0], [crisp(xOf(time)), 4], axis.colours.soft);
    pen.fillText(tape.timed ? `${time.toFixed(digits)} s` : `${time}`, xOf(time), 13);
  }
}
