//! A folder that stands for a car with cameras: its `/sys/class/video4linux`, the pictures that they send, and the shim
//! that plays the kernel. A test runs itself again in a process of its own, under the shim.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use hairpin::hal::{CameraSettings, Settings};

use crate::shim::Shim;

/// The stock camera's USB id.
pub(crate) const STOCK: (&str, &str) = ("29fe", "4d53");
/// Pictures in a loop.
pub(crate) const PICTURES: u64 = 16;

/// Bytes that begin and end as a JPEG does, between 20 and 45 kB, every one another.
pub(crate) fn picture(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let length = 20_000 + usize::try_from(state % 25_000).unwrap();
    let noise = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from(state >> 57).unwrap() + 1
    });
    [0xFF, 0xD8].into_iter().chain(noise.take(length)).chain([0xFF, 0xD9]).collect()
}

/// The car of this process.
pub(crate) struct Car {
    folder: PathBuf,
    pub(crate) shim: Shim,
}

impl Car {
    fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), shim: Shim::at(&folder.join("shim")) }
    }

    /// Runs `body` in a process of its own under the shim: the test `name` again, alone. Prints what it printed.
    pub(crate) fn run(name: &str, body: impl FnOnce(&Self)) {
        if let Some(shim) = env::var_os("HAIRPIN_SHIM") {
            return body(&Self::at(Path::new(&shim).parent().unwrap()));
        }
        let folder = tempfile::tempdir().unwrap();
        let car = Self::at(folder.path());
        let frames = folder.path().join("frames");
        fs::create_dir_all(&frames).unwrap();
        for number in 0..PICTURES {
            fs::write(frames.join(format!("{number:04}.jpg")), picture(number)).unwrap();
        }
        fs::write(frames.join("black.jpg"), picture(1000)).unwrap();
        fs::create_dir_all(folder.path().join("car/sys/class/video4linux")).unwrap();
        let mut again = Command::new(env::current_exe().unwrap());
        again.args([name, "--exact", "--nocapture"]).env("HAIRPIN_SHIM_FRAMES", &frames);
        let run = car.shim.preload(&mut again).output().unwrap();
        let words = String::from_utf8_lossy(&run.stdout);
        print!("{words}");
        assert!(run.status.success(), "{:?}: {}", run.status, String::from_utf8_lossy(&run.stderr));
        assert!(words.contains("1 passed"), "{name} is no test of this file");
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("car")
    }

    /// Gives one node pictures of its own: [`picture`] of `seed` and the numbers after it.
    pub(crate) fn own_pictures(&self, node: u32, seed: u64) {
        let folder = self.folder.join("frames").join(format!("video{node}"));
        fs::create_dir_all(&folder).unwrap();
        for number in 0..PICTURES {
            fs::write(folder.join(format!("{number:04}.jpg")), picture(seed + number)).unwrap();
        }
    }

    /// Plugs a camera into a USB socket: it shows up as `/dev/videoN`, with a node for metadata after it.
    pub(crate) fn plug(&self, node: u32, socket: &str, usb: (&str, &str)) {
        let device = self.root().join("sys/devices").join(socket);
        let interface = device.join(format!("{socket}:1.0"));
        fs::create_dir_all(&interface).unwrap();
        fs::write(device.join("idVendor"), usb.0).unwrap();
        fs::write(device.join("idProduct"), usb.1).unwrap();
        for (number, index) in [(node, "0\n"), (node + 1, "1\n")] {
            let class = self.class(number);
            fs::create_dir_all(&class).unwrap();
            fs::write(class.join("index"), index).unwrap();
            symlink(&interface, class.join("device")).unwrap();
        }
        self.shim.set("nodes", self.shim.get("nodes") | 1 << node);
    }

    /// Pulls it out.
    pub(crate) fn pull(&self, node: u32) {
        for number in [node, node + 1] {
            match fs::remove_dir_all(self.class(number)) {
                Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
                _ => {}
            }
        }
        self.shim.set("nodes", self.shim.get("nodes") & !(1 << node));
    }

    fn class(&self, node: u32) -> PathBuf {
        self.root().join("sys/class/video4linux").join(format!("video{node}"))
    }

    /// Settings for this tree.
    pub(crate) fn settings(&self, device: &str) -> Settings {
        let standard = Settings::default();
        let camera = CameraSettings { device: device.to_owned(), ..standard.camera.clone() };
        Settings { root: self.root(), camera, ..standard }
    }
}

/// The open descriptors of this process.
pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
