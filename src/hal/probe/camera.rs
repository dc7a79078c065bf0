//! Cameras: which would be chosen, whether this user may open them, who has them. Knows a stock camera that has not
//! got its firmware yet (car.md §2.2). Opens none.

use super::finding::Finding;
use super::look;
use super::running::{Running, listed};
use crate::hal::camera::{DEEPRACER_CAMERA, Node, find};
use crate::hal::settings::Settings;

/// A stock camera before its firmware (car.md §2.2).
const UNBOOTED: (&str, &str) = ("29fe", "b00c");
const BOOT: &str =
    "sudo /opt/aws/deepracer/camera/start_cam.sh loads its firmware, which it loses with its power";

/// The camera, and whether somebody else has it.
pub(super) fn look(settings: &Settings, running: &[Running]) -> Vec<Finding> {
    let nodes = find(&settings.at("/sys/class/video4linux"));
    let chosen = choose(settings, &nodes);
    let unbooted = unbooted(settings);
    if chosen.is_empty() {
        return vec![nothing(settings, &nodes, &unbooted)];
    }
    let mut findings = vec![found(settings, &chosen, &unbooted)];
    let held = |node: &&Node| {
        let place = format!("/dev/{}", node.name);
        let by: Vec<&Running> = running.iter().filter(|one| one.has(|link| link == place)).collect();
        (!by.is_empty()).then_some((place, by))
    };
    let held: Vec<(String, Vec<&Running>)> = chosen.iter().filter_map(held).collect();
    let in_words = |(place, by): &(String, Vec<&Running>)| {
        format!("{place} open in {}", listed(by.iter().map(|one| one.shown()).collect()))
    };
    let saw = held.iter().map(in_words).collect::<Vec<_>>().join("; ");
    if held.iter().flat_map(|(_, by)| by).all(|one| one.is_service()) && !held.is_empty() {
        let remedy = "`sudo systemctl stop hairpin` before `hairpin record` or `hairpin run` by hand";
        let wanted = "it free, for a drive by hand";
        findings.push(Finding::note(
            "camera in use",
            format!("{saw}: hairpin's own service"),
            wanted,
            remedy,
        ));
    } else if !held.is_empty() {
        findings.push(Finding::wrong(
            "camera in use",
            saw,
            "it free: only one program gets its pictures",
            "stop that one",
        ));
    }
    findings
}

/// The nodes that the settings mean, in the order of their sockets: at most two. As `run` chooses, but that a node is
/// not asked whether it streams, which would open it.
fn choose<'a>(settings: &Settings, nodes: &'a [Node]) -> Vec<&'a Node> {
    let device = settings.camera.device.to_ascii_lowercase();
    if device.starts_with('/') {
        let real = look::leads_to(&settings.at(&settings.camera.device));
        let name = real.file_name().unwrap_or_default().to_string_lossy();
        return nodes.iter().filter(|node| node.name == name).take(1).collect();
    }
    let (vendor, product) = device.split_once(':').unwrap_or(DEEPRACER_CAMERA);
    let of_kind = |node: &&Node| node.usb.0 == vendor && node.usb.1 == product;
    let by_id: Vec<&Node> = nodes.iter().filter(of_kind).take(2).collect();
    if !by_id.is_empty() || device != "auto" {
        return by_id;
    }
    // A camera on USB before the capture ends of a board's image processor.
    let (usb, other): (Vec<&Node>, Vec<&Node>) = nodes.iter().partition(|node| !node.usb.0.is_empty());
    usb.into_iter().chain(other).take(1).collect()
}

fn shown(node: &Node) -> String {
    let socket = node.place.parent().and_then(|usb| usb.file_name()).unwrap_or_default().to_string_lossy();
    match (&node.usb.0, &node.usb.1) {
        (vendor, _) if vendor.is_empty() => format!("/dev/{} (no USB device)", node.name),
        (vendor, product) => format!("/dev/{} ({vendor}:{product} at {socket})", node.name),
    }
}

fn found(settings: &Settings, chosen: &[&Node], unbooted: &[String]) -> Finding {
    let saw = match chosen {
        // The one further on in the order of sockets is the left one (car.md §2.1), unless the settings turn them.
        [first, second] => {
            let (left, right) = if settings.camera.swap_eyes { (first, second) } else { (second, first) };
            format!("left {}, right {}", shown(left), shown(right))
        }
        nodes => nodes.iter().map(|node| shown(node)).collect(),
    };
    let refusal =
        chosen.iter().find_map(|node| look::usable(&settings.at(&format!("/dev/{}", node.name))).err());
    if let Some(refusal) = refusal {
        let remedy = "add the user to group video, then log in again; or run as root";
        return Finding::wrong("camera", refusal, "a node that this user may read and write", remedy);
    }
    if !unbooted.is_empty() {
        let saw = format!("{saw}; another without firmware at {}", listed(unbooted.to_vec()));
        return Finding::note("camera", saw, "every camera booted, if the car is stereo", BOOT);
    }
    let (vendor, product) = DEEPRACER_CAMERA;
    let stock = chosen.iter().all(|node| node.usb.0 == vendor && node.usb.1 == product);
    if settings.camera.device == "auto" && !stock {
        return Finding::note(
            "camera",
            format!("{saw}, the first that there is"),
            format!("the stock camera {vendor}:{product}, or one that camera.device names"),
            "if it is the right one, and no codec, name it in camera.device",
        );
    }
    Finding::good("camera", saw)
}

fn nothing(settings: &Settings, nodes: &[Node], unbooted: &[String]) -> Finding {
    let device = &settings.camera.device;
    let wanted = match device.as_str() {
        "auto" => format!("{}:{}, or any camera", DEEPRACER_CAMERA.0, DEEPRACER_CAMERA.1),
        named => format!("{named}, as camera.device says"),
    };
    if !unbooted.is_empty() {
        let (vendor, product) = UNBOOTED;
        let saw =
            format!("{vendor}:{product} at {}: a camera without its firmware", listed(unbooted.to_vec()));
        return Finding::wrong("camera", saw, wanted, BOOT);
    }
    let class = settings.at("/sys/class/video4linux");
    let saw = if nodes.is_empty() {
        format!("no camera under {}", class.display())
    } else {
        listed(nodes.iter().map(shown).collect())
    };
    Finding::wrong(
        "camera",
        saw,
        wanted,
        "plug it in, or name another in camera.device; `lsusb` lists what is there",
    )
}

/// The sockets of stock cameras without firmware.
fn unbooted(settings: &Settings) -> Vec<String> {
    let folder = settings.at("/sys/bus/usb/devices");
    let id = |name: &str, file: &str| look::text(&folder.join(name).join(file)).unwrap_or_default();
    let is = |name: &String| (id(name, "idVendor").as_str(), id(name, "idProduct").as_str()) == UNBOOTED;
    look::names(&folder).into_iter().filter(is).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::choose;
    use crate::hal::camera::Node;
    use crate::hal::settings::Settings;

    fn node(name: &str, vendor: &str, product: &str) -> Node {
        Node { name: name.to_owned(), usb: (vendor.to_owned(), product.to_owned()), place: PathBuf::new() }
    }

    #[test]
    fn a_camera_is_chosen_by_id_by_node_or_by_being_stock() {
        let nodes = [
            node("video0", "0bda", "5675"),
            node("video2", "29fe", "4d53"),
            node("video4", "29fe", "4d53"),
            node("video6", "29fe", "4d53"),
        ];
        let names = |device: &str, nodes: &[Node]| {
            let mut settings = Settings { root: PathBuf::from("/nowhere"), ..Settings::default() };
            device.clone_into(&mut settings.camera.device);
            choose(&settings, nodes).iter().map(|node| node.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names("auto", &nodes), ["video2", "video4"]);
        assert_eq!(names("auto", &nodes[..1]), ["video0"]);
        assert_eq!(names("auto", &[node("video8", "", ""), nodes[0].clone()]), ["video0"]);
        assert_eq!(names("29FE:4D53", &nodes), ["video2", "video4"]);
        assert_eq!(names("29fe:4d53", &nodes[..1]), [""; 0]);
        assert_eq!(names("0bda:5675", &nodes), ["video0"]);
        assert_eq!(names("/dev/video4", &nodes), ["video4"]);
        assert_eq!(names("/dev/video9", &nodes), [""; 0]);
    }
}
