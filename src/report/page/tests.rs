//! The page as text: what is in it, how often, and that nothing hostile gets out of its place.

use super::escape::{Base64, Html, Num, Text};
use super::{
    FirstDivergence, LatencyRow, PageFoot, PageFrame, PageHead, PageWriter, SCRIPT, STYLE, media_type,
};
use crate::domain::{
    Action, Applied, Ask, Command, Decision, DriveState, FrameDigest, FrameSeq, FrameStamp, Health, Inputs,
    Measured, Note, Notes, OperatorInput, Previous, Pulses, Quality, Scores, Stage, StopReason, Tick,
};
use crate::units::{Degrees, Instant, MetresPerSecond, Pulse, Signed, Span};

const HOSTILE: &str =
    "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\"'&\\\u{0}\n\t\u{2028}";

fn tick(seq: u64) -> Tick {
    let mut notes = Notes::NONE;
    notes.add(Note::Armed);
    notes.add(Note::SteeringSlewed);
    let share = |value| Signed::clamped(value).unwrap();
    Tick {
        inputs: Inputs {
            seq,
            now: Instant(9_000_000_000),
            frame: Some(FrameStamp { seq: FrameSeq(u64::MAX), captured_at: Instant(8_987_500_000) }),
            operator: OperatorInput { seq: 1, ask: Ask::Arm, speed_percent: 50 },
            health: Health { battery: Some(9), ..Health::default() },
            previous: Previous { elapsed: Span(5_400_000), applied: Applied::Written, dropped: 2 },
        },
        decision: Decision {
            frame: FrameDigest(0xab),
            observation: u64::MAX,
            quality: Quality::Usable,
            scores: Scores::new(&[0.1, f32::NAN, 0.75, f32::NEG_INFINITY]).unwrap(),
            action: Some(Action {
                steering: Degrees::new(-30.0).unwrap(),
                speed: MetresPerSecond::new(0.6).unwrap(),
            }),
            wish: Some(Command { steering: share(-1.0), throttle: share(0.25) }),
            command: Command { steering: share(-0.5), throttle: share(0.1) },
            state: DriveState::Coasting { since: Instant(8_500_000_000) },
            notes,
            pulses: Pulses { steering: Pulse::clamped(1_325_000), throttle: Pulse::clamped(1_432_500) },
        },
        measured: Measured { stages: [1, 2, 3, 4, 10].map(|ms| Span(ms * 1_000_000)) },
    }
}

fn page(head: &PageHead, frames: &[PageFrame<'_>], foot: &PageFoot) -> String {
    let mut page = PageWriter::begin(Vec::new(), head).unwrap();
    for frame in frames {
        page.frame(frame).unwrap();
    }
    String::from_utf8(page.finish(foot).unwrap()).unwrap()
}

/// What stands between `<tag ... id="id">` and the end of that script element.
fn element<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, from) = page.split_once(&format!("id=\"{id}\">")).unwrap();
    from.split_once("</script>").unwrap().0
}

#[test]
fn a_row_holds_every_number_of_the_tick_in_its_place() {
    let tick = tick(7);
    let frame = PageFrame { tick: &tick, pictures: &[], seconds: 1.25, human: Some((0.5, -0.25)) };
    let page = page(&PageHead::default(), &[frame], &PageFoot::default());
    let wanted = concat!(
        r#"[7,1.25,"18446744073709551615",12.5,"00000000000000ab","ffffffffffffffff","usable","#,
        r#"[0.1,"NaN",0.75,"-Infinity"],[-30.0,0.6],[-1.0,0.25],[-0.5,0.1],[1325000,1432500],"coasting",500.0,"#,
        // Armed is bit 16, SteeringSlewed bit 12.
        r#"69632,[1000000,2000000,3000000,4000000,10000000],[0.5,-0.25],["arm",50,9],[5400000,"written",2]]"#,
    );
    assert_eq!(element(&page, "frames").trim(), wanted);
}

#[test]
fn what_a_tick_lacks_is_null() {
    let mut tick = tick(0);
    tick.inputs.frame = None;
    tick.inputs.health.battery = None;
    tick.decision.scores = Scores::NONE;
    (tick.decision.action, tick.decision.wish) = (None, None);
    tick.decision.state = DriveState::Stopped { why: StopReason::FrameLost };
    let frame = PageFrame { tick: &tick, pictures: &[], seconds: 0.0, human: None };
    let page = page(&PageHead::default(), &[frame], &PageFoot::default());
    let row = element(&page, "frames").trim();
    assert!(row.starts_with(r#"[0,0.0,null,null,"00000000000000ab""#), "{row}");
    assert!(row.contains(r#""usable",[],null,null,[-0.5,0.1]"#), "{row}");
    assert!(row.contains(r#""stopped","FrameLost",69632"#), "{row}");
    assert!(row.contains(r#"],null,["arm",50,null]"#), "{row}");
}

#[test]
fn a_page_of_n_frames_holds_n_rows_and_their_pictures() {
    let ticks: Vec<Tick> = (0..50).map(tick).collect();
    let (left, right) = (("image/jpeg", &b"left"[..]), ("image/png", &b"right"[..]));
    let pictures = [left, right];
    let frames: Vec<PageFrame<'_>> = ticks
        .iter()
        .zip((0..3).cycle())
        .map(|(tick, count)| PageFrame { tick, pictures: &pictures[..count], seconds: 0.0, human: None })
        .collect();
    let page = page(&PageHead::default(), &frames, &PageFoot::default());
    let rows: Vec<&str> = element(&page, "frames").trim().lines().collect();
    assert_eq!(rows.len(), 50);
    for (at, row) in rows.iter().enumerate() {
        let parts: Vec<&str> = row.split('\t').collect();
        assert!(parts[0].starts_with(&format!("[{at},")), "{row}");
        let wanted = ["image/jpeg;base64,bGVmdA==", "image/png;base64,cmlnaHQ="];
        assert_eq!(parts[1..], wanted[..at % 3], "{row}");
    }
}

#[test]
fn head_and_foot_say_what_they_were_given() {
    let head = PageHead {
        title: "a & b".into(),
        facts: vec![("model".into(), "x".into()), ("tape".into(), "y".into())],
        action_labels: vec!["-30.0° 1.00 m/s".into()],
        steering_scale_deg: 30.0,
        speed_scale: 1.2,
        budgets_ms: [Some(5.0), None, Some(20.0), None, Some(33.5)],
    };
    let row = LatencyRow { stage: Stage::Infer, p50_ms: 3.5, p95_ms: 4.0, p99_ms: 5.0, max_ms: f64::NAN };
    let divergence = Some(FirstDivergence { tick: 57, text: "infer".into() });
    let map = Some("<svg></svg>".to_owned());
    let map_words = "a <b>map</b>".to_owned();
    let foot =
        PageFoot { verdict: "differs".into(), ok: false, latency: vec![row], divergence, map, map_words };
    let page = page(&head, &[], &foot);
    let head = element(&page, "head");
    assert!(page.contains("<title>a &amp; b</title>"));
    assert!(head.starts_with(
        r#"{"title":"a \u0026 b","facts":[["model","x"],["tape","y"]],"actions":["-30.0° 1.00 m/s"],"stages":[["decode",5.0],["prepare",null],"#
    ), "{head}");
    assert!(
        head.ends_with(r#""Latched","ArmRefused","CameraLost","Withheld"],"lock":30.0,"speed":1.2}"#),
        "{head}"
    );
    assert_eq!(
        element(&page, "foot"),
        r#"{"verdict":"differs","ok":false,"latency":[["infer",3.5,4.0,5.0,"NaN"]],"divergence":{"tick":57,"text":"infer"}}"#
    );
    let map = r#"<figure class="card" id="map"><svg></svg><figcaption>a &lt;b&gt;map&lt;/b&gt;</figcaption></figure>"#;
    assert!(page.ends_with(&format!("</script>\n{map}\n</body>\n</html>\n")), "{page}");
}

#[test]
fn hostile_text_stays_text() {
    let say = || HOSTILE.to_owned();
    let head = PageHead {
        title: say(),
        facts: vec![(say(), say())],
        action_labels: vec![say()],
        ..PageHead::default()
    };
    let foot = PageFoot {
        verdict: say(),
        divergence: Some(FirstDivergence { tick: 1, text: say() }),
        ..PageFoot::default()
    };
    let tick = tick(0);
    let pictures = [("image/svg+xml,<script>\n\t", &b"x"[..])];
    let frame = PageFrame { tick: &tick, pictures: &pictures, seconds: 0.0, human: None };
    let hostile = page(&head, &[frame], &foot);
    let harmless = page(&PageHead::default(), &[PageFrame { pictures: &[], ..frame }], &PageFoot::default());
    // Same elements as a page without text: nothing was opened, closed or commented out.
    for mark in ["<", "</script", "<script", "<!--", "<img"] {
        assert_eq!(hostile.matches(mark).count(), harmless.matches(mark).count(), "{mark}");
    }
    assert!(hostile.contains("\tapplication/octet-stream;base64,eA==\n"));
    assert_eq!(hostile.lines().count(), harmless.lines().count());
}

#[test]
fn nothing_points_to_a_network() {
    let page = page(&PageHead::default(), &[], &PageFoot::default()).to_lowercase();
    for scheme in
        ["http:", "https:", "ftp:", "ws:", "wss:", "//cdn", "url(", "@import", "import(", "fetch(", "<iframe"]
    {
        assert!(!page.contains(scheme), "{scheme}");
    }
    assert!(page.contains("default-src 'none'; img-src data:;"));
}

#[test]
fn the_policy_names_this_style_and_this_script_and_no_other() {
    let page = page(&PageHead::default(), &[], &PageFoot::default());
    let (_, script) = page.split_once("<script type=\"module\">").unwrap();
    assert!(script.starts_with(SCRIPT) && script[SCRIPT.len()..].starts_with("</script>"));
    let (_, style) = page.split_once("<style>").unwrap();
    assert!(style.starts_with(STYLE) && style[STYLE.len()..].starts_with("</style>"));
    // A browser hashes what it parsed: one carriage return, or one end tag inside, and the hash is another.
    assert!(
        !page.contains('\r') && !SCRIPT.contains("</") && !SCRIPT.contains("<!--") && !STYLE.contains('<')
    );
    assert!(!page.contains("unsafe-inline") && !page.contains("{{"));
    assert_eq!(page.matches("'sha256-").count(), 2);
    for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("]
    {
        assert!(!SCRIPT.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn a_page_that_was_cut_still_has_head_and_rows() {
    let mut out = Vec::new();
    let tick = tick(3);
    let mut page = PageWriter::begin(&mut out, &PageHead::default()).unwrap();
    page.frame(&PageFrame { tick: &tick, pictures: &[], seconds: 0.5, human: None }).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(element(&text, "head").ends_with('}'));
    assert!(text.split_once("id=\"frames\">\n").unwrap().1.starts_with("[3,0.5,"));
}

#[test]
fn strings_are_json_whatever_is_in_them() {
    assert_eq!(Text("a\"b\\c").to_string(), r#""a\"b\\c""#);
    assert_eq!(Text("</script>&\n\u{7f}").to_string(), r#""\u003c/script\u003e\u0026\u000a\u007f""#);
    assert_eq!(Text("°→\u{1f697}").to_string(), "\"°→\u{1f697}\"");
    assert_eq!(Html("<a href='x'>\"&\u{1b}").to_string(), "&lt;a href=&#39;x&#39;&gt;&quot;&amp; ");
    let all: String = (0..0x3000).filter_map(char::from_u32).collect();
    let written = Text(&all).to_string();
    assert!(!written.contains(|c: char| c.is_control() || "<>&\u{2028}\u{2029}".contains(c)));
    assert_eq!(unescaped(&written), all);
}

/// A JSON string read back, by the grammar of RFC 8259 §7 as far as the writer uses it.
fn unescaped(json: &str) -> String {
    let mut letters = json.strip_prefix('"').unwrap().strip_suffix('"').unwrap().chars();
    let mut out = String::new();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => match letters.next().unwrap() {
                'u' => {
                    let digits: String = letters.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
                }
                same => same,
            },
            plain => plain,
        });
    }
    out
}

#[test]
fn numbers_keep_their_bits() {
    for value in [0.1f32, 1e-30, f32::MAX, -0.0, 16_777_216.0, 0.333_333_34] {
        assert_eq!(Num(value).to_string().parse::<f32>().unwrap().to_bits(), value.to_bits());
    }
    for value in [0.1f64, 5e-324, f64::MAX, 1e21] {
        assert_eq!(Num(value).to_string().parse::<f64>().unwrap().to_bits(), value.to_bits());
    }
    assert_eq!(Num(f64::INFINITY).to_string(), "\"Infinity\"");
}

#[test]
fn base64_is_that_of_the_standard() {
    // RFC 4648 §10.
    let vectors = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("foobar", "Zm9vYmFy"),
    ];
    for (plain, coded) in vectors {
        assert_eq!(Base64(plain.as_bytes()).to_string(), coded);
    }
    // Every sextet once, in order: the alphabet of RFC 4648 §4, table 1.
    let mut every = Vec::new();
    for first in (0..64u32).step_by(4) {
        let bits = first << 18 | (first + 1) << 12 | (first + 2) << 6 | (first + 3);
        every.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    assert_eq!(
        Base64(&every).to_string(),
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    );
}

#[test]
fn media_types_are_pictures_or_nothing() {
    assert_eq!(media_type("image/jpeg"), "image/jpeg");
    assert_eq!(media_type("image/svg+xml"), "image/svg+xml");
    for other in ["text/html", "image/jpeg;x", "image/a,b", "image/ png", "image/\t"] {
        assert_eq!(media_type(other), "application/octet-stream");
    }
}
