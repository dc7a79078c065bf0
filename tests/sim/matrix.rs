//! The golden matrix: tracks, faults in three severities, drivers; and AWS's tracks where they are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use hairpin::domain::Size;
use hairpin::sim::faults::{Fault, Kind};
use hairpin::track::{BUILT_IN, Track};

use super::drive::{Driver, drive, small};

/// One drive of the matrix.
struct Case {
    driver: Driver,
    track: Track,
    fault: Option<Fault>,
}

const HEAD: &str = "driver    track            fault         laps  best s  off-tracks  stops  neutral";

fn faults() -> Vec<Option<Fault>> {
    let all =
        Kind::ALL.into_iter().flat_map(|kind| (1..=3).map(move |severity| Some(Fault::new(kind, severity))));
    std::iter::once(None).chain(all).collect()
}

fn row(case: &Case) -> String {
    let mut staging = small();
    staging.faults = case.fault.into_iter().collect();
    match case.driver {
        // It sees nothing; the picture is only judged.
        Driver::Scripted => staging.camera.size = Size { width: 80, height: 60 },
        // At half throttle the bundled model leaves every track.
        Driver::LineFollower => staging.camera.speed_percent = 20,
    }
    let driven = drive(case.driver, &case.track, &staging, false);
    let best = driven.score.best.map_or_else(
        || "-".to_owned(),
        |span| format!("{}.{:03}", span.0 / 1_000_000_000, span.0 / 1_000_000 % 1000),
    );
    let name = if case.driver == Driver::Scripted { "scripted" } else { "follower" };
    let fault = case.fault.map_or_else(|| "none".to_owned(), |fault| fault.to_string());
    format!(
        "{name:<8}  {:<15}  {fault:<12}  {:>4}  {best:>6}  {:>10}  {:>5}  {:>7}",
        case.track.name(),
        driven.score.laps,
        driven.score.off_tracks,
        driven.stops.latched,
        driven.stops.neutral
    )
}

/// All rows, by as many threads as there are processors.
fn rows(cases: &[Case]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut done = Vec::new();
        while let Some((at, case)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, cases.get(at)?)))
        {
            done.push((at, row(case)));
        }
        done
    };
    let mut all: Vec<(usize, String)> = std::thread::scope(|scope| {
        let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        working.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.sort_unstable();
    all.into_iter().map(|(_, row)| row).collect()
}

/// Compares with a snapshot, line by line.
pub(crate) fn held_against(file: &str, lines: &[String]) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(file);
    let today = lines.join("\n") + "\n";
    if std::env::var_os("HAIRPIN_ACCEPT").is_some() {
        std::fs::write(&path, &today).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if kept == today {
        return;
    }
    let mut difference = String::new();
    let (old, new): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), today.lines().collect());
    for line in old.iter().filter(|line| !new.contains(line)) {
        writeln!(difference, "- {line}").unwrap();
    }
    for line in new.iter().filter(|line| !old.contains(line)) {
        writeln!(difference, "+ {line}").unwrap();
    }
    panic!(
        "drives came to something else than tests/snapshots/{file} says (- kept, + now):\n{difference}\
         where that is meant, HAIRPIN_ACCEPT=1 cargo test --release --test sim takes it; say in the commit why it changed"
    );
}

#[test]
fn every_track_under_every_fault() {
    let cases = |driver: Driver, tracks: &[&str]| -> Vec<Case> {
        let tracks: Vec<Track> = tracks.iter().map(|name| Track::built_in(name).unwrap()).collect();
        let all =
            tracks.iter().flat_map(|track| faults().into_iter().map(move |fault| (track.clone(), fault)));
        all.map(|(track, fault)| Case { driver, track, fault }).collect()
    };
    let mut all = cases(Driver::Scripted, &BUILT_IN);
    all.extend(cases(Driver::LineFollower, &["oval"]));
    let mut lines = vec![HEAD.to_owned()];
    lines.extend(rows(&all));
    held_against("sim.txt", &lines);
}

#[test]
fn the_tracks_of_aws() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tracks");
    let names = ["2022_april_open", "Oval_track", "reinvent_base"];
    let mut cases = Vec::new();
    for name in names {
        let Ok(bytes) = std::fs::read(folder.join(name).with_extension("npy")) else {
            println!("skipped: {name}.npy is not in ../shared/data/tracks");
            return;
        };
        let track = Track::from_npy(name, &bytes).unwrap();
        cases.push(Case { driver: Driver::Scripted, track, fault: None });
    }
    let mut lines = vec![HEAD.to_owned()];
    lines.extend(rows(&cases));
    println!("{}", lines.join("\n"));
    held_against("sim_aws.txt", &lines);
}

/// The matrix is worth something only where faults are felt, and the undisturbed drive is a good one.
#[test]
fn the_snapshot_itself_says_what_it_should() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/sim.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let cells: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(cells.len(), (BUILT_IN.len() + 1) * 25);
    for row in &cells {
        let [driver, track, fault, laps, _, off, stops, neutral] = row[..] else { panic!("{row:?}") };
        let whole = (laps, off, stops, neutral) == ("1", "0", "0", "0");
        let mild: &[&str] = if driver == "scripted" { &["none", "noise:1", "darken:1"] } else { &["none"] };
        assert!(whole || !mild.contains(&fault), "{driver} on {track} is disturbed by {fault}: {row:?}");
        let felt = ["darken:3", "spikes:3", "tear:3", "drop:3"];
        assert!(!(whole && felt.contains(&fault)), "{driver} on {track} does not feel {fault}: {row:?}");
    }
}
