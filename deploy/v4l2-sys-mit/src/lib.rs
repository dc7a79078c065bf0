//! Stands in for crate `v4l2-sys-mit` 0.3.0, which runs bindgen in every build and so needs libclang on every
//! machine. Here the bindings are committed; README.md says how they were made and regenerate.sh makes them again.
//! Types and constants only, no function and no unsafe code. Refuses targets that are not 64-bit Linux: the
//! layouts were checked for x86_64 and aarch64.
#![no_std]
#![forbid(unsafe_code)]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]
#![allow(nonstandard_style, reason = "the names are the kernel's")]
#![allow(missing_docs, dead_code, reason = "generated code; the kernel documents it")]

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("these bindings hold for 64-bit Linux only; without the [patch] they are generated");

mod bindings;
mod layout;

pub use bindings::*;
