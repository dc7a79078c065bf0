//! The file that somebody wants to run instead: read once, judged in memory, and only those very bytes go on.

use crate::domain::Digest;

use super::elf::{self, Machine};
use super::error::UpdateError;
pub use super::sums::Sum;
use super::{LARGEST, SMALLEST, package, sums};

/// A file as it was given.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Its name without folders.
    pub name: &'a str,
    /// All of it.
    pub bytes: &'a [u8],
    /// The digest that it ought to have.
    pub sum: Sum<'a>,
}

/// A program that was found whole, and for this machine.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The program itself.
    pub bytes: Vec<u8>,
    /// Of those bytes.
    pub digest: Digest,
}

impl Offer<'_> {
    /// Judges the file: digest first, since everything else means nothing of a file that came over damaged.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn judge(self, machine: Machine) -> Result<Fresh, UpdateError> {
        let (wanted, saw) = (sums::wanted(self.sum, self.name)?, Digest::of(self.bytes));
        if wanted != saw {
            return Err(UpdateError::OtherDigest { file: self.name.to_owned(), saw, wanted });
        }
        let packed = package::is_packed(self.bytes);
        let bytes = if packed { package::program(self.name, self.bytes)? } else { self.bytes.to_vec() };
        elf::check(self.name, &bytes, machine)?;
        let size = bytes.len() as u64;
        if !(SMALLEST..=LARGEST).contains(&size) {
            return Err(UpdateError::Size { file: self.name.to_owned(), saw: size });
        }
        Ok(Fresh { digest: Digest::of(&bytes), bytes })
    }
}
