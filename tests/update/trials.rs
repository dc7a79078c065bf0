//! Programs that come up, that do not, and that end again; going back by hand; what a plan refuses.

use std::path::Path;
use std::time::Duration;

use hairpin::domain::Digest;
use hairpin::update::{
    Ended, Machine, Offer, Service, Slot, Step, Sum, Trial, Unit, UpdateError, Wish, back, carry, facts,
    forward, keep, standing,
};

use crate::bench::{Bench, Car, Cut, fresh, new, old};

const RESTART: Wish = Wish { restart: true, yes: false };
const LEAVE: Wish = Wish { restart: false, yes: false };

fn update(bench: &Bench, car: &mut Car, wish: Wish) -> Result<Ended, UpdateError> {
    let mut disk = Cut::never();
    let facts = facts(&bench.place, &mut disk, car)?;
    let plan = forward(&bench.place, &facts, &fresh(&new()), wish)?.expect("another program");
    carry(&plan, &bench.place, &new(), &mut disk, car)
}

fn roll_back(bench: &Bench, car: &mut Car, wish: Wish) -> Result<Ended, UpdateError> {
    let mut disk = Cut::never();
    let facts = facts(&bench.place, &mut disk, car)?;
    let plan = back(&facts, wish)?;
    carry(&plan, &bench.place, &[], &mut disk, car)
}

#[test]
fn a_program_that_comes_up_stays_and_was_started_before() {
    let bench = Bench::new();
    let mut car = Car::new(bench.root.path());
    let ended = update(&bench, &mut car, RESTART).unwrap();
    let version = "hairpin 9.9.9".to_owned();
    assert_eq!(ended, Ended { slot: Slot::B, version, is_up: true, on_trial: false });
    assert_eq!(bench.starts(), Ok(Digest::of(&new())));
    // It was asked for its version before the service heard of it.
    assert_eq!(car.said, [format!("version {}", Digest::of(&new()).short()), "restart".to_owned()]);
    for _ in 0..3 {
        assert!(car.boot());
        assert_eq!(bench.current(), Slot::B);
    }
}

#[test]
fn a_program_that_does_not_come_up_goes_and_the_old_one_runs() {
    for insists in [false, true] {
        let bench = Bench::new();
        let mut car = Car::new(bench.root.path());
        car.broken = vec![Digest::of(&new())];
        car.insists = insists;
        let error = update(&bench, &mut car, RESTART).unwrap_err();
        assert!(
            matches!(&error, UpdateError::WentBack { from: Slot::A, to: Slot::B, up: true, .. }),
            "{error:?}"
        );
        let text = error.to_string();
        assert!(
            text.contains("did not come up: Job for hairpin.service failed; slot a runs again"),
            "{text}"
        );
        assert!(text.ends_with("hairpin: no camera"), "the journal's last words: {text}");
        assert_eq!((bench.current(), bench.on_trial()), (Slot::A, false));
        assert_eq!(car.unit.as_ref().unwrap().state, "active");
        assert_eq!(car.said[1..], ["restart", "stop", "restart"]);
    }
}

/// The manager tried again by itself, settle went back, and the old one is up: not the new one's merit.
#[test]
fn an_old_program_that_came_up_is_not_taken_for_the_new_one() {
    struct Quiet(Car);
    impl Service for Quiet {
        fn unit(&mut self) -> Option<Unit> {
            self.0.unit()
        }
        fn restart(&mut self, _: Duration) -> Result<(), String> {
            if !self.0.boot() {
                assert!(self.0.boot(), "settle goes back, and the old one comes up");
            }
            Ok(())
        }
        fn stop(&mut self, _: Duration) {}
        fn last_words(&mut self) -> String {
            String::new()
        }
        fn version(&mut self, _: &Path, _: Duration) -> Result<String, String> {
            Ok("hairpin 9.9.9".to_owned())
        }
        fn pause(&mut self, _: Duration) {}
    }
    let bench = Bench::new();
    let mut car = Quiet(Car::new(bench.root.path()));
    car.0.broken = vec![Digest::of(&new())];
    let mut disk = Cut::never();
    let facts = facts(&bench.place, &mut disk, &mut car).unwrap();
    let plan = forward(&bench.place, &facts, &fresh(&new()), RESTART).unwrap().unwrap();
    let error = carry(&plan, &bench.place, &new(), &mut disk, &mut car).unwrap_err().to_string();
    assert!(error.contains("it ended before it was up, and settle went back; slot a runs again"), "{error}");
    assert_eq!(bench.current(), Slot::A);
}

#[test]
fn a_program_that_comes_up_and_ends_again_goes() {
    for look in 2..=12 {
        let bench = Bench::new();
        let mut car = Car::new(bench.root.path());
        car.ends_at_look = look;
        let error = update(&bench, &mut car, RESTART).unwrap_err().to_string();
        assert!(error.contains("it came up, and then was failed; slot a runs again"), "look {look}: {error}");
        assert_eq!((bench.current(), bench.on_trial()), (Slot::A, false));
    }
}

#[test]
fn where_neither_comes_up_it_says_so() {
    let bench = Bench::new();
    let mut car = Car::new(bench.root.path());
    car.broken = vec![Digest::of(&new()), Digest::of(&old())];
    let error = update(&bench, &mut car, RESTART).unwrap_err().to_string();
    assert!(error.contains("does not come up either") && error.contains("hairpin doctor"), "{error}");
    assert_eq!((bench.current(), bench.on_trial()), (Slot::A, false));
}

#[test]
fn without_a_start_it_stays_on_trial_and_the_second_start_goes_back() {
    for (wish, state) in [(LEAVE, Some("active")), (RESTART, Some("inactive")), (RESTART, None)] {
        let bench = Bench::new();
        let mut car = Car::new(bench.root.path());
        car.unit = state.map(|state| Unit { state: state.to_owned(), ..Unit::default() });
        let ended = update(&bench, &mut car, wish).unwrap();
        assert!(ended.on_trial && !ended.is_up, "{ended:?}");
        assert!(!car.said.contains(&"restart".to_owned()), "{state:?}: {:?}", car.said);
        car.unit = Some(Unit::default());

        let busy = update(&bench, &mut car, LEAVE).unwrap_err().to_string();
        assert!(busy.contains("slot b is on trial") && busy.contains("--confirm"), "{busy}");
        assert!(car.boot());
        assert_eq!((bench.current(), bench.on_trial()), (Slot::B, true));
        assert!(car.boot());
        assert_eq!((bench.current(), bench.on_trial()), (Slot::A, false));
    }
}

#[test]
fn a_trial_is_ended_by_hand_once() {
    let bench = Bench::new();
    let mut car = Car::new(bench.root.path());
    update(&bench, &mut car, LEAVE).unwrap();
    assert!(car.boot());
    assert_eq!(keep(&bench.place, &mut Cut::never()).unwrap(), (Slot::B, true));
    assert_eq!(keep(&bench.place, &mut Cut::after(0)).unwrap(), (Slot::B, false));
    assert!(car.boot() && car.boot());
    assert_eq!(bench.current(), Slot::B);
}

#[test]
fn back_by_hand_is_on_trial_like_any_other_and_ends_an_open_one() {
    let bench = Bench::new();
    let mut car = Car::new(bench.root.path());
    let none = roll_back(&bench, &mut car, RESTART).unwrap_err().to_string();
    assert!(none.contains("slot b holds no program to go back to"), "{none}");

    update(&bench, &mut car, RESTART).unwrap();
    let ended = roll_back(&bench, &mut car, RESTART).unwrap();
    assert_eq!((ended.slot, ended.is_up, ended.on_trial), (Slot::A, true, false));
    // Forth again, to one that does not come up any more.
    car.broken = vec![Digest::of(&new())];
    let error = roll_back(&bench, &mut car, RESTART).unwrap_err().to_string();
    assert!(error.contains("slot b did not come up"), "{error}");
    assert_eq!((bench.current(), bench.on_trial()), (Slot::A, false));

    car.broken.clear();
    update(&bench, &mut car, LEAVE).unwrap();
    let ended = roll_back(&bench, &mut car, LEAVE).unwrap();
    assert_eq!((ended.slot, ended.is_up, ended.on_trial), (Slot::A, false, false));
    assert_eq!((bench.current(), bench.on_trial()), (Slot::A, false));
}

#[test]
fn out_of_an_open_trial_there_is_no_way_but_back() {
    let bench = Bench::new();
    let mut car = Car::new(bench.root.path());
    update(&bench, &mut car, LEAVE).unwrap();
    car.broken = vec![Digest::of(&old())];
    let error = roll_back(&bench, &mut car, RESTART).unwrap_err();
    assert!(matches!(error, UpdateError::DidNotComeUp { slot: Slot::A, .. }), "{error:?}");
    assert_eq!((bench.current(), bench.on_trial()), (Slot::A, false));
}

#[test]
fn an_armed_car_is_not_stopped_unasked() {
    for says in ["ARMED: the policy drives; Enter stops", "arming: neutral for the ESC"] {
        let bench = Bench::new();
        let mut car = Car::new(bench.root.path());
        car.unit.as_mut().unwrap().says = says.to_owned();
        let before = bench.listing();
        let error = update(&bench, &mut car, RESTART).unwrap_err();
        assert!(matches!(error, UpdateError::Armed { .. }), "{error:?}");
        assert_eq!((bench.listing(), car.said.len()), (before, 0));
        // Nothing is stopped, so nothing is asked.
        assert!(update(&bench, &mut car, LEAVE).is_ok());
        assert!(matches!(roll_back(&bench, &mut car, RESTART), Err(UpdateError::Armed { .. })));
        assert!(roll_back(&bench, &mut car, Wish { restart: true, yes: true }).unwrap().is_up);
    }
}

#[test]
fn plans_are_steps_in_order() {
    let bench = Bench::new();
    bench.put(Slot::B, &new());
    let (mut disk, mut car) = (Cut::never(), Car::new(bench.root.path()));
    let mut facts = facts(&bench.place, &mut disk, &mut car).unwrap();
    let steps = |facts, wish| forward(&bench.place, facts, &fresh(&new()), wish).unwrap().unwrap().steps;
    assert_eq!(steps(&facts, RESTART), [Step::Write, Step::Try, Step::Point, Step::Restart, Step::Confirm]);
    assert_eq!(steps(&facts, LEAVE), [Step::Write, Step::Try, Step::Point]);
    assert_eq!(
        back(&facts, RESTART).unwrap().steps,
        [Step::Start, Step::Try, Step::Point, Step::Restart, Step::Confirm]
    );
    facts.trial = Trial::read("from=b\nto=a\ntries=1\n");
    assert_eq!(
        back(&facts, RESTART).unwrap().steps,
        [Step::Start, Step::Point, Step::Confirm, Step::Restart]
    );
    facts.trial = None;
    facts.running = Digest::of(&new());
    assert_eq!(forward(&bench.place, &facts, &fresh(&new()), RESTART).unwrap(), None);
}

#[test]
fn what_is_installed_is_shown_whatever_it_is() {
    let bench = Bench::new();
    bench.trial("from=a\nto=b\ntries=1\n");
    let mut car = Car::new(bench.root.path());
    let before = bench.listing();
    let shown = standing(&bench.place, &Cut::after(0), &mut car).unwrap();
    assert_eq!(shown.current, Slot::A);
    assert_eq!(shown.slots[0].program, Ok((70_000, Digest::of(&old()))));
    assert_eq!(shown.slots[0].version.as_deref(), Ok("hairpin 9.9.9"));
    assert!(shown.slots[1].program.is_err() && shown.slots[1].version.is_err());
    assert_eq!(shown.trial.unwrap().map(|trial| trial.tries), Some(1));
    bench.trial("rubbish");
    assert!(standing(&bench.place, &Cut::after(0), &mut car).unwrap().trial.is_err());
    bench.trial("from=a\nto=b\ntries=1\n");
    assert_eq!(bench.listing(), before);
}

/// One machine's program on another: known before anything else is looked at.
#[test]
fn the_machine_is_an_argument() {
    let sum = Digest::of(&new()).to_string();
    let (bytes, offered) = (new(), |machine| {
        let bytes = new();
        Offer { name: "hairpin", bytes: &bytes, sum: Sum::Given(&sum) }
            .judge(machine)
            .map(|fresh| fresh.digest)
    });
    assert_eq!(offered(Machine::X86_64).unwrap(), Digest::of(&bytes));
    let error = offered(Machine::Aarch64).unwrap_err().to_string();
    assert!(error.contains("is a program for x86_64, wanted one for aarch64"), "{error}");
    assert_eq!(Machine::named("x86_64"), Some(Machine::X86_64));
    assert_eq!(Machine::named("riscv64"), None);
}
