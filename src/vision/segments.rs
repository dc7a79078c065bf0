//! A JPEG's header segments, read up to its coded pixels: size, components, tables. Takes what cameras send, baseline
//! with one scan, and refuses every other kind by name, so that the decoder library only sees what it is good at.

use super::codes::CodeTables;
use super::damage::Damage;
use crate::domain::Size;

/// The largest width and height that is decoded; above the camera's largest picture (2688x1520, car.md §2.2).
pub(super) const LIMIT: u32 = 4096;

/// What is read besides the code tables: the steps by which coefficients were divided, in the order of the stream.
#[derive(Clone, Debug)]
pub(super) struct Steps(pub(super) [[u8; 64]; 4]);

impl Default for Steps {
    fn default() -> Self {
        Self([[0; 64]; 4])
    }
}

/// One colour component of a scan.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Component {
    id: u8,
    /// Blocks in a unit of the scan: horizontally times vertically.
    pub(super) across: usize,
    pub(super) down: usize,
    /// Numbers of its tables.
    pub(super) steps: u8,
    pub(super) dc: u8,
    pub(super) ac: u8,
}

/// What the headers say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    pub(super) size: Size,
    components: [Component; 3],
    count: usize,
    /// Units between restart markers; 0 where there are none.
    pub(super) restart: usize,
    /// Where the coded pixels begin.
    pub(super) pixels_at: usize,
    /// Whether it is what cameras send to the letter, so that our own decoding and the library's cannot differ: nothing in the
    /// header that the library reads in a way of its own (colour spaces by Adobe or by names of components), nothing that it
    /// is stricter about.
    pub(super) plain: bool,
}

impl Outline {
    /// One (grey) or three (brightness and two of colour).
    pub(super) fn components(&self) -> &[Component] {
        self.components.get(..self.count).unwrap_or_default()
    }
}

/// One segment: its marker, where that is, and what follows its length.
struct Segment<'a> {
    marker: u8,
    at: usize,
    body: &'a [u8],
    /// Whether nothing stood before its marker.
    tight: bool,
}

impl Segment<'_> {
    fn wrong(&self, why: &'static str) -> Damage {
        Damage::Segment { marker: self.marker, at: self.at, why }
    }
}

/// Reads the headers of `jpeg` and fills `tables` and `steps` from them.
pub(super) fn read(jpeg: &[u8], tables: &mut CodeTables, steps: &mut Steps) -> Result<Outline, Damage> {
    let [0xff, 0xd8, ..] = jpeg else {
        return Err(Damage::NotJpeg { saw: jpeg.iter().take(2).copied().collect() });
    };
    tables.clear();
    steps.0 = [[0; 64]; 4];
    let mut outline: Option<Outline> = None;
    let (mut at, mut restart, mut plain) = (2, 0, true);
    loop {
        let segment = next(jpeg, at)?;
        at = segment.at + 4 + segment.body.len();
        plain &= segment.tight && matches!(segment.marker, 0xc0 | 0xc4 | 0xdb | 0xdd | 0xda | 0xe0 | 0xfe);
        match segment.marker {
            0xc0 | 0xc1 if outline.is_some() => return Err(segment.wrong("a second frame header")),
            0xc0 | 0xc1 => outline = Some(frame(&segment)?),
            0xc4 => plain &= huffman(&segment, tables)?,
            0xdb => quantisation(&segment, steps)?,
            0xdd => match segment.body {
                [high, low] => restart = usize::from(u16::from_be_bytes([*high, *low])),
                _ => return Err(segment.wrong("a restart interval has two bytes")),
            },
            0xda => {
                let mut outline = outline.ok_or_else(|| segment.wrong("no frame header before the scan"))?;
                scan(&segment, &mut outline, steps)?;
                plain &= outline.plain;
                return Ok(Outline { restart, pixels_at: at, plain, ..outline });
            }
            // The library reads five bytes of a body of four.
            0xe0 => plain &= segment.body.len() != 4,
            0xe1..=0xef | 0xfe => {}
            _ => return Err(segment.wrong("wanted a table, a frame header, a scan or a comment here")),
        }
    }
}

fn next(jpeg: &[u8], from: usize) -> Result<Segment<'_>, Damage> {
    let cut = Damage::Cut { at: jpeg.len(), inside: "header" };
    let rest = jpeg.get(from..).unwrap_or_default();
    let Some(first) = rest.first() else { return Err(cut) };
    if *first != 0xff {
        return Err(Damage::Segment { marker: *first, at: from, why: "wanted a marker (ff) here" });
    }
    // A marker may be preceded by any number of ff.
    let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
    let at = from + fill - 1;
    let Some(marker) = rest.get(fill).copied() else { return Err(cut) };
    match marker {
        0xc2 => return Err(Damage::Unsupported { what: "progressive" }),
        0xc3 | 0xc5..=0xc7 | 0xc9..=0xcf => {
            return Err(Damage::Unsupported { what: "lossless, hierarchical or arithmetic-coded" });
        }
        0x00 | 0x01 | 0xd0..=0xd9 => {
            return Err(Damage::Segment { marker, at, why: "this marker does not belong into the header" });
        }
        _ => {}
    }
    let Some([high, low]) = rest.get(fill + 1..).and_then(<[u8]>::first_chunk) else { return Err(cut) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length < 2 {
        return Err(Damage::Segment { marker, at, why: "its length is less than 2" });
    }
    let body = rest.get(fill + 3..fill + 1 + length).ok_or(cut)?;
    Ok(Segment { marker, at, body, tight: fill == 1 })
}

fn frame(segment: &Segment<'_>) -> Result<Outline, Damage> {
    let [precision, h1, h0, w1, w0, count, listed @ ..] = segment.body else {
        return Err(segment.wrong("a frame header has at least nine bytes"));
    };
    if *precision != 8 {
        return Err(Damage::Unsupported { what: "not 8 bits deep" });
    }
    let (width, height) =
        (u32::from(u16::from_be_bytes([*w1, *w0])), u32::from(u16::from_be_bytes([*h1, *h0])));
    check_size(Size { width, height })?;
    let (listed, rest) = listed.as_chunks::<3>();
    let count = usize::from(*count);
    if count != listed.len() || !rest.is_empty() {
        return Err(segment.wrong("its length does not fit its number of components"));
    }
    if count != 1 && count != 3 {
        return Err(Damage::Unsupported { what: "neither grey nor of three components" });
    }
    let mut components = [Component::default(); 3];
    for (component, [id, factors, steps]) in components.iter_mut().zip(listed) {
        let (across, down) = (usize::from(factors >> 4), usize::from(factors & 15));
        *component = Component { id: *id, across, down, steps: *steps, dc: 0, ac: 0 };
    }
    let plain = match components.map(|part| (part.id, part.across, part.down)) {
        [(_, 1, 1), ..] if count == 1 => true,
        [(a, ..), (b, ..), (c, ..)] => {
            count == 3 && a != b && b != c && a != c && (a, b, c) != (b'R', b'G', b'B')
        }
    };
    let [first, others @ ..] = &mut components;
    if count == 1 {
        // The blocks of a single component follow each other whatever its factors say (T.81 A.2.2).
        (first.across, first.down) = (1, 1);
    } else if others.iter().any(|other| (other.across, other.down) != (1, 1))
        || !matches!((first.across, first.down), (1 | 2, 1 | 2) | (4, 1))
    {
        return Err(Damage::Unsupported {
            what: "sampled in another way than 4:4:4, 4:2:2, 4:2:0, 4:4:0 or 4:1:1",
        });
    }
    Ok(Outline { size: Size { width, height }, components, count, restart: 0, pixels_at: 0, plain })
}

/// Refuses sizes that are 0 or above [`LIMIT`].
pub(super) fn check_size(size: Size) -> Result<(), Damage> {
    let Size { width, height } = size;
    let fits = (1..=LIMIT).contains(&width) && (1..=LIMIT).contains(&height);
    if fits { Ok(()) } else { Err(Damage::Size { width, height, limit: LIMIT }) }
}

/// Whether the library takes them too, besides.
fn huffman(segment: &Segment<'_>, tables: &mut CodeTables) -> Result<bool, Damage> {
    let mut taken = true;
    let mut rest = segment.body;
    while let [target, after @ ..] = rest {
        let Some((counts, after)) = after.split_first_chunk::<16>() else {
            return Err(segment.wrong("a Huffman table is incomplete"));
        };
        let values = counts.iter().map(|count| usize::from(*count)).sum();
        let Some((values, after)) = after.split_at_checked(values) else {
            return Err(segment.wrong("a Huffman table is incomplete"));
        };
        if !tables.define(*target, counts, values) {
            return Err(segment.wrong("a Huffman table is impossible"));
        }
        taken &= *target >= 16 || values.iter().all(|size| *size <= 15);
        rest = after;
    }
    Ok(taken)
}

fn quantisation(segment: &Segment<'_>, steps: &mut Steps) -> Result<(), Damage> {
    let mut rest = segment.body;
    while let [target, after @ ..] = rest {
        // The upper half is 0 for steps of 8 bits, the only ones that 8-bit pictures may have (T.81 B.2.4.1).
        let (Some(table), Some((values, after))) =
            (steps.0.get_mut(usize::from(*target)), after.split_first_chunk::<64>())
        else {
            return Err(segment.wrong("wanted tables 0 to 3 of 64 single bytes"));
        };
        if values.contains(&0) {
            return Err(segment.wrong("a quantisation step is 0"));
        }
        *table = *values;
        rest = after;
    }
    Ok(())
}

fn scan(segment: &Segment<'_>, outline: &mut Outline, steps: &Steps) -> Result<(), Damage> {
    let [count, listed @ ..] = segment.body else {
        return Err(segment.wrong("a scan header has at least six bytes"));
    };
    if usize::from(*count) != outline.count {
        return Err(Damage::Unsupported { what: "split into several scans" });
    }
    let Some((listed, [0, 63, 0])) = listed.split_at_checked(2 * outline.count) else {
        return Err(segment.wrong("wanted all 64 coefficients of each component in one scan"));
    };
    for (component, [id, chosen]) in outline.components.iter_mut().zip(listed.as_chunks::<2>().0) {
        if component.id != *id {
            return Err(segment.wrong("the scan's components are not those of the frame header"));
        }
        (component.dc, component.ac) = (chosen >> 4, chosen & 15);
        if steps.0.get(usize::from(component.steps)).is_none_or(|table| table.contains(&0)) {
            return Err(segment.wrong("a component has no quantisation table"));
        }
    }
    Ok(())
}
