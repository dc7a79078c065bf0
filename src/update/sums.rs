//! The digest that a file ought to have: as given, or from the `.sha256` file beside it, which is what `sha256sum` writes:
//! 64 hexadecimal digits, a space, a space or `*`, and the name. The name is held to, since a sum of another file says
//! nothing of this one.

use crate::domain::Digest;

use super::error::UpdateError;

/// Where the digest comes from.
#[derive(Clone, Copy, Debug)]
pub enum Sum<'a> {
    /// 64 hexadecimal digits, as typed.
    Given(&'a str),
    /// The text of the file `name` beside it.
    Beside {
        /// Its path, for people.
        name: &'a str,
        /// Its content.
        text: &'a str,
    },
    /// There is neither.
    Missing,
}

/// The digest for the file called `file`.
///
/// # Errors
/// Where there is none, it cannot be read, or is of another file.
pub(super) fn wanted(sum: Sum<'_>, file: &str) -> Result<Digest, UpdateError> {
    match sum {
        Sum::Given(text) => {
            Digest::from_hex(text).ok_or_else(|| UpdateError::NotADigest { saw: text.to_owned() })
        }
        Sum::Missing => Err(UpdateError::NoDigest { file: file.to_owned() }),
        Sum::Beside { name, text } => beside(name, text, file),
    }
}

fn beside(name: &str, text: &str, file: &str) -> Result<Digest, UpdateError> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let read = line_of(line).ok_or_else(|| UpdateError::NotASum {
            sums: name.to_owned(),
            line: number + 1,
            saw: line.chars().take(40).collect(),
        })?;
        lines.push(read);
    }
    let own: Vec<_> = lines.iter().filter(|(_, named)| base(named) == file).collect();
    match own.as_slice() {
        [(digest, _)] => Ok(*digest),
        [] => Err(UpdateError::SumOfAnother {
            sums: name.to_owned(),
            saw: lines.first().map_or("nothing".to_owned(), |(_, named)| format!("{named:?}")),
            wanted: file.to_owned(),
        }),
        many => {
            Err(UpdateError::ManySums { sums: name.to_owned(), count: many.len(), wanted: file.to_owned() })
        }
    }
}

/// One line; its name may carry the folder that it was made in.
fn line_of(line: &str) -> Option<(Digest, &str)> {
    let (digits, rest) = line.split_at_checked(64)?;
    let name = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"))?;
    Some((Digest::from_hex(digits)?, name)).filter(|_| !name.is_empty())
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
