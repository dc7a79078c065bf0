//! Everybody who may say a word to the guardian: the terminal that it was started at, and guests at a socket of its own,
//! each with the law of `operator`: what is not understood is a stop, and one who leaves after having spoken is one. What
//! happens is told to every guest, without waiting for any. Refuses nobody: a fifth guest takes the place of one who never
//! spoke, else of the first, whose leaving is a stop.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::operator::{Operator, Word};
use crate::domain::Ask;

/// Guests at once.
const GUESTS: usize = 4;

/// The terminal, the socket, and each guest.
pub(super) const EARS: usize = 2 + GUESTS;

/// Owner and group may speak; whoever else comes to the car by the network has no business here.
const MODE: u32 = 0o660;

/// One who came by the socket.
#[derive(Debug)]
struct Guest {
    operator: Operator,
    /// Where words go; the same connection.
    ear: UnixStream,
}

/// A socket that guests come to. Its file goes with it.
#[derive(Debug)]
pub struct Counter {
    listener: UnixListener,
    path: PathBuf,
}

impl Counter {
    /// Listens at `path`. Call with the instance lock held: a socket that is there already is a dead guardian's then.
    ///
    /// # Errors
    /// What the system says; a file there that is no socket is left alone.
    pub fn open(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(there) if there.file_type().is_socket() => fs::remove_file(path)?,
            Ok(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "it is there and is no socket")),
            Err(_) => {}
        }
        let listener = UnixListener::bind(path)?;
        let counter = Self { listener, path: path.to_owned() };
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
        counter.listener.set_nonblocking(true)?;
        Ok(counter)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

/// The terminal and the guests.
#[derive(Debug)]
pub struct Operators {
    terminal: Operator,
    counter: Option<Counter>,
    guests: [Option<Guest>; GUESTS],
}

impl Operators {
    /// Those at `input` and `counter`, where there are such.
    #[must_use]
    pub fn new(input: Option<OwnedFd>, counter: Option<Counter>) -> Self {
        Self { terminal: Operator::new(input), counter, guests: [const { None }; GUESTS] }
    }

    /// What to poll, in an order that [`Operators::read`] knows.
    #[must_use]
    pub(super) fn inputs(&self) -> [Option<BorrowedFd<'_>>; EARS] {
        let mut fds = [None; EARS];
        let counter = self.counter.as_ref().map(|counter| counter.listener.as_fd());
        let fixed = [self.terminal.input(), counter];
        let guests = self.guests.iter().map(|guest| guest.as_ref().and_then(|it| it.operator.input()));
        for (slot, fd) in fds.iter_mut().zip(fixed.into_iter().chain(guests)) {
            *slot = fd;
        }
        fds
    }

    /// Reads from those that have something to say. `greeting` is what a new guest hears first.
    pub(super) fn read(&mut self, ready: [bool; EARS], greeting: &str, words: &mut Vec<Word>) {
        let [terminal, counter, guests @ ..] = ready;
        if terminal {
            self.terminal.read(words);
        }
        for (slot, _) in self.guests.iter_mut().zip(guests).filter(|(_, ready)| *ready) {
            let Some(guest) = slot else { continue };
            guest.operator.read(words);
            // One who has spoken hears what becomes of leaving; see `sweep`.
            if guest.operator.input().is_none() && !guest.operator.spoke() {
                *slot = None;
            }
        }
        if counter {
            self.welcome(greeting, words);
        }
    }

    /// Shows those out who have left.
    pub(super) fn sweep(&mut self) {
        let left = |guest: &Guest| guest.operator.input().is_none();
        for slot in self.guests.iter_mut().filter(|slot| slot.as_ref().is_some_and(left)) {
            *slot = None;
        }
    }

    fn welcome(&mut self, greeting: &str, words: &mut Vec<Word>) {
        let Some(Ok((mut stream, _))) = self.counter.as_ref().map(|counter| counter.listener.accept()) else {
            return;
        };
        // A connection that cannot be set up is closed; its guest may come again.
        if stream.set_nonblocking(true).is_err() {
            return;
        }
        let free = self.guests.iter().position(Option::is_none);
        let mute = |slot: &Option<Guest>| slot.as_ref().is_some_and(|guest| !guest.operator.spoke());
        let at = free.or_else(|| self.guests.iter().position(mute));
        if at.is_none() {
            // All four have a say: one has to go, and does so as any other operator.
            words.push(Word::Ask(Ask::Stop));
        }
        let Some(slot) = self.guests.get_mut(at.unwrap_or(0)) else { return };
        drop(writeln!(stream, "{greeting}"));
        if let Ok(ear) = stream.try_clone() {
            *slot = Some(Guest { operator: Operator::new(Some(stream.into())), ear });
        }
    }

    /// A line for every guest. One that does not read misses it.
    pub(super) fn tell(&mut self, line: &str) {
        for guest in self.guests.iter_mut().flatten() {
            drop(writeln!(guest.ear, "{line}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counter, EARS, Operators};
    use crate::domain::Ask;
    use crate::guardian::operator::Word;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::os::unix::net::UnixStream;

    const STOP: Word = Word::Ask(Ask::Stop);

    fn at(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        (folder, path)
    }

    fn heard(operators: &mut Operators) -> Vec<Word> {
        let mut words = Vec::new();
        operators.read([true; EARS], "disarmed", &mut words);
        words
    }

    fn line(guest: &UnixStream) -> String {
        let mut line = String::new();
        BufReader::new(guest).read_line(&mut line).expect("a line");
        line
    }

    #[test]
    fn a_guest_is_greeted_obeyed_and_stops_the_car_by_leaving() {
        let (_folder, path) = at("operator");
        let mut operators = Operators::new(None, Some(Counter::open(&path).expect("a socket")));
        let mut guest = UnixStream::connect(&path).expect("a guardian");
        assert_eq!(heard(&mut operators), []);
        assert_eq!(line(&guest), "disarmed\n");
        guest.write_all(b"arm\n\n").expect("room");
        assert_eq!(heard(&mut operators), [Word::Ask(Ask::Arm), STOP]);
        operators.tell("stopped");
        assert_eq!(line(&guest), "stopped\n");
        drop(guest);
        assert_eq!(heard(&mut operators), [STOP]);
        assert_eq!(heard(&mut operators), [], "once");
    }

    #[test]
    fn one_who_only_looked_leaves_without_a_trace() {
        let (_folder, path) = at("operator");
        let mut operators = Operators::new(None, Some(Counter::open(&path).expect("a socket")));
        drop(UnixStream::connect(&path).expect("a guardian"));
        assert_eq!(heard(&mut operators), []);
        assert_eq!(heard(&mut operators), []);
        assert!(operators.inputs().iter().flatten().count() == 1, "only the socket is left");
    }

    fn guests(operators: &mut Operators, path: &std::path::Path, count: usize) -> Vec<UnixStream> {
        let come = |_| {
            let guest = UnixStream::connect(path).expect("a guardian");
            assert_eq!(heard(operators), []);
            guest
        };
        (0..count).map(come).collect()
    }

    #[test]
    fn a_fifth_guest_is_heard_in_the_place_of_one_who_never_spoke() {
        let (_folder, path) = at("operator");
        let mut operators = Operators::new(None, Some(Counter::open(&path).expect("a socket")));
        let mut first = guests(&mut operators, &path, 4);
        first[0].write_all(b"arm\n").expect("room");
        assert_eq!(heard(&mut operators), [Word::Ask(Ask::Arm)]);
        let mut fifth = guests(&mut operators, &path, 1);
        fifth[0].write_all(b"stop\n").expect("room");
        assert_eq!(heard(&mut operators), [STOP]);
        let mut text = String::new();
        first[1].read_to_string(&mut text).expect("closed");
        assert_eq!(text, "disarmed\n", "it was shown out");
        // Where all have spoken, the first one's leaving is a stop.
        first[2].write_all(b"d\n").expect("room");
        first[3].write_all(b"d\n").expect("room");
        assert_eq!(heard(&mut operators), [Word::Ask(Ask::Disarm); 2]);
        let _sixth = UnixStream::connect(&path).expect("a guardian");
        assert_eq!(heard(&mut operators), [STOP]);
    }

    #[test]
    fn one_that_never_reads_holds_nobody_up() {
        let (_folder, path) = at("operator");
        let mut operators = Operators::new(None, Some(Counter::open(&path).expect("a socket")));
        let mut guests = guests(&mut operators, &path, 2);
        (0..100_000).for_each(|_| operators.tell("a line that nobody reads"));
        guests[1].write_all(b"d\n").expect("room");
        assert_eq!(heard(&mut operators), [Word::Ask(Ask::Disarm)]);
    }

    #[test]
    fn one_who_leaves_hears_what_became_of_it() {
        let (_folder, path) = at("operator");
        let mut operators = Operators::new(None, Some(Counter::open(&path).expect("a socket")));
        let mut guest = guests(&mut operators, &path, 1).remove(0);
        guest.write_all(b"arm\n").expect("room");
        guest.shutdown(std::net::Shutdown::Write).expect("open");
        assert_eq!(heard(&mut operators), [Word::Ask(Ask::Arm)]);
        assert_eq!(heard(&mut operators), [STOP]);
        operators.tell("stopped");
        operators.sweep();
        let mut text = String::new();
        guest.read_to_string(&mut text).expect("closed");
        assert_eq!(text, "disarmed\nstopped\n");
    }

    #[test]
    fn a_dead_guardians_socket_is_replaced_and_a_file_is_not() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = at("operator");
        std::mem::forget(Counter::open(&path).expect("a socket"));
        let again = Counter::open(&path).expect("a socket");
        assert_eq!(std::fs::metadata(&path).expect("it").permissions().mode() & 0o777, 0o660);
        drop(again);
        assert!(!path.exists());
        std::fs::write(&path, "mine").expect("room");
        assert!(Counter::open(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("it"), "mine");
    }
}
