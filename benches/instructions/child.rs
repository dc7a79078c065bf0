//! Processes: this program again, under valgrind for counts and as it is for times, and what it does when it is the one that
//! was started. tract takes its kernels for the car's CPU in both (`TRACT_CPU_ISA`), whatever this machine has.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use super::cases::{self, Case};
use super::{Job, Options};

/// What the car's Goldmont lacks of what tract has kernels for.
const HIDDEN: &str = "-avx,-avx2,-fma,-f16c,-avx512f,-avx512vnni,-avx512fp16,-avxvnni,-amx-int8,-amx-bf16";

/// Batches of calls that are timed.
const BATCHES: usize = 31;

/// One row with its figures.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) case: Case,
    /// Instructions of one call; none without valgrind.
    pub(crate) instructions: Option<u64>,
    /// Nanoseconds of one call, the median of many batches; none where it drowns in that of what is taken off.
    pub(crate) nanoseconds: Option<u64>,
}

/// Measures every case, one after the other.
pub(crate) fn measure(cases: &[Case], options: &Options) -> Vec<Measured> {
    let counted = !options.times_only && valgrind_is_here();
    let cost = |name: &str, calls: u32| {
        let instructions = counted.then(|| {
            let [once, twice] = [calls, 2 * calls].map(|calls| collected(name, calls, options));
            (twice - once) / u64::from(calls)
        });
        (instructions, timed(name, options))
    };
    let measure_one = |case: &Case| {
        eprintln!("{} ...", case.name);
        let (mut instructions, whole) = cost(&case.name, case.calls);
        let mut nanoseconds = Some(whole);
        if let Some(without) = &case.without {
            let (fewer, shorter) = cost(without, case.calls);
            instructions = instructions.zip(fewer).map(|(all, fewer)| all.saturating_sub(fewer));
            nanoseconds = whole.checked_sub(shorter);
        }
        Measured { case: case.clone(), instructions, nanoseconds }
    };
    cases.iter().map(measure_one).collect()
}

fn valgrind_is_here() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn myself() -> std::path::PathBuf {
    std::env::current_exe().expect("this program has a path")
}

/// The instructions of a whole process that makes `calls` calls.
fn collected(name: &str, calls: u32, options: &Options) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(myself())
        .args(["--case", name, "--calls", &calls.to_string()])
        .args(options.passed_on())
        .env("TRACT_CPU_ISA", HIDDEN)
        .output()
        .expect("valgrind starts");
    let told = String::from_utf8_lossy(&output.stderr);
    let count = told.lines().find_map(|line| line.split("Collected :").nth(1));
    let count = count.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    count.unwrap_or_else(|| panic!("valgrind counted nothing in {name}:\n{told}"))
}

/// Nanoseconds of one call.
fn timed(name: &str, options: &Options) -> u64 {
    let output = Command::new(myself())
        .args(["--case", name])
        .args(options.passed_on())
        .env("TRACT_CPU_ISA", HIDDEN)
        .output()
        .expect("this program starts again");
    let told = String::from_utf8_lossy(&output.stdout);
    told.trim()
        .parse()
        .unwrap_or_else(|_| panic!("{name} told no time:\n{told}{}", String::from_utf8_lossy(&output.stderr)))
}

/// What a child does: so many calls, or enough to tell their time.
pub(crate) fn run(job: &Job, options: &Options) {
    let mut call = cases::make(&job.name, options);
    call();
    if let Some(calls) = job.calls {
        for _ in 0..calls {
            black_box(&mut call)();
        }
        return;
    }
    let mut batch = |count: u32| {
        let begun = Instant::now();
        for _ in 0..count {
            black_box(&mut call)();
        }
        begun.elapsed()
    };
    let mut count = 1;
    while batch(count) < Duration::from_millis(2) {
        count *= 2;
    }
    let mut times: Vec<u128> = (0..BATCHES).map(|_| batch(count).as_nanos() / u128::from(count)).collect();
    times.sort_unstable();
    println!("{}", times[BATCHES / 2]);
}
