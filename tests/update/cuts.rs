//! The power cut after every change of the disk, and in the middle of every write, in every kind of update; then the boots
//! after it. Whatever starts is whole, and the next update is not in the way of what the cut left.

use std::collections::BTreeSet;
use std::fs;

use hairpin::domain::Digest;
use hairpin::update::{Disk, Service, Slot, UpdateError, Wish, back, carry, facts, forward};

use crate::bench::{Bench, Car, Cut, fresh, new, old};

const RESTART: Wish = Wish { restart: true, yes: false };
const LEAVE: Wish = Wish { restart: false, yes: false };

/// What happens to an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// A new program that comes up.
    Forward,
    /// A new program into a slot that has no folder yet.
    FirstTime,
    /// A new program, and no start.
    Unstarted,
    /// A new program that does not come up.
    Broken,
    /// As before, with a service manager that starts it again by itself.
    BrokenAndAgain,
    /// By hand to the other slot.
    Back,
    /// By hand out of an open trial.
    BackFromTrial,
}

const STORIES: [Story; 7] = [
    Story::Forward,
    Story::FirstTime,
    Story::Unstarted,
    Story::Broken,
    Story::BrokenAndAgain,
    Story::Back,
    Story::BackFromTrial,
];

impl Story {
    fn bench(self) -> Bench {
        let bench = Bench::new();
        match self {
            Self::FirstTime => fs::remove_dir(bench.place.folder(Slot::B)).unwrap(),
            Self::Back => bench.put(Slot::B, &new()),
            Self::BackFromTrial => {
                bench.put(Slot::B, &new());
                fs::remove_file(bench.place.current()).unwrap();
                std::os::unix::fs::symlink("b", bench.place.current()).unwrap();
                bench.trial("from=a\nto=b\ntries=0\n");
            }
            _ => {}
        }
        bench
    }

    fn car(self, bench: &Bench) -> Car {
        let mut car = Car::new(bench.root.path());
        if matches!(self, Self::Broken | Self::BrokenAndAgain) {
            car.broken = vec![Digest::of(&new())];
            car.insists = self == Self::BrokenAndAgain;
        }
        car
    }

    fn tell(self, bench: &Bench, disk: &mut dyn Disk, car: &mut dyn Service) -> Result<(), UpdateError> {
        let facts = facts(&bench.place, disk, car)?;
        let wish = if self == Self::Unstarted { LEAVE } else { RESTART };
        let (plan, bytes) = match self {
            Self::Back | Self::BackFromTrial => (back(&facts, wish)?, Vec::new()),
            _ => (forward(&bench.place, &facts, &fresh(&new()), wish)?.unwrap(), new()),
        };
        carry(&plan, &bench.place, &bytes, disk, car).map(drop)
    }
}

#[test]
fn an_update_does_what_it_says_in_this_order() {
    let bench = Story::Forward.bench();
    let mut disk = Cut::never();
    Story::Forward.tell(&bench, &mut disk, &mut Story::Forward.car(&bench)).unwrap();
    let expected = [
        "write .hairpin.update",
        "sync .hairpin.update",
        "rename hairpin",
        "sync b",
        "write .trial.update",
        "sync .trial.update",
        "rename trial",
        "sync hairpin",
        "remove .current.update",
        "link .current.update",
        "sync hairpin",
        "rename current",
        "sync hairpin",
        "remove trial",
        "sync hairpin",
    ];
    assert_eq!(disk.done, expected);
    assert_eq!((bench.current(), bench.on_trial()), (Slot::B, false));

    // And back again: the trial ends last, since `settle` would have to do the rest.
    let bench = Story::Broken.bench();
    let mut disk = Cut::never();
    Story::Broken.tell(&bench, &mut disk, &mut Story::Broken.car(&bench)).unwrap_err();
    assert_eq!(disk.done[..13], expected[..13]);
    assert_eq!(disk.done[13..], [&expected[8..13], &expected[13..]].concat());
}

#[test]
fn a_power_cut_at_any_step_leaves_a_whole_program_that_starts() {
    let (old, new) = (Digest::of(&old()), Digest::of(&new()));
    let mut cuts = 0;
    for story in STORIES {
        let whole = {
            let bench = story.bench();
            let mut disk = Cut::never();
            let ended = story.tell(&bench, &mut disk, &mut story.car(&bench));
            let breaks = matches!(story, Story::Broken | Story::BrokenAndAgain);
            assert_eq!(ended.is_err(), breaks, "{story:?}: {ended:?}");
            disk.done
        };
        let mut came_to = BTreeSet::new();
        let torn = |changes: usize| match whole.get(changes) {
            Some(next) if next.starts_with("write") => vec![None, Some(0), Some(1), Some(500), Some(1000)],
            _ => vec![None],
        };
        for (changes, torn) in
            (0..=whole.len()).flat_map(|at| torn(at).into_iter().map(move |torn| (at, torn)))
        {
            let bench = story.bench();
            let mut car = story.car(&bench);
            let mut disk = Cut { torn, ..Cut::after(changes) };
            let cut = story.tell(&bench, &mut disk, &mut car);
            let at = format!("{story:?} cut after {:?}, torn {torn:?}: {cut:?}", disk.done);
            assert_eq!(disk.done.len(), changes, "{at}");
            let confirmed = disk.done.iter().any(|change| change == "remove trial");
            drop(disk);
            cuts += 1;

            // Even before anything settles: the link leads to a whole program.
            let begun = bench.starts().unwrap_or_else(|why| panic!("{at}: {why}"));
            assert!([old, new].contains(&begun), "{at}");
            for boot in 1..=3 {
                car.boot();
                let starts = bench.starts().unwrap_or_else(|why| panic!("{at}, boot {boot}: {why}"));
                assert!([old, new].contains(&starts), "{at}, boot {boot}: {starts}");
                assert!(boot < 2 || !bench.on_trial(), "{at}, boot {boot}: still on trial");
                // What nobody confirmed goes back at the second boot, at the latest.
                if boot >= 2 && (car.broken.contains(&new) || !confirmed) {
                    assert_eq!(starts, old, "{at}, boot {boot}");
                }
            }
            came_to.insert(bench.starts().unwrap());
            the_next_update_works(&bench, &at);
        }
        assert!(came_to.contains(&old), "{story:?}");
    }
    println!("{cuts} cuts");
    assert!(cuts > 100, "only {cuts} cuts");
}

/// Whatever lies about: another program is installed and comes up.
fn the_next_update_works(bench: &Bench, at: &str) {
    let third = crate::bench::elf(62, 0x33, 75_000);
    let (mut disk, mut car) = (Cut::never(), Car::new(bench.root.path()));
    let facts = facts(&bench.place, &mut disk, &mut car).unwrap_or_else(|why| panic!("{at}: then {why}"));
    let plan = forward(&bench.place, &facts, &fresh(&third), RESTART).unwrap().unwrap();
    let ended = carry(&plan, &bench.place, &third, &mut disk, &mut car);
    let ended = ended.unwrap_or_else(|why| panic!("{at}: then {why}"));
    assert!(ended.is_up && !ended.on_trial, "{at}: {ended:?}");
    assert_eq!(bench.starts(), Ok(Digest::of(&third)), "{at}");
    let left: Vec<_> = bench.listing().into_iter().filter(|line| line.contains(".update")).collect();
    assert_eq!(left, Vec::<String>::new(), "{at}: left behind");
}
