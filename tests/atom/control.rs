//! The control of run.sh: compiled for a CPU with AVX2, it must die where there is none. If it lives, the emulated
//! CPU is not the car's, and a replay that passes on it proves nothing.

use std::hint::black_box;

fn main() {
    let numbers: Vec<i32> = (0..black_box(4096)).collect();
    let sum = numbers.iter().fold(0_i32, |sum, n| sum.wrapping_add(n.wrapping_mul(*n)));
    println!("{sum}");
}
