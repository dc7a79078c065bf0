//! Where the windows of a convolution lie in its input, and the walk over them. Refuses windows that leave the input.

use std::ops::Range;

use super::error::KernelError;

/// Channels-last input seen as windows: that of output pixel (r, c) begins at `r * row_step + c * col_step` and is `taps`
/// runs of `run` elements whose beginnings are `pitch` apart. For a kernel of h x w over an input of W pixels of C
/// channels and stride s: `row_step = s * W * C`, `col_step = s * C`, `taps = h`, `run = w * C`, `pitch = W * C`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Windows {
    /// Rows of the output.
    pub rows: usize,
    /// Pixels of one output row.
    pub cols: usize,
    /// Elements from the window of one row to that of the next.
    pub row_step: usize,
    /// Elements from the window of one pixel to that of the next.
    pub col_step: usize,
    /// Runs of one window, at least 1.
    pub taps: usize,
    /// Elements of one run: a multiple of 8. Where the true run is shorter, the weights beyond it are zero; what lies
    /// there must still be readable.
    pub run: usize,
    /// Elements from one run to the next.
    pub pitch: usize,
}

impl Windows {
    /// Elements of one window that are multiplied.
    ///
    /// # Errors
    /// [`KernelError`] where `taps` is 0, `run` is no positive multiple of 8, or their product overflows.
    pub fn depth(&self) -> Result<usize, KernelError> {
        depth(self.taps, self.run)
    }

    /// Checks that the windows of `rows` lie in an input of `length` elements; the number of their pixels.
    pub(super) fn check(&self, rows: &Range<usize>, length: usize) -> Result<usize, KernelError> {
        self.depth()?;
        if rows.start > rows.end || rows.end > self.rows {
            let (start, end) = (rows.start, rows.end);
            return Err(KernelError::Range { what: "rows", start, end, limit: self.rows });
        }
        if rows.is_empty() || self.cols == 0 {
            return Ok(0);
        }
        let last = |steps: usize, step: usize| steps.checked_sub(1)?.checked_mul(step);
        let reach = last(rows.end, self.row_step)
            .and_then(|row| row.checked_add(last(self.cols, self.col_step)?))
            .and_then(|pixel| pixel.checked_add(last(self.taps, self.pitch)?))
            .and_then(|tap| tap.checked_add(self.run))
            .ok_or(KernelError::TooLarge("the last window"))?;
        if reach > length {
            return Err(KernelError::Reach { reach, length });
        }
        rows.len().checked_mul(self.cols).ok_or(KernelError::TooLarge("rows by columns"))
    }

    /// Where each window of `rows` begins, row by row; `rows` must have been checked.
    pub(super) fn walk(&self, rows: &Range<usize>) -> Walk {
        // Steps wrap only behind the last window, where nothing is read.
        Walk {
            at: rows.start.wrapping_mul(self.row_step),
            left: rows.len() * self.cols,
            in_row: self.cols,
            cols: self.cols,
            step: self.col_step,
            back: self.row_step.wrapping_sub(self.col_step.wrapping_mul(self.cols)),
        }
    }
}

/// Elements of a window of `taps` runs of `run`.
pub(super) fn depth(taps: usize, run: usize) -> Result<usize, KernelError> {
    if taps == 0 {
        return Err(KernelError::Size { what: "taps", saw: taps, wanted: "at least 1" });
    }
    if run == 0 || !run.is_multiple_of(8) {
        return Err(KernelError::Size { what: "run", saw: run, wanted: "a positive multiple of 8" });
    }
    taps.checked_mul(run).ok_or(KernelError::TooLarge("taps by run"))
}

/// The beginnings of windows, in the order of output pixels.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    at: usize,
    left: usize,
    in_row: usize,
    cols: usize,
    step: usize,
    back: usize,
}

impl Iterator for Walk {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        self.at = at.wrapping_add(self.step);
        self.in_row -= 1;
        if self.in_row == 0 {
            self.at = self.at.wrapping_add(self.back);
            self.in_row = self.cols;
        }
        Some(at)
    }
}
