//! The bytes of a `.npy` file to rows of six numbers: format versions 1 to 3, little-endian float64 or
//! float32, C order. Refuses everything else by name; never allocates more than the file is long.

use super::error::TrackError;

const MAGIC: &[u8] = b"\x93NUMPY";
const COLUMNS: usize = 6;

/// The rows of an N x 6 array.
///
/// # Errors
/// [`TrackError::Array`]: not an array, another kind, order or shape, or cut short.
pub(super) fn rows(bytes: &[u8]) -> Result<Vec<[f64; COLUMNS]>, TrackError> {
    let (header, values) = split(bytes)?;
    let wide = width(header)?;
    if entry(header, "fortran_order").is_some_and(|rest| rest.starts_with("True")) {
        return refuse("its order is Fortran's: save numpy.ascontiguousarray of it");
    }
    let shape = shape(header)?;
    let [count, COLUMNS] = *shape.as_slice() else {
        let seen: Vec<String> = shape.iter().map(ToString::to_string).collect();
        return refuse(format!("its shape is ({})", seen.join(", ")));
    };
    let wanted = count.checked_mul(COLUMNS * wide);
    if wanted != Some(values.len()) {
        let wanted = wanted.map_or_else(|| "more than there can be".to_owned(), |bytes| bytes.to_string());
        return refuse(format!(
            "{count} rows need {wanted} bytes after the header, the file has {}",
            values.len()
        ));
    }
    Ok(values.chunks_exact(COLUMNS * wide).map(|row| numbers(row, wide)).collect())
}

fn refuse<T>(why: impl Into<String>) -> Result<T, TrackError> {
    Err(TrackError::Array { why: why.into() })
}

/// The header's text and the bytes after it.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), TrackError> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return refuse("it does not start with NumPy's mark");
    };
    let cut = || TrackError::Array { why: "the file ends inside its header".to_owned() };
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (long, rest) = match version[0] {
        1 => rest.split_first_chunk::<2>().map(|(long, rest)| (usize::from(u16::from_le_bytes(*long)), rest)),
        2 | 3 => rest
            .split_first_chunk::<4>()
            .map(|(long, rest)| (usize::try_from(u32::from_le_bytes(*long)).unwrap_or(usize::MAX), rest)),
        other => return refuse(format!("format version {other}, known are 1 to 3")),
    }
    .ok_or_else(cut)?;
    let (header, values) = rest.split_at_checked(long).ok_or_else(cut)?;
    let header = std::str::from_utf8(header)
        .map_err(|_| TrackError::Array { why: "its header is not text".to_owned() })?;
    Ok((header, values))
}

/// What follows a key of the header's dictionary.
fn entry<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = ['\'', '"'].into_iter().find_map(|quote| {
        let mark = format!("{quote}{key}{quote}");
        header.find(&mark).and_then(|at| header.get(at + mark.len()..))
    });
    quoted?.trim_start().strip_prefix(':').map(str::trim_start)
}

/// Bytes of one number.
fn width(header: &str) -> Result<usize, TrackError> {
    let Some(rest) = entry(header, "descr") else {
        return refuse("its header names no kind of number ('descr')");
    };
    let kind = rest.get(1..).and_then(|text| text.split(['\'', '"']).next()).unwrap_or("");
    match kind {
        "<f8" => Ok(8),
        "<f4" => Ok(4),
        ">f8" | ">f4" => refuse("its numbers are big-endian: save it with .astype('<f8')"),
        _ => {
            let seen: String = rest.chars().take(24).collect();
            refuse(format!("it holds {seen:?}: save it with .astype('<f8')"))
        }
    }
}

/// The lengths of its axes.
fn shape(header: &str) -> Result<Vec<usize>, TrackError> {
    let inside =
        entry(header, "shape").and_then(|rest| rest.strip_prefix('(')).and_then(|rest| rest.split_once(')'));
    let Some((inside, _)) = inside else {
        return refuse("its header names no shape");
    };
    let axes = inside.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    match axes.map(str::parse).collect() {
        Ok(axes) => Ok(axes),
        Err(_) => refuse("its shape is not of whole numbers"),
    }
}

fn numbers(row: &[u8], wide: usize) -> [f64; COLUMNS] {
    let mut numbers = [0.0; COLUMNS];
    for (number, bytes) in numbers.iter_mut().zip(row.chunks_exact(wide)) {
        *number = match (bytes.first_chunk::<8>(), bytes.first_chunk::<4>()) {
            (Some(eight), _) => f64::from_le_bytes(*eight),
            (None, Some(four)) => f64::from(f32::from_le_bytes(*four)),
            (None, None) => f64::NAN,
        };
    }
    numbers
}
