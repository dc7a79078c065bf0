//! Protobuf's wire format, as much of it as the table uses. Writing goes into memory that is kept; reading
//! borrows. Refuses every length, tag and varint that does not fit; passes over fields that it does not know.

use thiserror::Error;

use super::layout::{Choice, Field, Kind, Layout};

const VARINT: u8 = 0;
const EIGHT: u8 = 1;
const DELIMITED: u8 = 2;
const FOUR: u8 = 5;

/// Room for the largest field number of the table.
const SLOTS: usize = 16;

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Fault {
    /// The bytes end within a field.
    #[error("{message} is cut within its {saw} bytes")]
    Cut {
        /// The message.
        message: &'static str,
        /// Its length as found.
        saw: usize,
    },
    /// A tag that protobuf does not have.
    #[error("{message} has a field of wire type {saw}, wanted 0, 1, 2 or 5")]
    Wire {
        /// The message.
        message: &'static str,
        /// The wire type.
        saw: u8,
    },
    /// A field of another type than the table's.
    #[error("{message}.{field} has wire type {saw}, wanted {wanted}")]
    Kind {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
        /// As found.
        saw: u8,
        /// As in the table.
        wanted: u8,
    },
    /// A field that must be there.
    #[error("{message}.{field} is missing")]
    Missing {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A number without a meaning.
    #[error("{message}.{field} is {saw}, wanted {wanted}")]
    Value {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
        /// As found.
        saw: String,
        /// What has a meaning.
        wanted: String,
    },
}

/// Writes one message.
#[derive(Debug)]
pub(crate) struct Pen<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Pen<'a> {
    /// Starts a message in `out`, which is emptied and keeps its memory.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        out.clear();
        Self { out }
    }

    fn tag(&mut self, field: Field) {
        self.out.push(field.number << 3 | wire(field.kind));
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.out.push((value & 0x7f) as u8);
    }

    /// Four bytes: `fixed32`.
    pub(crate) fn u32(&mut self, field: Field, value: u32) {
        self.tag(field);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes: `fixed64`.
    pub(crate) fn u64(&mut self, field: Field, value: u64) {
        self.tag(field);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    /// Four bytes: `float`, its bits as they are.
    pub(crate) fn f32(&mut self, field: Field, value: f32) {
        self.u32(field, value.to_bits());
    }

    /// Eight bytes: `double`, its bits as they are.
    pub(crate) fn f64(&mut self, field: Field, value: f64) {
        self.u64(field, value.to_bits());
    }

    /// A varint: an enum's number, or `int32` and `int64` where they are not negative.
    pub(crate) fn number(&mut self, field: Field, value: u64) {
        self.tag(field);
        self.varint(value);
    }

    /// `bytes` or `string`.
    pub(crate) fn bytes(&mut self, field: Field, value: &[u8]) {
        self.tag(field);
        self.varint(value.len() as u64);
        self.out.extend_from_slice(value);
    }

    /// `repeated float`, packed.
    pub(crate) fn floats(&mut self, field: Field, values: &[f32]) {
        self.tag(field);
        self.varint(values.len() as u64 * 4);
        for value in values {
            self.out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }

    /// A message within, of at most 127 bytes (a test adds up every table): its length is one byte, filled
    /// in afterwards.
    pub(crate) fn part(&mut self, field: Field, write: impl FnOnce(&mut Self)) {
        self.tag(field);
        let at = self.out.len();
        self.out.push(0);
        write(self);
        let len = self.out.len() - at - 1;
        debug_assert!(len < 0x80, "a part of {len} bytes");
        if let Some(place) = self.out.get_mut(at) {
            *place = u8::try_from(len).unwrap_or(0x7f);
        }
    }
}

const fn wire(kind: Kind) -> u8 {
    match kind {
        Kind::Float | Kind::Fixed32 => FOUR,
        Kind::Double | Kind::Fixed64 => EIGHT,
        Kind::Int32 | Kind::Int64 | Kind::Choice(_) => VARINT,
        Kind::Text | Kind::Bytes | Kind::Floats | Kind::Part(_) => DELIMITED,
    }
}

/// A value as it lies in the message.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of one message, by number. A field that comes twice counts as it came last.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    layout: &'static Layout,
    slots: [Option<Value<'a>>; SLOTS],
}

impl<'a> Fields<'a> {
    /// Reads all fields of the layout.
    pub(crate) fn read(layout: &'static Layout, bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut fields = Self { layout, slots: [None; SLOTS] };
        let mut rest = bytes;
        while !rest.is_empty() {
            fields.one(&mut rest).ok_or(Fault::Cut { message: layout.name, saw: bytes.len() })??;
        }
        Ok(fields)
    }

    /// Reads one field; `None` where the bytes end too early.
    fn one(&mut self, rest: &mut &'a [u8]) -> Option<Result<(), Fault>> {
        let tag = varint(rest)?;
        let saw = (tag & 7) as u8;
        let value = match saw {
            VARINT => Value::Number(varint(rest)?),
            EIGHT => Value::Number(u64::from_le_bytes(*take(rest)?)),
            FOUR => Value::Number(u64::from(u32::from_le_bytes(*take(rest)?))),
            DELIMITED => {
                let len = usize::try_from(varint(rest)?).ok()?;
                let (value, after) = rest.split_at_checked(len)?;
                *rest = after;
                Value::Bytes(value)
            }
            saw => return Some(Err(Fault::Wire { message: self.layout.name, saw })),
        };
        let Some(field) = self.layout.numbered(tag >> 3) else { return Some(Ok(())) };
        let wanted = wire(field.kind);
        if saw != wanted {
            let message = self.layout.name;
            return Some(Err(Fault::Kind { message, field: field.name, saw, wanted }));
        }
        if let Some(slot) = self.slots.get_mut(usize::from(field.number)) {
            *slot = Some(value);
        }
        Some(Ok(()))
    }

    fn slot(&self, field: Field) -> Option<Value<'a>> {
        self.slots.get(usize::from(field.number)).copied().flatten()
    }

    fn missing(&self, field: Field) -> Fault {
        Fault::Missing { message: self.layout.name, field: field.name }
    }

    /// A number without a meaning.
    #[expect(clippy::needless_pass_by_value, reason = "literals and numbers, said once on the way out")]
    pub(crate) fn value(&self, field: Field, saw: impl ToString, wanted: impl ToString) -> Fault {
        let (saw, wanted) = (saw.to_string(), wanted.to_string());
        Fault::Value { message: self.layout.name, field: field.name, saw, wanted }
    }

    /// `fixed64` or a varint, where it is there.
    pub(crate) fn maybe_u64(&self, field: Field) -> Option<u64> {
        match self.slot(field)? {
            Value::Number(value) => Some(value),
            Value::Bytes(_) => None,
        }
    }

    /// `fixed64` or a varint.
    pub(crate) fn u64(&self, field: Field) -> Result<u64, Fault> {
        self.maybe_u64(field).ok_or_else(|| self.missing(field))
    }

    /// `fixed32`.
    pub(crate) fn u32(&self, field: Field) -> Result<u32, Fault> {
        let value = self.u64(field)?;
        u32::try_from(value).map_err(|_| self.value(field, value, "four bytes"))
    }

    /// `float`.
    pub(crate) fn f32(&self, field: Field) -> Result<f32, Fault> {
        self.u32(field).map(f32::from_bits)
    }

    /// `double`.
    pub(crate) fn f64(&self, field: Field) -> Result<f64, Fault> {
        self.u64(field).map(f64::from_bits)
    }

    /// An enum's meaning: the entry of `meanings` at its number.
    pub(crate) fn choice<T: Copy>(&self, field: Field, choice: &Choice, meanings: &[T]) -> Result<T, Fault> {
        let saw = self.u64(field)?;
        let found = usize::try_from(saw).ok().and_then(|at| meanings.get(at));
        found.copied().ok_or_else(|| {
            let words: Vec<String> =
                choice.words.iter().enumerate().map(|(code, word)| format!("{code} {word}")).collect();
            self.value(field, saw, words.join(", "))
        })
    }

    /// `bytes` or `string`.
    pub(crate) fn bytes(&self, field: Field) -> Result<&'a [u8], Fault> {
        match self.slot(field) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(self.missing(field)),
        }
    }

    /// `repeated float`, packed; `each` takes one after the other.
    pub(crate) fn floats(&self, field: Field, mut each: impl FnMut(f32)) -> Result<(), Fault> {
        let bytes = self.bytes(field)?;
        let (fours, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(self.value(field, format!("{} bytes", bytes.len()), "a multiple of 4"));
        }
        for four in fours {
            each(f32::from_bits(u32::from_le_bytes(*four)));
        }
        Ok(())
    }

    /// A message within.
    pub(crate) fn part(&self, field: Field) -> Result<Self, Fault> {
        self.maybe_part(field)?.ok_or_else(|| self.missing(field))
    }

    /// A message within, where it is there.
    pub(crate) fn maybe_part(&self, field: Field) -> Result<Option<Self>, Fault> {
        match (self.slot(field), field.kind) {
            (Some(Value::Bytes(bytes)), Kind::Part(layout)) => Self::read(layout, bytes).map(Some),
            _ => Ok(None),
        }
    }
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(head)
}
