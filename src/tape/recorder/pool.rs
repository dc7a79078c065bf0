//! Memory for the pictures that wait, used again and again. Refuses a picture beyond the bounds.

use std::sync::mpsc::Receiver;

use super::scribe::Slip;
use crate::domain::Frame;

/// What a picture's memory grows by, in bytes: pictures differ, and a buffer should not grow twice. A 640x480 JPEG of the
/// stock camera is about 40 KB (car.md §2).
const STEP: usize = 64 << 10;

/// The bytes of one frame.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// The left picture, then the right one.
    pub(super) pictures: Vec<u8>,
    /// How many bytes are the left one's.
    pub(super) left: usize,
    /// LiDAR values.
    pub(super) ranges: Vec<f32>,
}

impl Room {
    const fn size(&self) -> usize {
        self.pictures.capacity() + self.ranges.capacity() * size_of::<f32>()
    }
}

/// The loop's side of the memory: rooms go out full and come back to be filled again.
#[derive(Debug)]
pub(super) struct Pool {
    spare: Vec<Room>,
    back: Receiver<Room>,
    /// Of all rooms, wherever they are, in bytes.
    held: usize,
    bytes: usize,
}

impl Pool {
    /// `rooms` rooms that may come to `bytes` bytes together; written ones are waited for on `back`.
    pub(super) fn new(rooms: usize, bytes: usize, back: Receiver<Room>) -> Self {
        let first = STEP.min(bytes / rooms.max(1));
        let mut spare = Vec::with_capacity(rooms);
        spare.resize_with(rooms, || Room { pictures: Vec::with_capacity(first), ..Room::default() });
        let held = spare.iter().map(Room::size).sum();
        Self { spare, back, held, bytes }
    }

    /// All memory, in bytes.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Copies what a frame holds; `None` where there is no room.
    pub(super) fn keep(&mut self, frame: &Frame<'_>) -> Option<Room> {
        self.spare.extend(self.back.try_iter());
        // The largest, since one that is too small may not be allowed to grow.
        let at = (0..self.spare.len()).max_by_key(|at| self.spare.get(*at).map(Room::size))?;
        let mut room = self.spare.swap_remove(at);
        if !self.fits(&mut room, frame) {
            self.spare.push(room);
            return None;
        }
        room.pictures.clear();
        room.pictures.extend_from_slice(frame.left.bytes);
        room.left = frame.left.bytes.len();
        room.pictures.extend_from_slice(frame.right.map_or(&[], |right| right.bytes));
        room.ranges.clear();
        room.ranges.extend_from_slice(frame.ranges);
        Some(room)
    }

    /// Takes back what could not be sent.
    pub(super) fn put_back(&mut self, slip: Slip) {
        self.spare.extend(slip.into_room());
    }

    /// Makes the room large enough, within the bounds.
    fn fits(&mut self, room: &mut Room, frame: &Frame<'_>) -> bool {
        let pictures = frame.left.bytes.len() + frame.right.map_or(0, |right| right.bytes.len());
        let grown = if pictures > room.pictures.capacity() { pictures.next_multiple_of(STEP) } else { 0 };
        let wanted = if frame.ranges.len() > room.ranges.capacity() { frame.ranges.len() } else { 0 };
        if grown == 0 && wanted == 0 {
            return true;
        }
        let others = self.held - room.size();
        let after =
            grown.max(room.pictures.capacity()) + wanted.max(room.ranges.capacity()) * size_of::<f32>();
        if others + after > self.bytes {
            return false;
        }
        if grown > 0 {
            room.pictures = Vec::with_capacity(grown);
        }
        if wanted > 0 {
            room.ranges = Vec::with_capacity(wanted);
        }
        self.held = others + room.size();
        true
    }
}
