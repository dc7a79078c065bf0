//! The replay report: one HTML file that opens from a disk without a network and shows every tick with its
//! picture. Written as a stream, so a long tape costs no memory; a file that was cut still opens.
//! Refuses to trust any text: all of it is escaped, and the page's policy runs no script but its own.

mod escape;
mod rows;

use std::io::{self, Write};

use crate::domain::digest::Digest;
use crate::domain::notes::Note;
use crate::domain::tick::{Stage, Tick};

use escape::{Base64, Html, Maybe, Num, Text, list};
use rows::Row;

/// What every page says about its origin, within its first four kilobytes.
pub const GENERATOR: &str = r#"<meta name="generator" content="hairpin replay">"#;

const SKELETON: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = concat!(
    include_str!("page/rows.js"),
    include_str!("page/viewer.js"),
    include_str!("page/axis.js"),
    include_str!("page/charts.js"),
    include_str!("page/page.js"),
);

/// What is known before the first tick.
#[derive(Clone, Debug, Default)]
pub struct PageHead {
    /// The heading and the window's title.
    pub title: String,
    /// Facts that do not depend on the outcome, as name and value: tape, model, digests, build.
    pub facts: Vec<(String, String)>,
    /// One label for each class of a discrete policy (`-30.0° 1.00 m/s`), in the network's order; empty for
    /// a continuous policy, whose two outputs are then drawn as lines.
    pub action_labels: Vec<String>,
    /// The steering that means full lock, in degrees.
    pub steering_scale_deg: f64,
    /// The speed that means full throttle, in m/s.
    pub speed_scale: f64,
    /// What each stage may take, in milliseconds, in the order of [`Stage::ALL`]; `None` where nothing is set.
    pub budgets_ms: [Option<f64>; 5],
}

/// One tick with its pictures.
#[derive(Clone, Copy, Debug)]
pub struct PageFrame<'a> {
    /// The tick.
    pub tick: &'a Tick,
    /// Media type (`image/jpeg`) and bytes of each picture, as a browser can show them: none where no frame
    /// came, one, or left and right.
    pub pictures: &'a [(&'a str, &'a [u8])],
    /// Since the start of the tape; never goes back.
    pub seconds: f64,
    /// What a human did at that time: steering and throttle, -1 to 1, steering +1 is full left.
    pub human: Option<(f32, f32)>,
}

/// Percentiles of one stage, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct LatencyRow {
    /// The stage.
    pub stage: Stage,
    /// Half of the ticks took no longer.
    pub p50_ms: f64,
    /// 95 % of the ticks took no longer.
    pub p95_ms: f64,
    /// 99 % of the ticks took no longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// Where the replay and the record part.
#[derive(Clone, Debug)]
pub struct FirstDivergence {
    /// The tick's number (`Inputs::seq`); the page jumps there.
    pub tick: u64,
    /// Stage, field and both values.
    pub text: String,
}

/// What is known after the last tick.
#[derive(Clone, Debug, Default)]
pub struct PageFoot {
    /// One line.
    pub verdict: String,
    /// Whether the verdict is a good one.
    pub ok: bool,
    /// Stage times, one row a stage.
    pub latency: Vec<LatencyRow>,
    /// The first difference, if there is one.
    pub divergence: Option<FirstDivergence>,
    /// A drawing of the road that was driven, as SVG without style, script or links: it is put in as it is.
    pub map: Option<String>,
    /// What the drawing shows.
    pub map_words: String,
}

/// Writes the page as the ticks come. Keeps nothing of them; `out` should be buffered.
#[derive(Debug)]
pub struct PageWriter<W: Write> {
    out: W,
}

impl<W: Write> PageWriter<W> {
    /// Writes everything that stands before the first tick: style, script and head.
    ///
    /// # Errors
    /// Whatever `out` refuses with.
    pub fn begin(mut out: W, head: &PageHead) -> io::Result<Self> {
        let mut rest = SKELETON;
        while let Some((before, from_mark)) = rest.split_once("{{") {
            out.write_all(before.as_bytes())?;
            let (mark, after) = from_mark.split_once("}}").unwrap_or((from_mark, ""));
            match mark {
                "policy" => write_policy(&mut out)?,
                "title" => write!(out, "{}", Html(&head.title))?,
                "style" => out.write_all(STYLE.as_bytes())?,
                "script" => out.write_all(SCRIPT.as_bytes())?,
                "head" => write_head(&mut out, head)?,
                _ => {}
            }
            rest = after;
        }
        out.write_all(rest.as_bytes())?;
        Ok(Self { out })
    }

    /// Adds one tick.
    ///
    /// # Errors
    /// Whatever `out` refuses with.
    pub fn frame(&mut self, frame: &PageFrame<'_>) -> io::Result<()> {
        write!(self.out, "{}", Row(frame))?;
        for (media, bytes) in frame.pictures {
            write!(self.out, "\t{};base64,{}", media_type(media), Base64(bytes))?;
        }
        self.out.write_all(b"\n")
    }

    /// Writes the outcome, closes the page, flushes, and gives `out` back.
    ///
    /// # Errors
    /// Whatever `out` refuses with.
    pub fn finish(mut self, foot: &PageFoot) -> io::Result<W> {
        self.out.write_all(b"</script>\n<script type=\"application/json\" id=\"foot\">")?;
        write!(self.out, "{{\"verdict\":{},\"ok\":{},\"latency\":", Text(&foot.verdict), foot.ok)?;
        list(&mut self.out, &foot.latency, |out, row| {
            let [p50, p95, p99, max] = [row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms].map(Num);
            write!(out, "[{},{p50},{p95},{p99},{max}]", Text(row.stage.word()))
        })?;
        match &foot.divergence {
            Some(first) => {
                write!(
                    self.out,
                    ",\"divergence\":{{\"tick\":{},\"text\":{}}}",
                    first.tick,
                    Text(&first.text)
                )?;
            }
            None => self.out.write_all(b",\"divergence\":null")?,
        }
        self.out.write_all(b"}</script>\n")?;
        if let Some(map) = &foot.map {
            self.out.write_all(b"<figure class=\"card\" id=\"map\">")?;
            self.out.write_all(map.as_bytes())?;
            writeln!(self.out, "<figcaption>{}</figcaption></figure>", Html(&foot.map_words))?;
        }
        self.out.write_all(b"</body>\n</html>\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The page's content security policy: no network at all, and only this very style and script by their
/// SHA-256. Text that got past the escaping would still not run.
fn write_policy(out: &mut impl Write) -> io::Result<()> {
    let [style, script] = [STYLE, SCRIPT].map(|source| Digest::of(source.as_bytes()).0);
    write!(
        out,
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        Base64(&style),
        Base64(&script)
    )
}

fn write_head(out: &mut impl Write, head: &PageHead) -> io::Result<()> {
    write!(out, "{{\"title\":{},\"facts\":", Text(&head.title))?;
    list(out, &head.facts, |out, (name, value)| write!(out, "[{},{}]", Text(name), Text(value)))?;
    out.write_all(b",\"actions\":")?;
    list(out, &head.action_labels, |out, label| write!(out, "{}", Text(label)))?;
    out.write_all(b",\"stages\":")?;
    list(out, Stage::ALL.iter().zip(head.budgets_ms), |out, (stage, budget)| {
        write!(out, "[{},{}]", Text(stage.word()), Maybe(budget.map(Num)))
    })?;
    out.write_all(b",\"notes\":")?;
    list(out, Note::ALL, |out, note| write!(out, "\"{note:?}\""))?;
    write!(out, ",\"lock\":{},\"speed\":{}}}", Num(head.steering_scale_deg), Num(head.speed_scale))
}

/// The media type, or one that no browser shows where `media` could mean more than itself in a data URI.
fn media_type(media: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'+' | b'-');
    if media.starts_with("image/") && media.bytes().all(plain) { media } else { "application/octet-stream" }
}

#[cfg(test)]
mod tests;
