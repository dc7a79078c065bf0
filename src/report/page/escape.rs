//! How text, numbers and pictures stand in the page: JSON inside a script element, HTML in the title,
//! base64 in data URIs. Nothing written here can end the element that it stands in.

use std::fmt::{self, Display, Formatter, Write as _};
use std::io::{self, Write};

/// A JSON string, quotes included. `<`, `>` and `&` are written as escapes, so `</script` and `<!--` cannot
/// occur (HTML, "restrictions for contents of script elements").
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write!(f, "\\u{:04x}", u32::from(letter))?,
                control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
                plain => f.write_char(plain)?,
            }
        }
        f.write_char('"')
    }
}

/// HTML text.
pub(super) struct Html<'a>(pub(super) &'a str);

impl Display for Html<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            control if control.is_control() => f.write_char(' '),
            plain => f.write_char(plain),
        })
    }
}

/// A JSON number with the fewest digits that give the same bits back; JSON has no NaN and no infinities, so
/// they are strings, by the names that `Number()` reads.
pub(super) struct Num<T>(pub(super) T);

macro_rules! num {
    ($float:ty) => {
        impl Display for Num<$float> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                match self.0 {
                    finite if finite.is_finite() => write!(f, "{finite:?}"),
                    nan if nan.is_nan() => f.write_str("\"NaN\""),
                    up if up > 0.0 => f.write_str("\"Infinity\""),
                    _ => f.write_str("\"-Infinity\""),
                }
            }
        }
    };
}

num!(f32);
num!(f64);

/// A value, or JSON's `null`.
pub(super) struct Maybe<T>(pub(super) Option<T>);

impl<T: Display> Display for Maybe<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// Bytes in base64 with padding (RFC 4648 §4).
pub(super) struct Base64<'a>(pub(super) &'a [u8]);

impl Display for Base64<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for group in self.0.chunks(3) {
            let bits =
                group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
            for place in 0..4 {
                let six = (bits >> (18 - 6 * place)) & 63;
                f.write_char(if place <= group.len() { sextet(six) } else { '=' })?;
            }
        }
        Ok(())
    }
}

/// The letter of six bits.
fn sextet(six: u32) -> char {
    let (base, from) = match six {
        0..26 => ('A', 0),
        26..52 => ('a', 26),
        52..62 => ('0', 52),
        62 => return '+',
        _ => return '/',
    };
    char::from_u32(u32::from(base) + six - from).unwrap_or('=')
}

/// A JSON array, `each` writing one element.
pub(super) fn list<W: Write, T>(
    out: &mut W,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut W, T) -> io::Result<()>,
) -> io::Result<()> {
    let mut between: &[u8] = b"[";
    for item in items {
        out.write_all(between)?;
        each(out, item)?;
        between = b",";
    }
    out.write_all(if between == b"[" { b"[]" } else { b"]" })
}
