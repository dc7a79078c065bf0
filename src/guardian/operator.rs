//! The operator's words, a line each. Whatever is not understood means stop: a hand that hits the keyboard in a hurry is
//! obeyed. Refuses nothing.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::domain::Ask;

/// What a line asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// For the lease and the governor.
    Ask(Ask),
    /// To end the program.
    Quit,
}

/// Lines from a terminal or a pipe.
#[derive(Debug)]
pub struct Operator {
    input: Option<OwnedFd>,
    line: Vec<u8>,
    /// Whether a word has come yet: an input that was never used may close without meaning anything.
    spoke: bool,
}

/// Longer lines are a stop as well; what is beyond this is dropped.
const LONGEST: usize = 64;

impl Operator {
    /// An operator at `input`.
    #[must_use]
    pub const fn new(input: Option<OwnedFd>) -> Self {
        Self { input, line: Vec::new(), spoke: false }
    }

    /// What to poll.
    #[must_use]
    pub fn input(&self) -> Option<BorrowedFd<'_>> {
        self.input.as_ref().map(AsFd::as_fd)
    }

    /// Whether a word has come from there.
    pub(super) const fn spoke(&self) -> bool {
        self.spoke
    }

    /// Reads what is there, once; call where poll says that there is something. An input that ends after having been used
    /// is a stop: nobody is holding on any more.
    pub fn read(&mut self, words: &mut Vec<Word>) {
        let mut bytes = [0; 256];
        let Some(input) = &self.input else { return };
        match rustix::io::read(input, &mut bytes) {
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            // Closed, or broken: nobody is holding on either way.
            Ok(0) | Err(_) => {
                self.input = None;
                if self.spoke {
                    words.push(Word::Ask(Ask::Stop));
                }
            }
            Ok(count) => bytes.iter().take(count).for_each(|byte| self.take(*byte, words)),
        }
    }

    fn take(&mut self, byte: u8, words: &mut Vec<Word>) {
        if byte == b'\n' {
            words.push(word(&self.line));
            self.line.clear();
            self.spoke = true;
        } else if self.line.len() < LONGEST {
            self.line.push(byte);
        }
    }
}

fn word(line: &[u8]) -> Word {
    match line.trim_ascii() {
        b"arm" | b"a" => Word::Ask(Ask::Arm),
        b"disarm" | b"d" => Word::Ask(Ask::Disarm),
        b"quit" | b"q" => Word::Quit,
        _ => Word::Ask(Ask::Stop),
    }
}

#[cfg(test)]
mod tests {
    use super::{Operator, Word};
    use crate::domain::Ask;

    fn said(text: &str) -> Vec<Word> {
        let mut operator = Operator::new(None);
        let mut words = Vec::new();
        text.bytes().for_each(|byte| operator.take(byte, &mut words));
        words
    }

    #[test]
    fn three_words_mean_something_and_everything_else_is_a_stop() {
        let (arm, stop) = (Word::Ask(Ask::Arm), Word::Ask(Ask::Stop));
        assert_eq!(said("arm\na\n  arm \r\n"), [arm, arm, arm]);
        assert_eq!(said("\nstop\nARM\nasdf\n"), [stop, stop, stop, stop]);
        assert_eq!(said("d\nquit\n"), [Word::Ask(Ask::Disarm), Word::Quit]);
        assert_eq!(said("arm"), [], "not said before the line ends");
        assert_eq!(said(&format!("{}arm\n", "x".repeat(1000))), [stop]);
    }

    #[test]
    fn an_operator_who_leaves_stops_the_car() {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let mut operator = Operator::new(Some(reader.into()));
        std::io::Write::write_all(&mut writer, b"arm\n").expect("room");
        let mut words = Vec::new();
        operator.read(&mut words);
        drop(writer);
        operator.read(&mut words);
        assert_eq!(words, [Word::Ask(Ask::Arm), Word::Ask(Ask::Stop)]);
        assert!(operator.input().is_none());
        // One who was never there does not.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(writer);
        let (mut operator, mut words) = (Operator::new(Some(reader.into())), Vec::new());
        operator.read(&mut words);
        assert_eq!(words, []);
    }
}
