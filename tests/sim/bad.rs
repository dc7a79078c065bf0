//! What bad input is told, by the program.

use std::fs;

use hairpin::track::Track;

use super::command::{run, temporary};

/// The oval's way-points, one row changed by `change`, as a text of ours.
fn road(change: impl Fn(usize, &mut [f64; 6])) -> String {
    let track = Track::built_in("oval").unwrap();
    let rows = track.centre().iter().zip(track.inner()).zip(track.outer()).enumerate();
    let lines = rows.map(|(at, ((centre, inner), outer))| {
        let mut row = [centre.x, centre.y, inner.x, inner.y, outer.x, outer.y];
        change(at, &mut row);
        row.map(|number| number.to_string()).join(" ")
    });
    format!("hairpin-track 1\n{}\n", lines.collect::<Vec<_>>().join("\n"))
}

/// The numbers of such a text.
fn numbers(text: &str) -> Vec<f64> {
    text.lines().skip(1).flat_map(str::split_whitespace).map(|number| number.parse().unwrap()).collect()
}

fn array(shape: &str, numbers: Vec<f64>) -> Vec<u8> {
    let mut head = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + head.len() + 1) % 64 != 0 {
        head.push(' ');
    }
    head.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(head.len()).unwrap().to_le_bytes());
    bytes.extend(head.as_bytes());
    bytes.extend(numbers.into_iter().flat_map(f64::to_le_bytes));
    bytes
}

#[test]
fn tracks_that_no_car_can_lap() {
    let (_folder, path) = temporary();
    let open: String = road(|_, _| {}).lines().take(90).collect::<Vec<_>>().join("\n");
    // A figure of eight.
    let crossing = road(|at, row| {
        let angle = std::f64::consts::TAU * f64::from(u32::try_from(at).unwrap()) / 124.0;
        let (x, y) = (3.0 * angle.sin(), 1.5 * (2.0 * angle).sin());
        let (ahead, up) = (3.0 * angle.cos(), 3.0 * (2.0 * angle).cos());
        let length = ahead.hypot(up);
        let (left, right) = (-0.3 * up / length, 0.3 * ahead / length);
        *row = [x, y, x + left, y + right, x - left, y - right];
    });
    let nan = road(|at, row| {
        if at == 17 {
            row[3] = f64::NAN;
        }
    });
    let narrow = road(|_, row| {
        let [x, y, inner_x, inner_y, ..] = *row;
        *row = [
            x,
            y,
            x + 0.2 * (inner_x - x),
            y + 0.2 * (inner_y - y),
            x - 0.2 * (inner_x - x),
            y - 0.2 * (inner_y - y),
        ];
    });
    for (name, bytes, parts) in [
        ("open.txt", open.into_bytes(), vec!["open", "repeat the first way-point"]),
        ("crossing.txt", crossing.into_bytes(), vec!["cross"]),
        ("nan.txt", nan.clone().into_bytes(), vec!["line 19", "NaN"]),
        ("nan.npy", array("(124, 6)", numbers(&nan)), vec!["way-point 17", "NaN"]),
        ("narrow.txt", narrow.into_bytes(), vec!["narrow", "wide"]),
        ("shape.npy", array("(124, 4)", vec![1.0; 496]), vec!["(124, 4)", "6"]),
        ("short.npy", array("(124, 6)", vec![1.0; 700]), vec!["5952"]),
        ("words.txt", b"no track".to_vec(), vec!["hairpin-track 1"]),
        ("bytes.bin", vec![0xff; 64], vec!["neither text nor an array"]),
    ] {
        let file = path(name);
        fs::write(&file, bytes).unwrap();
        for verb in [vec!["tracks", &file], vec!["run", "--rig", "sim", "--track", &file]] {
            let done = run(&verb);
            assert_eq!(done.code, 1, "{name}: {}", done.errors);
            for part in &parts {
                assert!(done.errors.contains(part), "{name}: {:?} is not in {}", part, done.errors);
            }
            assert!(done.text.is_empty() && done.errors.contains(name), "{}", done.errors);
        }
    }
}

#[test]
fn words_that_do_not_fit() {
    let (_folder, path) = temporary();
    let taken = path("taken");
    fs::write(&taken, "mine").unwrap();
    let sim = ["run", "--rig", "sim"];
    for (arguments, code, parts) in [
        (
            vec!["--track", "hairpni"],
            1,
            vec!["no track and no file \"hairpni\"", "was hairpin meant?", "oval, hairpin, chicane, bean"],
        ),
        (vec!["--track", "qqqqqqqqqqqqqq"], 1, vec!["no track and no file"]),
        (vec!["--fault", "dorp:1"], 2, vec!["saw the fault \"dorp:1\"", "dead-servo"]),
        (vec!["--fault", "drop:4"], 2, vec!["severity of 1 to 3"]),
        (vec!["--arm"], 2, vec!["--arm belongs to --rig car"]),
        (vec!["--laps", "0"], 2, vec!["--laps"]),
        (vec!["--model", "nowhere"], 1, vec!["nowhere is no model folder"]),
        (vec!["--record", &taken], 1, vec!["taken exists", "--force"]),
        (vec!["--trace", &taken], 1, vec!["taken exists", "--force"]),
        (vec!["--report", &taken], 1, vec!["taken exists and is no report"]),
        (vec!["--report", &taken, "--trace", &taken, "--force"], 1, vec!["two outputs"]),
        (vec!["--set", "camera.width=0"], 1, vec!["camera.width"]),
    ] {
        let done = run(&[&sim, arguments.as_slice()].concat());
        assert_eq!(done.code, code, "{arguments:?}: {}", done.errors);
        for part in parts {
            assert!(done.errors.contains(part), "{arguments:?}: {part:?} is not in {}", done.errors);
        }
    }
    assert_eq!(fs::read_to_string(&taken).unwrap(), "mine");
}

#[test]
#[cfg(feature = "car")]
fn flags_of_the_other_rig_are_refused_by_name() {
    for flag in [
        vec!["--track", "oval"],
        vec!["--laps", "2"],
        vec!["--seconds", "2"],
        vec!["--seed", "2"],
        vec!["--fault", "drop"],
        vec!["--look", "hall"],
        vec!["--obstacles", "1"],
        vec!["--real-time"],
        vec!["--watch"],
        vec!["--report", "x.html"],
        vec!["--trace", "x.log"],
    ] {
        let done = run(&[&["run", "--model", "models/line-follower"], flag.as_slice()].concat());
        assert_eq!(done.code, 2, "{flag:?}");
        assert!(done.errors.contains(&format!("{} belongs to --rig sim", flag[0])), "{}", done.errors);
    }
    let done = run(&["run", "--rig", "car"]);
    assert_eq!(done.code, 2);
    assert!(done.errors.contains("--model DIR"), "{}", done.errors);
    let done = run(&["run", "--rig", "car", "--model", "scripted"]);
    assert_eq!(done.code, 1);
    assert!(done.errors.contains("cannot see") && done.errors.contains("run --rig sim"), "{}", done.errors);
}

#[test]
fn the_scripted_driver_has_nothing_to_inspect_or_to_make_up() {
    let done = run(&["inspect", "scripted"]);
    assert_eq!(done.code, 1);
    assert!(done.errors.contains("no network to inspect"), "{}", done.errors);
    for extra in [vec![], vec!["--fill-sensors"]] {
        let done =
            run(&[&["replay", "tests/tapes/drawn-lane/drive.mcap", "--model", "scripted"], extra.as_slice()]
                .concat());
        assert_eq!(done.code, 1);
        assert!(done.errors.contains("lacks the scripted driver's advice"), "{}", done.errors);
    }
}

#[test]
fn a_lap_that_is_not_driven_is_a_failure_with_its_reason() {
    let done = run(&[
        "run",
        "--rig",
        "sim",
        "--seconds",
        "2",
        "--set",
        "camera.width=64",
        "--set",
        "camera.height=48",
    ]);
    assert_eq!(done.code, 1);
    assert!(done.errors.contains("no lap within 2 s simulated"), "{}", done.errors);
    assert!(done.text.starts_with("FAILED: no lap within 2 s simulated; no lap, "), "{}", done.text);
    // A report of a failed drive is whole all the same.
    let (_folder, path) = temporary();
    let page = path("page.html");
    let done = run(&["run", "--rig", "sim", "--seconds", "2", "--report", &page]);
    assert_eq!(done.code, 1);
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.contains("no lap within 2 s") && page.contains("<svg") && page.ends_with("</html>\n"));
}
