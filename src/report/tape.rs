//! What is on a tape: where it comes from, what it holds, how it went, and one tick whole.

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::Report;
use super::table::grouped;
use crate::domain::{CameraHealth, Decision, Frame, Inputs, Notes, PixelFormat, Tick};
use crate::tape::{Ending, Human, Tape};

/// A tape, counted.
#[derive(Clone, Debug)]
pub struct TapeReport {
    file: String,
    bytes: u64,
    header: Vec<(String, String)>,
    frames: u64,
    ticks: u64,
    stereo: bool,
    ranges: usize,
    human: u64,
    seconds: f64,
    longest_gap_ms: f64,
    lost_frames: u64,
    states: Vec<(&'static str, u64)>,
    notes: Vec<(String, u64)>,
    ending: Option<String>,
}

impl TapeReport {
    /// Counts a whole tape.
    #[must_use]
    pub fn of(file: &str, tape: &Tape) -> Self {
        let mut report = Self {
            file: file.to_owned(),
            bytes: tape.size(),
            header: tape.header().entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            frames: tape.frames() as u64,
            ticks: tape.ticks() as u64,
            stereo: false,
            ranges: 0,
            human: 0,
            seconds: 0.0,
            longest_gap_ms: 0.0,
            lost_frames: 0,
            states: Vec::new(),
            notes: Vec::new(),
            ending: match tape.ending() {
                Ending::Whole => None,
                Ending::Cut { at, why } => Some(format!("cut at byte {at}: {why}")),
            },
        };
        report.header.insert(0, ("format".to_owned(), tape.header().version.to_string()));
        let (mut first, mut last): (Option<Frame<'_>>, Option<Frame<'_>>) = (None, None);
        for record in tape.records() {
            if let Some(frame) = record.frame {
                report.frame(&frame, last.as_ref());
                first.get_or_insert(frame);
                last = Some(frame);
            }
            report.human += u64::from(record.human.is_some());
            if let Some(tick) = record.tick {
                report.tick(&tick);
            }
        }
        if let (Some(first), Some(last)) = (first, last) {
            report.seconds = last.captured_at.since(first.captured_at).as_millis_f64() / 1e3;
        }
        report
    }

    fn frame(&mut self, frame: &Frame<'_>, last: Option<&Frame<'_>>) {
        self.stereo |= frame.right.is_some();
        self.ranges = self.ranges.max(frame.ranges.len());
        if let Some(last) = last {
            let gap = frame.captured_at.since(last.captured_at).as_millis_f64();
            self.longest_gap_ms = self.longest_gap_ms.max(gap);
            self.lost_frames += frame.seq.0.saturating_sub(last.seq.0).saturating_sub(1);
        }
    }

    fn tick(&mut self, tick: &Tick) {
        count(&mut self.states, tick.decision.state.word());
        for note in tick.decision.notes.iter() {
            count(&mut self.notes, format!("{note:?}"));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "shown, never decided upon")]
    fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.frames.saturating_sub(1) as f64 / self.seconds } else { 0.0 }
    }
}

/// Adds one to the count of `word`, in order of first appearance.
pub fn count<W: PartialEq>(counts: &mut Vec<(W, u64)>, word: W) {
    match counts.iter_mut().find(|(known, _)| *known == word) {
        Some((_, times)) => *times += 1,
        None => counts.push((word, 1)),
    }
}

/// The counts in words, as `3 driving, 1 stopped`.
pub(super) fn tally<W: std::fmt::Display>(counts: &[(W, u64)]) -> String {
    counts.iter().map(|(word, times)| format!("{times} {word}")).collect::<Vec<_>>().join(", ")
}

impl Report for TapeReport {
    fn text(&self) -> String {
        let driven =
            if self.ticks == 0 { "; nobody drove yet".to_owned() } else { format!(", {} ticks", self.ticks) };
        let mut lines = vec![format!(
            "{}: {} frames in {:.2} s ({:.1}/s){driven}",
            self.file,
            self.frames,
            self.seconds,
            self.rate()
        )];
        lines.push(format!(
            "  {} bytes; {}{}; longest gap {:.1} ms, {} frames lost",
            grouped(self.bytes),
            if self.stereo { "stereo" } else { "one camera" },
            if self.ranges > 0 { format!(", {} LiDAR values", self.ranges) } else { String::new() },
            self.longest_gap_ms,
            self.lost_frames
        ));
        if self.human > 0 {
            lines.push(format!("  a human's steering and throttle at {} frames", self.human));
        }
        if self.ticks > 0 {
            lines.push(format!("  ticks: {}", tally(&self.states)));
        }
        if !self.notes.is_empty() {
            lines.push(format!("  notes: {}", tally(&self.notes)));
        }
        if let Some(ending) = &self.ending {
            lines.push(format!("  {ending}; `hairpin recover` writes what is whole to a new tape"));
        }
        let width = self.header.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        lines.extend(self.header.iter().map(|(key, value)| format!("    {key:<width$}  {value}")));
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let notes =
            self.notes.iter().map(|(note, times)| (note.clone(), json!(times))).collect::<Map<_, _>>();
        let states =
            self.states.iter().map(|(word, times)| ((*word).to_owned(), json!(times))).collect::<Map<_, _>>();
        let header =
            self.header.iter().map(|(key, value)| (key.clone(), json!(value))).collect::<Map<_, _>>();
        json!({
            "file": self.file, "bytes": self.bytes, "header": header, "frames": self.frames, "ticks": self.ticks,
            "stereo": self.stereo, "lidar_values": self.ranges, "human": self.human, "seconds": self.seconds,
            "frames_per_second": self.rate(), "longest_gap_ms": self.longest_gap_ms, "lost_frames": self.lost_frames,
            "states": states, "notes": notes, "ending": self.ending,
        })
    }
}

/// A tick that is not on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there is no tick {wanted}; the tape holds {ticks} ticks and {frames} frames")]
pub struct NoTick {
    wanted: u64,
    ticks: usize,
    frames: usize,
}

/// One record whole.
#[derive(Clone, Debug)]
pub struct TickReport {
    picture: Option<(String, usize)>,
    right: Option<usize>,
    ranges: Vec<f32>,
    human: Option<Human>,
    tick: Option<Tick>,
}

impl TickReport {
    /// Tick `number`; on a tape that nobody drove, the frame at that position.
    ///
    /// # Errors
    /// [`NoTick`] with what the tape holds.
    pub fn of(tape: &Tape, number: u64) -> Result<Self, NoTick> {
        let missing = NoTick { wanted: number, ticks: tape.ticks(), frames: tape.frames() };
        let place =
            if tape.ticks() > 0 { tape.position_of_tick(number) } else { usize::try_from(number).ok() };
        let record = place.and_then(|place| tape.record(place)).ok_or(missing)?;
        let kind = |frame: &Frame<'_>| match frame.left.format {
            PixelFormat::Mjpeg => "JPEG".to_owned(),
            PixelFormat::Yuyv(size) => format!("YUYV {}x{}", size.width, size.height),
        };
        Ok(Self {
            picture: record.frame.map(|frame| (kind(&frame), frame.left.bytes.len())),
            right: record.frame.and_then(|frame| frame.right).map(|right| right.bytes.len()),
            ranges: record.frame.map(|frame| frame.ranges.to_vec()).unwrap_or_default(),
            human: record.human,
            tick: record.tick,
        })
    }
}

/// One line of a tick: a name and a value.
type Line = (&'static str, String);

fn inputs(inputs: &Inputs) -> Vec<Line> {
    let frame = inputs.frame.map_or_else(
        || "none in time".to_owned(),
        |frame| format!("{}, {} old", frame.seq.0, inputs.now.since(frame.captured_at)),
    );
    let Inputs { operator, previous, health, .. } = inputs;
    vec![
        ("tick", inputs.seq.to_string()),
        ("now", format!("{} ns", inputs.now.0)),
        ("frame", frame),
        (
            "operator",
            format!("{:?} (message {}), speed {} %", operator.ask, operator.seq, operator.speed_percent),
        ),
        ("battery", health.battery.map_or_else(|| "unknown".to_owned(), |level| format!("{level} of 11"))),
        ("camera", if health.camera == CameraHealth::Lost { "lost" } else { "streaming" }.to_owned()),
        (
            "previous tick",
            format!("{}, pulses {:?}, {} dropped", previous.elapsed, previous.applied, previous.dropped),
        ),
    ]
}

fn decision(decision: &Decision) -> Vec<Line> {
    let scores: Vec<String> = decision.scores.values().iter().map(|score| format!("{score:.6}")).collect();
    let none = || "none".to_owned();
    let notes = if decision.notes == Notes::NONE { none() } else { decision.notes.to_string() };
    vec![
        ("frame digest", decision.frame.to_string()),
        ("observation", format!("{:016x}", decision.observation)),
        ("quality", decision.quality.word().to_owned()),
        ("scores", if scores.is_empty() { none() } else { scores.join(" ") }),
        (
            "action",
            decision.action.map_or_else(none, |action| format!("{} at {}", action.steering, action.speed)),
        ),
        (
            "wish",
            decision
                .wish
                .map_or_else(none, |wish| format!("steering {}, throttle {}", wish.steering, wish.throttle)),
        ),
        (
            "command",
            format!("steering {}, throttle {}", decision.command.steering, decision.command.throttle),
        ),
        ("state", decision.state.to_string()),
        ("notes", notes),
        ("pulses", format!("steering {}, throttle {}", decision.pulses.steering, decision.pulses.throttle)),
    ]
}

impl TickReport {
    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some((kind, bytes)) = &self.picture {
            let right = self.right.map(|right| format!(" and {right}")).unwrap_or_default();
            lines.push(("picture", format!("{kind}, {bytes}{right} bytes")));
        }
        if !self.ranges.is_empty() {
            lines.push(("LiDAR", format!("{:?}", self.ranges)));
        }
        if let Some(human) = self.human {
            lines
                .push(("human", format!("steering {:+.4}, throttle {:+.4}", human.steering, human.throttle)));
        }
        if let Some(tick) = &self.tick {
            lines.extend(inputs(&tick.inputs));
            lines.extend(decision(&tick.decision));
        }
        lines
    }
}

impl Report for TickReport {
    fn text(&self) -> String {
        let lines = self.lines();
        let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        lines.iter().map(|(name, value)| format!("  {name:<width$}  {value}")).collect::<Vec<_>>().join("\n")
    }

    fn json(&self) -> Value {
        self.lines()
            .into_iter()
            .map(|(name, value)| (name.replace(' ', "_"), json!(value)))
            .collect::<Map<_, _>>()
            .into()
    }
}
