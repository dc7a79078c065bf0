//! A view of the session as at most 24 lines of 79 columns, in ASCII: bars with left on their left and forward on their
//! right, whichever way the pulses run.

use crate::units::Pulse;
use crate::vehicle::calibrating::{Micros, Phase, Step, View, WORDS, band, ends, longer_on_the_right};
use crate::vehicle::{Channel, Points};

/// Columns of a remark at the most; all other lines are shorter as they stand.
const WIDE: usize = 79;
/// Columns of a bar; 1.0 to 2.0 ms in 60 stretches of 16.7 us.
const BAR: usize = 61;

/// The screen as lines.
pub(super) fn lines(view: &View) -> Vec<String> {
    let mut lines = vec![title(view), String::new()];
    if view.phase == Phase::Unconfirmed {
        lines.extend(BEFORE.iter().map(|&line| line.to_owned()));
        lines.push(format!("Type `{WORDS}` and press Enter, or Esc to quit: {}_", view.typed));
    } else {
        lines.extend(channel(view, Channel::Servo));
        lines.extend(channel(view, Channel::Motor));
        lines.push(LEGEND.to_owned());
        lines.push(String::new());
        lines.extend(words(view).into_iter().map(str::to_owned));
        lines.push(String::new());
        lines.extend(KEYS.iter().map(|&line| line.to_owned()));
    }
    lines.push(
        view.remark.map_or_else(String::new, |remark| format!("> {remark}").chars().take(WIDE).collect()),
    );
    lines
}

/// Lines drawn over whatever stands on the terminal.
pub(super) fn over(lines: &[String]) -> String {
    let mut text = "\x1b[H".to_owned();
    for line in lines {
        text.push_str(line);
        text.push_str("\x1b[K\r\n");
    }
    text.push_str("\x1b[J");
    text
}

const BEFORE: [&str; 4] = [
    "Put the car on a stand: all four wheels in the air, hands and cables clear.",
    "The servo turns the front wheels at once; the motor moves only upon a key.",
    "Nothing is written before you have seen the result and said yes.",
    "",
];
const LEGEND: &str = "  | in use   # found   ^ put out now   = may be put out";
const KEYS: [&str; 2] = [
    "left/right: one step (4.88 us)   down/up: ten steps   space: stay, show again",
    "Enter: accept   u: undo   s: skip this channel   w: widen the band   q: quit",
];

fn title(view: &View) -> String {
    let place = match view.phase {
        Phase::Unconfirmed | Phase::Ended(_) => "nothing is powered".to_owned(),
        Phase::Paused => "PAUSED".to_owned(),
        Phase::Working => {
            let number = Step::ALL.iter().position(|step| *step == view.step).map_or(0, |at| at + 1);
            format!("step {number} of {}: {}", Step::ALL.len(), name(view.step))
        }
    };
    format!("hairpin calibrate{place:>62}")
}

const fn name(step: Step) -> &'static str {
    match step {
        Step::Middle(Channel::Servo) => "steering, middle",
        Step::Plus(Channel::Servo) => "steering, left end",
        Step::Minus(Channel::Servo) => "steering, right end",
        Step::Sign(Channel::Servo) => "steering, sign",
        Step::Middle(Channel::Motor) => "motor, stop point",
        Step::Plus(Channel::Motor) => "motor, forward end",
        Step::Minus(Channel::Motor) => "motor, brake end",
        Step::Sign(Channel::Motor) => "motor, sign",
        Step::Review => "review",
    }
}

fn words(view: &View) -> [&'static str; 2] {
    match (view.phase, view.step) {
        (Phase::Paused, _) => {
            ["No key for 10 s: both channels are at their middle.", "Any key goes on; q quits."]
        }
        (_, Step::Middle(Channel::Servo)) => ["Turn the front wheels until they point straight ahead.", ""],
        (_, Step::Plus(Channel::Servo)) => {
            ["Turn them left as far as they go without strain;", "one step back where the servo hums."]
        }
        (_, Step::Minus(Channel::Servo)) => {
            ["Turn them right as far as they go without strain;", "one step back where the servo hums."]
        }
        (_, Step::Sign(Channel::Servo)) => {
            ["Space steers left by a quarter each time.", "Did the wheels turn left? y or n"]
        }
        (_, Step::Middle(Channel::Motor)) => {
            ["Find the pulse at which the motor stands still: the middle of where it does.", RESTS]
        }
        (_, Step::Plus(Channel::Motor)) => {
            ["In small steps, to the fastest forward that full throttle shall be.", RESTS]
        }
        (_, Step::Minus(Channel::Motor)) => {
            ["To the strongest brake; an ESC may run backward from the second time on.", RESTS]
        }
        (_, Step::Sign(Channel::Motor)) => [
            "Space runs the motor forward by a quarter more each time, for 2 s.",
            "Did the wheels run forward? y or n",
        ],
        (_, Step::Review) => ["All found. Enter: compare old and new, gate shut.", "u goes back."],
    }
}

const RESTS: &str = "After 2 s without a key the motor rests; an arrow or space brings it back.";

fn channel(view: &View, channel: Channel) -> [String; 5] {
    let (old, found) = view.channel(channel);
    let (title, pulse) = match channel {
        Channel::Servo => ("steering", view.pulses.steering),
        Channel::Motor => ("motor", view.pulses.throttle),
    };
    let (plus, minus) = ends(channel);
    let (was_plus, was_minus) = was(old);
    let mut columns =
        [(plus, was_plus, found.plus), ("middle", old.mid, found.middle), (minus, was_minus, found.minus)];
    if channel == Channel::Motor {
        columns.reverse();
    }
    let [(at_left, ..), _, (at_right, ..)] = columns;
    let row = |cells: [String; 3]| {
        let [left, middle, right] = cells;
        format!("{left:<19}{middle:<19}{right}")
    };
    let in_use = row(columns.map(|(name, was, _)| format!("{name} {}", micros(was))));
    let new = row(columns.map(|(name, _, now)| {
        now.map_or_else(|| format!("{name} -"), |ns| format!("{name} {}", micros(ns)))
    }));
    [
        format!("  {title:<8} in use  {in_use}"),
        format!("  {:<8} found   {new}", ""),
        format!("  {at_left:>7} {} {at_right}", bar(view, channel)),
        pointer(view, channel, pulse),
        String::new(),
    ]
}

/// The widths at +1 and -1 of a calibration in use.
const fn was(points: Points) -> (u32, u32) {
    if points.polarity < 0 { (points.min, points.max) } else { (points.max, points.min) }
}

fn micros(ns: u32) -> String {
    Micros(ns).to_string().trim_end_matches(" us").to_owned()
}

/// The column of a width, 0 to 60.
fn column(ns: u32, longer_on_the_right: bool) -> usize {
    let above = ns.clamp(Pulse::MIN.ns(), Pulse::MAX.ns()) - Pulse::MIN.ns();
    let at = usize::try_from((above * 6 + 50_000) / 100_000).unwrap_or(0).min(BAR - 1);
    if longer_on_the_right { at } else { BAR - 1 - at }
}

fn bar(view: &View, channel: Channel) -> String {
    let (old, found) = view.channel(channel);
    let right = longer_on_the_right(channel, old);
    let (least, most) = band(channel, old, found.wide);
    let (a, b) = (column(least, right), column(most, right));
    let inside = a.min(b)..=a.max(b);
    let marks = |all: &[u32], at: usize| all.iter().any(|ns| column(*ns, right) == at);
    let found = [found.plus, found.middle, found.minus].map(|ns| ns.unwrap_or(0)).map(|ns| (ns > 0, ns));
    (0..BAR)
        .map(|at| {
            if found.iter().any(|(is, ns)| *is && column(*ns, right) == at) {
                '#'
            } else if marks(&[old.min, old.mid, old.max], at) {
                '|'
            } else if inside.contains(&at) {
                '='
            } else {
                '-'
            }
        })
        .collect()
}

/// The present pulse below the bar, its figure on the side that has room.
fn pointer(view: &View, channel: Channel, pulse: Pulse) -> String {
    let (old, _) = view.channel(channel);
    let at = column(pulse.ns(), longer_on_the_right(channel, old));
    let mut figure = Micros(pulse.ns()).to_string();
    if view.step.channel() == Some(channel) && view.resting && view.phase == Phase::Working {
        let aim = view.aim.unwrap_or(pulse.ns());
        figure = format!("{figure}, resting; aim {}", micros(aim));
    }
    let start = 10 + at;
    if at <= BAR / 2 {
        format!("{:start$}^ {figure}", "")
    } else {
        format!("{:>width$} ^", figure, width = start - 1)
    }
}
