//! What a message's table is made of: each field's number, name and kind stand there once. The encoder, the
//! decoder and the schema on tape are all made from it.

/// How a field is written (protobuf's types). All numbers of ours have a fixed size, so that bits survive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `float`, four bytes.
    Float,
    /// `double`, eight bytes.
    Double,
    /// `fixed32`, four bytes.
    Fixed32,
    /// `fixed64`, eight bytes.
    Fixed64,
    /// `int32` as a varint, in Foxglove's messages.
    Int32,
    /// `int64` as a varint, in Foxglove's messages.
    Int64,
    /// `string`.
    Text,
    /// `bytes`.
    Bytes,
    /// `repeated float`, packed.
    Floats,
    /// An enum as a varint.
    Choice(&'static Choice),
    /// A message within.
    Part(&'static Layout),
}

/// An enum; a word's position is its number.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Its name within the package.
    pub(crate) name: &'static str,
    /// Its words, unique within the package as protobuf wants it.
    pub(crate) words: &'static [&'static str],
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// 1 to 15, so that the tag is one byte.
    pub(crate) number: u8,
    /// Its name in Foxglove.
    pub(crate) name: &'static str,
    /// How it is written.
    pub(crate) kind: Kind,
    /// Whether it may be absent.
    pub(crate) optional: bool,
}

impl Field {
    /// A field that is always there.
    pub(crate) const fn new(number: u8, name: &'static str, kind: Kind) -> Self {
        Self { number, name, kind, optional: false }
    }

    /// A field that may be absent.
    pub(crate) const fn maybe(number: u8, name: &'static str, kind: Kind) -> Self {
        Self { number, name, kind, optional: true }
    }
}

/// One message.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Its package.
    pub(crate) package: &'static str,
    /// Its name within the package.
    pub(crate) name: &'static str,
    /// All fields.
    pub(crate) fields: &'static [Field],
}

impl Layout {
    /// The field of that name; for constants only: a name that is not in the table does not compile.
    ///
    /// # Panics
    /// While compiling, where there is none.
    pub(crate) const fn at(&self, name: &str) -> Field {
        let mut rest = self.fields;
        while let [field, after @ ..] = rest {
            if same(field.name.as_bytes(), name.as_bytes()) {
                return *field;
            }
            rest = after;
        }
        panic!("no field of that name in the layout")
    }

    /// The field of that number.
    pub(crate) fn numbered(&self, number: u64) -> Option<&'static Field> {
        self.fields.iter().find(|field| u64::from(field.number) == number)
    }
}

/// Equality of bytes, in a constant.
const fn same(mut left: &[u8], mut right: &[u8]) -> bool {
    while let ([a, more_left @ ..], [b, more_right @ ..]) = (left, right) {
        if *a != *b {
            return false;
        }
        (left, right) = (more_left, more_right);
    }
    left.is_empty() && right.is_empty()
}
