//! Bytes of a terminal to keys. Sequences without a meaning are swallowed whole: their letters are no keys.

use crate::units::{Instant, Span};
use crate::vehicle::calibrating::Key;

/// An Esc that nothing follows for this long is the key, and no arrow: links split sequences.
const ESCAPE: Span = Span::from_millis(50);

/// Where in a sequence the last byte left off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// After `ESC [`, until a byte of `@` to `~`.
    Sequence,
    /// After `ESC O`, for one byte.
    Shifted,
}

/// Reads keys.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Keyboard {
    at: At,
    since: Instant,
}

impl Keyboard {
    /// The next byte; a key where it ends one.
    pub(super) fn take(&mut self, byte: u8, now: Instant) -> Option<Key> {
        let (at, key) = match (self.at, byte) {
            // Whatever came before, these end a session.
            (_, 0x03 | 0x04 | 0x1a | 0x1c) | (At::Escape, 0x1b) => (At::Ground, Some(Key::Quit)),
            (_, 0x1b) => (At::Escape, None),
            (At::Ground, byte) => (At::Ground, plain(byte)),
            (At::Escape, b'O') => (At::Shifted, None),
            (At::Sequence, b'@'..=b'~') | (At::Shifted, _) => (At::Ground, arrow(byte)),
            (At::Escape, b'[') | (At::Sequence, _) => (At::Sequence, None),
            // Alt and a letter.
            (At::Escape, _) => (At::Ground, None),
        };
        (self.at, self.since) = (at, now);
        key
    }

    /// Time goes by: an Esc alone becomes the key, the rest of a sequence is not waited for.
    pub(super) fn lapse(&mut self, now: Instant) -> Option<Key> {
        if self.at == At::Ground || now.since(self.since) < ESCAPE {
            return None;
        }
        let was = std::mem::take(&mut self.at);
        (was == At::Escape).then_some(Key::Quit)
    }
}

fn plain(byte: u8) -> Option<Key> {
    match byte {
        b'\r' | b'\n' => Some(Key::Enter),
        0x08 | 0x7f => Some(Key::Rubout),
        b' '..=b'~' => Some(Key::Char(char::from(byte))),
        _ => None,
    }
}

const fn arrow(byte: u8) -> Option<Key> {
    match byte {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Keyboard;
    use crate::units::{Instant, Span};
    use crate::vehicle::calibrating::Key;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keyboard = Keyboard::default();
        bytes.iter().filter_map(|byte| keyboard.take(*byte, Instant(0))).collect()
    }

    #[test]
    fn arrows_come_in_two_dialects_and_other_sequences_leave_no_letters() {
        assert_eq!(keys(b"\x1b[A\x1b[B\x1bOC\x1bOD"), [Key::Up, Key::Down, Key::Right, Key::Left]);
        // Delete, F5, a mouse's report, Alt-s, a letter of two bytes.
        assert_eq!(keys(b"\x1b[3~\x1b[15~\x1b[<0;1;1M\x1bs\xc3\xbc"), []);
        assert_eq!(keys(b"q\r\n\x7f"), [Key::Char('q'), Key::Enter, Key::Enter, Key::Rubout]);
        assert_eq!(keys(b"\x03\x1a\x1b\x1b"), [Key::Quit; 3]);
    }

    #[test]
    fn an_escape_alone_becomes_a_key_with_time() {
        let mut keyboard = Keyboard::default();
        let at = |ms| Instant(0) + Span::from_millis(ms);
        assert_eq!(keyboard.take(0x1b, at(0)), None);
        assert_eq!(keyboard.lapse(at(49)), None);
        assert_eq!(keyboard.lapse(at(50)), Some(Key::Quit));
        assert_eq!(keyboard.lapse(at(99)), None);
        // Split in the middle, an arrow is still one.
        assert_eq!((keyboard.take(0x1b, at(100)), keyboard.take(b'[', at(140))), (None, None));
        assert_eq!((keyboard.lapse(at(180)), keyboard.take(b'A', at(185))), (None, Some(Key::Up)));
        // What never ends is dropped, and is no Esc.
        assert_eq!((keyboard.take(0x1b, at(200)), keyboard.take(b'[', at(200))), (None, None));
        assert_eq!((keyboard.lapse(at(250)), keyboard.take(b'u', at(251))), (None, Some(Key::Char('u'))));
    }
}
