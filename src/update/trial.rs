//! The text that stands while a new program has not proven itself. `settle` reads it before each start, so its form is a
//! contract between versions: three lines, `from=a`, `to=b`, `tries=0`.

use super::place::Slot;

/// A program on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The slot that ran before, and will again where the new one does not come up.
    pub from: Slot,
    /// The slot on trial.
    pub to: Slot,
    /// Starts since; at the second, `settle` goes back.
    pub tries: u32,
}

impl Trial {
    /// The text.
    #[must_use]
    pub fn text(self) -> String {
        format!("from={}\nto={}\ntries={}\n", self.from, self.to, self.tries)
    }

    /// Reads the text; `None` where it is another.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix('=');
        let (from, to) = (Slot::named(value("from")?)?, Slot::named(value("to")?)?);
        let tries = value("tries")?.parse().ok()?;
        lines.next().is_none().then_some(Self { from, to, tries })
    }
}

#[cfg(test)]
mod tests {
    use super::Trial;
    use crate::update::Slot;

    #[test]
    fn the_text_reads_back_and_nothing_else_does() {
        for tries in [0, 1, 7] {
            let trial = Trial { from: Slot::B, to: Slot::A, tries };
            assert_eq!(Trial::read(&trial.text()), Some(trial));
        }
        assert_eq!(
            Trial::read("from=a\nto=b\ntries=0\n"),
            Some(Trial { from: Slot::A, to: Slot::B, tries: 0 })
        );
        for bad in [
            "",
            "from=a\n",
            "from=a\nto=b\ntries=",
            "from=c\nto=b\ntries=0\n",
            "from=a\nto=b\ntries=0\nx=1\n",
        ] {
            assert_eq!(Trial::read(bad), None, "{bad:?}");
        }
    }
}
