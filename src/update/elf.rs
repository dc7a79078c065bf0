//! Whether bytes are a whole program of this machine: the header and the two tables of an ELF file (System V ABI, "Object
//! Files"; machine numbers from its processor supplements). Runs nothing.

use std::fmt;

use super::error::UpdateError;

/// A processor that hairpin is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Intel and AMD, 64 bits: the DeepRacer's Atom.
    X86_64,
    /// Arm, 64 bits: Raspberry Pi cars.
    Aarch64,
}

impl Machine {
    /// The processor of that name, as Rust's standard library gives it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "x86_64" => Some(Self::X86_64),
            "aarch64" => Some(Self::Aarch64),
            _ => None,
        }
    }

    /// Its number in an ELF header.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::X86_64 => 62,
            Self::Aarch64 => 183,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        })
    }
}

/// The name of a machine number, for people.
fn machine_words(number: u16) -> String {
    match number {
        3 => "32-bit x86".to_owned(),
        40 => "32-bit Arm".to_owned(),
        62 => "x86_64".to_owned(),
        183 => "aarch64".to_owned(),
        243 => "RISC-V".to_owned(),
        other => format!("number {other}"),
    }
}

/// Refuses what is no whole program for `machine`.
///
/// # Errors
/// [`UpdateError::NotAProgram`], [`UpdateError::OtherMachine`] or [`UpdateError::ProgramCut`].
pub(super) fn check(name: &str, bytes: &[u8], machine: Machine) -> Result<(), UpdateError> {
    let not = |saw: &str| UpdateError::NotAProgram { file: name.to_owned(), saw: saw.to_owned() };
    if !bytes.starts_with(b"\x7fELF") {
        return Err(not(first_bytes(bytes)));
    }
    let cut =
        |wanted: u64| UpdateError::ProgramCut { file: name.to_owned(), saw: bytes.len() as u64, wanted };
    let header = Header::read(bytes).ok_or_else(|| cut(HEADER))?;
    if header.machine != machine.number() && header.is_little {
        return Err(UpdateError::OtherMachine {
            file: name.to_owned(),
            saw: machine_words(header.machine),
            wanted: machine,
        });
    }
    if !header.is_64_bit || !header.is_little {
        return Err(not("an ELF file that is not 64-bit little-endian"));
    }
    // Position-independent programs have the kind of a shared library; only programs have an entry.
    if !matches!(header.kind, EXECUTABLE | SHARED) || header.entry == 0 {
        return Err(not("an ELF file that is no program (an object, a library or a core dump)"));
    }
    let end = header.end(bytes).ok_or_else(|| not("an ELF file without anything to load"))?;
    if (bytes.len() as u64) < end {
        return Err(cut(end));
    }
    Ok(())
}

/// What a file that is no ELF file probably is.
fn first_bytes(bytes: &[u8]) -> &'static str {
    match bytes {
        [] => "an empty file",
        [b'#', b'!', ..] => "a script",
        [b'<', ..] => "a web page: the download link had expired, or wants a login",
        [b'P', b'K', ..] => "a zip file: unpack it first",
        [0x1f, 0x8b, ..] => "a gzip file",
        [0xfd, b'7', b'z', ..] => "an xz file: unpack it first",
        [b'M', b'Z', ..] => "a Windows program",
        [0x89, b'M', b'C', b'A', ..] => "a tape",
        _ if bytes.iter().take(512).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => {
            "text"
        }
        _ => "something else",
    }
}

const HEADER: u64 = 64;
const EXECUTABLE: u16 = 2;
const SHARED: u16 = 3;
/// A part that the kernel maps into memory.
const LOAD: u32 = 1;
/// Bytes of one line of the 64-bit tables.
const PART: u16 = 56;

struct Header {
    is_64_bit: bool,
    is_little: bool,
    kind: u16,
    machine: u16,
    entry: u64,
    parts: (u64, u16, u16),
    sections: (u64, u16, u16),
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            is_64_bit: *bytes.get(4)? == 2,
            is_little: *bytes.get(5)? == 1,
            kind: u16_at(bytes, 16)?,
            machine: u16_at(bytes, 18)?,
            entry: u64_at(bytes, 24)?,
            parts: (u64_at(bytes, 32)?, u16_at(bytes, 54)?, u16_at(bytes, 56)?),
            sections: (u64_at(bytes, 40)?, u16_at(bytes, 58)?, u16_at(bytes, 60)?),
        })
    }

    /// Where the last thing ends that the tables name; `None` where nothing is to be loaded. Of a table that the file
    /// is too short for, its own end.
    fn end(&self, bytes: &[u8]) -> Option<u64> {
        let table =
            |(at, size, count): (u64, u16, u16)| at.saturating_add(u64::from(size) * u64::from(count));
        let (at, size, count) = self.parts;
        if count == 0 || size != PART {
            return None;
        }
        let mut end = HEADER.max(table(self.parts)).max(table(self.sections));
        if end > bytes.len() as u64 {
            return Some(end);
        }
        let mut loads = false;
        for index in 0..u64::from(count) {
            let line = usize::try_from(at + index * u64::from(size)).ok()?;
            if u32_at(bytes, line)? == LOAD {
                loads = true;
                end = end.max(u64_at(bytes, line + 8)?.saturating_add(u64_at(bytes, line + 32)?));
            }
        }
        loads.then_some(end)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_le_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}
