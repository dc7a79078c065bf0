//! Which camera is which eye: the choice at start, the same one again after a replug, and which two pictures make a
//! pair. Refuses to guess: an eye that comes back in another socket of a stereo car stays closed.

use std::path::{Path, PathBuf};

use super::camera::{self, DEEPRACER_CAMERA, Node};
use super::{CameraSettings, HalError, Settings};
use crate::units::{Instant, Span};

/// How many eyes are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eyes {
    /// One or two, as many as there are of the kind.
    #[default]
    AsFound,
    /// One: of two cameras the left one, as the stock car does with its list (car.md §2.1).
    One,
    /// Two.
    Two,
}

/// A camera that was chosen, and how it is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) node: Node,
    /// Whether it may come back in another socket: it was the only one of its kind.
    roams: bool,
}

/// The cameras that `settings` mean, left first. Of two, the one further on in the order of USB sockets is left, unless
/// `swap_eyes`: the stock car takes the higher index (car.md §2.1), which changes from boot to boot where sockets do not.
///
/// # Errors
/// [`HalError::NoCamera`] naming what was looked for and what is there.
pub(super) fn choose(settings: &Settings, eyes: Eyes) -> Result<Vec<Seat>, HalError> {
    let class = settings.at("/sys/class/video4linux");
    let nodes = camera::find(&class);
    let wanted = &settings.camera;
    let mut fit = candidates(settings, &nodes);
    let refuse = |wanted: String| {
        Err(HalError::NoCamera {
            wanted,
            class: class.clone(),
            saw: listed(&nodes),
            device: settings.camera.device.clone(),
        })
    };
    if fit.is_empty() {
        return refuse(named(wanted));
    }
    if eyes == Eyes::Two && fit.len() < 2 {
        return refuse(format!("two cameras ({})", named(wanted)));
    }
    let roams = fit.len() == 1;
    fit.truncate(2);
    if !wanted.swap_eyes {
        fit.reverse();
    }
    if eyes == Eyes::One {
        fit.truncate(1);
    }
    Ok(fit.into_iter().map(|node| Seat { node, roams }).collect())
}

/// The nodes that the setting can mean, in the order of their sockets.
fn candidates(settings: &Settings, nodes: &[Node]) -> Vec<Node> {
    let device = settings.camera.device.as_str();
    let of = |vendor: &str, product: &str| -> Vec<Node> {
        let same = |node: &&Node| node.usb.0 == vendor && node.usb.1 == product;
        nodes.iter().filter(same).cloned().collect()
    };
    if device == "auto" {
        let stock = of(DEEPRACER_CAMERA.0, DEEPRACER_CAMERA.1);
        if !stock.is_empty() {
            return stock;
        }
        // Any camera; one on USB before the capture ends of a board's image processor.
        let (usb, other): (Vec<&Node>, Vec<&Node>) = nodes.iter().partition(|node| !node.usb.0.is_empty());
        let mut in_turn = usb.into_iter().chain(other);
        return in_turn
            .find(|node| camera::streams(&path(settings, &node.name)))
            .cloned()
            .into_iter()
            .collect();
    }
    if device.starts_with('/') {
        return named_node(settings, nodes).into_iter().collect();
    }
    device.split_once(':').map_or_else(Vec::new, |(vendor, product)| {
        of(&vendor.to_ascii_lowercase(), &product.to_ascii_lowercase())
    })
}

/// The node that a path names, also through a link as under `/dev/v4l/by-path`.
fn named_node(settings: &Settings, nodes: &[Node]) -> Option<Node> {
    let given = settings.at(&settings.camera.device);
    let real = std::fs::canonicalize(&given).unwrap_or(given);
    let name = real.file_name()?.to_string_lossy().into_owned();
    let known = nodes.iter().find(|node| node.name == name).cloned();
    // A tree without a class for it still may have the device.
    known.or_else(|| {
        let unlisted = !settings.at("/sys/class/video4linux").join(&name).exists();
        let node = Node { name, usb: (String::new(), String::new()), place: PathBuf::new() };
        (unlisted && camera::streams(&path(settings, &node.name))).then_some(node)
    })
}

/// Where a node is opened.
pub(super) fn path(settings: &Settings, name: &str) -> PathBuf {
    settings.at("/dev").join(name)
}

impl Seat {
    /// The same camera among `nodes`: in the same socket whatever its number is now; or anywhere, if it was the only
    /// one of its kind.
    pub(super) fn find_again<'a>(&'a self, nodes: &'a [Node]) -> Option<&'a Node> {
        if self.node.place == Path::new("") {
            return Some(&self.node);
        }
        let kind = |node: &&Node| node.usb == self.node.usb;
        let here = nodes.iter().filter(kind).find(|node| node.place == self.node.place);
        let roams = self.roams && !self.node.usb.0.is_empty();
        here.or_else(|| nodes.iter().find(|node| roams && kind(node)))
    }
}

fn named(wanted: &CameraSettings) -> String {
    match wanted.device.as_str() {
        "auto" => format!("{}:{} or any that streams", DEEPRACER_CAMERA.0, DEEPRACER_CAMERA.1),
        other => other.to_owned(),
    }
}

fn listed(nodes: &[Node]) -> String {
    let each = |node: &Node| match node.usb.0.as_str() {
        "" => node.name.clone(),
        vendor => format!("{} ({vendor}:{})", node.name, node.usb.1),
    };
    if nodes.is_empty() { "none".to_owned() } else { nodes.iter().map(each).collect::<Vec<_>>().join(", ") }
}

/// Whether two pictures were taken at about the same time: less than half a period apart. `period` is the longer of the
/// two cameras' last ones, so that a pair is still found where both slow down in bad light. Cameras whose delays differ
/// by more than half a period would never pair: stereo wants two of a kind.
pub(super) fn is_pair(left: Instant, right: Instant, period: Span) -> bool {
    let apart = left.since(right).0.max(right.since(left).0);
    apart.saturating_mul(2) < period.0
}

#[cfg(test)]
mod tests {
    use super::{Seat, is_pair};
    use crate::hal::camera::Node;
    use crate::units::{Instant, Span};

    fn node(name: &str, usb: &str, place: &str) -> Node {
        Node { name: name.into(), usb: (usb.into(), "1".into()), place: place.into() }
    }

    #[test]
    fn a_camera_is_known_again() {
        let at = |roams| Seat { node: node("video0", "29fe", "/usb/1-2"), roams };
        let other = node("video3", "29fe", "/usb/1-3");
        let same = node("video2", "29fe", "/usb/1-2");
        let stranger = node("video1", "0001", "/usb/1-2");
        let found = |seat: &Seat, nodes: &[Node]| seat.find_again(nodes).map(|node| node.name.clone());
        assert_eq!(found(&at(true), &[stranger.clone(), other.clone(), same.clone()]), Some("video2".into()));
        assert_eq!(found(&at(true), &[stranger.clone(), other.clone()]), Some("video3".into()));
        assert_eq!(found(&at(false), &[stranger.clone(), other]), None, "another eye's socket");
        assert_eq!(found(&at(true), &[stranger]), None);
        let unlisted = Seat { node: node("video5", "", ""), roams: true };
        assert_eq!(found(&unlisted, &[same]), Some("video5".into()));
    }

    #[test]
    fn a_pair_lies_less_than_half_a_period_apart() {
        let period = Span(33_000_000);
        for (left, right, wanted) in
            [(100, 100, true), (100, 116, true), (116, 100, true), (100, 117, false), (117, 100, false)]
        {
            assert_eq!(is_pair(Instant(left * 1_000_000), Instant(right * 1_000_000), period), wanted);
        }
    }
}
