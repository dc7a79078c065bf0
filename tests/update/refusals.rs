//! Installations that are not to be changed: each refusal has its words, and the folder is afterwards what it was.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;

use hairpin::domain::Digest;
use hairpin::update::{Disk as _, RealDisk, Slot, UpdateError, Wish, carry, facts, forward};

use crate::bench::{Bench, Car, Cut, fresh, new, old};

const RESTART: Wish = Wish { restart: true, yes: false };

/// The whole command's way, up to its end or its refusal.
fn update(bench: &Bench, disk: &mut Cut) -> Result<bool, UpdateError> {
    let mut car = Car::new(bench.root.path());
    let facts = facts(&bench.place, disk, &mut car)?;
    let Some(plan) = forward(&bench.place, &facts, &fresh(&new()), RESTART)? else { return Ok(false) };
    carry(&plan, &bench.place, &new(), disk, &mut car).map(|_| true)
}

fn refused(bench: &Bench, disk: &mut Cut, words: &str) {
    let before = bench.listing();
    let error = update(bench, disk).expect_err(words).to_string();
    assert!(error.contains(words), "wanted {words:?}, saw: {error}");
    assert_eq!(bench.listing(), before, "{words}: something changed");
}

#[test]
fn an_installation_that_is_none_is_not_touched() {
    let bench = Bench::new();
    fs::remove_file(bench.place.current()).unwrap();
    refused(&bench, &mut Cut::never(), "is not installed here");
    fs::create_dir(bench.place.current()).unwrap();
    refused(&bench, &mut Cut::never(), "wanted \"a\" or \"b\"");
    fs::remove_dir(bench.place.current()).unwrap();
    symlink("c", bench.place.current()).unwrap();
    refused(&bench, &mut Cut::never(), "leads to \"c\", wanted \"a\" or \"b\"");
    fs::remove_file(bench.place.current()).unwrap();
    symlink("b", bench.place.current()).unwrap();
    refused(&bench, &mut Cut::never(), "which ought to run, cannot be read");
}

#[test]
fn the_same_bytes_change_nothing() {
    let bench = Bench::new();
    bench.put(Slot::A, &new());
    let before = bench.listing();
    assert!(!update(&bench, &mut Cut::never()).unwrap());
    assert_eq!(bench.listing(), before);
}

#[test]
fn a_trial_that_is_open_or_cannot_be_read_comes_first() {
    let bench = Bench::new();
    bench.trial("from=a\nto=b\ntries=1\n");
    refused(&bench, &mut Cut::never(), "`hairpin update --roll-back`");
    bench.trial("from=a");
    refused(&bench, &mut Cut::never(), "cannot be understood");
    bench.trial("");
    refused(&bench, &mut Cut::never(), "cannot be understood");
}

#[test]
fn two_updates_do_not_run_at_once() {
    let bench = Bench::new();
    let (mut one, mut two) = (RealDisk::default(), RealDisk::default());
    let mut car = Car::new(bench.root.path());
    let before = bench.listing();
    assert!(one.lock(bench.place.home()).unwrap());
    let error = facts(&bench.place, &mut two, &mut car).unwrap_err().to_string();
    assert!(error.contains("another update runs"), "{error}");
    assert_eq!(bench.listing(), before);
    drop(one);
    assert!(update(&bench, &mut Cut::never()).unwrap());
}

#[test]
fn a_disk_without_twice_the_room_is_not_begun_on() {
    let bench = Bench::new();
    let size = new().len() as u64;
    let mut full = Cut { free: Some(2 * size - 1), ..Cut::never() };
    refused(&bench, &mut full, "twice the program");
    assert_eq!(full.done, Vec::<String>::new());
    drop(full);
    assert!(update(&bench, &mut Cut { free: Some(2 * size), ..Cut::never() }).unwrap());
}

/// The room was there, and then it was not: the half file goes, the old program stays in use.
#[test]
fn a_disk_that_fills_up_meanwhile_is_left_as_it_was() {
    let bench = Bench::new();
    let before = bench.listing();
    let mut disk = Cut { torn: Some(500), fails: ErrorKind::StorageFull, ..Cut::after(0) };
    let mut car = Car::new(bench.root.path());
    let facts = facts(&bench.place, &mut disk, &mut car).unwrap();
    let plan = forward(&bench.place, &facts, &fresh(&new()), RESTART).unwrap().unwrap();
    let error = carry(&plan, &bench.place, &new(), &mut disk, &mut car).unwrap_err().to_string();
    assert!(error.contains("cannot write") && error.contains("the disk is full"), "{error}");
    assert_eq!(bench.listing(), before);
    assert_eq!(bench.starts(), Ok(Digest::of(&old())));
}
