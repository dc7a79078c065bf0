//! Why an update is refused or went back. Each message says what was wrong and what to do; but for the last three,
//! nothing was changed.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::domain::Digest;

use super::elf::Machine;
use super::place::Slot;
use super::{LARGEST, SMALLEST};

/// An update that is refused, or did not come up.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum UpdateError {
    #[error("hairpin is not installed here: there is no {current}; deploy/install.sh installs it")]
    NotInstalled { current: PathBuf },
    #[error("{current} leads to {saw:?}, wanted \"a\" or \"b\"; `{settle}` as root mends it", settle = settle.display())]
    OddCurrent { current: PathBuf, saw: String, settle: PathBuf },
    #[error("{program}, which ought to run, cannot be read ({source}); `{settle}` as root mends it", settle = settle.display())]
    NoCurrent { program: PathBuf, source: io::Error, settle: PathBuf },
    #[error("another update runs and holds {home}; wait until it is done")]
    Busy { home: PathBuf },
    #[error("cannot change {folder} ({source}); run as root: sudo hairpin update ...")]
    NotWritable { folder: PathBuf, source: io::Error },
    #[error(
        "{folder} has {free_mib} MiB free, wanted {wanted_mib} MiB: twice the program; make room, for example among the tapes"
    )]
    NoRoom { folder: PathBuf, free_mib: u64, wanted_mib: u64 },
    #[error(
        "slot {to} is on trial since an earlier update (starts so far: {tries}, none confirmed); \
         keep it with `hairpin update --confirm`, or go back to slot {from} with `hairpin update --roll-back`"
    )]
    TrialOpen { from: Slot, to: Slot, tries: u32 },
    #[error(
        "{path} cannot be understood: {saw:?}; `hairpin update --confirm` keeps what runs now and removes it"
    )]
    OddTrial { path: PathBuf, saw: String },
    #[error("slot {slot} holds no program to go back to: {why}; there was no update yet, or it was cut")]
    NoOther { slot: Slot, why: String },
    #[error("the car is armed or about to be ({says:?}) and would stop; disarm it first, or say --yes")]
    Armed { says: String },

    #[error(
        "there is no digest for {file}: wanted --sha256 HEX, or the file {file}.sha256 beside it, as the release has it; \
         `sha256sum {file} > {file}.sha256` makes one where the file was made"
    )]
    NoDigest { file: String },
    #[error("--sha256 {saw:?} is no SHA-256, wanted 64 hexadecimal digits")]
    NotADigest { saw: String },
    #[error(
        "{sums}, line {line}: saw {saw:?}, wanted what sha256sum writes: 64 hexadecimal digits, two spaces, a name"
    )]
    NotASum { sums: String, line: usize, saw: String },
    #[error(
        "{sums} holds the digest of {saw}, wanted one of {wanted:?}; take the file that was released with it"
    )]
    SumOfAnother { sums: String, saw: String, wanted: String },
    #[error("{sums} holds {count} digests of {wanted:?}, wanted one; say --sha256 HEX")]
    ManySums { sums: String, count: usize, wanted: String },
    #[error(
        "{file} has the digest {saw}, wanted {wanted}; it came over damaged or is another file: fetch it again"
    )]
    OtherDigest { file: String, saw: Digest, wanted: Digest },

    #[error("{file} is no program: saw {saw}, wanted an ELF program or a release archive (.tar.gz)")]
    NotAProgram { file: String, saw: String },
    #[error("{file} is a program for {saw}, wanted one for {wanted}; take the release of that name")]
    OtherMachine { file: String, saw: String, wanted: Machine },
    #[error("{file} is cut: the program has {saw} bytes, wanted at least {wanted}; fetch it again")]
    ProgramCut { file: String, saw: u64, wanted: u64 },
    #[error("{file}: the program has {saw} bytes, wanted {min} to {max}; this is not hairpin", min = SMALLEST, max = LARGEST)]
    Size { file: String, saw: u64 },
    #[error("{file} is damaged: {saw}; fetch it again")]
    ArchiveDamaged { file: String, saw: String },
    #[error(
        "{file} holds no program: wanted a member `hairpin`, saw {saw}; this is no release archive of hairpin"
    )]
    NoMember { file: String, saw: String },
    #[error(
        "{file} holds more than one program ({saw}), wanted one; unpack it and update with the one that you mean"
    )]
    ManyMembers { file: String, saw: String },
    #[error("{file}: member {path:?} {saw}; this archive is not trusted, and nothing of it is taken")]
    NotTrusted { file: String, path: String, saw: &'static str },
    #[error(
        "the new program does not start here: {saw}; wanted `hairpin VERSION` from --version. Nothing was changed"
    )]
    DoesNotStart { saw: String },

    #[error("cannot {doing} {path}{}; the program that ran before still starts", remedy(source))]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the program in slot {to} did not come up: {why}; slot {from} {}\n{words}", again(*up))]
    WentBack { from: Slot, to: Slot, why: String, up: bool, words: String },
    #[error(
        "slot {slot} is in use again and did not come up: {why}; `hairpin doctor` looks for the cause\n{words}"
    )]
    DidNotComeUp { slot: Slot, why: String, words: String },
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": the disk is full; make room and try again"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => "; run as root",
        _ => "",
    }
}

const fn again(up: bool) -> &'static str {
    if up {
        "runs again"
    } else {
        "is in use again and does not come up either, so the cause is probably elsewhere: `hairpin doctor` looks for it, \
         and --no-restart updates without a start"
    }
}
