//! The service manager's ear (systemd's notification socket, `sd_notify(3)`): one datagram a message, sent
//! and forgotten. Refuses to wait, and to fail: a manager that does not listen is its own affair.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The environment variable in which the manager gives the socket's name.
pub const SOCKET: &str = "NOTIFY_SOCKET";

/// Tells a service manager how things stand; nobody, where none asked.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<(UnixDatagram, SocketAddr)>,
    ready: bool,
    status: String,
    /// What goes out with every beat: all that was said, since a full queue drops words.
    beat: String,
}

impl Notifier {
    /// To the socket of that name, as the manager gives it: a path, or an abstract name behind `@`.
    #[must_use]
    pub fn to(name: Option<&OsStr>) -> Self {
        let address = name.and_then(|name| match name.as_bytes() {
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest).ok(),
            [b'/', ..] => SocketAddr::from_pathname(name).ok(),
            _ => None,
        });
        let socket = address.and_then(|address| {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((socket, address))
        });
        Self { socket, beat: "WATCHDOG=1".to_owned(), ..Self::default() }
    }

    /// The service is up.
    pub fn ready(&mut self) {
        self.ready = true;
        self.said();
        self.send("READY=1");
    }

    /// The service still does its work; due within the unit's `WatchdogSec`. What was said before is said again.
    pub fn alive(&self) {
        self.send(&self.beat);
    }

    /// The service is about to end.
    pub fn stopping(&mut self) {
        "STOPPING=1\nWATCHDOG=1".clone_into(&mut self.beat);
        self.send("STOPPING=1");
    }

    /// One line for `systemctl status`.
    pub fn status(&mut self, words: &str) {
        if self.socket.is_some() {
            self.status = format!("STATUS={}", words.replace('\n', " "));
            self.said();
            self.send(&self.status);
        }
    }

    fn said(&mut self) {
        let ready = if self.ready { "READY=1\n" } else { "" };
        let status = if self.status.is_empty() { String::new() } else { format!("{}\n", self.status) };
        self.beat = format!("{ready}{status}WATCHDOG=1");
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.socket {
            // A full queue drops a word; the next beat says it again.
            drop(socket.send_to_addr(text.as_bytes(), address));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Notifier;
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 128];
        let count = socket.recv(&mut bytes).expect("a message");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    #[test]
    fn a_path_and_an_abstract_name_are_reached() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let ear = UnixDatagram::bind(&path).expect("a socket");
        let mut notifier = Notifier::to(Some(path.as_os_str()));
        notifier.ready();
        notifier.status("two\nlines");
        assert_eq!((heard(&ear), heard(&ear)), ("READY=1".to_owned(), "STATUS=two lines".to_owned()));
        notifier.alive();
        assert_eq!(
            heard(&ear),
            "READY=1\nSTATUS=two lines\nWATCHDOG=1",
            "what may have been lost is said again"
        );

        let name = format!("hairpin-notify-{}", std::process::id());
        let ear = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name"));
        Notifier::to(Some(format!("@{name}").as_ref())).alive();
        assert_eq!(heard(&ear.expect("a socket")), "WATCHDOG=1");
    }

    #[test]
    fn a_manager_that_does_not_listen_holds_nothing_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let _ear = UnixDatagram::bind(&path).expect("a socket");
        let notifier = Notifier::to(Some(path.as_os_str()));
        (0..10_000).for_each(|_| notifier.alive());
        for nobody in [None, Some("relative".as_ref()), Some("/no/such/socket".as_ref()), Some("".as_ref())] {
            Notifier::to(nobody).ready();
        }
    }
}
