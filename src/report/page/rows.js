// What the page carries, read into flat arrays once: one line a tick, a JSON array and then its pictures,
// separated by tabs (the order is rows.rs'). Pictures stay text until they are shown.

const byId = (id) => document.getElementById(id);

function json(id) {
  try {
    return JSON.parse(byId(id).textContent);
  } catch {
    return null; // the file was cut before this part
  }
}

const head = json('head') ?? { title: 'report', facts: [], actions: [], stages: [], notes: [], lock: 0, speed: 0 };
const foot = json('foot');
const AT = {
  tick: 0, seconds: 1, frame: 2, age: 3, frameDigest: 4, observation: 5, quality: 6, scores: 7, action: 8, wish: 9,
  command: 10, pulses: 11, state: 12, detail: 13, notes: 14, stages: 15, human: 16, operator: 17, previous: 18,
};
const STATES = ['disarmed', 'arming', 'driving', 'coasting', 'stopped'];
const WHOLE = head.stages.findIndex(([name]) => name === 'whole');
const PARTS = head.stages.map((_, k) => k).filter((k) => k !== WHOLE);

const lines = byId('frames').textContent.split('\n').filter((line) => line.length > 0);
const rowOf = (line) => {
  const tab = line.indexOf('\t');
  return JSON.parse(tab < 0 ? line : line.slice(0, tab));
};
if (lines.length > 0 && !foot) {
  try {
    rowOf(lines.at(-1));
  } catch {
    lines.pop();
  }
}

const tape = readTape(lines);

function readTape(all) {
  const n = all.length;
  const column = () => new Float32Array(n).fill(NaN);
  const it = {
    n,
    tick: new Float64Array(n),
    time: new Float64Array(n),
    state: new Uint8Array(n),
    notes: new Uint32Array(n),
    best: new Int16Array(n).fill(-1),
    steering: column(), throttle: column(), wishSteering: column(), wishThrottle: column(),
    humanSteering: column(), humanThrottle: column(), speed: column(),
    pulseSteering: column(), pulseThrottle: column(),
    stages: head.stages.map(column),
    outputs: [],
  };
  const put = (a, b, i, pair) => {
    if (pair) {
      a[i] = Number(pair[0]);
      b[i] = Number(pair[1]);
    }
  };
  for (let i = 0; i < n; i += 1) {
    const row = rowOf(all[i]);
    it.tick[i] = row[AT.tick];
    it.time[i] = Math.max(Number(row[AT.seconds]) || 0, i > 0 ? it.time[i - 1] : -Infinity);
    it.state[i] = Math.max(0, STATES.indexOf(row[AT.state]));
    it.notes[i] = row[AT.notes];
    put(it.steering, it.throttle, i, row[AT.command]);
    put(it.wishSteering, it.wishThrottle, i, row[AT.wish]);
    put(it.humanSteering, it.humanThrottle, i, row[AT.human]);
    put(it.pulseSteering, it.pulseThrottle, i, row[AT.pulses].map((ns) => ns / 1000));
    if (row[AT.action]) it.speed[i] = Number(row[AT.action][1]);
    row[AT.stages].forEach((ns, k) => { if (it.stages[k]) it.stages[k][i] = ns / 1e6; });
    row[AT.scores].forEach((score, k) => {
      it.outputs[k] ??= column();
      it.outputs[k][i] = Number(score);
    });
    it.best[i] = firstMaximum(row[AT.scores]);
  }
  placeInTime(it);
  return it;
}

// The class that the policy takes: the first of the largest; none where a score is not finite.
function firstMaximum(scores) {
  let best = -1;
  for (let k = 0; k < scores.length; k += 1) {
    if (typeof scores[k] !== 'number') return -1;
    if (best < 0 || scores[k] > scores[best]) best = k;
  }
  return best;
}

// A tick holds from its own time until the next one's. Without times, ticks are one unit apart.
function placeInTime(it) {
  const n = it.n;
  it.timed = n > 1 && it.time[n - 1] > it.time[0];
  if (!it.timed) it.time.forEach((_, i) => { it.time[i] = i; });
  const steps = Array.from(it.time.subarray(1), (time, i) => time - it.time[i]).sort((a, b) => a - b);
  it.step = steps[steps.length >> 1] || 1;
  it.start = n > 0 ? it.time[0] : 0;
  it.end = n > 0 ? it.time[n - 1] + it.step : 1;
}

const timeAfter = (i) => (i + 1 < tape.n ? tape.time[i + 1] : tape.end);

// The tick that holds at `time`, by bisection.
function tickAt(time) {
  let low = 0;
  let high = tape.n - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tape.time[middle] <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}

const has = (values) => values.some((value) => !Number.isNaN(value));
const minus = (text) => text.replace('-', '−');
const plain = (value, digits) => (Number.isFinite(value) ? minus(value.toFixed(digits)).replace(/^−(?=[0.]*$)/, '') : '–');
const signed = (value, digits) => {
  const text = plain(value, digits);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
};
const words = (name) => name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
const actionName = (k) => head.actions[k] ?? `class ${k}`;
const outputName = (k) => (head.actions.length > 0 ? actionName(k) : ['steering', 'speed'][k] ?? `output ${k}`);

function notesOf(bits) {
  const names = [];
  for (let bit = 0; bit < 32; bit += 1) {
    if ((bits >>> bit) & 1) names.push(head.notes[bit] ? words(head.notes[bit]) : `note ${bit}`);
  }
  return names;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
