//! The camera in words, and what became of its frames: for tapes and reports.

use crate::domain::PixelFormat;
use crate::hal::capture::{Agreed, Counters};

/// What one or two cameras agreed to send, as `video0 MJPG 640x480 at 30 Hz`.
pub(crate) fn described(agreed: &[Agreed]) -> String {
    let one = |eye: &Agreed| {
        let format = match eye.format {
            PixelFormat::Mjpeg => "MJPG",
            PixelFormat::Yuyv(_) => "YUYV",
        };
        format!("{} {format} {}x{} at {} Hz", eye.node, eye.size.width, eye.size.height, eye.rate_hz)
    };
    agreed.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// The counters by name.
pub(crate) fn counted(counters: &Counters) -> Vec<(&'static str, u64)> {
    vec![
        ("ready", counters.frames),
        ("overtaken by a newer one", counters.dropped),
        ("held back after a replug", counters.withheld),
        ("lost by the kernel", counters.kernel_gaps),
        ("damaged", counters.errors),
        ("times reopened", counters.reopened),
    ]
}
