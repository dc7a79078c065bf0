//! The driver's request on the wire: 64 bytes, of which no turned bit and no value out of its range gets through.

use super::wire::{ASKS, Eye, LENGTH, Pen, WireError};
use crate::lease::{Mode, Record};
use crate::units::{Instant, Permille};

/// `HpR` and the version.
const MARK: u32 = u32::from_le_bytes(*b"HpR\x01");

const MODES: [Mode; 3] = [Mode::Idle, Mode::Autonomous, Mode::Manual];

/// For the wire.
#[must_use]
pub fn encode(record: &Record) -> [u8; LENGTH] {
    let mut pen = Pen::begin(MARK);
    pen.put(record.session.to_le_bytes());
    pen.put(record.seq.to_le_bytes());
    pen.put(record.frame.to_le_bytes());
    pen.put(record.captured_at.0.to_le_bytes());
    pen.put(record.valid_until.0.to_le_bytes());
    pen.put(record.operator_seq.to_le_bytes());
    pen.put(record.steering.get().to_le_bytes());
    pen.put(record.throttle.get().to_le_bytes());
    pen.put([record.mode as u8, record.ask as u8]);
    pen.end()
}

/// From the wire.
///
/// # Errors
/// [`WireError`]: another length, a damaged record, another version, or a value out of its range.
pub fn decode(bytes: &[u8]) -> Result<Record, WireError> {
    let mut eye = Eye::begin(bytes, MARK)?;
    let (session, seq, frame) = (eye.u32(), eye.u64(), eye.u64());
    let (captured_at, valid_until) = (Instant(eye.u64()), Instant(eye.u64()));
    let operator_seq = eye.u64();
    let (steering, throttle) = (share("steering", eye.i16())?, share("throttle", eye.i16())?);
    let (mode, ask) = (eye.one_of("the mode", &MODES)?, eye.one_of("the ask", &ASKS)?);
    Ok(Record { session, seq, frame, captured_at, valid_until, mode, ask, operator_seq, steering, throttle })
}

fn share(what: &'static str, value: i16) -> Result<Permille, WireError> {
    Permille::new(value).ok_or(WireError::Value { what, saw: value.unsigned_abs().into() })
}
